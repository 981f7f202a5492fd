"""Anki: the deck is a collection as Anki keeps it, and a question's card is known again."""

import html
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from quiz.exchange import Written, format_named
from quiz.exchange._zip import members
from quiz.exchange.anki import FIELDS
from quiz.model import BLANK, Question, Sheet, SheetQuestion, Type
from tests.unit.quiz.exchange_sheet import GOLDEN, SHEET, losses_text
from tests.unit.quiz.test_exchange_roundtrip import sheets, tidy, wild

ANKI = format_named("anki")


def collection(written: Written, folder: Path) -> dict[str, Any]:
    """What Anki finds in the package: decks, note types, and notes with their cards."""
    files = members(written.data)
    assert set(files) == {"collection.anki2", "media"}
    assert json.loads(files["media"]) == {}
    path = folder / "collection.anki2"
    path.write_bytes(files["collection.anki2"])
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("pragma integrity_check").fetchone() == ("ok",)
        base.row_factory = sqlite3.Row
        (col,) = base.execute("select * from col").fetchall()
        notes = [dict(row) for row in base.execute("select * from notes order by id")]
        cards = [dict(row) for row in base.execute("select * from cards order by id")]
    assert col["ver"] == 11
    models, decks = json.loads(col["models"]), json.loads(col["decks"])
    for note in notes:
        note["fields"] = dict(zip(FIELDS, note["flds"].split("\x1f"), strict=True))
        note["model"] = models[str(note["mid"])]
        note["cards"] = [card for card in cards if card["nid"] == note["id"]]
        assert [field["name"] for field in note["model"]["flds"]] == list(FIELDS)
        assert all(str(card["did"]) in decks for card in note["cards"])
    assert len({note["guid"] for note in notes}) == len(notes)
    return {"decks": decks, "models": models, "notes": notes, "cards": cards}


def shown(field: str) -> str:
    """What a person reads in a field."""
    return html.unescape(field.replace("<br>", "\n"))


def test_the_golden_file_is_what_is_written(tmp_path: Path) -> None:
    """The notes, their types and the report are those that are kept in the repository."""
    written = ANKI.write(SHEET)
    golden = collection(Written((GOLDEN / "anki" / "sheet.apkg").read_bytes()), tmp_path)
    # The pages of the database may differ from one version of SQLite to another; what stands in it may not.
    assert collection(written, tmp_path) == golden
    assert losses_text(written) == (GOLDEN / "anki" / "losses.json").read_text(encoding="utf-8")


def test_each_question_is_a_note_with_its_cards(tmp_path: Path) -> None:
    """Questions with gaps have a card for each gap, all others one; the deck bears the title."""
    found = collection(ANKI.write(SHEET), tmp_path)
    assert SHEET.title in {deck["name"] for deck in found["decks"].values()}
    for asked, note in zip(SHEET.questions, found["notes"], strict=True):
        question, fields = asked.question, note["fields"]
        gaps = question.type is Type.BLANK
        assert note["model"]["type"] == (1 if gaps else 0)
        assert [card["ord"] for card in note["cards"]] == list(range(len(question.answer) if gaps else 1))
        assert all((card["queue"], card["type"]) == (0, 0) for card in note["cards"]), "new cards"
        if gaps:
            whole = shown(re.sub(r"\{\{c\d+::(.*?)\}\}", r"\1", fields["题目"]))
            assert whole == replace_gaps(question)
        else:
            assert shown(fields["题目"]) == question.stem
            assert all(text in shown(fields["答案"]) for text in question.answer)
        if question.type not in (Type.TRUE_FALSE, Type.BLANK):
            assert all(option in shown(fields["选项"]) for option in question.options)
        assert shown(fields["解析"]) == question.explanation
        if question.citation:
            assert question.citation.quote in shown(fields["条款"])
            assert question.citation.path[-1] in shown(fields["条款"])
        assert note["tags"].split() == [topic.replace(" ", "_") for topic in question.topics]


def replace_gaps(question: Question) -> str:
    """The stem with its gaps filled."""
    return question.stem.replace(BLANK, "{}").format(*question.answer)


def test_a_changed_question_is_the_same_note(tmp_path: Path) -> None:
    """Note types, deck and note keep their names when options, key and explanation change, so that Anki updates."""
    before = collection(ANKI.write(SHEET), tmp_path)
    changed = [
        replace(asked, question=replace(asked.question, explanation="新的解析", difficulty=0.9))
        for asked in SHEET.questions
    ]
    after = collection(ANKI.write(replace(SHEET, questions=tuple(changed), note="")), tmp_path)
    assert [n["guid"] for n in before["notes"]] == [n["guid"] for n in after["notes"]]
    assert before["models"].keys() == after["models"].keys()
    assert before["decks"].keys() == after["decks"].keys()
    assert all(n["fields"]["解析"] == "新的解析" for n in after["notes"])


def test_equal_stems_are_different_notes(tmp_path: Path) -> None:
    """Two questions that ask in the same words do not become one."""
    asked = [Question(Type.TRUE_FALSE, "对吗？", ("正确", "错误"), (a,)) for a in ("正确", "错误")]
    found = collection(ANKI.write(Sheet("卷", tuple(map(SheetQuestion, asked)))), tmp_path)
    assert [n["fields"]["答案"] for n in found["notes"]] == ["正确", "错误"]


@pytest.mark.parametrize("answer", ["a::b", "}}", "{{c2::x}}", "<b>", "甲\n乙"])
def test_no_answer_ends_its_cloze(tmp_path: Path, answer: str) -> None:
    """Signs that end a cloze are written so that Anki shows them and does not obey them."""
    asked = Question(Type.BLANK, f"{{{{c9::甲}}}}填{BLANK}。", (), (answer,))
    (note,) = collection(ANKI.write(Sheet("卷", (SheetQuestion(asked),))), tmp_path)["notes"]
    (found,) = re.findall(r"\{\{c(\d+)::(.*?)(?:::(.*?))?\}\}", note["fields"]["题目"])
    assert (found[0], shown(found[1]), found[2]) == ("1", answer, "")
    assert len(note["cards"]) == 1


@settings(max_examples=6, deadline=None)
@given(sheet=sheets(wild | tidy))
def test_the_same_sheet_gives_the_same_bytes(sheet: Sheet) -> None:
    """No clock gets into the package, whatever the texts hold, and every loss is told once."""
    written = ANKI.write(sheet)
    assert ANKI.write(sheet).data == written.data
    numbers = [loss.number for loss in written.losses]
    assert numbers == sorted(set(numbers))
