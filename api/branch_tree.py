"""Branches as a nested list."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from access.branches import Branch


@dataclass(frozen=True, slots=True)
class Node:
    """A branch with those below it."""

    branch: Branch
    below: list["Node"] = field(default_factory=list)


def nested(branches: Iterable[Branch]) -> list[Node]:
    """The branches as trees, in their order; one whose parent is not among them stands at the top.

    >>> from access.branches import Level
    >>> committee = Branch("a", "甲党委", Level.COMMITTEE, None, True)
    >>> branch = Branch("b", "甲一支部", Level.BRANCH, "a", True)
    >>> [n.branch.name for n in nested([committee, branch])[0].below]
    ['甲一支部']
    >>> [n.branch.name for n in nested([branch])]
    ['甲一支部']
    """
    nodes = {b.branch_id: Node(b) for b in branches}
    top: list[Node] = []
    for node in nodes.values():
        parent = nodes.get(node.branch.parent_id or "")
        (parent.below if parent else top).append(node)
    return top
