"""What the administration pages share: how one is shown, how a form fails, and what is no secret."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.principal import Principal
from access.rights import Action, Relation, Role
from api.access_words import ROLE_WORDS
from api.address import Problem
from api.errors import status_of
from api.pages import render
from api.refusals import LEVEL_WORDS, problem_of
from kb.errors import Conflict, InvalidRequest, KbError, NotFound

ROLE_HINTS: Mapping[Role, str] = {
    Role.MEMBER: "检索和阅读",
    Role.TRAINER: "还可交材料、在本支部内共享",
    Role.LIAISON: "还可对外共享、办理共建和工作组",
    Role.ADMINISTRATOR: "还可管理人员和下级组织、看操作记录",
}

DONE: Mapping[str, str] = {
    "founded": "已建好。",
    "changed": "已保存。",
    "retired": "已停用。它的人员在那里的角色和它经共建共享的文献随之停止，启用后恢复。",
    "restored": "已重新启用。",
    "uninvited": "邀请已撤回，原来的链接不能再用。",
    "roles": "角色已保存，对方下一次打开页面就生效。",
    "renamed": "姓名已保存。",
    "shut": "账号已停用，对方已被登出。",
    "opened": "账号已启用。",
    "erased": "账号已注销。其登录名、姓名、角色和登录方式已删除，操作记录里只留编号。",
    "operator": "系统管理员设置已保存。",
    "proposed": "邀约已发出，等对方同意。",
    "agreed": "共建已同意。",
    "ended": "共建已结束，立即生效。",
    "liaison": "联络人已保存。",
    "put": "已加入工作组。",
    "dropped": "已移出工作组。",
    "dissolved": "工作组已解散。",
}
"""What was done, by the code in the address after it."""


def show(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    error: KbError | None = None,
    problems: Sequence[Problem] = (),
    typed: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    """An administration page; with what keeps its form from being taken, beside what was typed."""
    found = [*problems, *([problem_of(error)] if error else ())]
    shared = {
        "done": DONE.get(request.query_params.get("done", ""), ""),
        "problems": found,
        "typed": typed or {},
        "LEVEL_WORDS": LEVEL_WORDS,
        "ROLE_WORDS": ROLE_WORDS,
        "ROLE_HINTS": ROLE_HINTS,
    }
    status = status_of(error) if error else 400 if found else 200
    return render(request, template, {**shared, **context}, status=status)


def attempt(
    act: Callable[[], object], address: str, again: Callable[[InvalidRequest | Conflict], Response]
) -> Response:
    """Do it and go on to the address; the page again where what was filled in will not do."""
    try:
        act()
    except (InvalidRequest, Conflict) as error:
        return again(error)
    return RedirectResponse(address, 303)


def require_in(asker: Principal, action: Action, branch_id: str) -> None:
    """Refuse unless the asker may; a branch that is not their own is as if it were not there.

    Raises:
        SignInRequired, Refused, NotFound: they may not.
    """
    asker.require_person()
    if not asker.may(action, branch_id) and asker.relation(branch_id) is not Relation.OWN:
        raise NotFound(f"No branch {branch_id} here.", "Choose one from the list of branches.")
    asker.require(action, branch_id)


def may_anywhere(asker: Principal, action: Action) -> list[str]:
    """Own branches in which the asker may do it."""
    return sorted(b for b in asker.branches if asker.may(action, b))
