"""What cases keep of a person: told to them without what is their branch's, and naming nobody once they go."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Table, select

from access.rights import Role
from access.sharing import Wanted
from api.archive import read_backup, write_backup
from api.principal import COOKIE
from api.settings import Settings
from api.wiring import build_services
from cases import tables
from cases.model import Field, Progress
from cases.personal import DONE
from tests.fakes import HashingEncoder
from tests.integration.case_stage import Cases, case_stage, with_files
from tests.people import CHEAP

SAID = "我们这里也排队，先照着错开一刻钟。"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Cases]:
    """Cases of two partners."""
    found = case_stage(tmp_path / "home")
    yield found
    found.stage.services.close()


def export(found: Cases, login: str) -> dict[str, Any]:
    """What somebody gets under “我的” as a file."""
    stage = found.stage
    client = TestClient(stage.app, base_url="http://127.0.0.1:8000")
    client.cookies.set(COOKIE, stage.access.sessions.sign_in_as(stage.ids[login], "test"))
    answer = client.get("/me/export")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = json.loads(answer.text)
    return told


def do_everything(found: Cases) -> dict[str, str]:
    """The liaison of 乙一 does all that one can do over cases; ids by what it is."""
    stage, cases = found.stage, found.stage.services.cases
    by, now = stage.principal("other-liaison"), stage.access.office.now()
    draft = cases.drafts.begin(by, "yi-1", body={Field.TITLE: "错开下班"})
    revision = cases.drafts.form(by, draft).revision
    cases.drafts.save(by, draft, Field.PROBLEM, SAID, base=revision)
    cases.drafts.since(by, draft, revision, at=Field.PROBLEM)
    adoption = cases.adoptions.adopt(by, found.ids["queue"], "yi-1", Progress.PLANNED, note=SAID)
    said = cases.adoptions.say(by, found.ids["queue"], "yi-1", SAID)
    question = cases.questions.ask(by, "yi-1", "会议室总是不够用怎么办", SAID, [Wanted("partners")])
    asked = cases.questions.ask(
        stage.principal("liaison"), "jia-1", "谁有淡季排班的办法", "", [Wanted("partners")]
    )
    answer = cases.questions.answer(by, asked, "yi-1", SAID)
    ballot = cases.ballots.call(
        by, "yi-1", "年度评选", now, now + timedelta(days=3), 2, 1, [Wanted("partners")]
    )
    cases.ballots.nominate(by, ballot, found.ids["secret"])
    cases.ballots.nominate(stage.principal("liaison"), ballot, found.ids["queue"])
    cases.ballots.nominate(stage.principal("liaison"), ballot, found.ids["tools"])
    cases.ballots.vote(by, ballot, "yi-1", [found.ids["queue"], found.ids["tools"]])
    return {
        "draft": draft,
        "adoption": adoption,
        "feedback": said,
        "question": question,
        "answer": answer,
        "ballot": ballot,
    }


def test_export_tells_what_one_did_over_cases(stage: Cases) -> None:
    """Who wrote, took over, said, asked, answered, nominated and voted finds each of it in the file."""
    ids = do_everything(stage)
    told = export(stage, "other-liaison")
    assert [c["case_id"] for c in told["cases_begun"]] == [ids["draft"]]
    assert {(c["case_id"], c["field"]) for c in told["case_changes"]} == {
        (ids["draft"], "title"),
        (ids["draft"], "problem"),
    }
    assert [w["field"] for w in told["cases_being_written"]] == ["problem"]
    assert [a["adoption_id"] for a in told["adoptions"]] == [ids["adoption"]]
    assert [s["progress"] for s in told["adoption_steps"]] == ["planned"]
    assert [f["feedback_id"] for f in told["case_feedback"]] == [ids["feedback"]]
    assert [q["question_id"] for q in told["case_questions_asked"]] == [ids["question"]]
    assert [a["answer_id"] for a in told["case_answers_given"]] == [ids["answer"]]
    assert [b["ballot_id"] for b in told["ballots_called"]] == [ids["ballot"]]
    assert [n["branch_id"] for n in told["nominations"]] == ["yi-1"]
    assert [(v["ballot_id"], v["branch_id"]) for v in told["votes_cast"]] == [(ids["ballot"], "yi-1")]


def test_export_tells_nothing_of_what_is_the_branchs(stage: Cases) -> None:
    """Who leaves the branch finds in the file that they did it, but neither a text nor for which cases they voted."""
    do_everything(stage)
    stage.stage.access.people.set_roles(None, stage.stage.ids["other-liaison"], "yi-1", frozenset())
    told = export(stage, "other-liaison")
    said = json.dumps({name: told[name] for name in told if name != "audit"}, ensure_ascii=False)
    assert SAID not in said and "错开下班" not in said
    assert stage.ids["queue"] not in said and stage.ids["tools"] not in said


def test_export_tells_nothing_of_others(stage: Cases) -> None:
    """What others of the branch did is not in the file."""
    do_everything(stage)
    stage.stage.add("second", **{"yi-1": Role.LIAISON})
    told = export(stage, "second")
    assert not any(told[name] for name in ("case_changes", "adoptions", "case_answers_given", "votes_cast"))


def test_erasure_leaves_the_branch_its_cases(stage: Cases) -> None:
    """What was done for a branch stays with it when who did it is erased, and names nobody."""
    ids, cases = do_everything(stage), stage.stage.services.cases
    stage.stage.add("second", **{"yi-1": Role.LIAISON})
    name = stage.stage.principal("other-liaison").name
    stage.stage.access.people.erase(None, stage.stage.ids["other-liaison"])
    by = stage.stage.principal("second")
    form = cases.drafts.form(by, ids["draft"])
    assert form.body[Field.PROBLEM] == SAID and form.writers == ()
    history = cases.drafts.changes(by, ids["draft"])
    assert len(history) == 2 and name not in str(history) and {c.by_name for c in history} == {""}
    assert [a.note for a in cases.adoptions.of_branch(by, "yi-1")] == [SAID]
    assert cases.questions.question(by, ids["question"]).detail == SAID
    with stage.stage.access.office.reading() as connection:
        votes = connection.execute(select(tables.votes.c.case_id)).scalars().all()
        assert sorted(votes) == sorted([stage.ids["queue"], stage.ids["tools"]])
        assert connection.execute(select(tables.case_writers)).all() == []
    assert stage.stage.access.audit.verify().whole


def test_every_column_about_people_is_told() -> None:
    """Whoever adds a column that names who did something over cases must say so in the export."""
    named = {
        f"{table.name}.{column.name}"
        for table in vars(tables).values()
        if isinstance(table, Table)
        for column in table.columns
        if column.name == "person_id" or column.name.endswith("_by")
    }
    told = {f"{who.table.name}.{who.name}" for who, _ in DONE.values()}
    # What solved a question is a case, no person.
    assert named - told == {"open_questions.settled_by"}


def test_backup_holds_the_files_of_cases(stage: Cases, tmp_path: Path) -> None:
    """A restored home gives every attachment of a case, and none that no case holds any more."""
    case_id, services = with_files(stage.stage), stage.stage.services
    by = stage.stage.principal("liaison")
    kept = services.cases.library.case(by.scope, case_id).attachments
    opened = [services.cases.attachments.open(by, case_id, a.attachment_id) for a in kept]
    assert len(opened) == 2
    write_backup(services, tmp_path / "b.tar.gz")
    read_backup(tmp_path / "b.tar.gz", tmp_path / "other")
    restored = build_services(
        Settings(home=tmp_path / "other", processes=1), encoder=HashingEncoder(), passwords=CHEAP
    )
    try:
        again = [restored.cases.attachments.open(by, case_id, a.attachment_id) for a in kept]
    finally:
        restored.close()
    assert again == opened
    files = [p for p in (tmp_path / "other" / "attachments").rglob("*") if p.is_file()]
    assert len(files) == 2
