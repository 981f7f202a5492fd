"""What is done at night without anybody asking: review of what has ended, sittings whose time is over, difficulty."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from quiz.model import State, Type
from quiz.tables import attempts, exams, questions
from tests.integration.question_stage import BankStage, open_bank
from tests.integration.sitting_stage import Hall, open_hall, right


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A paper of seven questions, about to be given out."""
    found = open_hall(tmp_path / "home")
    yield found
    found.stage.services.close()


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[BankStage]:
    """A bank whose questions wait for review."""
    found = open_bank(tmp_path / "bank")
    yield found
    found.services.close()


def end(hall: Hall, exam_id: str, days: float) -> None:
    """Let an exam have ended so many days ago."""
    office = hall.stage.access.office
    with office.writing() as connection:
        closes_at = office.now() - timedelta(days=days)
        connection.execute(
            update(exams)
            .where(exams.c.exam_id == exam_id)
            .values(opens_at=closes_at - timedelta(days=1), closes_at=closes_at)
        )


def difficulty(hall: Hall) -> float:
    """The difficulty of the single choice as papers take it."""
    with hall.stage.access.office.reading() as connection:
        return connection.execute(
            select(questions.c.difficulty).where(questions.c.type == "single")
        ).scalar_one()


def sat(hall: Hall, exam_id: str) -> str:
    """An attempt of the member's with the single choice right, left open."""
    attempt_id = hall.begin("member", exam_id)
    single = hall.asked("member", attempt_id)[Type.SINGLE]
    by = hall.stage.principal("member")
    hall.quiz.attempts.save(by, attempt_id, single.position, right(single), 1)
    return attempt_id


def state(hall: Hall, attempt_id: str) -> str:
    """Where an attempt stands in the store."""
    with hall.stage.access.office.reading() as connection:
        statement = select(attempts.c.state).where(attempts.c.attempt_id == attempt_id)
        return str(connection.execute(statement).scalar_one())


def test_work_is_queued_for_the_night(hall: Hall) -> None:
    """At 3:17, and at no other minute of the hours around it, the installation does what is due."""
    huey = hall.stage.services.jobs._huey
    minutes = [datetime(2026, 3, 2, hour, minute) for hour in (2, 3, 4) for minute in range(60)]
    assert [m for m in minutes if huey.read_periodic(m)] == [datetime(2026, 3, 2, 3, 17)]


def test_night_hands_in_what_nobody_looked_at(hall: Hall) -> None:
    """After the night an attempt whose time is over is handed in and marked; one that is running goes on."""
    over, running = hall.give(), hall.give(title="另一次")
    forgotten, going_on = sat(hall, over), sat(hall, running)
    end(hall, over, 1)
    (task,) = hall.stage.services.jobs._huey.read_periodic(datetime(2026, 3, 2, 3, 17))
    hall.stage.services.jobs._huey.execute(task)
    assert (state(hall, forgotten), state(hall, going_on)) == ("marked", "open")


def test_night_measures_tests_that_are_over(hall: Hall) -> None:
    """What everybody got right counts as easier once the test is over, not before; a second night changes nothing."""
    exam_id = hall.give()
    hall.quiz.attempts.submit(hall.stage.principal("member"), sat(hall, exam_id))
    before = difficulty(hall)
    hall.stage.services.tidy()
    assert difficulty(hall) == before
    end(hall, exam_id, 1)
    hall.stage.services.tidy()
    after = difficulty(hall)
    assert after < before
    hall.stage.services.tidy()
    assert difficulty(hall) == after


def test_night_leaves_old_tests_alone(hall: Hall) -> None:
    """A test that ended weeks ago is not measured night after night."""
    exam_id = hall.give()
    hall.quiz.attempts.submit(hall.stage.principal("member"), sat(hall, exam_id))
    before = difficulty(hall)
    end(hall, exam_id, 30)
    hall.stage.services.tidy()
    assert difficulty(hall) == before


def test_night_sends_what_has_ended_to_review(bank: BankStage) -> None:
    """Questions on a text that was superseded are in review for good, with a reason in their history."""
    trainer = bank.stage.principal("trainer")
    question_id = bank.ids[Type.SINGLE]
    bank.bank.set_state(trainer, question_id, State.APPROVED, seen_version=1)
    bank.newer()
    bank.services.tidy()
    with bank.services.access.office.reading() as connection:
        kept = connection.execute(select(questions.c.state).where(questions.c.question_id == question_id))
        assert kept.scalar_one() == State.IN_REVIEW
    last = bank.bank.history(trainer, question_id).reviews[-1]
    assert last.state is State.IN_REVIEW and last.reviewed_by is None and last.reason
