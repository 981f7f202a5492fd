"""The audit trail in plain Chinese words, and as cells that no spreadsheet runs."""

from collections.abc import Mapping
from datetime import UTC, datetime

from access.audit import Event
from access.roster import WORD_OF_ROLE

GROUPS: Mapping[str, str] = {
    "document.": "文献",
    "person.": "人员",
    "branch.": "组织",
    "partnership.": "共建",
    "group.": "小组",
    "session.": "登录",
    "password.": "密码",
    "second_factor.": "第二重验证",
    "token.": "接口令牌",
    "audit.": "审计记录",
}
"""What a choice of the filter is called, by what its actions begin with."""

ACTIONS: Mapping[str, str] = {
    "document.add": "交文献",
    "document.read": "阅读文献",
    "document.original": "下载原件",
    "document.share": "设定分享范围",
    "document.reshare": "转分享",
    "document.unshare": "收回分享",
    "document.copy": "复制文献",
    "document.withdraw": "撤下文献",
    "document.take_over": "接管文献",
    "person.add": "新增人员",
    "person.invite": "邀请人员",
    "person.uninvite": "撤回邀请",
    "person.roles": "设定角色",
    "person.rename": "改姓名",
    "person.activate": "启用账号",
    "person.deactivate": "停用账号",
    "person.operator": "设定系统管理员",
    "person.erase": "注销账号",
    "person.export": "导出人员名单",
    "person.link": "关联统一身份",
    "branch.found": "新建组织",
    "branch.change": "修改组织",
    "branch.retire": "停用组织",
    "branch.restore": "启用组织",
    "partnership.propose": "发出共建邀约",
    "partnership.agree": "同意共建",
    "partnership.end": "结束共建",
    "partnership.liaison": "设定联络人",
    "group.make": "新建小组",
    "group.put": "加入小组",
    "group.drop": "移出小组",
    "group.dissolve": "解散小组",
    "session.begin": "登录",
    "session.refuse": "登录失败",
    "session.end": "退出登录",
    "session.end_others": "登出其他设备",
    "password.change": "改密码",
    "password.reset": "重设密码",
    "second_factor.set": "启用第二重验证",
    "second_factor.drop": "停用第二重验证",
    "second_factor.recovery": "使用恢复码",
    "token.make": "新建接口令牌",
    "token.end": "收回接口令牌",
    "audit.export": "导出审计记录",
    "audit.trim": "清理到期的审计记录",
}

OBJECTS: Mapping[str, str] = {
    "document": "文献",
    "person": "人员",
    "branch": "组织",
    "partnership": "共建",
    "group": "小组",
    "invitation": "邀请",
    "session": "登录",
    "token": "接口令牌",
    "audit": "审计记录",
    "login": "登录名",
}


def action_words(action: str) -> str:
    """What was done."""
    return ACTIONS.get(action, action)


def detail_words(event: Event) -> str:
    """What else there is to say of it.

    >>> detail_words(Event(1, "", None, None, "person.roles", "person", "p", {"roles": ["member", "trainer"]}))
    '角色：学员、培训员'
    """
    found = event.detail
    words = []
    if event.action in ("person.roles", "person.invite") and "roles" in found:
        words.append("角色：" + ("、".join(WORD_OF_ROLE.get(r, r) for r in found["roles"]) or "无"))
    if event.action == "person.operator":
        words.append("设为系统管理员" if found.get("operator") else "不再是系统管理员")
    if event.action == "audit.trim":
        words.append(f"{found.get('entries', 0)} 条")
    if event.action.startswith("branch.") and found.get("name"):
        words.append(f"名称：{found['name']}")
    return "；".join(words)


def local_time(at: str) -> datetime:
    """The moment of an entry as the clocks here show it."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone()


def cell(text: str) -> str:
    """Text that a spreadsheet shows and does not run: what it would take for a formula gets a quote before it.

    >>> cell("=1+1"), cell("甲")
    ("'=1+1", '甲')

    Source: OWASP, CSV Injection.
    """
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text
