"""What the miners cut out of laws, and that folds keep questions apart."""

from pathlib import Path

import pytest

from training.citations import cited, register
from training.labels import folds, unseen
from training.laws import Article, read_law, read_laws
from training.questions import asked
from training.structure import sentences

LAW = """# 中华人民共和国河道法

2020年1月1日 通过

<!-- INFO END -->

## 第一章 总则

第一条 为了保护河道，制定本法。

第二条 本法所称河道，是指天然水道。

第九条规定的事项另行公布。

## 第二章 罚则

第三条　违反本法第二条规定的，处一万元以下罚款。
"""


@pytest.fixture
def law(tmp_path: Path) -> list[Article]:
    """A law of three articles, written for this test."""
    path = tmp_path / "河道法(2020-01-01).md"
    path.write_text(LAW, encoding="utf-8")
    return list(read_law(path, local=False))


def test_read_law_follows_the_numbers(law: list[Article], tmp_path: Path) -> None:
    """A line that begins with 第九条规定 is text of the second article, not another one."""
    assert [a.title for a in law if a.number] == ["河道法第一条", "河道法第二条", "河道法第三条"]
    assert law[1].text.endswith("第九条规定的事项另行公布。")
    assert [a.heading for a in law] == ["第一章 总则", "第一章 总则", "第二章 罚则"]
    assert {a.date for a in law} == {"2020-01-01"}
    assert read_laws(tmp_path) == law


def article(law: str, number: int, label: str) -> Article:
    """An article whose text does not matter."""
    return Article(law, number, label, "", "甲", "", False)


@pytest.mark.parametrize(
    ("sentence", "own", "rest", "found"),
    [
        ("违反本法第二条规定排放污水的", "河道法", "违反规定排放污水的", ["河道法第二条"]),
        ("依照《中华人民共和国刑法》第一百二十条之一处罚", "河道法", "依照处罚", ["刑法第一百二十条之一"]),
        ("依照刑法第二条、第三条的规定", "河道法", "依照的规定", ["刑法第二条", "刑法第三条"]),
        ("适用本法第一条至第三条", "刑法", "适用", ["刑法第一条", "刑法第二条", "刑法第三条"]),
        ("按照第二条办理", "刑法", "按照办理", []),
    ],
)
def test_cited_finds_the_article_and_drops_its_name(
    sentence: str, own: str, rest: str, found: list[str]
) -> None:
    """本法 is the own law, a bare or quoted name another, lists and ranges go on in the law before."""
    known = register(
        [
            article(name, n, label)
            for name in ("河道法", "刑法")
            for n, label in enumerate(("第一条", "第二条", "第三条"), 1)
        ]
        + [article("刑法", 120, "第一百二十条之一")]
    )
    left, articles = cited(sentence, own, known)
    assert left == rest
    assert [a.title for a in articles] == found


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("本法所称河道，是指天然水道。", "什么是河道"),
        ("水行政部门负责河道的监督管理。", "河道的监督管理由谁负责"),
        ("任何单位不得侵占河道。", "任何单位可以侵占河道吗"),
    ],
)
def test_asked_gives_the_question_that_a_rule_answers(sentence: str, question: str) -> None:
    """Definition, duty and prohibition each have their question."""
    assert question in list(asked(sentence, 0))


def test_sentences_lose_nothing_but_blanks() -> None:
    """Sentences put together again are the text."""
    text = "甲应当登记；乙不得转让。\n丙"
    assert "".join(sentences(text)) == text.replace("\n", "")


def test_folds_part_the_questions_the_same_way_each_time() -> None:
    """Every question is held out once, in whatever order they come."""
    ids = [f"q{i}" for i in range(23)]
    parts = folds(ids, 5, 1)
    assert sorted(q for part in parts for q in part) == sorted(ids)
    assert parts == folds(reversed(ids), 5, 1)
    assert {len(part) for part in parts} == {4, 5}


def test_unseen_leaves_out_questions_with_a_known_answer() -> None:
    """A held-out question counts as unseen only if none of its answers is one in training."""
    gold = {"a": {"p": 1, "q": 1}, "b": {"r": 1}, "c": {"q": 1}, "d": {"r": 1}}
    assert unseen(["a", "b", "d"], gold) == ["b", "d"]
