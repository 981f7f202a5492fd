"""What a refusal means to the person who filled in a form: which field, and what to do, in Chinese.

The services refuse in English, for every kind of asker. What they advise is the key here, as it tells
refusals apart and never holds what was typed.
"""

from collections.abc import Mapping

from access.branches import Level
from api.address import Problem
from kb.errors import KbError

LEVEL_WORDS: Mapping[Level, str] = {
    Level.COMMITTEE: "党委",
    Level.GENERAL: "党总支",
    Level.BRANCH: "党支部",
}

WORDS: Mapping[str, tuple[str, str]] = {
    # branches
    "Take 1 to 80.": ("name", "名称要有 1 至 80 个字。"),
    "Open the one there is.": (
        "name",
        "这里曾有同名的组织。请换一个名称，或在组织列表里启用、改名原来的那个。",
    ),
    "Take another name.": ("name", "这里已有同名的，请换一个名称。"),
    "Choose a place in the same tree.": (
        "parent_id",
        "不能移到最上层：那样会离开本组织。请选本组织里的上级。",
    ),
    "Choose a branch that is not below it.": ("parent_id", "不能移到它自己或它的下级之下。请选别的上级。"),
    "Choose a place in the same tree; make a partnership between trees.": (
        "parent_id",
        "不能移到别的单位之下。请选本组织里的上级；单位之间请用共建。",
    ),
    "A committee (党委) may hold all, a general branch (总支) branches, a branch (支部) nothing.": (
        "level",
        "层级与上下级不符：党委下可设党委、党总支和党支部，党总支下可设党总支和党支部，党支部下不再设。",
    ),
    "Retire those first.": ("state", "它下面还有在用的组织，请先停用下级。"),
    "Take that one back first.": ("state", "它的上级已停用，请先启用上级。"),
    # people
    "Take 1 to 40 characters.": ("name", "姓名要有 1 至 40 个字。"),
    "Choose at least one.": ("roles", "请至少选一个角色。"),
    "Make another person one first.": (
        "state",
        "这是最后一位系统管理员，没有改动。请先把另一人设为系统管理员。",
    ),
    "See how things stand, and try again.": (
        "state",
        "没有改动：您自己的账号或角色刚被别人改过。请看清现在的情况再试。",
    ),
    # partnerships
    "Give the last day, at most 5 years on.": ("ends_on", "请填最后一天，最长 5 年。"),
    "Give a last day that is still to come, not before the first.": (
        "ends_on",
        "最后一天要在今天或以后，且不早于第一天。",
    ),
    "Give a last day at most 5 years on, and renew it then.": ("ends_on", "最长 5 年，到期可以再续。"),
    "Choose another.": ("partner_id", "对方组织已停用，请选别的。"),
    "Share with the branch by name instead.": (
        "partner_id",
        "本组织内部不用共建，共享文献时直接选那个支部就行。",
    ),
    "Agree to it, or end it first.": (
        "ends_on",
        "这段时间里双方已有共建，或有待同意的邀约。请先同意或结束那一个。",
    ),
    "Choose one from the people of that branch.": ("liaison", "联络人要是本方的联络员或管理员。"),
    "Make a new one.": ("state", "这个邀约已不能同意：对方已收回，或已过期。"),
    "See the list of partnerships.": ("state", "这个共建已经结束。"),
    # groups
    "Take 1 to 60 characters.": ("name", "名称要有 1 至 60 个字。"),
    "See the members.": ("member", "已经在工作组里了。"),
    "Make a partnership first.": ("member", "只能加入本组织的，或共建对方的。请先建立共建。"),
}
"""Field and words, by the advice of the refusal."""


def problem_of(error: KbError) -> Problem:
    """The refusal beside its field; one without words of its own shows what the service said."""
    field, words = WORDS.get(error.hint, ("state", f"没有改动。{error.message}"))
    return Problem(field, words)
