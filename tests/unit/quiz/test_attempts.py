"""Sitting an exam: what is asked, what is saved, when it ends, and what comes of it."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from access.principal import GUEST
from access.rights import Role
from access.sharing import OWN, PARTNERS, Wanted
from access.tables import audit
from kb.errors import Conflict, InvalidRequest, NotFound, SignInRequired
from quiz.attempt import Sitting
from quiz.attempts import Attempts
from quiz.exam import Mode, Retake, Reveal
from quiz.exams import Exams
from quiz.model import Question, Type
from quiz.tables import answers, attempts, question_versions
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


def exam_of_all(room: Room, **rules: Any) -> str:
    """An exam with a question of each type."""
    document_id = room.document()
    return room.give(room.paper(room.add(list(questions_of(document_id).values()))), **rules)


def exam_of(room: Room, n: int = 4, **rules: Any) -> str:
    """An exam of single choices."""
    return room.give(room.paper(room.add(singles(room.document(), n))), **rules)


def begin(room: Room, exam_id: str, login: str = "m1") -> str:
    """The person's attempt."""
    return room.attempts.begin(room.house.by(login), exam_id)


def sitting(room: Room, attempt_id: str, login: str = "m1") -> Sitting:
    """What the person has before them."""
    return room.attempts.sitting(room.house.by(login), attempt_id)


def save(
    room: Room, attempt_id: str, position: int, answer: list[Any], change: int = 1, login: str = "m1"
) -> Any:
    """Save as the person."""
    return room.attempts.save(room.house.by(login), attempt_id, position, answer, change)


def right(room: Room, asked: Any) -> list[Any]:
    """The right answer to what is asked, as the person would give it."""
    with room.house.access.office.reading() as connection:
        bodies = connection.execute(select(question_versions.c.body)).scalars().all()
    body = next(b for b in bodies if b["stem"] == asked.stem)
    answer = [body["answer"]] if isinstance(body["answer"], str) else body["answer"]
    if asked.type in (Type.BLANK, Type.SHORT):
        return answer
    return [asked.options.index(text) for text in answer]


def answer_all(room: Room, attempt_id: str, login: str = "m1") -> None:
    """Answer everything rightly."""
    for asked in sitting(room, attempt_id, login).questions:
        save(room, attempt_id, asked.position, right(room, asked), login=login)


# -- what is asked -------------------------------------------------------------


def test_all_right_is_everything(room: Room) -> None:
    """Who answers every type rightly has all points once a person has confirmed the words, and has passed."""
    attempt_id = begin(room, exam_of_all(room))
    answer_all(room, attempt_id)
    by = room.house.by("m1")
    room.attempts.submit(by, attempt_id)
    result = room.attempts.result(by, attempt_id)
    assert (result.state, result.score, result.most) == ("submitted", None, None)
    trainer = room.house.by("trainer")
    exam_id = result.exam_id
    (waiting,) = room.attempts.to_mark(trainer, exam_id)
    assert (waiting.question.type, waiting.proposed, waiting.worth) == (Type.SHORT, 1.0, 1.0)
    room.attempts.confirm(trainer, attempt_id, waiting.position, 1)
    result = room.attempts.result(by, attempt_id)
    assert (result.state, result.score, result.most, result.passed) == ("marked", 7, 7, True)
    assert {o.question.explanation for o in result.questions if o.question} == {"依据第1条的规定。"}
    assert all(o.question and o.question.citation and o.share == 1 for o in result.questions)
    assert not room.attempts.to_mark(trainer, exam_id)


def test_given_and_right_are_told_in_words_in_the_order_shown(room: Room) -> None:
    """The result has options as they were shown, and what was given in texts."""
    attempt_id = begin(room, exam_of(room, 1))
    (asked,) = sitting(room, attempt_id).questions
    save(room, attempt_id, 1, [2])
    room.attempts.submit(room.house.by("m1"), attempt_id)
    (outcome,) = room.attempts.result(room.house.by("m1"), attempt_id).questions
    assert outcome.question is not None
    assert outcome.question.options == asked.options
    assert outcome.given == (asked.options[2],)
    assert outcome.share == float(outcome.given == outcome.question.answer)


def test_nothing_asked_tells_the_key(room: Room) -> None:
    """No id, explanation, quote, accepted variant or point is in what is asked, by any type."""
    exam_id = exam_of_all(room)
    attempt_id = begin(room, exam_id)
    text = json.dumps(asdict(sitting(room, attempt_id)), ensure_ascii=False)
    with room.house.access.office.reading() as connection:
        rows = connection.execute(select(question_versions)).all()
    for row in rows:
        body = row.body
        hidden = [row.question_id, body["question_id"], body["explanation"], body["citation"]["quote"]]
        hidden += [body["citation"]["clause_id"], body["citation"]["document_id"]]
        hidden += [v for variants in body["accepted"] for v in variants] + [p["text"] for p in body["points"]]
        if body["type"] in ("blank", "short"):
            hidden += body["answer"]
        # The tail of 二 may stand in a stem of another question.
        assert not [h for h in hidden if len(h) > 1 and h in text]
    assert not {"answer_key", "accepted", "points", "explanation", "citation", "question_id"} & set(
        asdict(sitting(room, attempt_id).questions[0])
    )


def test_what_comes_back_does_not_tell_the_order_of_the_bank(room: Room) -> None:
    """Whoever ticks everything gets it back in the order shown: not in that of the bank, where keys may come first."""
    several = questions_of(room.document())[Type.MULTIPLE]
    attempt_id = begin(room, room.give(room.paper(room.add([several]))))
    for change, answer in enumerate(([4, 3, 2, 1, 0], [2, 0, 4]), 1):
        saved = save(room, attempt_id, 1, answer, change)
        assert list(saved.answer) == sorted(answer)
        assert list(sitting(room, attempt_id).questions[0].answer) == sorted(answer)


def test_each_person_has_an_order_of_their_own_and_it_stays(room: Room) -> None:
    """Two people's orders differ, both of questions and options; one person's is the same each time."""
    exam_id = exam_of(room, 12)
    orders = {}
    for login in ("m1", "m2"):
        attempt_id = begin(room, exam_id, login)
        first = sitting(room, attempt_id, login).questions
        assert first == sitting(room, attempt_id, login).questions
        orders[login] = ([q.stem for q in first], {q.stem: q.options for q in first})
    assert orders["m1"][0] != orders["m2"][0]
    assert orders["m1"][1] != orders["m2"][1]
    assert {s: sorted(o) for s, o in orders["m1"][1].items()} == {
        s: sorted(o) for s, o in orders["m2"][1].items()
    }


def test_unshuffled_is_as_the_form_has_it(room: Room) -> None:
    """Without shuffling everyone has the form's own order."""
    exam_id = exam_of(room, 6, shuffled=False)
    found = sitting(room, begin(room, exam_id)).questions
    assert [q.stem for q in found] == [f"第{i}小组的编号是哪一个？" for i in range(6)]
    assert found[1].options == tuple(f"编号001{c}" for c in "甲乙丙丁")


def test_key_positions_are_even_over_many(room: Room) -> None:
    """Over many people each place holds the key about as often as any other, wherever the key stands in the bank."""
    made = [
        q.with_options((*q.answer, *(o for o in q.options if o not in q.answer)))
        for q in singles(room.document(), 20)
    ]
    exam_id = room.give(room.paper(room.add(made)))
    places: Counter[int] = Counter()
    for n in range(30):
        room.house.person(f"p{n}", {"jia": Role.MEMBER})
        for asked in sitting(room, begin(room, exam_id, f"p{n}"), f"p{n}").questions:
            places[right(room, asked)[0]] += 1
    # 600 keys in 4 places: 150 each, standard deviation 10.6.
    assert all(abs(places[p] - 150) < 53 for p in range(4)), places


def test_ordering_does_not_begin_in_its_right_order_more_often_than_chance(room: Room) -> None:
    """Shuffling does not look at the key: all six orders of three parts come up."""
    document_id = room.document()
    steps = questions_of(document_id)[Type.ORDERING]
    exam_id = room.give(room.paper(room.add([steps])))
    orders = set()
    for n in range(40):
        room.house.person(f"p{n}", {"jia": Role.MEMBER})
        orders.add(sitting(room, begin(room, exam_id, f"p{n}"), f"p{n}").questions[0].options)
    assert len(orders) == 6


def test_types_stay_together(room: Room) -> None:
    """Shuffling keeps the order of types as the form has it."""
    made = list(questions_of(room.document()).values())
    ids = room.add([*singles(room.document("另一份"), 4), *made])
    with room.house.access.office.reading() as connection:
        kinds = dict(
            connection.execute(
                select(question_versions.c.question_id, question_versions.c.body["type"])
            ).all()
        )
    exam_id = room.give(room.paper(ids))
    found = [q.type.value for q in sitting(room, begin(room, exam_id)).questions]
    assert found == [json.loads(kinds[i]) if kinds[i].startswith('"') else kinds[i] for i in ids]


# -- begin -----------------------------------------------------------------------


def test_begin_goes_on_with_what_is_open(room: Room) -> None:
    """Beginning again, also from another device, gives the same attempt, with its answers and its time."""
    exam_id = exam_of(room)
    attempt_id = begin(room, exam_id)
    save(room, attempt_id, 1, [3], 4)
    room.pass_(minutes=20)
    assert begin(room, exam_id) == attempt_id
    found = sitting(room, attempt_id)
    assert (found.questions[0].answer, found.questions[0].change) == ((3,), 4)
    assert found.seconds_left == 40 * 60


def test_two_windows_begin_one_attempt(room: Room) -> None:
    """However many windows begin at once, there is one attempt, and one entry in the trail."""
    exam_id = exam_of(room)
    by = room.house.by("m1")
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: room.attempts.begin(by, exam_id), range(16)))
    assert len(ids) == 1
    with room.house.access.office.reading() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar() == 1
        written = connection.execute(select(audit.c.action)).scalars().all()
    assert written.count("attempt.begin") == 1


def test_begin_is_refused_before_it_opens_and_after_it_closes(room: Room) -> None:
    """Outside its hours nobody begins; nothing is made."""
    rules = room.rules()
    exam_id = exam_of(
        room, opens_at=rules.opens_at.replace(hour=9), closes_at=rules.opens_at.replace(hour=10)
    )
    with pytest.raises(Conflict):
        begin(room, exam_id)
    room.pass_(hours=2)
    with pytest.raises(Conflict):
        begin(room, exam_id)
    with room.house.access.office.reading() as connection:
        assert not connection.execute(select(attempts)).first()


@pytest.mark.parametrize(
    ("rules", "well", "again"),
    [
        ({"retake": Retake.NEVER}, False, False),
        ({"retake": Retake.FAILED}, False, True),
        ({"retake": Retake.FAILED}, True, False),
        ({"retake": Retake.ANY}, True, True),
        ({"retake": Retake.ANY, "n_attempts": 1}, False, False),
        ({"mode": Mode.PRACTICE}, True, True),
    ],
)
def test_retakes_go_by_the_rule(room: Room, rules: dict[str, Any], well: bool, again: bool) -> None:
    """Never, after failing, or at any time, and only so often; the list says beforehand what begin would."""
    exam_id = exam_of(room, **rules)
    attempt_id = begin(room, exam_id)
    if well:
        answer_all(room, attempt_id)
    by = room.house.by("m1")
    room.attempts.submit(by, attempt_id)
    assert room.exams.exam(by, exam_id).may_begin is again
    if again:
        other = begin(room, exam_id)
        assert other != attempt_id
        assert [t.number for t in room.exams.exam(by, exam_id).tried] == [1, 2]
        assert not any(q.answer for q in sitting(room, other).questions)
    else:
        with pytest.raises(Conflict):
            begin(room, exam_id)


def test_a_mark_that_is_due_keeps_the_next_attempt_back(room: Room) -> None:
    """Where only who failed may sit again, it has to be known that they did."""
    exam_id = exam_of_all(room, retake=Retake.FAILED)
    attempt_id = begin(room, exam_id)
    short = next(q for q in sitting(room, attempt_id).questions if q.type is Type.SHORT)
    save(room, attempt_id, short.position, ["不知道"])
    room.attempts.submit(room.house.by("m1"), attempt_id)
    with pytest.raises(Conflict):
        begin(room, exam_id)
    room.attempts.confirm(room.house.by("trainer"), attempt_id, short.position, 0)
    assert begin(room, exam_id) != attempt_id


def test_retakes_go_round_the_forms(room: Room) -> None:
    """Who sits again is asked another form, and people are spread over the forms."""
    ids = room.add(singles(room.document(), 6))
    exam_id = room.give(room.paper(ids[:3], ids[3:]), retake=Retake.ANY)
    first = begin(room, exam_id)
    one = {q.stem for q in sitting(room, first).questions}
    room.attempts.submit(room.house.by("m1"), first)
    two = {q.stem for q in sitting(room, begin(room, exam_id)).questions}
    assert not one & two
    for n in range(12):
        room.house.person(f"p{n}", {"jia": Role.MEMBER})
        begin(room, exam_id, f"p{n}")
    with room.house.access.office.reading() as connection:
        assert set(connection.execute(select(attempts.c.form)).scalars()) == {1, 2}


# -- save ------------------------------------------------------------------------


def test_saves_out_of_order_do_not_undo_later_ones(room: Room) -> None:
    """A save that arrives late is told what stands; the same one twice is fine."""
    attempt_id = begin(room, exam_of(room))
    assert save(room, attempt_id, 1, [1], 2).taken
    late = save(room, attempt_id, 1, [0], 1)
    assert (late.taken, late.change, late.answer) == (False, 2, (1,))
    twice = save(room, attempt_id, 1, [1], 2)
    assert (twice.taken, twice.change) == (True, 2)
    other_window = save(room, attempt_id, 1, [3], 2)
    assert (other_window.taken, other_window.answer) == (False, (1,))
    assert save(room, attempt_id, 1, [], 3).taken
    assert sitting(room, attempt_id).questions[0].answer == ()


BAD: dict[Type, list[list[Any]]] = {
    Type.SINGLE: [[0, 1], [4], [-1], ["五至七"], [None], [True]],
    Type.MULTIPLE: [[0, 0], [9], [None]],
    Type.TRUE_FALSE: [[2], [0, 1]],
    Type.BLANK: [["两", "三十日", "多"], [1], [None], ["长" * 201]],
    Type.SHORT: [["一", "二"], [0], ["长" * 4001]],
    Type.ORDERING: [[0, 0, 1], [0, 1, 2, 0], ["甲"]],
    Type.MATCHING: [[0, 1, 2, 0], [3], ["通知"]],
}
GOOD: dict[Type, list[list[Any]]] = {
    Type.SINGLE: [[3], []],
    Type.MULTIPLE: [[4, 0, 2], []],
    Type.TRUE_FALSE: [[1]],
    Type.BLANK: [["", "三十日"], ["两"]],
    Type.SHORT: [["说明\n原因"], [""]],
    Type.ORDERING: [[2, 0], [2, 1, 0]],
    Type.MATCHING: [[None, 2, None], [1, 1]],
}


def test_answers_come_back_as_they_were_given(room: Room) -> None:
    """What can be answered is saved and comes back; what cannot is refused and changes nothing."""
    attempt_id = begin(room, exam_of_all(room))
    change = 0
    for asked in sitting(room, attempt_id).questions:
        for answer in GOOD[asked.type]:
            change += 1
            saved = save(room, attempt_id, asked.position, answer, change)
            assert list(saved.answer) == (sorted(answer) if asked.type is Type.MULTIPLE else answer)
        before = sitting(room, attempt_id)
        for answer in BAD[asked.type]:
            with pytest.raises(InvalidRequest):
                save(room, attempt_id, asked.position, answer, 99)
        assert sitting(room, attempt_id) == before


@pytest.mark.parametrize(("position", "change"), [(0, 1), (5, 1), (-1, 1), (1, 0), (1, 2**53 + 1)])
def test_what_is_not_asked_cannot_be_answered(room: Room, position: int, change: int) -> None:
    """A place outside the attempt, or a number that counts nothing, is refused."""
    attempt_id = begin(room, exam_of(room))
    with pytest.raises((NotFound, InvalidRequest)):
        save(room, attempt_id, position, [0], change)


# -- time ------------------------------------------------------------------------


def test_time_is_the_servers(room: Room) -> None:
    """Time left counts down from the minutes allowed, or to the closing hour if that is sooner."""
    exam_id = exam_of(room)
    attempt_id = begin(room, exam_id)
    assert sitting(room, attempt_id).seconds_left == 3600
    room.pass_(minutes=59, seconds=59)
    assert save(room, attempt_id, 1, [0]).seconds_left == 1
    ids = room.add(list(questions_of(room.document("又一份")).values()))
    late = begin(room, room.give(room.paper(ids), minutes=None))
    assert sitting(room, late).seconds_left == 2 * 3600
    room.pass_(minutes=30)
    short = begin(room, exam_id, "m2")
    assert sitting(room, short, "m2").seconds_left == 30 * 60 + 1, "closes before the hour is over"


def test_saves_within_the_grace_count_and_later_ones_do_not(room: Room) -> None:
    """What was sent in time may arrive five seconds late; then the attempt is submitted with what was there."""
    attempt_id = begin(room, exam_of(room))
    save(room, attempt_id, 1, [1])
    room.pass_(hours=1, seconds=5)
    assert save(room, attempt_id, 2, [1]).seconds_left == 0
    room.pass_(seconds=1)
    with pytest.raises(Conflict):
        save(room, attempt_id, 3, [1])
    assert sitting(room, attempt_id).state == "marked"
    result = room.attempts.result(room.house.by("m1"), attempt_id)
    assert [bool(o.given) for o in result.questions] == [True, True, False, False]
    assert (result.submitted_at - result.began_at).total_seconds() == 3600


def test_ending_an_exam_submits_what_is_open(room: Room) -> None:
    """When a trainer ends it, nothing more is taken and everyone has what they had saved."""
    exam_id = exam_of(room)
    attempt_id = begin(room, exam_id)
    save(room, attempt_id, 1, [1])
    room.exams.end(room.house.by("trainer"), exam_id)
    room.pass_(seconds=6)
    with pytest.raises(Conflict):
        save(room, attempt_id, 1, [2], 2)
    with pytest.raises(Conflict):
        begin(room, exam_id, "m2")
    result = room.attempts.result(room.house.by("m1"), attempt_id)
    assert result.questions[0].given


@pytest.mark.parametrize("new_process", [False, True])
def test_a_clock_set_back_gives_no_more_time_and_loses_nothing(room: Room, new_process: bool) -> None:
    """Set back by half an hour, the clock neither gives it to the person, nor undoes or refuses what is saved."""
    exam_id = exam_of(room)
    attempt_id = begin(room, exam_id)
    room.pass_(minutes=40)
    save(room, attempt_id, 1, [1], 1)
    room.clock.pass_(minutes=-30)
    if new_process:
        house = room.house
        room.exams = Exams(house.access.office, room.papers, house.access.sharing, room.ticks)
        room.attempts = Attempts(house.access.office, room.papers, room.exams)
    assert sitting(room, attempt_id).seconds_left == 20 * 60
    saved = save(room, attempt_id, 1, [2], 2)
    assert (saved.taken, saved.seconds_left) == (True, 20 * 60)
    room.pass_(minutes=10)
    assert save(room, attempt_id, 2, [2]).seconds_left == 10 * 60
    room.pass_(minutes=11)
    with pytest.raises(Conflict):
        save(room, attempt_id, 3, [2])
    result = room.attempts.result(room.house.by("m1"), attempt_id)
    assert [len(o.given) for o in result.questions] == [1, 1, 0, 0]
    assert result.submitted_at > result.began_at


def test_a_clock_set_back_opens_no_exam_again(room: Room) -> None:
    """An exam that was seen to be over stays over."""
    exam_id = exam_of(room, retake=Retake.ANY)
    attempt_id = begin(room, exam_id)
    room.pass_(hours=3)
    assert sitting(room, attempt_id).state == "marked"
    room.clock.pass_(hours=-2)
    with pytest.raises(Conflict):
        begin(room, exam_id)


def test_practice_has_no_limit_of_time(room: Room) -> None:
    """Practice shows no time left, whatever minutes were asked for, and its result at once."""
    exam_id = exam_of(room, mode=Mode.PRACTICE, reveal=Reveal.CLOSED, minutes=1)
    attempt_id = begin(room, exam_id)
    room.pass_(minutes=90)
    assert sitting(room, attempt_id).seconds_left is None
    assert save(room, attempt_id, 1, [0]).seconds_left is None
    room.attempts.submit(room.house.by("m1"), attempt_id)
    assert room.attempts.result(room.house.by("m1"), attempt_id).revealed


# -- the end ---------------------------------------------------------------------


def test_submitting_twice_settles_once(room: Room) -> None:
    """Two submits at once, and one later, change nothing: one entry, one score, one time."""
    attempt_id = begin(room, exam_of(room))
    answer_all(room, attempt_id)
    by = room.house.by("m1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: room.attempts.submit(by, attempt_id), range(8)))
    first = room.attempts.result(by, attempt_id)
    room.pass_(minutes=5)
    room.attempts.submit(by, attempt_id)
    assert room.attempts.result(by, attempt_id) == first
    assert first.score == first.most == 4
    with room.house.access.office.reading() as connection:
        assert connection.execute(select(audit.c.action)).scalars().all().count("attempt.submit") == 1
    with pytest.raises(Conflict):
        save(room, attempt_id, 1, [0], 9)


def test_a_result_waits_until_it_may_be_shown(room: Room) -> None:
    """Until the attempt is over there is none; until the exam is closed, where so ruled, nothing of it is told."""
    exam_id = exam_of(room, reveal=Reveal.CLOSED)
    attempt_id = begin(room, exam_id)
    by = room.house.by("m1")
    with pytest.raises(Conflict):
        room.attempts.result(by, attempt_id)
    answer_all(room, attempt_id)
    room.attempts.submit(by, attempt_id)
    hidden = room.attempts.result(by, attempt_id)
    assert (hidden.revealed, hidden.score, hidden.most, hidden.passed, hidden.questions) == (
        False,
        None,
        None,
        None,
        (),
    )
    (tried,) = room.exams.exam(by, exam_id).tried
    assert (tried.score, tried.passed) == (None, None)
    room.pass_(hours=2)
    shown = room.attempts.result(by, attempt_id)
    assert (shown.revealed, shown.score, len(shown.questions)) == (True, 4, 4)
    assert shown.reveals_at <= room.clock.now()


def test_settle_submits_those_whose_time_is_over(room: Room) -> None:
    """Who never came back is submitted when somebody looks at all; who still has time is left alone."""
    exam_id = exam_of(room)
    gone = begin(room, exam_id)
    save(room, gone, 1, [1])
    room.pass_(minutes=30)
    begin(room, exam_id, "m2")
    room.pass_(minutes=31)
    room.attempts.settle(exam_id)
    with room.house.access.office.reading() as connection:
        found = {r.attempt_id: r.state for r in connection.execute(select(attempts))}
    assert sorted(found.values()) == ["marked", "open"]
    assert found[gone] == "marked"


# -- who may ---------------------------------------------------------------------


def test_nobody_else_has_the_attempt(room: Room) -> None:
    """Another member, the trainer, somebody of another branch and a guest find nothing."""
    attempt_id = begin(room, exam_of(room))
    for login in ("m2", "trainer", "guest"):
        by = room.house.by(login)
        for look in (room.attempts.sitting, room.attempts.submit, room.attempts.result):
            with pytest.raises(NotFound):
                look(by, attempt_id)
        with pytest.raises(NotFound):
            save(room, attempt_id, 1, [0], login=login)
    with pytest.raises(SignInRequired):
        room.attempts.sitting(GUEST, attempt_id)


def test_who_is_removed_has_nothing_at_the_next_request(room: Room) -> None:
    """Out of the branch, a person neither sees nor saves nor begins; back in it, what was saved is there."""
    exam_id = exam_of(room)
    attempt_id = begin(room, exam_id)
    save(room, attempt_id, 1, [1])
    people = room.house.access.people
    people.set_roles(None, room.house.ids["m1"], "jia", frozenset())
    for act in (
        lambda: sitting(room, attempt_id),
        lambda: save(room, attempt_id, 1, [2], 2),
        lambda: begin(room, exam_id),
        lambda: room.attempts.submit(room.house.by("m1"), attempt_id),
        lambda: room.exams.exam(room.house.by("m1"), exam_id),
    ):
        with pytest.raises(NotFound):
            act()
    assert room.exams.open_to(room.house.by("m1")) == []
    people.set_roles(None, room.house.ids["m1"], "jia", frozenset({Role.MEMBER}))
    assert sitting(room, attempt_id).questions[0].answer == (1,)


def test_a_withdrawn_document_takes_its_questions_out_of_a_running_attempt(room: Room) -> None:
    """Its question is not asked, not saved, not counted, and the result says only that it is gone."""
    kept, withdrawn = room.document(), room.document("要撤的")
    ids = [*room.add(singles(kept, 2)), *room.add([questions_of(withdrawn)[Type.SINGLE]])]
    exam_id = room.give(room.paper(ids))
    attempt_id = begin(room, exam_id)
    answer_all(room, attempt_id)
    gone = next(q for q in sitting(room, attempt_id).questions if "夜学小组" in q.stem)
    room.house.catalog.remove(withdrawn)
    left = sitting(room, attempt_id)
    assert left.n == 2
    assert gone.position not in [q.position for q in left.questions]
    with pytest.raises(NotFound):
        save(room, attempt_id, gone.position, [0], 9)
    by = room.house.by("m1")
    room.attempts.submit(by, attempt_id)
    result = room.attempts.result(by, attempt_id)
    assert (result.score, result.most) == (2, 2)
    outcome = next(o for o in result.questions if o.position == gone.position)
    assert (outcome.state, outcome.question, outcome.given, outcome.share) == ("withdrawn", None, (), None)
    assert gone.stem not in str(result)


def test_a_withdrawn_document_leaves_no_mark_to_wait_for(room: Room) -> None:
    """A short answer that nobody can mark any more does not hold the score back."""
    kept, withdrawn = room.document(), room.document("要撤的")
    ids = [*room.add(singles(kept, 1)), *room.add([questions_of(withdrawn)[Type.SHORT]])]
    exam_id = room.give(room.paper(ids))
    attempt_id = begin(room, exam_id)
    answer_all(room, attempt_id)
    by = room.house.by("m1")
    room.attempts.submit(by, attempt_id)
    assert room.attempts.result(by, attempt_id).score is None
    room.house.catalog.remove(withdrawn)
    assert room.attempts.result(by, attempt_id).score == 1
    assert not room.attempts.to_mark(room.house.by("trainer"), exam_id)
    with room.house.access.office.reading() as connection:
        assert connection.execute(select(attempts.c.state, attempts.c.score)).all() == [("marked", 1.0)]


def test_who_may_not_see_a_document_is_not_asked_about_it(room: Room) -> None:
    """A partner who may see one of two documents is asked about that one, and about nothing if they see none."""
    open_, own = room.document("共享的", ("branch:jia", "partners:jia")), room.document("内部的")
    shared, inner = room.add(singles(open_, 2)), room.add([questions_of(own)[Type.SINGLE]])
    admin = room.house.by("admin")
    rules = room.rules()
    both = room.exams.give(admin, room.paper([*shared, *inner]), rules, [Wanted(OWN), Wanted(PARTNERS)])
    attempt_id = begin(room, both, "guest")
    assert sitting(room, attempt_id, "guest").n == 2
    assert sitting(room, begin(room, both), "m1").n == 3
    nothing = room.exams.give(admin, room.paper(inner), rules, [Wanted(PARTNERS)])
    with pytest.raises(Conflict):
        begin(room, nothing, "guest")


# -- marks ------------------------------------------------------------------------


def test_marks_are_for_those_who_may_ask(room: Room) -> None:
    """Only who may ask questions in the branch sees what waits and confirms it, and whose it is they are not told."""
    exam_id = exam_of_all(room)
    attempt_id = begin(room, exam_id)
    answer_all(room, attempt_id)
    room.attempts.submit(room.house.by("m1"), attempt_id)
    (waiting,) = room.attempts.to_mark(room.house.by("trainer"), exam_id)
    assert room.house.ids["m1"] not in str(waiting)
    assert "m1" not in str(waiting)
    for login in ("m1", "m2", "guest", "other-trainer"):
        with pytest.raises(NotFound):
            room.attempts.to_mark(room.house.by(login), exam_id)
        with pytest.raises(NotFound):
            room.attempts.confirm(room.house.by(login), attempt_id, waiting.position, 1)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidRequest):
            room.attempts.confirm(room.house.by("trainer"), attempt_id, waiting.position, share)


def test_a_confirmed_share_counts_and_can_be_changed(room: Room) -> None:
    """The person's word stands over the proposal; a gap, too, can be given a share, a choice cannot."""
    exam_id = exam_of_all(room)
    attempt_id = begin(room, exam_id)
    answer_all(room, attempt_id)
    by, trainer = room.house.by("m1"), room.house.by("trainer")
    room.attempts.submit(by, attempt_id)
    (waiting,) = room.attempts.to_mark(trainer, exam_id)
    room.attempts.confirm(trainer, attempt_id, waiting.position, 0.25)
    assert room.attempts.result(by, attempt_id).score == 6.25
    room.attempts.confirm(trainer, attempt_id, waiting.position, 0.5)
    assert room.attempts.result(by, attempt_id).score == 6.5
    for outcome in room.attempts.result(by, attempt_id).questions:
        assert outcome.question
        if outcome.question.type is Type.BLANK:
            room.attempts.confirm(trainer, attempt_id, outcome.position, 0.5)
        if outcome.question.type is Type.SINGLE:
            with pytest.raises(NotFound):
                room.attempts.confirm(trainer, attempt_id, outcome.position, 0)
    assert room.attempts.result(by, attempt_id).score == 6


def test_an_empty_short_answer_needs_nobody(room: Room) -> None:
    """Nothing written is worth nothing at once."""
    attempt_id = begin(room, exam_of_all(room))
    by = room.house.by("m1")
    short = next(q for q in sitting(room, attempt_id).questions if q.type is Type.SHORT)
    save(room, attempt_id, short.position, ["  "])
    room.attempts.submit(by, attempt_id)
    assert room.attempts.result(by, attempt_id).score == 0


def test_points_are_weighed(room: Room) -> None:
    """A question worth five counts five."""
    ids = room.add(singles(room.document(), 2))
    exam_id = room.give(room.paper(ids, points={ids[0]: 5.0}))
    attempt_id = begin(room, exam_id)
    heavy = next(q for q in sitting(room, attempt_id).questions if q.worth == 5)
    save(room, attempt_id, heavy.position, right(room, heavy))
    by = room.house.by("m1")
    room.attempts.submit(by, attempt_id)
    result = room.attempts.result(by, attempt_id)
    assert (result.score, result.most, result.passed) == (5, 6, True)


def test_an_edit_during_the_exam_changes_nothing_that_was_asked(room: Room) -> None:
    """Who has begun is asked and marked by the version that they were given."""
    (question_id,) = room.add(singles(room.document(), 1))
    exam_id = room.give(room.paper([question_id]))
    attempt_id = begin(room, exam_id)
    asked = sitting(room, attempt_id).questions[0]
    trainer = room.house.by("trainer")
    kept = room.bank.question(trainer, question_id)
    other: Question = kept.question
    wrong = next(o for o in other.options if o not in other.answer)
    room.bank.edit(
        trainer, question_id, replace(other, stem="改过的题", answer=(wrong,)), seen_version=kept.version
    )
    assert sitting(room, attempt_id).questions[0] == asked
    save(room, attempt_id, 1, [asked.options.index(other.answer[0])])
    room.attempts.submit(room.house.by("m1"), attempt_id)
    assert room.attempts.result(room.house.by("m1"), attempt_id).score == 1
    with room.house.access.office.reading() as connection:
        assert connection.execute(select(func.count()).select_from(answers)).scalar() == 1
