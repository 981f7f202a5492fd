"""Settings as the administration page tells them: in Chinese, and without a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from api.settings import PREFIX, Settings

WORDS: Mapping[str, str] = {
    "home": "数据目录",
    "host": "监听地址",
    "port": "监听端口",
    "allowed_hosts": "另外应答的主机名",
    "url": "对外网址",
    "tls_certificate": "HTTPS 证书",
    "tls_key": "HTTPS 证书的密钥文件",
    "proxies": "信任的反向代理",
    "second_factor": "管理员须用两步验证",
    "session_idle_hours": "闲置多少小时后登出",
    "session_days": "最长几天后须重新登录",
    "audit_days": "操作记录保留天数",
    "requests_per_minute": "每个地址每分钟请求上限",
    "oidc_issuer": "统一身份认证（OIDC）地址",
    "oidc_client_id": "统一身份认证客户端编号",
    "oidc_client_secret": "统一身份认证客户端密钥",
    "oidc_link_logins": "按登录名自动关联统一身份",
    "encoder": "语义模型",
    "encoder_model": "语义模型接口的模型名",
    "encoder_key": "语义模型接口的密钥",
    "problem_encoder": "找案例的语义模型",
    "proposer": "出题语言模型接口",
    "proposer_model": "出题语言模型接口的模型名",
    "proposer_key": "出题语言模型接口的密钥",
    "keyword_engine": "关键词引擎",
    "vector_engine": "向量引擎",
    "max_source_mb": "单个文件上限（MiB）",
    "processes": "读取文件的进程数",
    "log_level": "日志级别",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One setting: its Chinese name, the environment variable, its value in words, and whether it was changed."""

    words: str
    variable: str
    value: str
    changed: bool


def told(settings: Settings) -> list[Told]:
    """The settings in force. Of a secret only whether it is set."""
    found = []
    for name, about in Settings.model_fields.items():
        value = getattr(settings, name)
        text = _said(value) if about.repr else ("已设置（不显示）" if value else "未设置")
        found.append(Told(WORDS.get(name, name), PREFIX + name.upper(), text, value != about.default))
    return found


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None or value == "":
        return "未设置"
    text = str(value)
    parts = urlsplit(text)
    # An address may carry a name and a password.
    return text.replace(parts.netloc, parts.netloc.rpartition("@")[2]) if "@" in parts.netloc else text
