"""Rosters of branches, as `access.roster` reads and writes them: taken out, and put in whole or not at all."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from access.branches import row_of
from access.office import Office
from access.people import People, login_key, people_of
from access.principal import Principal
from access.rights import Action, Role
from access.roster import RosterProblem, RosterRow
from access.tables import branches, roles
from access.tables import people as table
from kb.errors import Conflict, InvalidRequest


class Rosters:
    """Exports and imports the people of branches."""

    def __init__(self, office: Office, people: People) -> None:
        self._office = office
        self._people = people

    def rows(self, by: Principal, branch_ids: Iterable[str]) -> list[RosterRow]:
        """The people of the branches as rows of a roster.

        Raises:
            SignInRequired, Refused: one of the branches is not the asker's to export.
        """
        found: list[RosterRow] = []
        with self._office.writing() as connection:
            for branch_id in branch_ids:
                by.require(Action.MANAGE_PEOPLE, branch_id)
                name = row_of(connection, branch_id).name
                ids = connection.execute(
                    select(roles.c.person_id).where(roles.c.branch_id == branch_id)
                ).scalars()
                for person in people_of(connection, set(ids)):
                    held = tuple(r.value for r in Role if r in person.roles[branch_id])
                    found.append(
                        RosterRow(len(found) + 2, person.login, person.name, name, held, person.active)
                    )
                self._office.audit.write(
                    connection, by, "person.export", "branch", branch_id, branch_id=branch_id
                )
        return found

    def take(
        self,
        by: Principal,
        rows: Iterable[RosterRow],
        hashed: Mapping[str, str],
        *,
        check_only: bool = False,
    ) -> tuple[list[str], list[RosterProblem]]:
        """Put a roster in as one change: all of it, or nothing where there is a problem; the logins that are new.

        `hashed` has the first password, as `access.passwords` keeps it, of each login; used for new people, who
        must change it. People not on the roster stay as they are. `check_only` tells the same and changes nothing.
        """
        fresh: list[str] = []
        problems: list[RosterProblem] = []
        with self._office.writing() as connection:
            known = {
                b.branch_id: b.name for b in connection.execute(select(branches).where(branches.c.active))
            }
            for row in rows:
                try:
                    # A savepoint: what a wrong row did is undone, and the next rows are still checked.
                    with connection.begin_nested():
                        if self._take_row(connection, by, row, known, hashed):
                            fresh.append(row.login)
                except _WrongCell as wrong:
                    problems.append(RosterProblem(row.row, wrong.column, wrong.message))
            if problems or check_only:
                connection.rollback()
        return ([], problems) if problems else (fresh, [])

    def _take_row(
        self,
        connection: Connection,
        by: Principal,
        row: RosterRow,
        known: dict[str, str],
        hashed: Mapping[str, str],
    ) -> bool:
        named = [
            b for b, name in known.items() if row.branch in (b, name) and by.may(Action.MANAGE_PEOPLE, b)
        ]
        if len(named) != 1:
            seen = "有不止一个" if named else "没有"
            raise _WrongCell("支部", f"在您管理的支部里{seen}叫“{row.branch}”的。请写全称，或写支部编号。")
        branch_id = named[0]
        person_id = connection.execute(
            select(table.c.person_id).where(table.c.login_key == login_key(row.login))
        ).scalar()
        new = person_id is None
        if person_id is None:
            try:
                person_id = self._people.add(
                    by, row.login, row.name, password=hashed[row.login], within=connection
                )
            except (InvalidRequest, Conflict) as error:
                raise _WrongCell(
                    "登录名", "登录名为 2 至 40 个字母、数字、汉字或 . _ - @；姓名不超过 40 个字。"
                ) from error
        else:
            person = people_of(connection, {person_id})[0]
            if not any(by.may(Action.MANAGE_PEOPLE, b) for b in person.roles):
                raise _WrongCell("登录名", f"登录名“{row.login}”已被使用。请换一个，或请对方接受邀请加入。")
            elsewhere = person.operator or not all(by.may(Action.MANAGE_PEOPLE, b) for b in person.roles)
            if person.active != row.active and elsewhere:
                raise _WrongCell("状态", f"“{row.login}”还在别的支部任职，不能在这里停用或启用。")
        self._people.give(connection, by, person_id, branch_id, frozenset(Role(r) for r in row.roles))
        person = people_of(connection, {person_id})[0]
        if person.active != row.active:
            self._people.switch(connection, by, person, active=row.active)
        return new


class _WrongCell(Exception):
    """A row of a roster cannot be taken because of one cell."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message
