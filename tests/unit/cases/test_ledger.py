"""The ledger of a branch: what it gave and took, and the tables that are taken away."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from access.rights import Role
from cases.ledger import HEADER, UNSEEN, Ledger, Side
from cases.model import Effect, Progress
from kb.errors import Refused
from tests.unit.cases.outcome_stage import OutcomeStage, new_house, opened


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[OutcomeStage]:
    """甲, 乙 and 丙; 甲 and 乙 are partners, and 乙 sees a case of 甲."""
    house = new_house(tmp_path)
    yield opened(house)
    house.catalog.engine.dispose()


def ledger_of(stage: OutcomeStage) -> Ledger:
    """The ledger over the stage."""
    return Ledger(stage.office, stage.library, stage.adoptions)


def told(stage: OutcomeStage, login: str, branch_id: str) -> list[tuple[Any, ...]]:
    """The rows in short: side, title, branch, progress, feedback, derived titles."""
    return [
        (
            row.side,
            row.card.title if row.card else None,
            row.branch_id,
            row.adoption.progress if row.adoption else None,
            row.feedback,
            row.derived,
        )
        for row in ledger_of(stage).rows(stage.by(login), branch_id)
    ]


def test_rows_tell_what_was_given_and_taken(stage: OutcomeStage) -> None:
    """Each case that was shared has a row for each branch with what it did, said and wrote; then what was taken over."""
    own = stage.case("yi", ["branch:yi", "partners:yi"], title="乙的案例")
    stage.case("yi", ["branch:yi", "partners:yi"], title="照甲的改的", derived_from=stage.case_id)
    yi, jia = stage.by("yi-liaison"), stage.by("jia-liaison")
    stage.adoptions.adopt(yi, stage.case_id, "yi", Progress.DONE, effect=Effect.PARTLY, note="用了一半")
    stage.adoptions.say(yi, stage.case_id, "yi", "先说的")
    stage.pass_(hours=1)
    stage.adoptions.say(yi, stage.case_id, "yi", "后说的", open=False)
    stage.adoptions.say(jia, stage.case_id, "jia", "甲自己的答复")
    title = "挂号队伍从走廊收回来"
    both = ("先说的", "后说的")
    assert told(stage, "jia-trainer", "jia") == [
        (Side.SHARED, title, "yi", Progress.DONE, both, ("照甲的改的",))
    ]
    assert set(told(stage, "yi-trainer", "yi")) == {
        (Side.SHARED, "乙的案例", None, None, (), ()),
        (Side.SHARED, "照甲的改的", None, None, (), ()),
        (Side.TAKEN, title, "yi", Progress.DONE, both, ("照甲的改的",)),
    }
    stage.adoptions.adopt(jia, own, "jia", Progress.PLANNED)
    assert told(stage, "jia-trainer", "jia")[-1] == (Side.TAKEN, "乙的案例", "jia", Progress.PLANNED, (), ())


def test_rows_hold_nothing_of_what_is_hidden(stage: OutcomeStage) -> None:
    """A case that is seen no more has no title and no derived case; one that was withdrawn is gone from its own side."""
    hidden = stage.case("yi", ["branch:yi"], title="乙自己看的", derived_from=stage.case_id)
    stage.adoptions.adopt(stage.by("yi-liaison"), stage.case_id, "yi", Progress.DONE, note="用了")
    assert told(stage, "jia-liaison", "jia")[0][-1] == ()
    assert told(stage, "yi-liaison", "yi")[-1][-1] == ("乙自己看的",)
    stage.pass_(days=31)
    assert told(stage, "yi-liaison", "yi")[-1] == (Side.TAKEN, None, "yi", Progress.DONE, (), ())
    table = ledger_of(stage).csv(stage.by("yi-liaison"), "yi").decode("utf-8-sig")
    assert "挂号队伍" not in table
    assert UNSEEN in table
    stage.withdraw()
    assert told(stage, "jia-liaison", "jia") == []
    stage.withdraw(hidden)
    assert told(stage, "yi-liaison", "yi") == [(Side.TAKEN, None, "yi", Progress.DONE, (), ())]


def test_rows_are_for_those_who_write_cases(stage: OutcomeStage) -> None:
    """Members of the branch, and whoever is of another one, get no ledger of it, in any form."""
    ledger = ledger_of(stage)
    for login in ("jia-member", "yi-liaison", "root"):
        for ask in (ledger.rows, ledger.xlsx, ledger.csv):
            with pytest.raises(Refused):
                ask(stage.by(login), "jia")


def test_tables_say_the_same_in_words(stage: OutcomeStage) -> None:
    """Workbook and CSV hold the same cells, dates as dates of the place, and each is told in the trail."""
    stage.adoptions.adopt(
        stage.by("yi-liaison"),
        stage.case_id,
        "yi",
        Progress.DONE,
        effect=Effect.WORKED,
        note="等待短了\n一半",
    )
    ledger, jia = ledger_of(stage), stage.by("jia-liaison")
    rows = list(csv.reader(io.StringIO(ledger.csv(jia, "jia").decode("utf-8-sig"), newline="")))
    today = stage.house.clock.at.replace(tzinfo=UTC).astimezone().date()
    assert rows[0] == list(HEADER)
    assert rows[1][0:3] == ["我们分享的", "挂号队伍从走廊收回来", "jia组织"]
    assert rows[1][4:] == ["yi组织", "做成了", "管用", "等待短了\n一半", today.isoformat(), "", ""]
    page = openpyxl.load_workbook(io.BytesIO(ledger.xlsx(jia, "jia"))).worksheets[0]
    cells = [[_text(c.value) for c in line] for line in page.iter_rows()]
    assert cells == rows
    assert stage.actions().count("case.ledger") == 2


def _text(value: object) -> str:
    if isinstance(value, datetime):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value or "")


@given(
    text=st.sampled_from("=+-@\t＝＋－＠").flatmap(
        lambda head: st.text(max_size=20).map(lambda rest: head + rest)
    )
)
@hypothesis_settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
def test_tables_run_nothing(shared_stage: OutcomeStage, text: str) -> None:
    """Whatever was written, no cell of the workbook is a formula and none of the CSV begins like one."""
    stage = shared_stage
    text = text.encode("utf-8", "ignore").decode()
    stage.adoptions.say(stage.by("yi-liaison"), stage.case_id, "yi", "x" + text)
    stage.adoptions.adopt(stage.by("yi-liaison"), stage.case_id, "yi", Progress.PLANNED, note=text)
    ledger, jia = ledger_of(stage), stage.by("jia-liaison")
    book = openpyxl.load_workbook(io.BytesIO(ledger.xlsx(jia, "jia")))
    assert {c.data_type for line in book.worksheets[0].iter_rows() for c in line} <= {"s", "d", "n"}
    table = ledger.csv(jia, "jia").decode("utf-8-sig")
    for line in csv.reader(io.StringIO(table, newline="")):
        assert not [cell for cell in line if cell.startswith(tuple("=+-@＝＋－＠\t\r\n"))]


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutcomeStage]:
    """One stage for all examples."""
    house = new_house(tmp_path_factory.mktemp("ledger"))
    yield opened(house)
    house.catalog.engine.dispose()


def test_rows_of_a_wide_world_are_each_told_once(stage: OutcomeStage) -> None:
    """With several adopters there is one row for each, and only for those of whom the asker is told."""
    for n in range(4):
        stage.house.branch(f"ding-{n}", "yi")
        stage.person(f"ding-{n}-liaison", {f"ding-{n}": Role.LIAISON})
        stage.put_adoption(stage.case_id, f"ding-{n}", Progress.PLANNED, None, open=n % 2 == 0)
    rows = told(stage, "jia-liaison", "jia")
    assert sorted(r[2] for r in rows) == ["ding-0", "ding-1", "ding-2", "ding-3"]
    assert [r[0] for r in told(stage, "ding-1-liaison", "ding-1")] == [Side.TAKEN]
