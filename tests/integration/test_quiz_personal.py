"""What exams keep of a person: told to them whole, told to nobody a moment too early, and gone when they go."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from access.rights import Role
from api.principal import COOKIE
from quiz.exam import Reveal
from quiz.model import Type
from quiz.tables import answers, attempts, question_versions, questions
from tests.integration.sitting_stage import Hall, open_hall, right

SAID = "先说明原因，再在七日内补读。"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A paper of seven questions, about to be given out."""
    found = open_hall(tmp_path / "home")
    yield found
    found.stage.services.close()


def export(hall: Hall, login: str) -> dict[str, Any]:
    """What somebody gets under “我的” as a file."""
    stage = hall.stage
    client = TestClient(stage.app, base_url="http://127.0.0.1:8000")
    client.cookies.set(COOKIE, stage.access.sessions.sign_in_as(stage.ids[login], "test"))
    answer = client.get("/me/export")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


def sat(hall: Hall, login: str, exam_id: str) -> str:
    """An attempt with the right answer to the choice, something said to the short answer, and nothing else."""
    attempt_id = hall.begin(login, exam_id)
    asked, by = hall.asked(login, attempt_id), hall.stage.principal(login)
    for type_, answer in ((Type.SINGLE, right(asked[Type.SINGLE])), (Type.SHORT, [SAID])):
        hall.quiz.attempts.save(by, attempt_id, asked[type_].position, answer, 1)
    return attempt_id


def test_export_has_every_attempt_with_its_answers(hall: Hall) -> None:
    """Who sat an exam finds it in the file with what they answered as they saw it, and once it is over its marks."""
    attempt_id = sat(hall, "member", hall.give(shuffled=True))
    chosen = right(hall.asked("member", attempt_id)[Type.SINGLE])
    (told,) = export(hall, "member")["attempts"]
    assert (told["attempt_id"], told["title"], told["state"]) == (attempt_id, "夜读测验", "open")
    given = [a["answer"] for a in told["answers"]]
    assert len(given) == 2 and chosen in given and [SAID] in given
    assert {a["share"] for a in told["answers"]} == {None}
    hall.quiz.attempts.submit(hall.stage.principal("member"), attempt_id)
    (told,) = export(hall, "member")["attempts"]
    assert 1.0 in [a["share"] for a in told["answers"]]
    assert told["most"]


def test_export_tells_no_key_before_results_are_shown(hall: Hall) -> None:
    """Marks that wait for the end of the exam wait in the file, too; and nothing in it names a question."""
    attempt_id = sat(hall, "member", hall.give(reveal=Reveal.CLOSED))
    hall.quiz.attempts.submit(hall.stage.principal("member"), attempt_id)
    found = export(hall, "member")
    (told,) = found["attempts"]
    assert told["submitted_at"] and (told["score"], told["most"]) == (None, None)
    assert {a["share"] for a in told["answers"]} == {None}
    with hall.stage.access.office.reading() as connection:
        ids = connection.execute(select(questions.c.question_id)).scalars().all()
    said = json.dumps(found, ensure_ascii=False)
    assert ids and not [i for i in ids if i in said]


def test_export_names_no_exam_that_is_theirs_no_more(hall: Hall) -> None:
    """Who left the branch keeps their answers in the file, but is not told what the exam was called."""
    sat(hall, "member", hall.give())
    hall.stage.access.people.set_roles(None, hall.stage.ids["member"], "jia-1", frozenset())
    (told,) = export(hall, "member")["attempts"]
    assert told["title"] is None
    assert [SAID] in [a["answer"] for a in told["answers"]]


def test_export_of_a_trainer_has_what_they_did(hall: Hall) -> None:
    """Questions, reviews, papers, exams and marks are told to who made them, and whose answer it was is not."""
    exam_id = hall.give()
    attempt_id = sat(hall, "member", exam_id)
    hall.quiz.attempts.submit(hall.stage.principal("member"), attempt_id)
    by = hall.stage.principal("trainer")
    (waiting,) = hall.quiz.attempts.to_mark(by, exam_id)
    hall.quiz.attempts.confirm(by, attempt_id, waiting.position, 0.5)
    found = export(hall, "trainer")
    assert len(found["question_versions_made"]) == len(found["questions_reviewed"]) == 7
    assert [p["paper_id"] for p in found["papers_made"]] == [hall.paper_id]
    assert [e["exam_id"] for e in found["exams_given"]] == [exam_id]
    assert [m["share"] for m in found["marks_given"]] == [0.5]
    assert found["attempts"] == []
    assert hall.stage.ids["member"] not in json.dumps(found["marks_given"])


def test_erasure_takes_attempts_and_answers_along(hall: Hall) -> None:
    """Of who is erased no attempt and no answer is left; those of others are, and the trail is whole."""
    exam_id = hall.give()
    sat(hall, "member", exam_id)
    kept = sat(hall, "liaison", exam_id)
    hall.stage.access.people.erase(None, hall.stage.ids["member"])
    with hall.stage.access.office.reading() as connection:
        left = connection.execute(select(attempts.c.attempt_id)).scalars().all()
        n_answers = connection.execute(select(func.count()).select_from(answers)).scalar_one()
    assert (left, n_answers) == ([kept], 2)
    assert hall.stage.access.audit.verify().whole
    assert hall.quiz.results.overview(hall.stage.principal("trainer"), exam_id).n_open == 1


def test_erasure_of_a_trainer_leaves_the_branch_its_bank(hall: Hall) -> None:
    """Questions, papers and exams stay when who made them is erased, and name nobody any more."""
    exam_id = hall.give()
    hall.stage.add("second", **{"jia-1": Role.TRAINER})
    name = hall.stage.principal("trainer").name
    hall.stage.access.people.erase(None, hall.stage.ids["trainer"])
    by = hall.stage.principal("second")
    total, found = hall.quiz.bank.questions(by, "jia-1")
    assert total == 7
    assert name not in str(hall.quiz.bank.history(by, found[0].question_id))
    assert hall.quiz.papers.paper(by, hall.paper_id).given_out
    assert hall.quiz.exams.exam(by, exam_id).rules.title == "夜读测验"


def test_everything_kept_of_people_is_told() -> None:
    """Whoever adds a column about people to attempts, answers or questions must say so in the export."""
    assert {c.name for c in attempts.columns} == {
        *("attempt_id", "exam_id", "person_id", "branch_id", "number", "form", "plan", "began_at", "due_at"),
        *("submitted_at", "state", "score", "most"),
    }
    assert {c.name for c in answers.columns} == {
        *("attempt_id", "position", "answer", "saved_at", "change", "share", "proposed", "marked_by"),
    }
    assert {c.name for c in question_versions.columns} == {
        *("question_id", "version", "body", "document_id", "made_by", "made_at"),
    }
