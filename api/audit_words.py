"""The audit trail in plain Chinese words, and as cells that no spreadsheet runs."""

from collections.abc import Mapping
from datetime import UTC, datetime

from access.audit import Event
from access.rights import Role
from api.access_words import ROLE_WORDS

GROUPS: Mapping[str, str] = {
    "document.": "文献",
    "person.": "人员",
    "branch.": "组织",
    "partnership.": "共建",
    "group.": "工作组",
    "question.": "试题",
    "exam.": "测验",
    "case.": "案例",
    "ballot.": "评选",
    "case_question.": "求助",
    "session.": "登录",
    "password.": "密码",
    "second_factor.": "两步验证",
    "token.": "访问令牌",
    "audit.": "操作记录",
}
"""What a choice of the filter is called, by what its actions begin with."""

OBJECTS: Mapping[str, str] = {
    "document": "文献",
    "person": "人员",
    "branch": "组织",
    "partnership": "共建",
    "group": "工作组",
    "invitation": "邀请",
    "question": "试题",
    "exam": "测验",
    "case": "案例",
    "adoption": "借鉴记录",
    "feedback": "案例反馈",
    "ballot": "评选",
    "case_question": "求助",
    "session": "登录",
    "token": "访问令牌",
    "audit": "操作记录",
    "login": "登录名",
}


def detail_words(event: Event) -> str:
    """What else there is to say of it.

    >>> detail_words(Event(1, "", None, None, "person.roles", "person", "p", {"roles": ["member", "trainer"]}))
    '角色：学员、培训员'
    """
    found = event.detail
    words = []
    if event.action in ("person.roles", "person.invite") and "roles" in found:
        words.append("角色：" + ("、".join(ROLE_WORDS[Role(r)] for r in found["roles"]) or "无"))
    if event.action == "person.operator":
        words.append("设为系统管理员" if found.get("operator") else "不再是系统管理员")
    if event.action == "audit.trim":
        words.append(f"{found.get('entries', 0)} 条")
    if event.action == "question.add":
        words.append(f"{found.get('questions', 0)} 道")
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
