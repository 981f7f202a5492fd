"""Any history of one sitting against a plain model: saves in any order, twice or late, submits, and clocks that move."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kb.errors import Conflict
from quiz.attempt import Result
from quiz.exam import Retake
from tests.exam_room import Room, found, open_room, singles

MINUTES = 60
GRACE_S = 5
POSITIONS = 4


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, str]]:
    """One store for all histories, and a paper."""
    folder = tmp_path_factory.mktemp("histories")
    shutil.copytree(found(tmp_path_factory.mktemp("room")), folder, dirs_exist_ok=True)
    room = open_room(folder)
    yield room, room.paper(room.add(singles(room.document(), POSITIONS)))
    room.house.catalog.engine.dispose()


def test_any_history_of_an_attempt(stage: tuple[Room, str]) -> None:
    """Nothing that was acknowledged is lost or undone, time never comes back, and the end is settled once."""
    room, paper_id = stage

    class Histories(RuleBasedStateMachine):
        """One attempt by m1. `sent` are messages under way: each may arrive at any time, any number of times."""

        @initialize()
        def begin(self) -> None:
            """A new exam, wide open, and its attempt."""
            later = room.clock.now() + timedelta(days=365)
            exam_id = room.give(paper_id, closes_at=later, retake=Retake.NEVER, minutes=MINUTES)
            self.by = room.house.by("m1")
            self.attempt_id = room.attempts.begin(self.by, exam_id)
            self.exam_id = exam_id
            self.began = room.ticks.at
            self.kept: dict[int, tuple[int, list[int]]] = {}
            self.sent: list[tuple[int, list[int], int]] = []
            self.left = MINUTES * 60
            self.ended: Result | None = None

        @property
        def over_for_sure(self) -> bool:
            return room.ticks.at - self.began > MINUTES * 60 + GRACE_S

        @rule(
            position=st.integers(1, POSITIONS),
            answer=st.lists(st.integers(0, 3), max_size=1),
            n=st.integers(1, 6),
        )
        def send(self, position: int, answer: list[int], n: int) -> None:
            """A change of an answer is on its way."""
            self.sent.append((position, answer, n))

        @precondition(lambda self: self.sent)
        @rule(data=st.data(), again=st.booleans())
        def arrive(self, data: Any, again: bool) -> None:
            """One of the messages comes to the server, and perhaps will once more."""
            position, answer, change = data.draw(st.sampled_from(self.sent))
            if not again:
                self.sent.remove((position, answer, change))
            try:
                saved = room.attempts.save(self.by, self.attempt_id, position, answer, change)
            except Conflict:
                assert self.ended or self.left == 0 or self.is_over()
                return
            assert not self.ended
            assert not self.over_for_sure
            before = self.kept.get(position, (0, []))
            if change > before[0]:
                self.kept[position] = change, answer
            stands = self.kept[position]
            assert (saved.change, list(saved.answer), saved.taken) == (*stands, stands[1] == answer)
            self.see(saved.seconds_left)

        @rule(minutes=st.integers(0, 25))
        def time_goes_by(self, minutes: int) -> None:
            """In truth, and on the clock."""
            room.pass_(minutes=minutes)

        @rule(minutes=st.integers(-90, 20))
        def clock_is_set(self, minutes: int) -> None:
            """On the clock alone."""
            room.clock.pass_(minutes=minutes)

        @rule()
        def submit(self) -> None:
            """The person is done, perhaps not for the first time."""
            room.attempts.submit(self.by, self.attempt_id)
            assert self.is_over()

        @rule()
        def somebody_looks_at_all(self) -> None:
            """The results page is opened."""
            room.attempts.settle(self.exam_id)

        @rule()
        def begin_again(self) -> None:
            """Another device opens the exam."""
            try:
                assert room.attempts.begin(self.by, self.exam_id) == self.attempt_id
            except Conflict:
                assert self.is_over()

        def is_over(self) -> bool:
            return room.attempts.sitting(self.by, self.attempt_id).state != "open"

        def see(self, seconds_left: int | None) -> None:
            """Time left only ever shrinks, at least as fast as time goes by."""
            assert seconds_left is not None
            assert seconds_left <= self.left
            assert seconds_left <= max(0, MINUTES * 60 - (room.ticks.at - self.began))
            self.left = seconds_left

        @invariant()
        def what_was_acknowledged_is_there(self) -> None:
            """Before the end in the sitting, after it in the result, which never changes."""
            sitting = room.attempts.sitting(self.by, self.attempt_id)
            if sitting.state == "open":
                assert not self.ended
                self.see(sitting.seconds_left)
                there = {q.position: (q.change, list(q.answer)) for q in sitting.questions if q.change}
                assert there == self.kept
                self.shown = {q.position: q.options for q in sitting.questions}
                return
            result = room.attempts.result(self.by, self.attempt_id)
            assert self.ended in (None, result)
            self.ended = result
            shown = getattr(self, "shown", {})
            for outcome in result.questions:
                _, answer = self.kept.get(outcome.position, (0, []))
                assert outcome.question
                assert outcome.given == tuple(outcome.question.options[i] for i in answer)
                assert outcome.question.options == shown.get(outcome.position, outcome.question.options)
                assert outcome.share == float(outcome.given == outcome.question.answer)
            assert result.score == sum(o.share or 0 for o in result.questions)
            assert result.began_at <= result.submitted_at

    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=40, stateful_step_count=25, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )
