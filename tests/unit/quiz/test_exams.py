"""Giving papers out: to whom, under which rules, and what each person is told of them."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from access.principal import GUEST
from access.rights import Role
from access.sharing import EVERYONE, OWN, PARTNERS, Wanted
from access.tables import audit
from kb.errors import Conflict, InvalidRequest, NotFound, Refused, SignInRequired
from quiz.exam import Mode, Phase, Retake, Reveal
from quiz.model import Type
from quiz.tables import exams
from quiz.watch import Watch
from tests.exam_room import Room, found, open_room, questions_of, singles


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A branch with people, to be copied."""
    return found(tmp_path_factory.mktemp("room"))


@pytest.fixture
def room(store: Path, tmp_path: Path) -> Iterator[Room]:
    """A branch with people."""
    shutil.copytree(store, tmp_path, dirs_exist_ok=True)
    opened = open_room(tmp_path)
    yield opened
    opened.house.catalog.engine.dispose()


def paper(room: Room, n: int = 3, name: str = "夜学办法") -> str:
    """A paper of single choices."""
    return room.paper(room.add(singles(room.document(name), n)))


def titles(room: Room, login: str) -> list[str]:
    """What the person is shown, in its order."""
    return [card.rules.title for card in room.exams.open_to(room.house.by(login))]


# -- giving out ------------------------------------------------------------------


def test_only_who_may_ask_gives_out(room: Room) -> None:
    """A member, another branch's trainer and a guest do not find the paper; nothing is given out."""
    paper_id = paper(room)
    for login in ("m1", "guest", "other-trainer"):
        with pytest.raises(NotFound):
            room.exams.give(room.house.by(login), paper_id, room.rules(), [Wanted(OWN)])
    with pytest.raises(SignInRequired):
        room.exams.give(GUEST, paper_id, room.rules(), [Wanted(OWN)])
    with pytest.raises(NotFound):
        room.exams.give(room.house.by("trainer"), "0" * 16, room.rules(), [Wanted(OWN)])
    with room.house.access.office.reading() as connection:
        assert not connection.execute(select(exams)).first()


def test_beyond_the_branch_takes_the_right_to_share(room: Room) -> None:
    """A trainer gives to the own branch; to partners only who shares for the branch."""
    paper_id = paper(room)
    with pytest.raises(Refused):
        room.exams.give(room.house.by("trainer"), paper_id, room.rules(), [Wanted(PARTNERS)])
    room.exams.give(room.house.by("admin"), paper_id, room.rules(), [Wanted(PARTNERS)])
    assert titles(room, "guest") == ["夜学测验"]
    assert titles(room, "m1") == []


@pytest.mark.parametrize("wanted", [[], [EVERYONE], ["branch:nowhere"], ["nonsense"]])
def test_an_audience_is_of_people(room: Room, wanted: list[str]) -> None:
    """To nobody, to who does not sign in, and to what is not there nothing is given."""
    with pytest.raises(InvalidRequest):
        room.exams.give(room.house.by("admin"), paper(room), room.rules(), [Wanted(w) for w in wanted])


BAD: list[dict[str, Any]] = [
    {"title": " 　"},
    {"title": "长" * 121},
    {"closes_at": datetime(2020, 1, 1), "opens_at": datetime(2019, 1, 1)},
    {"closes_at": datetime(2026, 3, 2, 7)},
    {"minutes": 0},
    {"minutes": 1441},
    {"n_attempts": 0},
    {"n_attempts": 101},
    {"pass_share": -0.1},
    {"pass_share": 1.1},
    {"pass_share": float("nan")},
]


@pytest.mark.parametrize("rules", BAD)
def test_rules_make_sense(room: Room, rules: dict[str, Any]) -> None:
    """What is no rule is refused."""
    with pytest.raises(InvalidRequest):
        room.give(paper(room), **rules)


def test_an_empty_paper_is_not_given_out(room: Room) -> None:
    """A paper whose questions are all gone asks nobody anything."""
    document_id = room.document()
    paper_id = room.paper(room.add(singles(document_id, 2)))
    room.house.catalog.remove(document_id)
    with pytest.raises(InvalidRequest):
        room.give(paper_id)


def test_practice_is_not_limited(room: Room) -> None:
    """Whatever was asked for, practice is for as long and as often as one likes, and hides nothing."""
    exam_id = room.give(paper(room), mode=Mode.PRACTICE, minutes=5, n_attempts=1, reveal=Reveal.CLOSED)
    rules = room.exams.exam(room.house.by("m1"), exam_id).rules
    assert (rules.minutes, rules.n_attempts, rules.retake, rules.reveal) == (
        None,
        None,
        Retake.ANY,
        Reveal.SUBMITTED,
    )


def test_giving_and_ending_are_told_in_the_trail(room: Room) -> None:
    """Each is one entry of the branch, with the audience."""
    exam_id = room.give(paper(room))
    room.exams.end(room.house.by("trainer"), exam_id)
    with room.house.access.office.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.object_id == exam_id)).all()
    assert [(r.action, r.branch_id, r.person_id) for r in rows] == [
        (action, "jia", room.house.ids["trainer"]) for action in ("exam.give", "exam.end")
    ]
    assert "branch:jia" in rows[0].detail


# -- the preview ------------------------------------------------------------------


def test_preview_counts_what_each_branch_would_not_be_asked(room: Room) -> None:
    """Of five questions a partner may see three; the own branch all. Nothing is given out."""
    shared, inner = room.document("共享的", ("branch:jia", "partners:jia")), room.document("内部的")
    ids = [*room.add(singles(shared, 3)), *room.add(list(questions_of(inner).values())[:2])]
    preview = room.exams.preview(room.house.by("admin"), room.paper(ids), [Wanted(OWN), Wanted(PARTNERS)])
    assert preview.reach.branch_ids == ("jia", "yi")
    assert (preview.n, preview.hidden) == (5, {"yi": 2})
    assert titles(room, "m1") == []


def test_preview_is_for_who_may_give_out(room: Room) -> None:
    """It is refused as giving out would be."""
    paper_id = paper(room)
    with pytest.raises(NotFound):
        room.exams.preview(room.house.by("other-trainer"), paper_id, [Wanted(OWN)])
    with pytest.raises(Refused):
        room.exams.preview(room.house.by("trainer"), paper_id, [Wanted(PARTNERS)])


# -- telling ---------------------------------------------------------------------------


def test_the_list_begins_with_what_can_be_sat(room: Room) -> None:
    """Open ones first, that which ends soonest at the top; then those to come; then those over."""
    paper_id, now = paper(room), room.clock.now()

    def give(title: str, opens: float, closes: float) -> None:
        hours = {"opens_at": now + timedelta(hours=opens), "closes_at": now + timedelta(hours=closes)}
        room.give(paper_id, title=title, **hours)

    give("早已结束", 0, 1)
    give("晚结束", 0, 9)
    give("早结束", 0, 5)
    give("将来", 4, 9)
    room.pass_(hours=2)
    assert titles(room, "m1") == ["早结束", "晚结束", "将来", "早已结束"]
    phases = [card.phase for card in room.exams.open_to(room.house.by("m1"))]
    assert phases == [Phase.OPEN, Phase.OPEN, Phase.COMING, Phase.OVER]


def test_an_exam_is_told_to_its_audience_and_to_who_gave_it(room: Room) -> None:
    """Members of the branch and its trainers know of it; who gave it is told of the audience; others find nothing."""
    exam_id = room.give(paper(room))
    room.attempts.begin(room.house.by("m1"), exam_id)
    card = room.exams.exam(room.house.by("m2"), exam_id)
    assert (card.audience, card.n_open, card.n_over) == ((), 0, 0)
    card = room.exams.exam(room.house.by("trainer"), exam_id)
    assert (card.audience, card.n_open, card.n_over) == (("branch:jia",), 1, 0)
    for login in ("guest", "other-trainer"):
        with pytest.raises(NotFound):
            room.exams.exam(room.house.by(login), exam_id)
    for look in (room.exams.open_to, lambda by: room.exams.exam(by, exam_id)):
        with pytest.raises(SignInRequired):
            look(GUEST)


def test_an_exam_is_for_its_audience_alone(room: Room) -> None:
    """Given to a branch below or to a group, it is for nobody else: not for the own branch, nor for who gave it."""
    house = room.house
    house.branch("jia-1", "jia")
    house.person("below", {"jia-1": Role.MEMBER})
    admin = house.by("admin")
    group_id = house.access.groups.make(admin, "jia", "夜学组").group_id
    house.access.groups.put(admin, group_id, f"person:{house.ids['m2']}")
    paper_id = paper(room)
    for audience, inside in (("branch:jia-1", "below"), (f"group:{group_id}", "m2")):
        exam_id = room.exams.give(admin, paper_id, room.rules(title=audience), [Wanted(audience)])
        for login in ("m1", "m2", "below"):
            assert (audience in titles(room, login)) is (login == inside)
        assert room.exams.exam(house.by(inside), exam_id).may_begin
        assert not room.exams.exam(house.by("admin"), exam_id).may_begin
        with pytest.raises(NotFound):
            room.attempts.begin(house.by("admin"), exam_id)
        preview = room.exams.preview(admin, paper_id, [Wanted(audience)])
        assert "jia" not in preview.reach.branch_ids


def test_of_branch_is_for_those_who_may_ask_there(room: Room) -> None:
    """The list of a branch, the last first, is its trainers' alone."""
    paper_id = paper(room)
    for title in ("甲", "乙"):
        room.give(paper_id, title=title)
        room.pass_(minutes=1)
    assert [c.rules.title for c in room.exams.of_branch(room.house.by("trainer"), "jia")] == ["乙", "甲"]
    for login in ("m1", "guest", "other-trainer"):
        with pytest.raises(Refused):
            room.exams.of_branch(room.house.by(login), "jia")


def test_ending_is_for_those_who_may_ask_and_once(room: Room) -> None:
    """Others do not find it; what is over is not ended again; it closes at that moment."""
    exam_id = room.give(paper(room))
    for login in ("m1", "guest", "other-trainer"):
        with pytest.raises(NotFound):
            room.exams.end(room.house.by(login), exam_id)
    room.pass_(minutes=10)
    room.exams.end(room.house.by("trainer"), exam_id)
    card = room.exams.exam(room.house.by("m1"), exam_id)
    assert (card.phase, card.may_begin) == (Phase.OVER, False)
    assert abs(card.closes_at - room.clock.now()) < timedelta(seconds=1)
    with pytest.raises(Conflict):
        room.exams.end(room.house.by("trainer"), exam_id)


def test_an_exam_can_be_ended_before_it_opens(room: Room) -> None:
    """What was given out by mistake never opens."""
    now = room.clock.now()
    exam_id = room.give(paper(room), opens_at=now + timedelta(hours=1), closes_at=now + timedelta(hours=2))
    room.exams.end(room.house.by("trainer"), exam_id)
    room.pass_(hours=1, minutes=1)
    with pytest.raises(Conflict):
        room.attempts.begin(room.house.by("m1"), exam_id)


def test_what_was_tried_is_told_with_what_came_of_it(room: Room) -> None:
    """One's own attempts, first to last, without those of others; late ones read as handed in."""
    exam_id = room.give(paper(room), retake=Retake.ANY, reveal=Reveal.SUBMITTED)
    by = room.house.by("m1")
    first = room.attempts.begin(by, exam_id)
    room.attempts.submit(by, first)
    second = room.attempts.begin(by, exam_id)
    room.attempts.begin(room.house.by("m2"), exam_id)
    tried = room.exams.exam(by, exam_id).tried
    assert [(t.attempt_id, t.number, t.state) for t in tried] == [(first, 1, "marked"), (second, 2, "open")]
    assert (tried[0].score, tried[0].most, tried[0].passed) == (0, 3, False)
    room.pass_(hours=1, minutes=1)
    card = room.exams.exam(by, exam_id)
    assert (card.tried[1].state, card.may_begin) == ("submitted", True)


def test_a_drawn_paper_asks_each_person_their_own(room: Room) -> None:
    """Everyone gets as many questions as the paper has lines, all of the bank, and not all the same."""
    ids = room.add(singles(room.document(), 12))
    exam_id = room.give(room.drawn(4))
    asked = []
    for login in ("m1", "m2", "admin"):
        by = room.house.by(login)
        attempt_id = room.attempts.begin(by, exam_id)
        questions = room.attempts.sitting(by, attempt_id).questions
        assert (len(questions), {q.type for q in questions}) == (4, {Type.SINGLE})
        asked.append({q.stem for q in questions})
    assert len(ids) == 12
    assert len(set(map(frozenset, asked))) > 1


# -- the watch -----------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-200, 200)), max_size=30), st.floats(-500, 500))
def test_the_watch_never_runs_backwards_nor_slower_than_time(
    moves: list[tuple[float, float]], stored: float
) -> None:
    """Whatever is done to the clock: later never reads earlier, at least as much goes by as in truth, and no less
    than the clock and what is stored say."""
    zero = datetime(2026, 3, 2)
    clock = ticks = 0.0
    watch = Watch(
        lambda: zero + timedelta(seconds=clock), lambda: ticks, lambda _: zero + timedelta(seconds=stored)
    )
    before = watch.at("e")
    assert before >= zero + timedelta(seconds=stored)
    for passed, set_by in moves:
        ticks += passed
        clock += passed + set_by
        now = watch.at("e")
        assert now >= zero + timedelta(seconds=clock)
        assert now - before >= timedelta(seconds=passed) - timedelta(microseconds=2)
        before = now
