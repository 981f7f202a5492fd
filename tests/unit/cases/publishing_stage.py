"""A home with its index in which cases are published: 甲 and 乙 are partners, 丙 is nobody's."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from sqlalchemy import select

from access.principal import GUEST, Principal
from access.rights import Role
from access.sharing import Wanted
from access.tables import people as people_rows
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from cases.markdown import write_markdown
from cases.model import Body, CaseFilters, Field
from ingest.metadata import Sidecar
from kb.model import Kind, Query, Source
from store.tables import documents
from tests.fakes import HashingEncoder
from tests.people import CHEAP
from tests.unit.access.conftest import Clock, House
from tests.unit.cases.drafts_stage import BODY, people

EVERYONE = ("member", "trainer", "liaison", "reviewer", "partner", "outsider", "")
"""People of the stage by login, the guest last."""
_texts = count(1)


@dataclass
class Press:
    """Services over a home, with people who write, review and read cases."""

    services: Services
    house: House

    @property
    def clock(self) -> Clock:
        """The time as the test has it."""
        return self.house.clock

    def by(self, login: str) -> Principal:
        """The person as they are now; the guest without a login."""
        return self.house.by(login) if login else GUEST

    # -- writing

    def approved(self, body: Body = BODY, *, derived_from: str | None = None) -> str:
        """A case of 甲 that is written and reviewed; its id."""
        case_id = self.services.cases.drafts.begin(
            self.by("trainer"), "jia", body=body, derived_from=derived_from
        )
        self.review(case_id)
        return case_id

    def review(self, case_id: str) -> None:
        """Take a draft through review."""
        self.services.cases.drafts.submit(self.by("trainer"), case_id)
        self.services.cases.drafts.approve(self.by("reviewer"), case_id)

    def publish(self, case_id: str, *audiences: str, by: str = "liaison") -> str:
        """Publish what is approved to these, each ending in + if it may be passed on; the document's id."""
        self.clock.pass_(seconds=1)
        return self.services.cases.publishing.publish(self.by(by), case_id, wanted(*audiences))

    def published(self, *audiences: str, body: Body = BODY) -> str:
        """A case of 甲 that was published to these; its id."""
        case_id = self.approved(body)
        self.publish(case_id, *audiences)
        return case_id

    def change(self, case_id: str, text: str, field: Field = Field.OUTCOME) -> None:
        """Change one field, and take the case through review again."""
        drafts, by = self.services.cases.drafts, self.by("trainer")
        drafts.save(by, case_id, field, text, base=drafts.form(by, case_id).revision)
        self.review(case_id)

    def file(
        self, body: Body, *audiences: str, on: date, by: str = "liaison", branch: str = "jia", work: str = ""
    ) -> str:
        """A case that somebody hands in as a file; the document's id."""
        text = write_markdown(body, case_id=f"file{next(_texts)}", revision=1, branch=branch, on=on)
        source = Source(f"{body[Field.TITLE]}.md", "text/markdown", text.encode())
        outcome = self.services.holdings.hand_in(
            self.by(by),
            branch,
            source,
            wanted(*audiences),
            sidecar=Sidecar(kind=Kind.CASE, issued_on=on, issuer=branch, work=work or None),
        )
        assert outcome.status == "added" and outcome.document_id, outcome
        return outcome.document_id

    # -- reading

    def searched(self, login: str, text: str, *, as_of: date | None = None) -> set[str]:
        """Documents that the one search finds for the person."""
        answer = self.services.search(Query(text, self.by(login).scope, k=50, as_of=as_of))
        return {hit.document_id for hit in answer.hits}

    def found(self, login: str, problem: str = "", **filters: object) -> list[str]:
        """Cases that the search by problem finds for the person, in its order."""
        scope = self.by(login).scope
        wanted = CaseFilters(**filters)  # type: ignore[arg-type]
        found = self.services.cases.finder.find(problem, scope, wanted, k=100)
        assert found.total == len(found.cards)
        return [card.case_id for card in found.cards]

    def readers(self, document_id: str) -> set[str]:
        """Who of all may open a document."""
        return {
            login for login in EVERYONE if self.services.catalog.visible([document_id], self.by(login).scope)
        }

    def documents(self) -> list[str]:
        """Every document there is, whoever sees it."""
        with self.services.access.office.reading() as connection:
            return list(connection.execute(select(documents.c.document_id)).scalars())


def wanted(*audiences: str) -> Sequence[Wanted]:
    """Audiences as people choose them; one that ends in + may be passed on."""
    return [Wanted(a.removesuffix("+"), a.endswith("+")) for a in audiences]


def titled(title: str, **fields: str) -> Body:
    """A form with this title and these fields."""
    return {**BODY, Field.TITLE: title, **{Field(name): text for name, text in fields.items()}}


def open_press(home: Path, clock: Clock | None = None) -> Press:
    """Services on a home, whether `founded` or empty; to be closed."""
    clock = clock or Clock()
    services = build_services(
        Settings(home=home, processes=1, second_factor=False),
        encoder=HashingEncoder(),
        passwords=CHEAP,
        now=clock.now,
        today=clock.today,
    )
    with services.access.office.reading() as connection:
        ids: Mapping[str, str] = {r.login: r.person_id for r in connection.execute(select(people_rows))}
    return Press(services, House(services.access, services.catalog, clock, dict(ids)))


def founded(home: Path) -> Path:
    """A home with the branches and their people, to be copied."""
    press = open_press(home)
    house = people(press.house)
    house.branch("bing")
    house.person("partner", {"yi": Role.LIAISON})
    house.person("outsider", {"bing": Role.LIAISON})
    house.partners("jia", "yi")
    press.services.close()
    return home


def copied(home: Path, to: Path) -> Press:
    """The same on a home of its own."""
    shutil.copytree(home, to)
    return open_press(to)
