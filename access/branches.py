"""Organisations as a tree: 党委 above 总支 above 支部."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from access.office import Office
from access.principal import Principal
from access.rights import Action
from access.scopes import Tree, tree
from access.tables import branches, people, roles
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import derive_id


class Level(StrEnum):
    """What an organisation is; each stands below a higher one, or at the top."""

    COMMITTEE = "committee"
    GENERAL = "general"
    BRANCH = "branch"


_LONGEST_NAME = 80
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")


@dataclass(frozen=True, slots=True)
class Branch:
    """An organisation. `depth` counts from 0 at the top."""

    branch_id: str
    name: str
    level: Level
    parent_id: str | None
    active: bool
    depth: int = 0


class Branches:
    """The tree of organisations."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def all(self, *, retired: bool = False) -> list[Branch]:
        """Every branch, each after the one above it, by name among its like."""
        with self._office.reading() as connection:
            rows = connection.execute(select(branches).order_by(branches.c.name, branches.c.branch_id)).all()
        below: dict[str | None, list[Any]] = {}
        for row in rows:
            below.setdefault(row.parent_id, []).append(row)
        found: list[Branch] = []

        def take(parent_id: str | None, depth: int) -> None:
            for row in below.get(parent_id, []):
                if row.active or retired:
                    found.append(_branch(row, depth))
                    take(row.branch_id, depth + 1)

        take(None, 0)
        return found

    def seen(self, by: Principal) -> list[Branch]:
        """The branches whose names the asker may know.

        Who makes partnerships, and an operator, knows all; others their own trees and their partners.
        """
        by.require_person()
        listed = self.all()
        if by.operator or any(by.may(Action.PARTNER, b) for b in by.branches):
            return listed
        known = self.tree()
        tops = {known.top(b) for b in by.branches}
        return [b for b in listed if b.branch_id in by.partners or known.top(b.branch_id) in tops]

    def get(self, branch_id: str) -> Branch:
        """One branch.

        Raises:
            NotFound: there is none of this id.
        """
        with self._office.reading() as connection:
            return _branch(row_of(connection, branch_id))

    def names(self) -> dict[str, str]:
        """Name by id, of those out of use too."""
        with self._office.reading() as connection:
            return {
                r.branch_id: r.name for r in connection.execute(select(branches.c.branch_id, branches.c.name))
            }

    def tree(self) -> Tree:
        """The branches in use, by parent."""
        with self._office.reading() as connection:
            return tree(connection)

    def found(
        self,
        by: Principal | None,
        name: str,
        *,
        level: Level = Level.BRANCH,
        parent_id: str | None = None,
        branch_id: str | None = None,
    ) -> Branch:
        """Make a branch below another, or at the top; `by` None is the operator at the machine.

        Raises:
            InvalidRequest: the name or the id makes no sense.
            Conflict: one of this id, or of this name below the same one, is there.
            NotFound: there is no such parent.
            SignInRequired, Refused: the asker may not.
        """
        name = _checked_name(name)
        if by is not None and parent_id is None:
            by.require_operator()
        elif by is not None and parent_id is not None:
            by.require(Action.MANAGE_BRANCH, parent_id)
        branch_id = branch_id or derive_id("branch", parent_id or "", name)
        if not _ID.fullmatch(branch_id):
            raise InvalidRequest(
                f"Cannot make a branch of id {branch_id!r}.", "Take 2 to 32 of a to z, 0 to 9 and the hyphen."
            )
        with self._office.writing() as connection:
            if parent_id is not None:
                _check_order(_branch(row_of(connection, parent_id)).level, level)
            if connection.execute(
                select(branches.c.branch_id).where(branches.c.branch_id == branch_id)
            ).first():
                raise Conflict(
                    f"Cannot make branch {branch_id}: it is there already.", "Open the one there is."
                )
            _check_free(connection, name, parent_id, branch_id)
            connection.execute(
                insert(branches).values(
                    branch_id=branch_id,
                    parent_id=parent_id,
                    name=name,
                    level=level.value,
                    active=True,
                    added_at=self._office.now(),
                )
            )
            self._office.audit.write(
                connection,
                by,
                "branch.found",
                "branch",
                branch_id,
                branch_id=branch_id,
                name=name,
                parent=parent_id,
            )
        return Branch(branch_id, name, level, parent_id, True)

    def change(
        self, by: Principal, branch_id: str, *, name: str, level: Level, parent_id: str | None
    ) -> Branch:
        """Give a branch another name, level or place. It stays in its tree: another enterprise's is not its own.

        Raises:
            InvalidRequest: the place is below the branch itself, in another tree, or of a lower level.
            Conflict, NotFound, SignInRequired, Refused: as in `found`.
        """
        by.require(Action.MANAGE_BRANCH, branch_id)
        name = _checked_name(name)
        with self._office.writing() as connection:
            before = _branch(row_of(connection, branch_id))
            if parent_id != before.parent_id:
                self._check_move(connection, by, branch_id, parent_id)
            if parent_id is not None:
                _check_order(_branch(row_of(connection, parent_id)).level, level)
            for child in connection.execute(
                select(branches.c.level).where(branches.c.parent_id == branch_id)
            ).scalars():
                _check_order(level, Level(child))
            _check_free(connection, name, parent_id, branch_id)
            connection.execute(
                update(branches)
                .where(branches.c.branch_id == branch_id)
                .values(name=name, level=level.value, parent_id=parent_id)
            )
            self._office.audit.write(
                connection,
                by,
                "branch.change",
                "branch",
                branch_id,
                branch_id=branch_id,
                name=name,
                parent=parent_id,
            )
        return Branch(branch_id, name, level, parent_id, before.active)

    def _check_move(
        self, connection: Connection, by: Principal, branch_id: str, parent_id: str | None
    ) -> None:
        known = tree(connection)
        if parent_id is None:
            raise InvalidRequest(
                f"Cannot put {branch_id} at the top: it would leave its tree.",
                "Choose a place in the same tree.",
            )
        if parent_id in known.below([branch_id]):
            raise InvalidRequest(
                f"Cannot put {branch_id} below {parent_id}: that is below {branch_id} itself.",
                "Choose a branch that is not below it.",
            )
        if known.top(parent_id) != known.top(branch_id):
            raise InvalidRequest(
                f"Cannot put {branch_id} below {parent_id}: that is another tree.",
                "Choose a place in the same tree; make a partnership between trees.",
            )
        by.require(Action.MANAGE_BRANCH, parent_id)

    def retire(self, by: Principal, branch_id: str, *, active: bool = False) -> None:
        """Take a branch out of use, or back into it: with it, its people's roles there rest, and
        what it shares through partnerships; its shares with everyone, groups and its own tree stay.

        Raises:
            Conflict: branches in use stand below it, or its parent is out of use.
            NotFound, SignInRequired, Refused: as in `found`.
        """
        with self._office.writing() as connection:
            above = connection.execute(
                select(branches.c.parent_id).where(branches.c.branch_id == branch_id)
            ).scalar()
            if above is None or not by.may(Action.MANAGE_BRANCH, above):
                # The same for one that is not there: which ids there are is not told.
                by.require_operator()
            row = row_of(connection, branch_id)
            n = connection.execute(
                select(func.count())
                .select_from(branches)
                .where(branches.c.parent_id == branch_id, branches.c.active)
            ).scalar_one()
            if not active and n:
                raise Conflict(
                    f"Cannot retire {branch_id}: {n} branches in use stand below it.", "Retire those first."
                )
            if active and row.parent_id and not row_of(connection, row.parent_id).active:
                raise Conflict(
                    f"Cannot take {branch_id} back: the one above it is out of use.",
                    "Take that one back first.",
                )
            connection.execute(
                update(branches).where(branches.c.branch_id == branch_id).values(active=active)
            )
            self._office.audit.write(
                connection,
                by,
                "branch.restore" if active else "branch.retire",
                "branch",
                branch_id,
                branch_id=branch_id,
            )

    def n_people(self) -> dict[str, int]:
        """How many active people have a role in each branch. For administration only."""
        with self._office.reading() as connection:
            rows = connection.execute(
                select(roles.c.branch_id, func.count(roles.c.person_id.distinct()))
                .join(people, people.c.person_id == roles.c.person_id)
                .where(people.c.active)
                .group_by(roles.c.branch_id)
            )
            return {r[0]: r[1] for r in rows}


def row_of(connection: Connection, branch_id: str) -> Any:
    """The row of a branch.

    Raises:
        NotFound: there is none of this id.
    """
    row = connection.execute(select(branches).where(branches.c.branch_id == branch_id)).first()
    if row is None:
        raise NotFound(f"No branch {branch_id} here.", "Choose one from the list of branches.")
    return row


def _branch(row: Any, depth: int = 0) -> Branch:
    return Branch(row.branch_id, row.name, Level(row.level), row.parent_id, row.active, depth)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(
            f"Cannot take {name[:20]!r} as the name of a branch: {len(name)} characters.",
            f"Take 1 to {_LONGEST_NAME}.",
        )
    return name


def _check_order(above: Level, below: Level) -> None:
    order = list(Level)
    if order.index(above) > order.index(below) or above is Level.BRANCH:
        raise InvalidRequest(
            f"Cannot put a {below.value} below a {above.value}.",
            "A committee (党委) may hold all, a general branch (总支) branches, a branch (支部) nothing.",
        )


def _check_free(connection: Connection, name: str, parent_id: str | None, branch_id: str) -> None:
    taken = connection.execute(
        select(branches.c.branch_id).where(
            branches.c.name == name,
            branches.c.parent_id.is_(None) if parent_id is None else branches.c.parent_id == parent_id,
            branches.c.branch_id != branch_id,
        )
    ).first()
    if taken:
        raise Conflict(f"Cannot take the name {name}: another branch there has it.", "Take another name.")
