"""A home to try everything on: the sample corpus, kept and shared by sample branches, and sample accounts.

What is put in is described by `api/demonstration.json`. Its passwords are known to everyone, so such a home
is served on loopback only, and every page says what it is.
"""

import ipaddress
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert

from access.access import DEMONSTRATION, Access
from access.branches import Level
from access.principal import Principal
from access.rights import Role
from access.sharing import Wanted
from access.tables import facts
from api.services import Progress, Services
from api.settings import LOOPBACK, ROOT
from cases.model import Effect, Field
from cases.model import Progress as HowFar
from kb.errors import InvalidSetting
from kb.model import PUBLIC, DocumentCard, Kind
from quiz.blueprint import Blueprint, Line
from quiz.exam import ExamRules, Mode, Retake, Reveal
from quiz.generation.generator import Material
from quiz.model import State, Type
from store.shares import put_shares, share, shares_of

CORPUS = ROOT / "corpus"
FILE = Path(__file__).with_name("demonstration.json")


@dataclass(frozen=True, slots=True)
class Account:
    """A sample account, as the sign-in page offers it."""

    login: str
    password: str
    says: str


def accounts() -> tuple[Account, ...]:
    """The sample accounts, one of each role."""
    sample = _sample()
    return tuple(Account(p["login"], sample["password"], p["says"]) for p in sample["people"])


def fill(services: Services, progress: Progress | None = None) -> bool:
    """Fill a home that holds neither documents nor people; False if it holds any."""
    if services.catalog.total() or services.access.has_people():
        return False
    sample = _sample()
    with services.access.office.writing() as connection:
        # First of all: whatever comes after, this home is never taken for a real one.
        connection.execute(insert(facts).values(name=DEMONSTRATION, value="1"))
    people = _put_people(services.access, sample)
    _put_partnerships(services.access, sample, people)
    groups = _put_groups(services.access, sample, people)
    services.ingest([CORPUS], progress)
    _share(services, sample, groups)
    services.follow(progress)
    _put_quiz(services, sample["quiz"], people)
    _put_cases(services, sample["cases"], people)
    return True


def check_address(services: Services) -> None:
    """Refuse to serve sample accounts to anyone but this machine.

    Raises:
        InvalidSetting: the home is a demonstration, and the address or the url is not loopback.
    """
    settings = services.settings
    named = [settings.host, urlsplit(settings.url).hostname or "", *settings.allowed_hosts.split(",")]
    outside = [name.strip() for name in named if name.strip() and not _is_loopback(name.strip())]
    if services.access.is_demonstration() and (outside or settings.proxies):
        raise InvalidSetting(
            f"Cannot serve the demonstration on {', '.join(outside) or 'a proxy'}: everyone knows its passwords.",
            "Serve it on 127.0.0.1, or start a home of your own by `gongxue serve --home DIR`.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sample() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def _put_people(access: Access, sample: dict[str, Any]) -> dict[str, str]:
    """Branches and people; ids by login."""
    for b in sample["branches"]:
        access.branches.found(
            None, b["name"], level=Level(b["level"]), parent_id=b.get("parent_id"), branch_id=b["branch_id"]
        )
    ids = {}
    for p in sample["people"]:
        hashed = access.sessions.passwords.hashed(sample["password"], login=p["login"])
        ids[p["login"]] = person_id = access.people.add(
            None,
            p["login"],
            p["name"],
            password=hashed,
            change_password=False,
            operator=p.get("operator", False),
        )
        for branch_id, held in p["roles"].items():
            access.people.set_roles(None, person_id, branch_id, frozenset(Role(r) for r in held))
    return ids


def _put_partnerships(access: Access, sample: dict[str, Any], people: dict[str, str]) -> None:
    today = access.office.today()
    for p in sample["partnerships"]:
        first, second = p["sides"]
        liaisons = [people[login] for login in p.get("liaisons", [])]
        partnership_id = access.partnerships.propose(
            None,
            first,
            second,
            today + timedelta(days=p["from"]),
            today + timedelta(days=p["to"]),
            liaison=liaisons[0] if liaisons else None,
            agreed=p.get("agreed", True),
        )
        if len(liaisons) > 1:
            access.partnerships.set_liaison(None, partnership_id, second, liaisons[1])


def _put_groups(access: Access, sample: dict[str, Any], people: dict[str, str]) -> dict[str, str]:
    """Groups; ids by name."""
    ids = {}
    for g in sample["groups"]:
        by = access.sessions.principal_of(people[g["by"]])
        group = access.groups.make(by, g["branch_id"], g["name"])
        for member in g["members"]:
            access.groups.put(by, group.group_id, member)
        ids[g["name"]] = group.group_id
    return ids


def _share(services: Services, sample: dict[str, Any], groups: dict[str, str]) -> None:
    """Give each document to its keeper and share it as described; the last line that fits counts."""
    enterprises = [b["branch_id"] for b in sample["branches"] if "parent_id" not in b]
    for card in services.catalog.cards(services.catalog.every_token(), services.today(), k=1000):
        for enterprise in enterprises:
            for line in sample["audiences"]:
                if _source(card).startswith(line["path"].format(id=enterprise)):
                    keeper = line["keeper"].format(id=enterprise)
                    _share_one(services, card, keeper, line["wanted"], groups)


def _source(card: DocumentCard) -> str:
    return PurePosixPath(card.source).as_posix()


def _share_one(
    services: Services, card: DocumentCard, keeper: str, wanted: list[str], groups: dict[str, str]
) -> None:
    tokens = {"own": f"branch:{keeper}", "partners": f"partners:{keeper}", "everyone": PUBLIC}
    audiences = [tokens.get(w) or "group:" + groups[w.removeprefix("group:")] for w in wanted]
    with services.catalog.writing() as connection:
        old = shares_of(connection, card.document_id)
        at = services.access.office.now()
        put = [share(card.document_id, a, branch_id=keeper, at=at) for a in audiences]
        services.catalog.keep(card.document_id, branch_id=keeper, owner_id=None, within=connection)
        put_shares(connection, card.document_id, put, [s.share_id for s in old])


def _put_quiz(services: Services, sample: dict[str, Any], people: dict[str, str]) -> None:
    """Questions from the sample rules, some approved and some waiting for review; a paper, and exams to sit."""
    quiz = services.quiz
    by = services.access.sessions.principal_of(people[sample["by"]])
    branch_id: str = sample["branch_id"]
    cards = services.catalog.cards(by.scope, services.today(), k=1000)
    for source in sample["sources"]:
        card = next(c for c in cards if _source(c).startswith(source))
        made = quiz.generator.generate(Material(card.document_id), by.scope, n=sample["n"], seed=1)
        added = quiz.bank.add(by, branch_id, made.questions)
        for question_id in added.ids[: sample["approved"]]:
            quiz.bank.set_state(by, question_id, State.APPROVED, seen_version=1)
    lines = tuple(Line(**{**line, "types": frozenset(map(Type, line["types"]))}) for line in sample["lines"])
    paper_id = quiz.papers.make(by, branch_id, sample["paper"], Blueprint(lines, n_forms=2), 1)
    now = services.access.office.now()
    for exam in sample["exams"]:
        rules = ExamRules(
            exam["title"],
            Mode(exam["mode"]),
            now,
            now + timedelta(days=exam["days"]),
            minutes=exam["minutes"],
            retake=Retake.ANY,
            reveal=Reveal.SUBMITTED,
        )
        quiz.exams.give(by, paper_id, rules, [Wanted(w) for w in exam["wanted"]])


def _put_cases(services: Services, sample: dict[str, Any], people: dict[str, str]) -> None:
    """A case being written and one that waits for review; what was taken over, asked, and put to the vote."""
    cases = services.cases
    asker = {login: services.access.sessions.principal_of(person_id) for login, person_id in people.items()}

    def case_of(by: Principal, source: str) -> str:
        cards = services.catalog.cards(by.scope, services.today(), kind=Kind.CASE, k=1000)
        found = next(c.document_id for c in cards if _source(c).startswith(source))
        case_id = cases.library.of_document(by.scope, found)
        assert case_id is not None
        return case_id

    for draft in sample["drafts"]:
        by = asker[draft["by"]]
        form = {Field(name): text for name, text in draft["form"].items()}
        case_id = cases.drafts.begin(by, draft["branch_id"], body=form)
        if draft["submitted"]:
            cases.drafts.submit(by, case_id)
    for a in sample["adoptions"]:
        by = asker[a["by"]]
        effect = Effect(a["effect"]) if "effect" in a else None
        case_id = case_of(by, a["case"])
        cases.adoptions.adopt(
            by, case_id, a["branch_id"], HowFar(a["progress"]), effect=effect, note=a["note"]
        )
    for q in sample["questions"]:
        wanted = [Wanted(w) for w in q["wanted"]]
        cases.questions.ask(asker[q["by"]], q["branch_id"], q["problem"], q["detail"], wanted)
    now = services.access.office.now()
    for b in sample["ballots"]:
        ballot_id = cases.ballots.call(
            asker[b["by"]],
            b["branch_id"],
            b["title"],
            now,
            now + timedelta(days=b["days"]),
            b["n_votes"],
            b["n_models"],
            [Wanted(w) for w in b["wanted"]],
        )
        for nomination in b["nominations"]:
            by = asker[nomination["by"]]
            cases.ballots.nominate(by, ballot_id, case_of(by, nomination["case"]))
