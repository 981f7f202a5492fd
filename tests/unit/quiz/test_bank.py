"""The bank on a real store: versions, states, who sees what, what is there already, two people at once."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import update

from access.access import open_access
from access.keys import Keys
from access.principal import Principal
from access.resolve import Policy
from access.rights import Role
from api.access_words import ACTION_WORDS
from kb.errors import Conflict, InvalidRequest, KbError, NotFound, Refused, SignInRequired
from kb.model import PUBLIC, Document, derive_id
from quiz.bank import Bank, ChangedMeanwhile
from quiz.citing import cited
from quiz.kept import STEPS
from quiz.model import BLANK, FALSE, TRUE, Point, Question, State, Type, question_json
from quiz.tables import questions
from quiz.versions import UNLINKED
from store.catalog import Catalog
from store.database import open_database
from tests.fakes import make_document, put
from tests.people import CHEAP
from tests.unit.access.conftest import Clock, House

RULES = (
    "第一条　夜学小组一般由三至五人组成，设组长一人。",
    "第二条　夜学小组每月活动两次，每次不少于九十分钟。",
    "第三条　借用教室应当提前三日登记。",
)


@dataclass(frozen=True)
class Failed:
    """A gate that did not let a question through."""

    gate: int
    reason: str


@dataclass
class Stage:
    """A branch with two trainers, a member, and another branch's trainer; a document that all see."""

    house: House
    bank: Bank
    failing: list[Failed]
    rules: Document

    def by(self, login: str) -> Principal:
        """The person as they are now."""
        return self.house.by(login)

    def add(self, *questions: Question, login: str = "wen", state: State = State.CANDIDATE) -> list[str]:
        """Hand questions in."""
        return list(self.bank.add(self.by(login), "nan", questions, state=state).ids)

    def actions(self) -> list[str]:
        """What the trail tells of questions, oldest first."""
        return [e.action for e in self.house.access.audit.all() if e.action.startswith("question.")]


def opened(file: Path) -> House:
    """Access on a catalog, with a clock of its own."""
    clock = Clock()
    catalog = Catalog(open_database(f"sqlite:///{file}"))
    access = open_access(
        catalog,
        Keys(b"k" * 32),
        policy=Policy(second_factor=False),
        passwords=CHEAP,
        now=clock.now,
        today=clock.today,
    )
    return House(access, catalog, clock)


@cache
def template() -> tuple[bytes, dict[str, str], Document]:
    """The catalog that every test begins with, the ids of its people, and its document."""
    rules = make_document("夜学办法", RULES, effective_on=date(2025, 1, 1), work="夜学办法")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "catalog.db"
        house = opened(file)
        house.branch("nan")
        house.branch("bei")
        for login, branch_id, role in (
            ("wen", "nan", Role.TRAINER),
            ("shu", "nan", Role.TRAINER),
            ("yuan", "nan", Role.MEMBER),
            ("lin", "bei", Role.TRAINER),
        ):
            house.person(login, {branch_id: role})
        put(house.catalog, rules)
        house.catalog.engine.dispose()
        return file.read_bytes(), house.ids, rules


@contextmanager
def stage_in(folder: Path) -> Iterator[Stage]:
    """A stage in a folder."""
    data, ids, rules = template()
    file = folder / "catalog.db"
    file.write_bytes(data)
    house = opened(file)
    house.ids.update(ids)
    failing: list[Failed] = []
    bank = Bank(
        house.access.office,
        house.catalog,
        lambda q, scope: tuple(f for f in failing if f.reason in q.explanation),
    )
    try:
        yield Stage(house, bank, failing, rules)
    finally:
        house.catalog.engine.dispose()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage of the test's own."""
    with stage_in(tmp_path) as found:
        yield found


def asked(document: Document, stem: str, key: str, *others: str, sentence: str = "") -> Question:
    """A single choice about a document; the whole clause with the key is quoted."""
    clause = next(c for c in document.clauses if key in document.text[c.start : c.end])
    end = clause.start + len(document.text[clause.start : clause.end].rstrip())
    at = document.text.index(key, clause.start)
    return Question(
        Type.SINGLE,
        stem,
        (key, *(others or ("七人",))),
        (key,),
        "依据原文。",
        cited(document, clause.start, end),
        places=((at, at + len(key)),),
        topics=(document.meta.title,),
    )


def size(document: Document, *others: str) -> Question:
    """How many people a group has."""
    return asked(document, f"夜学小组一般由{BLANK}组成。", "三至五人", *(others or ("三至七人", "五至七人")))


def often(document: Document) -> Question:
    """How often it meets."""
    return asked(document, f"夜学小组每月活动{BLANK}。", "两次", "三次", "四次")


def plain(n: int = 1) -> Question:
    """A question that cites nothing."""
    return Question(Type.TRUE_FALSE, f"第{n}盏灯应当在晚上九点关闭。", (TRUE, FALSE), (TRUE,))


# -- what is there ----------------------------------------------------------------


def test_bank_gives_back_what_was_handed_in(stage: Stage) -> None:
    """Questions are listed in the order in which they came, whole, the latest batch first."""
    first = stage.add(size(stage.rules), often(stage.rules))
    stage.house.clock.pass_(minutes=1)
    second = stage.add(plain())
    total, found = stage.bank.questions(stage.by("shu"), "nan")
    assert (total, [k.question_id for k in found]) == (3, second + first)
    assert [k.question for k in found[1:]] == [size(stage.rules), often(stage.rules)]
    assert first[0] == derive_id("banked", "nan", size(stage.rules).question_id)
    assert (found[0].note, found[1].note) == (UNLINKED, "")
    assert stage.bank.questions(stage.by("wen"), "nan", offset=1, k=1)[1] == found[1:2]


@pytest.mark.parametrize(
    ("filters", "n"),
    [
        ({"states": [State.APPROVED]}, 1),
        ({"states": [State.CANDIDATE, State.APPROVED]}, 3),
        ({"types": [Type.TRUE_FALSE]}, 1),
        ({"topic": "夜学办法"}, 2),
        ({"topic": "夜学"}, 0),
        ({"text": "小组 每月"}, 1),
        ({"text": "%"}, 0),
        ({"text": "？"}, 3),
        ({"stale": True}, 0),
        ({"stale": False}, 3),
        ({"document_id": "0" * 16}, 0),
    ],
)
def test_bank_filters(stage: Stage, filters: dict[str, object], n: int) -> None:
    """Each filter keeps what it names, and the total counts that."""
    stage.add(size(stage.rules), state=State.APPROVED)
    stage.add(often(stage.rules), plain())
    total, found = stage.bank.questions(stage.by("wen"), "nan", **filters)  # type: ignore[arg-type]
    assert (total, len(found)) == (n, n)


def test_bank_passes_over_what_it_holds(stage: Stage) -> None:
    """The same stem with the same key is one question, whatever the number form, the spaces or the other options."""
    stage.add(size(stage.rules))
    again = [
        size(stage.rules, "九人"),
        replace(size(stage.rules), stem="夜学小组 一般由（ ）组成"),
        Question(Type.SINGLE, f"夜学小组一般由{BLANK}组成。", ("3-5人", "9人"), ("3-5人",)),
    ]
    added = stage.bank.add(stage.by("shu"), "nan", [*again, plain(), plain()])
    assert (len(added.ids), added.duplicates) == (1, 4)
    other_key = replace(size(stage.rules), answer=("三至七人",))
    assert stage.bank.add(stage.by("wen"), "nan", [other_key]).duplicates == 0
    assert stage.bank.add(stage.by("lin"), "bei", [size(stage.rules)]).duplicates == 0


def test_bank_does_not_take_an_edited_question_again_as_it_was(stage: Stage) -> None:
    """What somebody mended does not come back in its first form."""
    [question_id] = stage.add(size(stage.rules))
    mended = replace(size(stage.rules), stem=f"夜学小组通常由{BLANK}组成。")
    stage.bank.edit(stage.by("wen"), question_id, mended, seen_version=1)
    assert stage.bank.add(stage.by("wen"), "nan", [size(stage.rules)]).duplicates == 1


def test_bank_takes_all_or_none(stage: Stage) -> None:
    """One that cannot be kept keeps the others out, too."""
    with pytest.raises(InvalidRequest):
        stage.add(size(stage.rules), replace(plain(), stem=" "))
    assert stage.bank.questions(stage.by("wen"), "nan")[0] == 0


def test_bank_finds_questions_alike(stage: Stage) -> None:
    """Near stems, and the same place of a document, are told; options that have nothing in common are not."""
    one, worded, placed, apart, generic, other = stage.add(
        size(stage.rules),
        replace(size(stage.rules), stem=f"夜学的小组一般由{BLANK}组成。", citation=None),
        replace(size(stage.rules), stem="几个人可以成组？"),
        often(stage.rules),
        Question(Type.SINGLE, "下列说法正确的是", ("甲在前", "乙在前"), ("甲在前",)),
        Question(Type.SINGLE, "下列说法正确的是", ("丙在后", "丁在后"), ("丙在后",)),
    )
    by = stage.by("wen")
    assert {k.question_id for k in stage.bank.duplicates(by, one)} == {worded, placed}
    assert [k.question_id for k in stage.bank.duplicates(by, apart)] == []
    assert other not in {k.question_id for k in stage.bank.duplicates(by, generic)}


UNSOUND = {
    "no stem": replace(plain(), stem="　"),
    "no answer": replace(plain(), answer=()),
    "key not in options": Question(Type.SINGLE, "选", ("甲", "乙"), ("丙",)),
    "one option": Question(Type.SINGLE, "选", ("甲",), ("甲",)),
    "empty option": Question(Type.SINGLE, "选", ("甲", " "), ("甲",)),
    "the same option twice": Question(Type.MULTIPLE, "选", ("甲", "甲", "乙"), ("甲", "乙")),
    "two keys of one": Question(Type.SINGLE, "选", ("甲", "乙"), ("甲", "乙")),
    "true or false or else": Question(Type.TRUE_FALSE, "说", (TRUE, FALSE, "不知道"), (TRUE,)),
    "gaps without keys": Question(Type.BLANK, f"{BLANK}和{BLANK}", (), ("甲",)),
    "an order of other things": Question(Type.ORDERING, "排", ("甲", "乙"), ("甲", "甲")),
    "a prompt without its option": Question(Type.MATCHING, "配", ("甲", "乙"), ("甲",), prompts=("一", "二")),
    "points of more than all": Question(
        Type.SHORT, "答", (), ("甲",), points=(Point("甲", 0.7), Point("乙", 0.7))
    ),
    "a difficulty that is none": replace(plain(), difficulty=float("nan")),
    "half a character": replace(plain(), stem="甲\ud800"),
    "a character of none": replace(plain(), explanation="甲\x00"),
    "too long": replace(plain(), explanation="长" * 30_000),
}


@pytest.mark.parametrize("question", UNSOUND.values(), ids=UNSOUND.keys())
def test_bank_keeps_no_question_that_is_none(stage: Stage, question: Question) -> None:
    """What cannot be asked is refused with a reason in Chinese, when it is handed in and when it is edited."""
    with pytest.raises(InvalidRequest) as refused:
        stage.add(question)
    assert refused.value.hint[-1] == "。"
    [question_id] = stage.add(plain(7))
    with pytest.raises(InvalidRequest):
        stage.bank.edit(stage.by("wen"), question_id, question, seen_version=1)


# -- citations, and who sees them -----------------------------------------------------


def test_bank_takes_nobody_at_their_word_about_a_document(stage: Stage) -> None:
    """Title, path and anchor are the catalog's; what is quoted must stand there."""
    question = size(stage.rules)
    assert question.citation
    told = replace(question.citation, title="别的办法", path=("别处",), anchor="x", clause_id="y")
    [question_id] = stage.add(replace(question, citation=told))
    assert stage.bank.question(stage.by("wen"), question_id).question == question
    for wrong in (
        replace(question.citation, quote="夜学小组一般由九人组成"),
        replace(question.citation, start=-1),
        replace(question.citation, start=10**30, end=10**31),
        replace(question.citation, end=len(stage.rules.text)),
    ):
        with pytest.raises(InvalidRequest):
            stage.add(replace(question, stem="别的", citation=wrong))


def test_bank_shows_a_question_to_those_who_see_its_document(stage: Stage) -> None:
    """To others it reads exactly like one that is not there, in every way of asking."""
    secret = make_document("内部办法", RULES)
    put(stage.house.catalog, secret, audience=[f"owner:nan:{stage.house.ids['wen']}"], branch_id="nan")
    [question_id] = stage.add(size(secret), state=State.APPROVED)
    wen, shu = stage.by("wen"), stage.by("shu")
    assert stage.bank.question(wen, question_id).question == size(secret)
    assert [k.question_id for k in stage.bank.usable(wen.scope, "nan")] == [question_id]
    assert stage.bank.versions([(question_id, 1)], wen.scope) == {(question_id, 1): size(secret)}

    assert stage.bank.questions(shu, "nan") == (0, [])
    assert set(stage.bank.counts(shu, "nan").values()) == {0}
    assert stage.bank.usable(shu.scope, "nan") == []
    assert stage.bank.versions([(question_id, 1)], shu.scope) == {}
    asking = (
        lambda by, i: stage.bank.question(by, i),
        lambda by, i: stage.bank.history(by, i),
        lambda by, i: stage.bank.duplicates(by, i),
        lambda by, i: stage.bank.failures(by, i),
        lambda by, i: stage.bank.edit(by, i, plain(), seen_version=1),
        lambda by, i: stage.bank.set_state(by, i, State.RETIRED, "不合适", seen_version=1),
    )
    for ask in asking:
        for login in ("shu", "yuan", "lin"):
            told = []
            for i in (question_id, "0" * 16):
                with pytest.raises(NotFound) as refused:
                    ask(stage.by(login), i)
                told.append(str(refused.value).replace(i, ""))
            assert told[0] == told[1]
        with pytest.raises(SignInRequired):
            ask(Principal(), question_id)
    with pytest.raises(NotFound):
        stage.add(size(secret), login="shu")
    # The same wording from a document that they see is a question of its own, and they are told of no other.
    added = stage.bank.add(shu, "nan", [size(stage.rules)])
    assert added.duplicates == 0
    assert added.ids != (question_id,)
    assert stage.bank.question(wen, question_id).question == size(secret)


def test_bank_refuses_who_makes_no_questions_there(stage: Stage) -> None:
    """Members, trainers of other branches and guests are refused, whether or not the branch is there."""
    for login, branch_id in (("yuan", "nan"), ("lin", "nan"), ("lin", "xi")):
        by = stage.by(login)
        for ask in (stage.bank.questions, stage.bank.counts):
            with pytest.raises(Refused):
                ask(by, branch_id)
        with pytest.raises(Refused):
            stage.bank.add(by, branch_id, [plain()])


def test_bank_hides_the_questions_of_a_withdrawn_document_at_once(stage: Stage) -> None:
    """With the document its questions are gone; when it comes back, so do they."""
    [question_id] = stage.add(size(stage.rules), state=State.APPROVED)
    stage.house.catalog.remove(stage.rules.document_id)
    by = stage.by("wen")
    assert stage.bank.questions(by, "nan") == (0, [])
    assert stage.bank.versions([(question_id, 1)], by.scope) == {}
    with pytest.raises(NotFound):
        stage.bank.question(by, question_id)
    put(stage.house.catalog, stage.rules, again=True)
    assert stage.bank.question(by, question_id).question == size(stage.rules)


def test_bank_shows_only_those_versions_whose_document_is_seen(stage: Stage) -> None:
    """An older version that cites a withdrawn document is not shown, though the question is."""
    other = make_document("补充办法", RULES)
    put(stage.house.catalog, other)
    [question_id] = stage.add(size(other))
    by = stage.by("wen")
    stage.bank.edit(by, question_id, size(stage.rules), seen_version=1)
    assert [v.version for v in stage.bank.history(by, question_id).versions] == [1, 2]
    stage.house.catalog.remove(other.document_id)
    assert [v.version for v in stage.bank.history(by, question_id).versions] == [2]
    with pytest.raises(NotFound):
        stage.bank.question(by, question_id, 1)
    assert stage.bank.question(by, question_id, 2).question == size(stage.rules)


# -- editing ----------------------------------------------------------------------------


def test_bank_edit_makes_a_version_and_sends_it_to_review(stage: Stage) -> None:
    """The old version stays as it was, the new one waits for review, and the citation is kept."""
    [question_id] = stage.add(size(stage.rules), state=State.APPROVED)
    stage.failing.append(Failed(9, "答案最长"))
    better = replace(
        size(stage.rules), stem=f"夜学小组一般有{BLANK}。", citation=None, explanation="答案最长。"
    )
    kept, failures = stage.bank.edit(stage.by("shu"), question_id, better, seen_version=1)
    assert (kept.version, kept.state, kept.question.stem) == (2, State.IN_REVIEW, better.stem)
    assert kept.question.citation == size(stage.rules).citation
    assert [f.reason for f in failures] == ["答案最长"]
    assert stage.bank.question(stage.by("wen"), question_id, 1).question == size(stage.rules)
    history = stage.bank.history(stage.by("wen"), question_id)
    assert [(v.version, v.name) for v in history.versions] == [(1, "wen名"), (2, "shu名")]
    assert [r.state for r in history.reviews] == [State.APPROVED, State.IN_REVIEW]
    assert stage.actions() == ["question.add", "question.edit"]


def test_bank_edit_that_changes_nothing_makes_no_version(stage: Stage) -> None:
    """Saved as it was, it stays as it was, approved."""
    [question_id] = stage.add(size(stage.rules), state=State.APPROVED)
    kept, _ = stage.bank.edit(stage.by("wen"), question_id, size(stage.rules), seen_version=1)
    assert (kept.version, kept.state) == (1, State.APPROVED)


@pytest.mark.parametrize(
    ("gate", "before", "kept"),
    [(1, False, False), (1, True, False), (2, False, False), (2, True, True), (3, False, True)],
)
def test_bank_edit_makes_no_key_worse(stage: Stage, gate: int, before: bool, kept: bool) -> None:
    """A key that is no option, or that its clause does not hold any more, is refused; what else fails is told."""
    stage.failing.append(Failed(gate, "有误"))
    first = replace(size(stage.rules), explanation="有误。" if before else "无。")
    [question_id] = stage.add(first)
    worse = replace(first, explanation="改得有误。")
    if kept:
        found, failures = stage.bank.edit(stage.by("wen"), question_id, worse, seen_version=1)
        assert (found.version, [f.gate for f in failures]) == (2, [gate])
    else:
        with pytest.raises(InvalidRequest, match="有误"):
            stage.bank.edit(stage.by("wen"), question_id, worse, seen_version=1)
        assert stage.bank.question(stage.by("wen"), question_id).version == 1


def test_bank_tells_who_changed_a_question_meanwhile(stage: Stage) -> None:
    """Whoever comes second changes nothing, and gets what is there now, from whom and since when."""
    [question_id] = stage.add(size(stage.rules))
    stage.house.clock.pass_(minutes=5)
    first = replace(size(stage.rules), explanation="甲改。")
    stage.bank.edit(stage.by("shu"), question_id, first, seen_version=1)
    by = stage.by("wen")
    tries = (
        lambda: stage.bank.edit(by, question_id, replace(first, explanation="乙改。"), seen_version=1),
        lambda: stage.bank.set_state(by, question_id, State.APPROVED, seen_version=1),
    )
    for attempt in tries:
        with pytest.raises(ChangedMeanwhile) as found:
            attempt()
        assert (found.value.now.version, found.value.now.question.explanation) == (2, "甲改。")
        assert (found.value.name, found.value.at) == ("shu名", stage.house.clock.now())
        assert "shu名" in found.value.message
    assert stage.bank.question(by, question_id) == found.value.now


def test_bank_lets_one_of_two_edits_at_once_win(stage: Stage) -> None:
    """Of people who edit the same version at the same moment exactly one succeeds; the rest are told."""
    [question_id] = stage.add(size(stage.rules))
    n = 6
    gate = threading.Barrier(n)
    people = [stage.by(("wen", "shu")[i % 2]) for i in range(n)]
    ended: list[str] = []

    def check(question: Question, scope: frozenset[str]) -> Sequence[Failed]:
        # All have seen version 1 by now, and go on together.
        gate.wait()
        return ()

    bank = Bank(stage.house.access.office, stage.house.catalog, check)

    def edit(i: int) -> None:
        try:
            bank.edit(
                people[i], question_id, replace(size(stage.rules), explanation=f"第{i}种。"), seen_version=1
            )
            ended.append(f"第{i}种。")
        except ChangedMeanwhile:
            ended.append("")

    threads = [threading.Thread(target=edit, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [e for e in ended if e]
    assert (len(ended), len(won)) == (n, 1)
    history = stage.bank.history(stage.by("wen"), question_id)
    assert [v.question.explanation for v in history.versions] == ["依据原文。", won[0]]


# -- states -------------------------------------------------------------------------------


@pytest.mark.parametrize("to", State)
@pytest.mark.parametrize("at", State)
def test_bank_moves_questions_only_where_they_may_go(stage: Stage, at: State, to: State) -> None:
    """Every pair of states: a step of the table succeeds, standing still changes nothing, all else is refused."""
    [question_id] = stage.add(plain())
    by = stage.by("wen")
    if at is not State.CANDIDATE:
        stage.bank.set_state(by, question_id, at, "不合适", seen_version=1)
    before = stage.bank.question(by, question_id)
    n = len(stage.actions())
    assert before.state is at
    if to in STEPS[at]:
        assert stage.bank.set_state(by, question_id, to, "有缘由", seen_version=1).state is to
        assert stage.bank.history(by, question_id).reviews[-1].reason == "有缘由"
        assert len(stage.actions()) == n + 1
        return
    if to is at and to is not State.CANDIDATE:
        stage.bank.set_state(by, question_id, to, "又一个", seen_version=1)
    else:
        with pytest.raises((Conflict, InvalidRequest)):
            stage.bank.set_state(by, question_id, to, "有缘由", seen_version=1)
    assert stage.bank.question(by, question_id) == before
    assert len(stage.actions()) == n


def test_bank_rejects_only_with_a_reason(stage: Stage) -> None:
    """Without one nothing changes; with one it stands in the note and in the history."""
    [question_id] = stage.add(plain())
    by = stage.by("wen")
    for reason in ("", "　\n", "长" * 501, "甲\x00"):
        with pytest.raises(InvalidRequest):
            stage.bank.set_state(by, question_id, State.RETIRED, reason, seen_version=1)
    kept = stage.bank.set_state(by, question_id, State.RETIRED, " 答案 不对 ", seen_version=1)
    assert (kept.state, kept.note) == (State.RETIRED, "答案 不对")
    assert stage.bank.counts(by, "nan")[State.RETIRED] == 1
    assert stage.bank.add(by, "nan", [plain()]).duplicates == 1


def test_every_change_is_told_in_the_trail(stage: Stage) -> None:
    """Each leaves one entry, in words that people read."""
    [question_id] = stage.add(plain())
    by = stage.by("wen")
    stage.bank.edit(by, question_id, replace(plain(), explanation="改。"), seen_version=1)
    stage.bank.set_state(by, question_id, State.APPROVED, seen_version=2)
    stage.bank.set_state(by, question_id, State.IN_REVIEW, seen_version=2)
    stage.bank.set_state(by, question_id, State.RETIRED, "重复", seen_version=2)
    assert stage.actions() == [
        "question.add",
        "question.edit",
        "question.approve",
        "question.review",
        "question.retire",
    ]
    assert set(stage.actions()) < set(ACTION_WORDS)
    assert stage.house.access.audit.verify().whole


# -- what is no longer in force -----------------------------------------------------------------


def newer(stage: Stage, on: date) -> Document:
    """A new version of the rules, which takes effect that day."""
    document = make_document("夜学办法新", RULES, title="夜学办法", effective_on=on, work="夜学办法")
    put(stage.house.catalog, document)
    return document


def test_bank_sends_back_what_a_newer_document_supersedes(stage: Stage) -> None:
    """From the day on which the new version takes effect the question is in review, says why, and is in no paper."""
    [question_id] = stage.add(size(stage.rules), state=State.APPROVED)
    [rejected] = stage.add(often(stage.rules))
    by = stage.by("wen")
    stage.bank.set_state(by, rejected, State.RETIRED, "不要", seen_version=1)
    newer(stage, stage.house.clock.today() + timedelta(days=1))
    assert [k.question_id for k in stage.bank.usable(by.scope, "nan")] == [question_id]
    assert not stage.bank.question(by, question_id).stale

    stage.house.clock.pass_(days=1)
    kept = stage.bank.question(by, question_id)
    assert (kept.stale, kept.state) == (True, State.IN_REVIEW)
    assert "新版本" in kept.note
    assert stage.bank.question(by, rejected).state is State.RETIRED
    assert stage.bank.usable(by.scope, "nan") == []
    counts = stage.bank.counts(by, "nan")
    assert (counts[State.IN_REVIEW], counts[State.APPROVED], counts[State.RETIRED]) == (1, 0, 1)
    assert stage.bank.questions(by, "nan", states=[State.APPROVED])[0] == 0
    assert stage.bank.questions(by, "nan", states=[State.IN_REVIEW], stale=True)[0] == 1
    with pytest.raises(Conflict):
        stage.bank.set_state(by, question_id, State.APPROVED, seen_version=1)


def test_bank_recheck_makes_it_last(stage: Stage) -> None:
    """Rechecked once, it stays in review though the newer document goes again; a second time changes nothing."""
    [question_id] = stage.add(size(stage.rules), state=State.APPROVED)
    by = stage.by("wen")
    document = newer(stage, stage.house.clock.today())
    assert (stage.bank.recheck(), stage.bank.recheck()) == (1, 0)
    stage.house.catalog.remove(document.document_id)
    kept = stage.bank.question(by, question_id)
    assert (kept.stale, kept.state) == (False, State.IN_REVIEW)
    assert [r.name for r in stage.bank.history(by, question_id).reviews] == ["wen名", ""]
    assert stage.actions()[-1] == "question.stale"


def test_bank_moves_a_question_to_the_newer_document(stage: Stage) -> None:
    """Handed in again from the new version it is the next version of the old question; a rejected one stays out."""
    [question_id, rejected] = stage.add(size(stage.rules), often(stage.rules), state=State.APPROVED)
    by = stage.by("wen")
    stage.bank.set_state(by, rejected, State.RETIRED, "不要", seen_version=1)
    document = newer(stage, stage.house.clock.today())
    added = stage.bank.add(by, "nan", [size(document), often(document)])
    assert (added.ids, added.duplicates) == ((question_id,), 1)
    kept = stage.bank.question(by, question_id)
    assert (kept.version, kept.state, kept.stale) == (2, State.CANDIDATE, False)
    assert kept.question == size(document)
    assert stage.bank.question(by, question_id, 1).question == size(stage.rules)


def test_bank_tells_the_difficulty_that_was_measured(stage: Stage) -> None:
    """It stands in the question as it is now; the version that was made keeps its estimate."""
    [question_id] = stage.add(size(stage.rules))
    with stage.house.access.office.writing() as connection:
        connection.execute(update(questions).values(difficulty=0.8124))
    by = stage.by("wen")
    kept = stage.bank.question(by, question_id)
    assert kept.question.difficulty == 0.812
    assert stage.bank.edit(by, question_id, kept.question, seen_version=1)[0].version == 1
    assert stage.bank.history(by, question_id).versions[0].question == size(stage.rules)


# -- any history -----------------------------------------------------------------------------------


class BankMachine(RuleBasedStateMachine):
    """Whatever is done in whatever order: versions never change, their numbers grow by one, states move by the table."""

    @initialize()
    def begin(self) -> None:
        """An empty bank."""
        self.folder = TemporaryDirectory()
        self.context = stage_in(Path(self.folder.name))
        self.stage = self.context.__enter__()
        self.seen: dict[tuple[str, int], object] = {}
        self.states: dict[str, tuple[int, State]] = {}
        self.allowed: tuple[str, frozenset[State]] = ("", frozenset())
        self.n = 0

    def teardown(self) -> None:
        """Let go of it."""
        if hasattr(self, "context"):
            self.context.__exit__(None, None, None)
            self.folder.cleanup()

    @property
    def ids(self) -> list[str]:
        """Questions that are there."""
        return sorted(self.states)

    @rule(n=st.integers(1, 3), linked=st.booleans(), state=st.sampled_from(list(State)[:3]))
    def add(self, n: int, linked: bool, state: State) -> None:
        """Hand one in, new or known."""
        question = often(self.stage.rules) if linked else plain(n)
        for question_id in self.stage.add(question, state=state):
            self.states.setdefault(question_id, (1, state))

    @precondition(lambda self: self.states)
    @rule(data=st.data(), version=st.integers(0, 4), login=st.sampled_from(["wen", "shu", "lin"]))
    def edit(self, data: st.DataObject, version: int, login: str) -> None:
        """Somebody edits the version that they think is the latest."""
        question_id = data.draw(st.sampled_from(self.ids))
        self.n += 1
        try:
            self.stage.bank.edit(
                self.stage.by(login),
                question_id,
                replace(plain(), explanation=f"{self.n}"),
                seen_version=version,
            )
        except KbError:
            return
        assert login != "lin"
        assert version == self.states[question_id][0]
        self.states[question_id] = (version + 1, State.IN_REVIEW)

    @precondition(lambda self: self.states)
    @rule(
        data=st.data(),
        to=st.sampled_from(State),
        reason=st.sampled_from(["", "不要"]),
        version=st.integers(0, 4),
    )
    def set_state(self, data: st.DataObject, to: State, reason: str, version: int) -> None:
        """Somebody moves a question, wherever it stands."""
        question_id = data.draw(st.sampled_from(self.ids))
        known_version, known = self.states[question_id]
        try:
            self.stage.bank.set_state(self.stage.by("wen"), question_id, to, reason, seen_version=version)
        except KbError:
            return
        assert version == known_version
        assert to is known or to in STEPS[known]
        assert to is not State.RETIRED or reason
        self.states[question_id] = (known_version, to)

    @rule()
    def recheck(self) -> None:
        """Nothing is stale."""
        assert self.stage.bank.recheck() == 0

    @invariant()
    def holds(self) -> None:
        """The bank is as it was left, version by version."""
        if not hasattr(self, "stage"):
            return
        by = self.stage.by("wen")
        for question_id, (version, state) in self.states.items():
            kept = self.stage.bank.question(by, question_id)
            assert (kept.version, kept.state) == (version, state)
            history = self.stage.bank.history(by, question_id)
            assert [v.version for v in history.versions] == list(range(1, version + 1))
            for v in history.versions:
                body = question_json(v.question)
                assert self.seen.setdefault((question_id, v.version), body) == body
        counts = self.stage.bank.counts(by, "nan")
        assert sum(counts.values()) == len(self.states)
        approved = {i for i, (_, state) in self.states.items() if state is State.APPROVED}
        assert {k.question_id for k in self.stage.bank.usable(frozenset({PUBLIC}), "nan")} == approved


TestBankMachine = BankMachine.TestCase
TestBankMachine.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
