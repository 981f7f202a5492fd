"""The canary test: in random worlds, whatever anybody asks, no character of anything hidden comes out.

Each world is played on real services (SQLite, both legs, HTTP) and on a plain model. Everybody asks
everything, with sessions that were opened before anything was taken back. Plain `pytest` plays a few worlds
and asks much; `-m long` plays two thousand and asks a part in each, another part each time.
"""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from sqlalchemy import select

from access.principal import GUEST, Principal
from access.rights import Action, Role
from access.sharing import Wanted
from access.tables import audit
from cases.model import CaseCard, CaseFilters, Effect, Field, Progress
from kb.errors import Refused
from kb.model import Mode, Query, Source, Validity
from quiz.exams import ExamRules, Retake, Reveal
from quiz.exams import Mode as ExamMode
from quiz.exchange import formats
from quiz.model import BLANK, State, Type, question_json
from quiz.model import Question as Asked
from tests.integration.access_cases import IDS as IDS_OF_CASES
from tests.integration.access_questions import (
    MISSING,
    Answer,
    Asker,
    Interview,
    Question,
    Route,
    askers,
)
from tests.integration.access_stage import Play, Stage
from tests.integration.access_worlds import (
    N_SLOTS,
    OF_CASES,
    SHARERS,
    Held,
    History,
    Text,
    branch_name,
    canary,
    histories,
    person_name,
    rare_in,
    text,
)

EVERY_STANDING = tuple(("validity", v.value) for v in Validity)
FORMATS = [name for name in formats() if name != "pdf"]
"""Formats that leave text as it is."""
ASKED = Asked(Type.BLANK, f"活动由{BLANK}安排。", (), ("支部",))
COMMON = "共建活动"
"""A word of every text."""
OF_OWN_DEEDS = re.compile(r"audit|/me\b|/jobs")
"""Answers that tell people what they did themselves, by the ids of what they did it to."""
NEAR = float(os.environ.get("CANARY_NEAR", "10"))
IDS_OF_PEOPLE = ("paper_id", "exam_id", "attempt_id", *IDS_OF_CASES)
"""Names of the ids of what people ask of each other and write together."""
OF_FORM = re.compile(r"/(form|form-attachments|changes|write|history|review|publish|beside)\b")
"""Routes about a case that are for those who write it."""
OF_ATTEMPT = re.compile(r"^(?:/v1)?/attempts/([0-9a-f]{16})")
READ_BY_HAND = {
    "/manage/questions": ("branch", "document"),
    "/manage/questions/review": ("branch",),
    "/manage/questions/export": ("branch",),
    "/manage/questions/export/file": ("branch", "format"),
    "/manage/questions/import": ("branch",),
    "/manage/questions/generate": ("branch", "document"),
    "/manage/papers/pick": ("branch", "id"),
}
"""Names in queries that pages read themselves, by path."""
WANTED_OF = {
    "/manage/questions/export/file": ("format", "json"),
    "/manage/papers/{paper_id}/export/file": ("format", "json"),
    "/v1/papers/{paper_id}/export": ("format", "json"),
}
"""What a route gives nothing without."""
N_WORLDS = int(os.environ.get("CANARY_WORLDS", "2000"))


class Setting:
    """A stage with the interview on it, and the pages' routes taken in turns."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.interview = Interview(stage.app)
        self.turn = 0
        self.asked: Counter[str] = Counter()
        self.n_worlds = 0
        self.n_hidden = self.n_seen = self.n_asked = self.n_told = self.n_outcomes = 0


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """One home and one application for all worlds of this module."""
    stage = Stage(tmp_path_factory.mktemp("stage"))
    found = Setting(stage)
    yield found
    found.interview.close()
    stage.close()


# -- the tests ---------------------------------------------------------------------------


@given(history=histories())
@hypothesis_settings(
    max_examples=8,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_nothing_hidden_comes_out(setting: Setting, history: History) -> None:
    """Whoever asks whatever route about whatever id or word, no character of what they may not see comes back."""
    play_and_ask(setting, history, share=0.03)


@pytest.mark.long
def test_nothing_hidden_comes_out_of_two_thousand_worlds(setting: Setting) -> None:
    """The same for two thousand worlds, each route and id in turn."""
    began = time.monotonic()
    first = setting.n_worlds, setting.interview.n_requests, setting.interview.n_bytes

    @given(history=histories())
    @hypothesis_settings(
        max_examples=N_WORLDS, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
    )
    def many(history: History) -> None:
        play_and_ask(setting, history, share=0.01)

    many()
    print(
        json.dumps(
            {
                "worlds": setting.n_worlds - first[0],
                "requests": setting.interview.n_requests - first[1],
                "bytes": setting.interview.n_bytes - first[2],
                "seen": setting.n_seen,
                "hidden": setting.n_hidden,
                "asked": setting.n_asked,
                "told": setting.n_told,
                "outcomes": setting.n_outcomes,
                "seconds": round(time.monotonic() - began),
            }
        )
    )
    unasked = [r.path for r in setting.interview.routes if "GET" in r.methods and not setting.asked[r.path]]
    assert not unasked


@given(history=histories())
@hypothesis_settings(
    max_examples=8,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_those_of_a_world_without_the_hidden(setting: Setting, history: History) -> None:
    """Hits, total, facets, standings, lists and suggestions stay as they are when what is hidden is taken away."""
    play = setting.stage.begin(history)
    play.act(history.steps)
    people = [None, *(p for p, found in play.world.people.items() if found.active)]
    person_id = people[len(history.steps) % len(people)]
    by = play.principal(person_id) if person_id else GUEST
    before = _everything(play, by.scope), _all_cases(play, by)
    hidden = set(play.world.documents) - play.world.seen(person_id)
    for document_id in hidden:
        play.services.catalog.remove(document_id)
    assert (_everything(play, by.scope), _all_cases(play, by)) == before


def _everything(play: Play, scope: frozenset[str]) -> dict[str, Any]:
    """What one sees of a world, scores and order left out: statistics of words are over all."""
    services = play.services
    found: dict[str, Any] = {}
    for slot in (*range(N_SLOTS), *play.cases.slots):
        of = text(slot)
        for asked in (of.word, of.title, of.number, f"《{of.title}》第二条", of.issuer):
            for mode in Mode:
                answer = services.search(Query(asked, scope, k=100, mode=mode))
                hits = {repr(replace(h, rank=0, score=0.0, legs={})) for h in answer.hits}
                found[f"{mode} {asked}"] = (answer.total, answer.facets, hits)
        found[f"suggest {slot}"] = services.suggest(of.title[:2], scope, 50)
    total, cards = services.documents(scope, k=200)
    found["documents"] = (total, cards, services.overview(scope))
    for card in cards:
        found[card.document_id] = services.versions(card.document_id, scope)
    return found


def _all_cases(play: Play, by: Principal) -> dict[str, Any]:
    """What one is told over cases, scores and order left out."""
    cases, found = play.services.cases, dict[str, Any]()

    def bare(cards: Iterable[CaseCard]) -> set[str]:
        return {repr(replace(card, score=0.0)) for card in cards}

    for problem in ("", *(text(slot).body[Field.PROBLEM] for slot in play.cases.slots)):
        answer = cases.finder.find(problem, by.scope, CaseFilters(), k=100)
        found[f"cases {problem}"] = (answer.total, answer.facets, bare(answer.cards))
    for case_id in {card.case_id for card in answer.cards}:
        found[case_id] = (
            cases.library.case(by.scope, case_id),
            cases.library.descent(by.scope, case_id),
            bare(cases.finder.similar(case_id, by.scope, 20)),
            cases.adoptions.of_case(by, case_id),
            cases.adoptions.said(by, case_id),
            cases.ballots.models(by.scope, [case_id]),
        )
    if not by.signed_in or not by.settled:
        return found
    for asked in (
        *cases.questions.open_to(by),
        *(q for b in by.roles for q in cases.questions.of_branch(by, b)),
    ):
        found[asked.question_id] = (asked, cases.questions.answers(by, asked.question_id))
    for card in cases.ballots.open_to(by):
        ballot_id = card.ballot.ballot_id
        found[ballot_id] = (card, cases.ballots.nominees(by, ballot_id))
        if card.ballot.ended_at:
            found[f"result {ballot_id}"] = cases.ballots.result(by, ballot_id)
    for branch_id in by.roles:
        if by.may(Action.WRITE_CASE, branch_id):
            drafts = cases.drafts.of_branch(by, branch_id)
            found[branch_id] = (cases.ledger.rows(by, branch_id), drafts)
            found |= {f"form {d.case_id}": cases.drafts.form(by, d.case_id) for d in drafts}
    return found


# -- what random worlds have found ---------------------------------------------------------


def _quiet(setting: Setting) -> tuple[Play, str, str]:
    """A world in which nothing happened yet, with a liaison of the first enterprise and one of the second."""
    liaison = 2
    play = setting.stage.begin(History(((0, liaison), (0, liaison), (3, liaison), *[(6, 0)] * 5), ()))
    people = setting.stage.first_people()
    return play, people[1], people[2]


def test_a_page_says_that_a_token_opens_nothing(setting: Setting) -> None:
    """A page asked with a token that opens nothing refuses it, as a guest's page."""
    _quiet(setting)
    forged = Asker("forged", (("authorization", "Bearer gx_0_forged"),))
    for path in ("/", "/me", "/documents", "/v1/status"):
        assert setting.interview.ask(forged, [Question("GET", path)])[0].status == 401


def test_an_audience_said_twice_is_passed_on_once(setting: Setting) -> None:
    """Passing on to one's own branch, said as own and by its id, makes one share."""
    play, first, second = _quiet(setting)
    access, today = play.services.access, setting.stage.clock.today()
    access.partnerships.propose(None, "branch-0", "branch-3", today, today, agreed=True)
    of = text(0)
    document_id = play.services.holdings.hand_in(
        play.principal(first), "branch-0", of.source, [Wanted("branch:branch-3", True)], sidecar=of.sidecar
    ).document_id
    assert document_id
    said = [Wanted("own"), Wanted("branch:branch-3")]
    access.sharing.reshare(play.principal(second), document_id, "branch-3", said)
    told = access.sharing.shares(play.principal(second), document_id)
    assert [s.audience for s in told] == ["branch:branch-3"]


def test_what_is_kept_of_a_person_names_no_document_that_they_lost(setting: Setting) -> None:
    """Who left the branch still is told that they handed something in there, but not its title."""
    play, first, _ = _quiet(setting)
    of = text(0)
    by = play.principal(first)
    play.services.holdings.hand_in(by, "branch-0", of.source, [Wanted("own")], sidecar=of.sidecar)
    asker = next(a for a in askers(play) if a.sees == first)
    export = Question("GET", "/me/export")
    assert of.title in setting.interview.ask(asker, [export])[0].said
    play.services.access.people.set_roles(None, first, "branch-0", frozenset())
    assert of.title not in setting.interview.ask(asker, [export])[0].said


def test_history_of_a_question_names_nobody_who_has_left(setting: Setting) -> None:
    """Who reviewed a question is named to those of the branch, but not once they are in it no more."""
    trainer = 1
    places = ((0, trainer), (0, trainer), (3, trainer), *[(6, 0)] * 5)
    play = setting.stage.begin(History(places, ()))
    of, people = text(0), setting.stage.first_people()
    by = play.principal(people[1])
    play.services.holdings.hand_in(by, "branch-0", of.source, [Wanted("own")], sidecar=of.sidecar)
    bank = play.services.quiz.bank
    (question_id,) = bank.add(by, "branch-0", [replace(ASKED, topics=(of.word,))]).ids
    bank.set_state(by, question_id, State.RETIRED, "-", seen_version=1)
    play.services.access.people.set_roles(None, people[0], "branch-0", frozenset({Role.TRAINER}))
    asker = next(a for a in askers(play) if a.sees == people[0])
    questions = [
        Question("GET", f"/v1/questions/{question_id}/history"),
        Question("GET", f"/manage/questions/{question_id}"),
    ]
    for answer in setting.interview.ask(asker, questions):
        assert answer.status == 200 and person_name(1) in answer.said
    play.services.access.people.set_roles(None, people[1], "branch-0", frozenset())
    for answer in setting.interview.ask(asker, questions):
        assert answer.status == 200 and person_name(1) not in answer.said
    assert "已不在本支部的人" in answer.said


def test_paper_of_withdrawn_material_shows_nothing_of_it(setting: Setting) -> None:
    """A document that is taken out is gone from bank, paper, running attempt, result and every export at once."""
    trainer, liaison, member = 1, 2, 0
    play = setting.stage.begin(History(((0, liaison), (0, trainer), (0, member), *[(6, 0)] * 5), ()))
    of, people = text(0), setting.stage.first_people()
    sharer, asks, sits = (play.principal(p) for p in people[:3])
    handed = play.services.holdings.hand_in(
        sharer, "branch-0", of.source, [Wanted("own")], sidecar=of.sidecar
    )
    assert handed.document_id
    play.world.documents[handed.document_id] = Held(0, "branch-0", people[0], handed.n_passages, of.issuer)
    quiz, now = play.services.quiz, play.services.access.office.now()
    mine = [play._made(n, play._cited(handed.document_id, n)) for n in range(3)]
    ids = quiz.bank.add(asks, "branch-0", mine, state=State.APPROVED).ids
    paper_id = quiz.papers.by_hand(asks, "branch-0", "卷", ids)
    rules = ExamRules(
        "测验", ExamMode.TEST, now, now + timedelta(days=1), retake=Retake.ANY, reveal=Reveal.SUBMITTED
    )
    exam_id = quiz.exams.give(asks, paper_id, rules, [Wanted("own")])
    over = quiz.attempts.begin(sits, exam_id)
    for asked in quiz.attempts.sitting(sits, over).questions:
        quiz.attempts.save(sits, over, asked.position, [0] if asked.options else ["支部"], 1)
    quiz.attempts.submit(sits, over)
    running = quiz.attempts.begin(sits, exam_id)
    paths = {
        people[1]: [
            "/manage/questions",
            "/v1/questions?branch=branch-0",
            f"/manage/papers/{paper_id}",
            f"/manage/papers/{paper_id}/print",
            f"/v1/papers/{paper_id}",
            *(f"/manage/papers/{paper_id}/export/file?format={f}" for f in FORMATS),
            f"/manage/exams/{exam_id}",
            f"/manage/exams/{exam_id}/items",
            f"/manage/exams/{exam_id}/mark",
            f"/manage/exams/{exam_id}/results.csv?branch=branch-0",
            "/manage/coverage",
            "/v1/coverage?branch_id=branch-0",
        ],
        people[2]: [
            f"/attempts/{running}",
            f"/v1/attempts/{running}",
            f"/attempts/{over}/result",
            "/me/export",
        ],
    }
    pieces = frozenset().union(*(_pieces(q) for q in mine))

    def told() -> dict[str, frozenset[str]]:
        found = {}
        for person_id, asked in paths.items():
            asker = next(a for a in askers(play) if a.sees == person_id)
            for path in asked:
                query = tuple(pair.partition("=")[::2] for pair in path.partition("?")[2].split("&") if pair)
                answer = setting.interview.ask(asker, [Question("GET", path.partition("?")[0], query)])[0]
                assert answer.status < 500, (path, answer.said)
                found[path] = rare_in(answer.said) & (pieces | of.canaries)
        return found

    before = told()
    quiet = re.compile(r"/manage/exams/\w+(/items|/results.csv.*)?$|coverage|/me/export")
    assert {p for p, found in before.items() if not found & pieces} == set(filter(quiet.search, before))
    play.services.holdings.withdraw(sharer, handed.document_id, "-")
    assert {path: found for path, found in told().items() if found} == {}


ENDS: dict[str, Callable[["Told"], None]] = {}
"""How a case that was shared comes to be hidden from the partner, by name."""


def end(found: Callable[["Told"], None]) -> Callable[["Told"], None]:
    """Note one way."""
    ENDS[found.__name__] = found
    return found


@dataclass
class Told:
    """A case of the first enterprise that the second took over: its liaison, and what the liaison sees."""

    play: Play
    by: Principal
    case_id: str
    document_id: str
    group_id: str


@end
def withdrawn(told: Told) -> None:
    """The case is taken back."""
    told.play.services.cases.publishing.withdraw(told.by, told.case_id, "-")


@end
def taken_out_as_a_document(told: Told) -> None:
    """Its document is taken out."""
    told.play.services.holdings.withdraw(told.by, told.document_id, "-")


@end
def shared_with_others(told: Told) -> None:
    """It is shared more narrowly."""
    told.play.services.cases.publishing.set_audience(told.by, told.case_id, [Wanted("own")])


@end
def shared_with_others_as_a_document(told: Told) -> None:
    """The newest edition alone is shared more narrowly."""
    told.play.services.access.sharing.set_audience(told.by, told.document_id, [Wanted("own")])


@end
def share_taken_back(told: Told) -> None:
    """The one share that reaches the partner is taken back."""
    sharing = told.play.services.access.sharing
    shares = sharing.shares(told.by, told.document_id)
    (share_id,) = [s.share_id for s in shares if s.audience.startswith("group:")]
    sharing.take_back(told.by, told.document_id, share_id)


@end
def group_emptied(told: Told) -> None:
    """The partner is taken out of the group."""
    told.play.services.access.groups.drop(told.by, told.group_id, "branch:branch-3")


@end
def group_dissolved(told: Told) -> None:
    """The group is no more."""
    told.play.services.access.groups.dissolve(told.by, told.group_id)


@end
def published_more_narrowly(told: Told) -> None:
    """A third edition is for the own branch."""
    _publish(told.play, told.case_id, 15, [Wanted("own")])


def _publish(play: Play, case_id: str, slot: int, wanted: Sequence[Wanted], who: int = 0) -> str:
    """An edition of a case, reviewed by the next person; its document."""
    people, cases = play.stage.first_people(), play.services.cases
    by = play.principal(people[who])
    for field, said in text(slot).body.items():
        cases.drafts.save(by, case_id, field, said, base=cases.drafts.form(by, case_id).revision)
    cases.drafts.submit(by, case_id)
    cases.drafts.approve(play.principal(people[who + 1]), case_id)
    return cases.publishing.publish(by, case_id, wanted)


@pytest.mark.parametrize("name", ENDS)
def test_case_goes_with_all_that_came_of_it(setting: Setting, name: str) -> None:
    """Whichever way a case comes to be hidden, nothing of any edition stands in any answer from then on."""
    liaison = 2
    places = ((0, liaison), (0, liaison), (3, liaison), (3, liaison), *[(6, 0)] * 4)
    play, people = setting.stage.begin(History(places, ())), setting.stage.first_people()
    by, partner = play.principal(people[0]), play.principal(people[2])
    access, cases, today = play.services.access, play.services.cases, setting.stage.clock.today()
    partnership_id = access.partnerships.propose(
        None, "branch-0", "branch-3", today, today + timedelta(days=9), agreed=True
    )
    access.partnerships.set_liaison(by, partnership_id, "branch-0", people[1])
    by, partner = play.principal(people[0]), play.principal(people[2])
    group_id = access.groups.make(by, "branch-0", "组").group_id
    access.groups.put(by, group_id, "branch:branch-3")
    by, partner = play.principal(people[0]), play.principal(people[2])
    wanted = [Wanted(f"group:{group_id}", True)]
    case_id = cases.drafts.begin(by, "branch-0")
    earlier_id = _publish(play, case_id, 12, wanted)
    attached, said = [canary(OF_CASES + n, 1) for n in range(3)], canary(OF_CASES + 3, 1)
    source = Source(f"{attached[0]}.txt", "text/plain", f"{attached[1]}共建活动。".encode())
    file_id = cases.attachments.add(by, case_id, source, attached[2]).attachment_id
    document_id = _publish(play, case_id, 13, wanted)
    cases.adoptions.say(by, case_id, "branch-0", said)
    cases.adoptions.adopt(partner, case_id, "branch-3", Progress.DONE, effect=Effect.WORKED)
    partners, now = [Wanted("partners")], access.office.now()
    question_id = cases.questions.ask(partner, "branch-3", "共建活动怎么办", "", partners)
    cases.questions.answer(by, question_id, "branch-0", "", case_id)
    cases.questions.answer(by, question_id, "branch-0", "见附的案例。", case_id)
    cases.questions.close(partner, question_id, settled_by=case_id)
    ballot_id = cases.ballots.call(by, "branch-0", "评选", now, now + timedelta(days=1), 1, 1, partners)
    cases.ballots.nominate(by, ballot_id, case_id)
    cases.ballots.vote(partner, ballot_id, "branch-3", [case_id])
    cases.ballots.end(by, ballot_id)
    derived = cases.drafts.begin(partner, "branch-3", derived_from=case_id)
    _publish(play, derived, 14, [Wanted("own")], 2)
    problem = text(13).body[Field.PROBLEM]
    asked = [
        *(Question("GET", path, (("q", problem),)) for path in ("/cases", "/v1/cases", "/", "/v1/search")),
        Question("GET", "/v1/suggest", (("q", text(13).title),)),
        Question("GET", "/cases/questions/new", (("problem", problem),)),
        *(
            Question("GET", path)
            for path in (
                "/cases",
                "/v1/cases",
                f"/cases/{case_id}",
                f"/cases/{case_id}/word",
                f"/cases/{case_id}/attachments/{file_id}",
                f"/v1/cases/{case_id}",
                f"/v1/cases/{case_id}/attachments/{file_id}",
                f"/v1/cases/{case_id}/feedback",
                f"/v1/cases/{derived}/similar",
                f"/v1/cases/{derived}",
                f"/cases/{derived}",
                f"/cases/{derived}/write",
                f"/v1/cases/{derived}/form",
                f"/v1/case-questions/{question_id}",
                f"/v1/case-questions/{question_id}/answers",
                f"/cases/questions/{question_id}",
                "/cases/questions",
                f"/v1/ballots/{ballot_id}",
                f"/v1/ballots/{ballot_id}/result",
                f"/cases/ballots/{ballot_id}",
                "/v1/ledger",
                "/manage/ledger",
                "/manage/ledger.csv",
                "/manage/ledger.xlsx",
                "/v1/adoptions",
                "/manage/adoptions",
                f"/documents/{document_id}",
                f"/documents/{earlier_id}",
                f"/v1/documents/{earlier_id}",
            )
        ),
    ]
    asked = [
        replace(q, query=(("branch", "branch-3"),)) if q.path in ("/v1/ledger", "/v1/adoptions") else q
        for q in asked
    ]
    asker = next(a for a in askers(play) if a.sees == people[2])
    secret = text(12).canaries | text(13).canaries | text(15).canaries
    secret |= rare_in("".join(attached) + said + person_name(1))
    ids = (case_id, document_id, earlier_id, file_id)

    def told() -> dict[str, str]:
        found = {}
        for question, answer in zip(asked, setting.interview.ask(asker, asked), strict=True):
            assert answer.status < 500, (question.path, answer.said)
            leaked = (rare_in(answer.said) & secret) - rare_in(question.said)
            named = [i for i in ids if i in answer.said and i not in question.said]
            if leaked or named:
                found[question.address] = f"{leaked} {named} {_around(answer.said, [*leaked, *named])}"
        return found

    before = told()
    assert {q.address for q in asked} == before.keys()
    assert rare_in(person_name(1)) <= rare_in("".join(before.values()))
    ENDS[name](Told(play, by, case_id, document_id, group_id))
    assert told() == {}


def test_case_shared_by_partnership_ends_with_it(setting: Setting) -> None:
    """When a partnership is over, the partner's list, search and ledger hold nothing of the cases shared by it."""
    play, _, second = _quiet(setting)
    people, access = setting.stage.first_people(), play.services.access
    access.people.set_roles(None, people[0], "branch-0", frozenset({Role.LIAISON}))
    access.people.set_roles(None, people[1], "branch-0", frozenset({Role.LIAISON}))
    by, today = play.principal(people[0]), setting.stage.clock.today()
    partnership_id = access.partnerships.propose(None, "branch-0", "branch-3", today, today, agreed=True)
    case_id = play.services.cases.drafts.begin(by, "branch-0")
    _publish(play, case_id, 12, [Wanted("partners")])
    asker = next(a for a in askers(play) if a.sees == second)
    asked = [Question("GET", path) for path in ("/cases", "/v1/cases", f"/cases/{case_id}", "/documents")]
    for answer in setting.interview.ask(asker, asked):
        assert text(12).canaries & rare_in(answer.said)
    access.partnerships.end(by, partnership_id)
    for answer in setting.interview.ask(asker, asked):
        assert not text(12).canaries & rare_in(answer.said)


def test_who_does_not_share_beyond_the_branch_takes_no_edition_back(setting: Setting) -> None:
    """A trainer who publishes for the branch alone would take the case from partners: refused, and nothing changes."""
    trainer, liaison = 1, 2
    places = ((0, liaison), (0, liaison), (3, liaison), (0, trainer), (0, liaison), *[(6, 0)] * 3)
    play, people = setting.stage.begin(History(places, ())), setting.stage.first_people()
    today = setting.stage.clock.today()
    play.services.access.partnerships.propose(None, "branch-0", "branch-3", today, today, agreed=True)
    case_id = play.services.cases.drafts.begin(play.principal(people[0]), "branch-0")
    document_id = _publish(play, case_id, 12, [Wanted("partners")])
    with pytest.raises(Refused):
        _publish(play, case_id, 13, [Wanted("own")], 3)
    partner = play.principal(people[2])
    assert play.services.cases.library.case(partner.scope, case_id).document_id == document_id


def test_caption_is_read_as_it_was_published(setting: Setting) -> None:
    """What a writer makes of a caption after a case was published is read by others with the next edition only."""
    liaison = 2
    places = ((0, liaison), (0, liaison), (3, liaison), *[(6, 0)] * 5)
    play, people = setting.stage.begin(History(places, ())), setting.stage.first_people()
    cases, by = play.services.cases, play.principal(people[0])
    case_id = cases.drafts.begin(by, "branch-0")
    file_id = cases.attachments.add(
        by, case_id, Source("甲.txt", "", "共建。".encode()), "先前"
    ).attachment_id
    _publish(play, case_id, 12, [Wanted("everyone")])
    cases.attachments.caption(by, case_id, file_id, canary(OF_CASES, 1))
    asked = [Question("GET", path) for path in (f"/cases/{case_id}", f"/v1/cases/{case_id}")]
    for answer in setting.interview.ask(Asker("guest"), asked):
        assert "先前" in answer.said and canary(OF_CASES, 1) not in answer.said


def test_history_of_a_case_names_nobody_who_has_left(setting: Setting) -> None:
    """Who wrote at a case is named to those of the branch, but not once they are in it no more."""
    trainer = 1
    places = ((0, trainer), (0, trainer), (3, trainer), *[(6, 0)] * 5)
    play, people = setting.stage.begin(History(places, ())), setting.stage.first_people()
    drafts, by = play.services.cases.drafts, play.principal(people[1])
    case_id = drafts.begin(by, "branch-0", body={Field.TITLE: "标题"})
    drafts.since(by, case_id, 0, at=Field.TITLE)
    play.services.access.people.set_roles(None, people[0], "branch-0", frozenset({Role.TRAINER}))
    asker = next(a for a in askers(play) if a.sees == people[0])
    asked = [
        Question("GET", f"/cases/{case_id}/history"),
        Question("GET", f"/v1/cases/{case_id}/form"),
        Question("GET", f"/v1/cases/{case_id}/changes"),
        Question("GET", "/v1/cases/drafts", (("branch", "branch-0"),)),
        Question("GET", f"/cases/{case_id}/write"),
    ]
    for answer in setting.interview.ask(asker, asked):
        assert answer.status == 200 and person_name(1) in answer.said
    play.services.access.people.set_roles(None, people[1], "branch-0", frozenset())
    for answer in setting.interview.ask(asker, asked):
        assert answer.status == 200 and person_name(1) not in answer.said


def _pieces(question: Asked) -> frozenset[str]:
    return rare_in(json.dumps(question_json(question), ensure_ascii=False)) - text(0).canaries


# -- asking --------------------------------------------------------------------------------


def play_and_ask(setting: Setting, history: History, *, share: float) -> None:
    """Play a history and ask everybody in the middle and at the end; `share` of what could be asked."""
    play = setting.stage.begin(history)
    # The same history is asked the same, so that what was found is found again.
    setting.turn = crc32(repr(history).encode())
    first, second = history.halves()
    play.act(first)
    if share >= 0.03 or setting.n_worlds % 4 == 0:
        for asker in askers(play):
            Inquiry(setting, play, asker).finds_all()
    play.act(second)
    for asker in askers(play):
        inquiry = Inquiry(setting, play, asker)
        if inquiry.finds_all():
            inquiry.lists()
            inquiry.lists_quizzes()
            inquiry.lists_cases()
            inquiry.words(share)
        inquiry.ids(share)
        inquiry.attempts(share)
    setting.n_worlds += 1


class Inquiry:
    """What one asker asks of a world, and what must be true of the answers."""

    def __init__(self, setting: Setting, play: Play, asker: Asker) -> None:
        self.setting, self.play, self.asker, self.world = setting, play, asker, play.world
        self.seen = self.world.seen(asker.sees)
        self.hidden = [*(self.world.documents.keys() - self.seen), *self.world.gone]
        self.quizzes, self.cases = play.quizzes, play.cases
        of_quizzes, of_cases = (part.hidden(asker.asks, asker.sees) for part in (self.quizzes, self.cases))
        self.hidden_by = {
            "document_id": self.hidden,
            **of_quizzes,
            **of_cases,
            # Two kinds of question have the same name in addresses.
            "question_id": of_quizzes["question_id"] + of_cases["question_id"],
        }
        known = self.quizzes.told_ids(asker.asks, asker.sees)
        pools = [*(self._pools()[name] for name in IDS_OF_PEOPLE)]
        hidden = {i for name in IDS_OF_PEOPLE for i in self.hidden_by[name]}
        self.near = {i for pool in pools for i in pool} - hidden
        self.never_named = [i for name in IDS_OF_PEOPLE for i in self.hidden_by[name] if i not in known]
        slots = {self.world.documents[d].slot for d in self.seen}
        self.texts = [text(n) for n in sorted(slots)]
        self.others = [text(n) for n in (*range(N_SLOTS), *self.cases.slots) if n not in slots]
        self.allowed = self.world.names_seen(asker.knows).union(
            *(t.canaries for t in self.texts),
            *(rare_in(self.world.documents[d].issuer) for d in self.seen),
            self.quizzes.canaries(asker.knows, asker.asks, asker.sees),
            self.cases.canaries(asker.asks, asker.sees),
        )
        # Where they did something, their own trail tells by the branch's name.
        with play.services.catalog.engine.connect() as connection:
            where = connection.execute(select(audit.c.branch_id).where(audit.c.person_id == asker.knows))
            acted_in = [self.world.branches[b].n for b in set(where.scalars()) if b]
        self.acted_in = rare_in("".join(map(branch_name, acted_in)))
        self.shut_out = asker.name.startswith("token") and asker.knows is None
        setting.n_seen += len(self.seen)
        setting.n_hidden += len(self.hidden)

    def ask(self, *questions: Question) -> list[Answer]:
        """Ask, and look through the answers."""
        answers = self.setting.interview.ask(self.asker, questions)
        for question, answer in zip(questions, answers, strict=True):
            self._check(question, answer)
        return answers

    def get(self, path: str, *query: tuple[str, str]) -> Any:
        """The JSON of an answer; None where the asker's token opens nothing any more."""
        answer = self.ask(Question("GET", path, query))[0]
        if self.shut_out:
            assert answer.status == 401
            return None
        assert answer.status == 200, (self.asker.name, path, query, answer.said)
        return json.loads(answer.body)

    def _check(self, question: Question, answer: Answer) -> None:
        told = f"{self.asker.name} asked {question.method} {question.path} {question.query}: {answer.status}"
        assert answer.status < 500, f"{told}: {answer.said}"
        said = answer.said
        leaked = rare_in(said) - self.allowed - rare_in(question.said)
        if OF_OWN_DEEDS.search(question.path):
            leaked -= self.acted_in
        assert not leaked, f"{told} and read {leaked}: {_around(said, leaked)}"
        if not OF_OWN_DEEDS.search(question.path):
            ids = [d for d in self.hidden if d in said and d not in question.said and not self._withdrew(d)]
            ids += [i for i in self.never_named if i in said and i not in question.said]
            assert not ids, f"{told} and read the ids {ids}: {_around(said, ids)}"
        if (found := OF_ATTEMPT.match(question.path)) and found[1] in self.quizzes.attempts:
            self._check_attempt(found[1], told, said)

    def _check_attempt(self, attempt_id: str, told: str, said: str) -> None:
        """Before an attempt is over nothing about it tells a key, also to those who may know it elsewhere."""
        if not self.quizzes.is_revealed(attempt_id):
            keys = self.quizzes.keys(attempt_id) & rare_in(said)
            assert not keys, f"{told} and read of a key {keys}: {_around(said, keys)}"
            ids = [i for i in (*self.quizzes.questions, *self.world.documents) if i in said]
            assert not ids, f"{told} and read the ids {ids}: {_around(said, ids)}"

    def _withdrew(self, document_id: str) -> bool:
        """Whether the asker shares for the branch that took it out, and so is told that it did."""
        gone, knows = self.world.gone.get(document_id), self.asker.knows
        return gone is not None and knows is not None and self.world.has_role(knows, gone.keeper, SHARERS)

    # -- what one gets whole

    def finds_all(self) -> bool:
        """Everything visible is found, and counted, and nothing else; whether the asker is let in."""
        held = [self.world.documents[d] for d in self.seen]
        answer = self.get("/v1/search", ("q", COMMON), ("k", "100"), ("explain", "true"), *EVERY_STANDING)
        if answer is None:
            return False
        assert {h["document_id"] for h in answer["hits"]} == self.seen, self.asker.name
        assert answer["total"] == sum(h.n_passages for h in held)
        kinds, issuers = Counter[str](), Counter[str]()
        for h in held:
            kinds[text(h.slot).kind.value] += h.n_passages
            issuers[h.issuer] += h.n_passages
        assert answer["facets"]["kind"] == kinds
        assert answer["facets"]["issuer"] == issuers
        self._check_standings(answer["hits"])
        return True

    def lists(self) -> None:
        """The same of the lists and counts beside the search."""
        n, n_passages = len(self.seen), sum(self.world.documents[d].n_passages for d in self.seen)
        listed = self.get("/v1/documents", ("k", "200"))
        assert (listed["total"], {d["document_id"] for d in listed["documents"]}) == (n, self.seen)
        status = self.get("/v1/status")
        assert (status["documents"], status["passages"]) == (n, n_passages)

    def _check_standings(self, hits: Sequence[dict[str, Any]]) -> None:
        """A text that ended before its time was ended by one that the asker may see."""
        for hit in hits:
            slot = self.world.documents[hit["document_id"]].slot
            others = {self.world.documents[d].slot for d in self.seen - {hit["document_id"]}}
            if hit["validity"] == "superseded":
                # By the next version, by the same text handed in once more, or by what was published of the case.
                ending = {slot, slot + (slot in (0, 2)), *self._editions_after(slot)}
                assert others & ending, (self.asker.name, hit["title"], others)
            elif hit["validity"] == "repealed":
                assert slot == 4 and 5 in others, (self.asker.name, hit["title"], others)

    def _editions_after(self, slot: int) -> Iterator[int]:
        """Slots of what was published of a case later than this."""
        held = {**self.world.documents, **self.world.gone}
        for form in self.cases.forms.values():
            slots = [held[d].slot for d in form.editions]
            if slot in slots:
                yield from slots[slots.index(slot) + 1 :]

    def lists_quizzes(self) -> None:
        """Exams, banks and attempts are there for whom they are there, and whole as far as one sees them."""
        mine, asks, sees = self.quizzes, self.asker.asks, self.asker.sees
        if self.asker.knows is None or not self.world.people[self.asker.knows].settled:
            return
        exams = self.get("/v1/exams")["exams"]
        assert {e["exam_id"] for e in exams} == {e for e in mine.exams if mine.given(sees, e)}
        for branch_id in self.world.branches:
            if mine.may_ask(asks, branch_id):
                found = self.get("/v1/questions", ("branch", branch_id), ("k", "200"))
                assert {q["question_id"] for q in found["questions"]} == mine.bank(asks, sees, branch_id)
                assert found["total"] == len(found["questions"])
        for attempt_id in mine.own(sees):
            sitting, n = self.get(f"/v1/attempts/{attempt_id}"), len(mine.asked(sees, attempt_id))
            is_over = mine.is_over(attempt_id)
            assert (sitting["state"] != "open", sitting["n"]) == (is_over, 0 if is_over else n)
            self.setting.n_asked += sitting["n"]
            if is_over:
                told = self.get(f"/v1/attempts/{attempt_id}/result")["questions"]
                shown = [o for o in told if o["question"]]
                assert len(shown) == (n if mine.is_revealed(attempt_id) else 0)
                self.setting.n_told += len(shown)

    def lists_cases(self) -> None:
        """Cases, what came of them, questions and ballots are there for whom they are there, and counted so."""
        mine, asks, sees = self.cases, self.asker.asks, self.asker.sees
        cases = {c for c in mine.forms if mine.sees(sees, c)}
        for query in ((), (("q", COMMON),)):
            found = self.get("/v1/cases", *query, ("k", "100"))
            assert {c["case_id"] for c in found["cases"]} == cases, self.asker.name
            assert found["total"] == len(cases)
            counts = Counter(mine.forms[c].branch_id for c in cases)
            assert found["facets"]["branch"] == counts
        for case_id in cases:
            told = self.get(f"/v1/cases/{case_id}/adoptions")
            adopted = [a for a in mine.adoptions.values() if a.case_id == case_id]
            adopted = [a for a in adopted if mine.told_outcome(asks, sees, a)]
            assert {a["branch_id"] for a in told["adoptions"]} == {a.branch_id for a in adopted}
            assert sum(n for n in told.values() if isinstance(n, int)) == len(adopted)
            said = [f for f in mine.feedback.values() if f.case_id == case_id]
            n_said = sum(mine.told_outcome(asks, sees, f) for f in said)
            assert len(self.get(f"/v1/cases/{case_id}/feedback")["feedback"]) == n_said
            self.setting.n_outcomes += len(adopted) + n_said
        if self.asker.knows is None or not self.world.people[self.asker.knows].settled:
            return
        for question_id, asked in mine.questions.items():
            if mine.given(sees, asked):
                n = len(mine.answers(sees, question_id))
                assert len(self.get(f"/v1/case-questions/{question_id}/answers")["answers"]) == n
                assert self.get(f"/v1/case-questions/{question_id}")["n_answers"] == n
        told = {b["ballot_id"]: b["n_cases"] for b in self.get("/v1/ballots")["ballots"]}
        assert told == {
            b: sum(mine.sees(sees, c) for c in found.nominated)
            for b, found in mine.ballots.items()
            if mine.given(sees, found)
        }
        for branch_id in self.world.branches:
            if mine.writes(asks, branch_id):
                drafts = self.get("/v1/cases/drafts", ("branch", branch_id))["drafts"]
                own = {c for c, form in mine.forms.items() if form.branch_id == branch_id}
                assert {d["case_id"] for d in drafts} == own

    # -- what one finds by words

    def words(self, share: float) -> None:
        """Words of what is hidden find nothing of it, words of what is visible find it."""
        for of in self._some(self.others, share):
            found = self.get("/v1/search", ("q", of.word), ("mode", "keyword"), ("k", "100"), *EVERY_STANDING)
            if found is None:
                return
            assert (found["total"], found["hits"], list(filter(None, found["facets"].values()))) == (
                0,
                [],
                [],
            )
            suggested = self.get("/v1/suggest", ("q", of.title[: 2 if _alone(of, self.texts) else 99]))
            assert _slots(self.world, suggested["documents"]) <= {t.slot for t in self.texts}
        for of in self._some(self.texts, share):
            found = self.get("/v1/search", ("q", of.word), ("mode", "keyword"), *EVERY_STANDING)
            if found is None:
                return
            assert of.slot in _slots(self.world, found["hits"]), (self.asker.name, of.slot)
            suggested = self.get("/v1/suggest", ("q", of.title), ("k", "50"))
            # An older edition of a case has another title than what is suggested in its place.
            assert suggested["documents"] or of.slot in self._older()
        asked = [
            Question("GET", path, (("q", q), *more))
            for of in (*self.others, *self.texts)
            for q in (of.word, of.title, of.number, f"《{of.title}》第一条", of.issuer, of.keyword)
            for path in ("/v1/search", "/", "/suggest", "/v1/suggest")
            for more in (
                (),
                (("mode", "vector"), ("explain", "true"), ("offset", "1")),
                (("as_of", "2020-01-01"),),
                (("issuer", of.issuer), ("page", "2")),
            )
            if path in ("/", "/v1/search") or not more
        ]
        self.ask(*self._some(asked, share / 4))

    def _older(self) -> set[int]:
        """Slots of editions of cases that are not the newest."""
        forms = self.cases.forms.items()
        older = {d for c, form in forms for d in form.editions if d != self.cases.edition(c)}
        return {self.world.documents[d].slot for d in older & self.world.documents.keys()}

    # -- what one is told by id

    def ids(self, share: float) -> None:
        """Every GET route, about everything there is; the hidden gives the same answer as what does not exist."""
        pools = self._pools()
        for route in self.setting.interview.routes:
            if "GET" not in route.methods:
                continue
            questions = list(_questions(route, pools))
            # Of what is asked of people little is there for anybody: that is looked at more often.
            near = [q for q in questions if any(i in q.path for i in self.near)]
            far = [q for q in questions if q not in near]
            for question in [*self._some(far, share), *self._some(near, NEAR * share)]:
                self.setting.asked[route.path] += 1
                self._ask_beside_missing(route, question)

    def _ask_beside_missing(self, route: Route, question: Question) -> None:
        hidden = [i for ids in self.hidden_by.values() for i in ids if i in question.path]
        if "{case_id}" in route.path:
            asker, of_form = self.asker, OF_FORM.search(route.path)
            unseen = self.cases.unwritten(asker.asks) if of_form else self.cases.unread(asker.sees)
            hidden += [c for c in unseen if c in question.path and "attachments/" not in question.path]
        if not hidden:
            self.ask(question)
            return
        other = replace(question, path=question.path.replace(hidden[0], MISSING))
        answer, missing = self.ask(question, other)
        said, missed = answer.without(hidden[0], MISSING), missing.without(MISSING)
        assert said == missed, (self.asker.name, question.path, said, missed)

    def attempts(self, share: float) -> None:
        """Trying to change what is hidden is answered as trying to change what does not exist."""
        shapes = [
            '{"audience": [{"audience": "own"}]}',
            '{"audience": []}',
            *(f'{{"branch_id": "{b}", "audience": [{{"audience": "own"}}]}}' for b in self.world.branches),
            '{"answer": [0], "change": 9}',
            '{"share": 1.0}',
            '{"text": "-", "base": 0}',
            '{"note": "-"}',
            '{"revision": 1}',
            *(f'{{"branch_id": "{b}", "progress": "planned"}}' for b in self.world.branches),
            *(f'{{"branch_id": "{b}", "text": "-"}}' for b in self.world.branches),
            '{"state": "retired", "reason": "-", "seen_version": 1}',
            "",
        ]
        gone = {*self.world.gone}
        own = next((c for c in self.cases.forms if c not in self.hidden_by["case_id"]), MISSING)
        questions = [
            (
                hidden,
                Question(
                    method,
                    route.path.replace("{" + name + "}", hidden)
                    .replace("{share_id}", MISSING)
                    .replace("{position}", "1")
                    .replace("{field}", "problem")
                    .replace("{revision}", "1")
                    .replace("{case_id}", own)
                    .replace("{branch_id}", "branch-0"),
                    json=body,
                ),
            )
            for route in self.setting.interview.routes
            for name in self.hidden_by
            if "{" + name + "}" in route.path
            for method in sorted(route.methods - {"GET", "HEAD"})
            for hidden in self.hidden_by[name]
            if hidden not in gone
            for body in shapes
        ]
        for hidden, question in self._some(questions, share / 4):
            other = replace(question, path=question.path.replace(hidden, MISSING))
            answers = self.setting.interview.ask(self._with_form_token(), [question])
            answers += self.setting.interview.ask(self._with_form_token(), [other])
            for q, a in zip((question, other), answers, strict=True):
                self._check(q, a)
            said, missed = answers[0].without(hidden, MISSING), answers[1].without(MISSING)
            assert said == missed, (self.asker.name, question, said, missed)

    def _with_form_token(self) -> Asker:
        """The asker with the token that forms and changes need; a bearer needs none."""
        from access.keys import digest, new_secret

        cookie = dict(self.asker.headers).get("cookie")
        if cookie is None:
            return self.asker
        nonce, at = new_secret()[:22], str(int(time.time()))
        keys = self.play.services.access.office.keys
        mac = keys.mac("form", digest(cookie.partition("=")[2]), nonce, at)
        return replace(self.asker, headers=(*self.asker.headers, ("x-form-token", f"{nonce}.{at}.{mac}")))

    def _pools(self) -> dict[str, list[str]]:
        world = self.world
        return {
            "document_id": [*world.documents, *world.gone, MISSING],
            "branch_id": [*world.branches, "nowhere"],
            "group_id": [*world.groups, MISSING],
            "person_id": [*world.people, MISSING],
            "partnership_id": [*world.partnerships, MISSING],
            "token_id": [t for _, t in self.play.stage.tokens.values()],
            "question_id": [*self.quizzes.questions, *self.cases.questions, MISSING],
            "case_id": [*self.cases.forms, MISSING],
            "attachment_id": [f for form in self.cases.forms.values() for f in form.files] + [MISSING],
            "adoption_id": [*self.cases.adoptions, MISSING],
            "feedback_id": [*self.cases.feedback, MISSING],
            "answer_id": [a for q in self.cases.questions.values() for a in q.answers] + [MISSING],
            "ballot_id": [*self.cases.ballots, MISSING],
            "derived_from": [*self.cases.forms, MISSING],
            "read": [f for form in self.cases.forms.values() for f in form.files],
            "problem": [COMMON],
            "outcome": [COMMON],
            "field": ["problem"],
            "since": ["0"],
            "send": ["1"],
            "paper_id": [*self.quizzes.papers, MISSING],
            "exam_id": [*self.quizzes.exams, MISSING],
            "attempt_id": [*self.quizzes.attempts, MISSING],
            "q": [COMMON],
            "id": [*self.quizzes.questions],
            "paper": [*self.quizzes.papers],
            "form": ["1", "2"],
            "position": ["1"],
            "version": ["1", "2"],
            "format": FORMATS,
            "show": ["wrong"],
        }

    def _some(self, among: Sequence[Any], share: float) -> list[Any]:
        """A part of these, another one each time."""
        if share >= 1:
            return list(among)
        wanted = len(among) * share
        n = int(wanted) + (self._next() % 1000 < (wanted % 1) * 1000)
        start = self._next() % len(among) if among else 0
        return [*among[start:], *among[:start]][:n]

    def _next(self) -> int:
        self.setting.turn += 1
        # Steps of a prime, so that turns do not fall in with the loops that take them.
        return self.setting.turn * 7919


def _questions(route: Route, pools: dict[str, list[str]]) -> Iterator[Question]:
    """The route with every known id in its place."""
    paths = [route.path]
    for name in route.named:
        known = pools.get(name) or [MISSING]
        paths = [p.replace("{" + name + "}", value) for p in paths for value in known]
    for path in paths:
        required = (("q", COMMON),) if route.path in ("/v1/search", "/v1/suggest", "/suggest") else ()
        if route.path in WANTED_OF:
            required = (WANTED_OF[route.path],)
        yield Question("GET", path, required)
        for name in (*route.query, *READ_BY_HAND.get(route.path, ())):
            kind = next((k for k in ("document", "branch", "person", "group") if k in name), None)
            for value in pools[f"{kind}_id"] if kind else pools.get(name, []):
                others = tuple(pair for pair in required if pair[0] != name)
                yield Question("GET", path, (*others, (name, value)))
        if route.path == "/manage/questions/generate":
            for value in pools["document_id"]:
                yield Question("GET", path, (("document", value), ("go", "1")))
        if "{document_id}" in route.path:
            yield Question("GET", path, (("q", COMMON), ("hit", "1")))


def _alone(of: Text, texts: Sequence[Text]) -> bool:
    """Whether no visible text has the title."""
    return all(t.title != of.title for t in texts)


def _slots(world: Any, found: Sequence[dict[str, Any]]) -> set[int]:
    return {world.documents[f["document_id"]].slot for f in found}


def _around(said: str, words: Any) -> str:
    """The places where the words stand."""
    places = [said.find(w) for w in words]
    return " … ".join(said[max(0, p - 150) : p + 100] for p in places if p >= 0)
