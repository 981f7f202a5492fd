"""People, branches and sharing of one installation, put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, delete, select

from access.audit import Audit, utc_now
from access.branches import Branches
from access.groups import Groups
from access.invitations import Invitations
from access.keys import Keys
from access.office import Office, PersonalData
from access.partnerships import Partnerships
from access.passwords import Passwords
from access.people import People, login_key
from access.resolve import Policy
from access.rosters import Rosters
from access.second_factors import SecondFactors
from access.sessions import Sessions
from access.sharing import Sharing
from access.tables import facts, invitations, jobs, people, sessions, tokens
from access.tokens import Tokens
from access.tries import Tries
from store.catalog import Catalog

JOB_DAYS = 90
"""Days for which a job that has ended is listed."""
DEMONSTRATION = "demonstration"
"""The fact that a home holds sample accounts whose passwords everyone knows."""


@dataclass(frozen=True, slots=True)
class Access:
    """Everything that decides who sees and does what. Safe to share between threads."""

    office: Office
    audit: Audit
    branches: Branches
    people: People
    partnerships: Partnerships
    groups: Groups
    sharing: Sharing
    invitations: Invitations
    rosters: Rosters
    sessions: Sessions
    second_factors: SecondFactors
    tokens: Tokens

    def first_operator(self, login: str = "admin") -> tuple[str, str] | None:
        """Make the first operator where there is nobody yet: login and password, to be shown once; else None."""
        if self.has_people():
            return None
        text, hashed = self.sessions.passwords.made_up()
        self.people.add(None, login, "系统管理员", password=hashed, operator=True)
        return login, text

    def rescue_operator(self, login: str) -> str:
        """Let an operator in again, or make one: a password to be shown once. For the operator at the machine."""
        with self.office.reading() as connection:
            person_id = connection.execute(
                select(people.c.person_id).where(people.c.login_key == login_key(login))
            ).scalar()
        if person_id is None:
            person_id = self.people.add(None, login, "系统管理员", operator=True)
        else:
            self.people.set_active(None, person_id, active=True)
            self.people.set_operator(None, person_id, operator=True)
        return self.sessions.reset(None, person_id)

    def tidy(self, *, audit_days: int) -> None:
        """Let go of what is over: invitations, sessions, tokens and jobs past their time, and old audit entries."""
        now = self.office.now()
        over = [
            invitations.c.expires_at < now,
            sessions.c.expires_at < now,
            tokens.c.expires_at < now,
            jobs.c.ended_at < now - timedelta(days=JOB_DAYS),
        ]
        with self.office.writing() as connection:
            for table, is_over in zip((invitations, sessions, tokens, jobs), over, strict=True):
                connection.execute(delete(table).where(is_over))
        self.audit.trim(audit_days)

    def has_people(self) -> bool:
        """Whether anybody was ever added."""
        with self.office.reading() as connection:
            return connection.execute(select(people.c.person_id).limit(1)).first() is not None

    def is_demonstration(self) -> bool:
        """Whether this home holds the sample accounts."""
        return is_demonstration(self.office.engine)


def is_demonstration(engine: Engine) -> bool:
    """Whether the home of this store holds the sample accounts."""
    with engine.connect() as connection:
        found = connection.execute(select(facts.c.value).where(facts.c.name == DEMONSTRATION)).first()
    return found is not None


def open_access(
    catalog: Catalog,
    keys: Keys,
    *,
    policy: Policy,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = utc_now,
    today: Callable[[], date] = date.today,
    personal_data: Sequence[PersonalData] = (),
) -> Access:
    """The services over a catalog's store; with what parts that build on them keep of people."""
    audit = Audit(catalog.engine, keys, now=now)
    office = Office(catalog.engine, keys, audit, now, today, personal_data)
    people_, tries = People(office), Tries(office)
    return Access(
        office=office,
        audit=audit,
        branches=Branches(office),
        people=people_,
        invitations=Invitations(office, people_),
        rosters=Rosters(office, people_),
        partnerships=Partnerships(office),
        groups=Groups(office),
        sharing=Sharing(office, catalog),
        sessions=Sessions(office, tries, passwords or Passwords(), policy),
        second_factors=SecondFactors(office, tries),
        tokens=Tokens(office, policy),
    )
