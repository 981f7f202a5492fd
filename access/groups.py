"""Groups across branches: kept by one branch, holding branches and single people."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from access.branches import row_of
from access.office import Office
from access.people import branches_of
from access.principal import Principal
from access.rights import Action
from access.scopes import tree
from access.tables import group_members, groups
from kb.errors import Conflict, InvalidRequest, NotFound
from kb.model import derive_id

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Group:
    """A group. `members` are "branch:ID" and "person:ID"."""

    group_id: str
    name: str
    branch_id: str
    members: frozenset[str]


class Groups:
    """Groups that documents can be shared with."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def seen(self, by: Principal) -> list[Group]:
        """Groups that the asker's branches keep or are in, or that the asker is in, by name."""
        person_id = by.require_person()
        with self._office.reading() as connection:
            own = tree(connection).above(by.branches)
            members = [f"person:{person_id}", *(f"branch:{b}" for b in own | by.branches)]
            within = select(group_members.c.group_id).where(group_members.c.member.in_(members))
            rows = connection.execute(
                select(groups)
                .where(or_(groups.c.group_id.in_(within), groups.c.branch_id.in_(by.branches)))
                .order_by(groups.c.name, groups.c.group_id)
            ).all()
            return [_group(connection, r) for r in rows]

    def make(self, by: Principal, branch_id: str, name: str) -> Group:
        """Make a group that the branch keeps; it is empty at first.

        Raises:
            InvalidRequest, Conflict: the name makes no sense, or the branch has a group of that name.
            NotFound, SignInRequired, Refused: no such branch, or not the asker's.
        """
        by.require(Action.GROUP, branch_id)
        name = " ".join(name.split())
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InvalidRequest(
                f"Cannot take {name[:20]!r} as the name of a group.", f"Take 1 to {_LONGEST_NAME} characters."
            )
        group_id = derive_id("group", branch_id, name)
        with self._office.writing() as connection:
            row_of(connection, branch_id)
            if connection.execute(select(groups.c.group_id).where(groups.c.group_id == group_id)).first():
                raise Conflict(
                    f"Cannot make the group {name}: the branch has one of that name.", "Take another name."
                )
            connection.execute(
                insert(groups).values(
                    group_id=group_id, name=name, branch_id=branch_id, added_at=self._office.now()
                )
            )
            self._office.audit.write(connection, by, "group.make", "group", group_id, branch_id=branch_id)
        return Group(group_id, name, branch_id, frozenset())

    def put(self, by: Principal, group_id: str, member: str) -> None:
        """Put a branch or a person into a group: of the keeper's own, or a partner of the keeper's.

        Raises:
            InvalidRequest: it is neither, or neither the keeper's own nor a partner's.
            Conflict: it is in.
            NotFound, SignInRequired, Refused: no such group or member, or not the asker's group.
        """
        with self._office.writing() as connection:
            group = self._kept(connection, by, group_id)
            if member in group.members:
                raise Conflict(f"Cannot put {member} in: it is in the group.", "See the members.")
            kind, _, member_id = member.partition(":")
            if kind == "branch":
                row_of(connection, member_id)
                near = {member_id}
            elif kind == "person":
                near = branches_of(connection, member_id)
            else:
                raise InvalidRequest(f"Cannot put {member!r} in.", "A member is branch:ID or person:ID.")
            known = tree(connection)
            own = {b for b in near if known.top(b) == known.top(group.branch_id)}
            if not own and not near & by.partners:
                raise InvalidRequest(
                    f"Cannot put {member} in: neither of your own organisation nor a partner.",
                    "Make a partnership first.",
                )
            connection.execute(insert(group_members).values(group_id=group_id, member=member))
            self._write(connection, by, "group.put", group, member)

    def drop(self, by: Principal, group_id: str, member: str) -> None:
        """Take a member out, at once. The keeper may, the member person, and who makes groups in the member branch.

        Raises:
            NotFound, SignInRequired: no such group or member, or not the asker's to take out.
        """
        person_id = by.require_person()
        with self._office.writing() as connection:
            group = self._any(connection, group_id)
            kind, _, member_id = member.partition(":")
            allowed = (
                by.may(Action.GROUP, group.branch_id)
                or (kind == "person" and member_id == person_id)
                or (kind == "branch" and by.may(Action.GROUP, member_id))
            )
            if not allowed or member not in group.members:
                keeps = by.may(Action.GROUP, group.branch_id)
                # To whom the group is hidden, the same words as for one that is not there.
                what = f"No member {member} of group {group_id} here." if keeps else _missing(group_id)
                raise NotFound(what, "See the list of groups.")
            connection.execute(
                delete(group_members).where(
                    group_members.c.group_id == group_id, group_members.c.member == member
                )
            )
            self._write(connection, by, "group.drop", group, member)

    def dissolve(self, by: Principal, group_id: str) -> None:
        """Do away with a group; what was shared with it reaches its members no more.

        Raises:
            NotFound, SignInRequired, Refused: no such group, or not the asker's.
        """
        with self._office.writing() as connection:
            group = self._kept(connection, by, group_id)
            connection.execute(delete(groups).where(groups.c.group_id == group_id))
            self._write(connection, by, "group.dissolve", group, "")

    def _any(self, connection: Connection, group_id: str) -> Group:
        row = connection.execute(select(groups).where(groups.c.group_id == group_id)).first()
        if row is None:
            raise NotFound(_missing(group_id), "See the list of groups.")
        return _group(connection, row)

    def _kept(self, connection: Connection, by: Principal, group_id: str) -> Group:
        """The group, if the asker looks after it; else it is not there."""
        by.require_person()
        group = self._any(connection, group_id)
        if not by.may(Action.GROUP, group.branch_id):
            raise NotFound(_missing(group_id), "See the list of groups.")
        return group

    def _write(self, connection: Connection, by: Principal, action: str, group: Group, member: str) -> None:
        self._office.audit.write(
            connection, by, action, "group", group.group_id, branch_id=group.branch_id, member=member
        )


def _missing(group_id: str) -> str:
    return f"No group {group_id} here."


def _group(connection: Connection, row: Any) -> Group:
    group_id, name, branch_id = row.group_id, row.name, row.branch_id
    members = connection.execute(
        select(group_members.c.member).where(group_members.c.group_id == group_id)
    ).scalars()
    return Group(group_id, name, branch_id, frozenset(members))
