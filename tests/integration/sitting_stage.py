"""A branch with a rule, questions of every type about it, and exams, as the pages of sitting are tried by."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from access.sharing import OWN, Wanted
from kb.model import Source
from quiz.asking import Asked
from quiz.exam import ExamRules, Mode, Reveal
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, State, Type
from quiz.tables import attempts
from tests.integration.manage_stage import Stage, full_stage

RULE = """夜读室管理办法
第一章　人员
第一条　夜读小组由五至七人组成。
第二条　夜读小组设领读员和记录员，领读员负责领读，记录员负责记录，联络员负责通知。
第三条　参加夜读的人员不得代签。
第二章　活动
第四条　夜读每月不少于两次，记录保存三十日。
第五条　夜读包括领读、自读、研讨和测验。
第六条　夜读先由领读员领读，再分组研讨，最后当场测验。
第七条　夜读缺席的，应当说明原因并在七日内补读。
"""
QUESTIONS: Mapping[str, Question] = {
    "第一条": Question(
        Type.SINGLE, f"夜读小组由{BLANK}人组成。", ("三至五", "五至七", "七至九", "九至十一"), ("五至七",)
    ),
    "第五条": Question(
        Type.MULTIPLE,
        "夜读包括哪些环节？",
        ("领读", "自读", "研讨", "测验", "竞赛"),
        ("领读", "自读", "研讨", "测验"),
    ),
    "第三条": Question(Type.TRUE_FALSE, "参加夜读的人员可以代签。", (TRUE, FALSE), (FALSE,)),
    "第四条": Question(
        Type.BLANK,
        f"夜读每月不少于{BLANK}次，记录保存{BLANK}。",
        (),
        ("两", "三十日"),
        accepted=(("二",), ("一个月",)),
    ),
    "第七条": Question(
        Type.SHORT,
        "夜读缺席的，应当怎么办？",
        (),
        ("应当说明原因并在七日内补读。",),
        points=(Point("说明原因", 0.4), Point("七日内补读", 0.6)),
    ),
    "第六条": Question(
        Type.ORDERING,
        "把夜读的步骤排好。",
        ("分组研讨", "当场测验", "领读员领读"),
        ("领读员领读", "分组研讨", "当场测验"),
    ),
    "第二条": Question(
        Type.MATCHING,
        "各人负责什么？",
        ("通知", "领读", "记录"),
        ("领读", "记录", "通知"),
        prompts=("领读员", "记录员", "联络员"),
    ),
}
"""A question of each type by the article that proves it."""


class Hall:
    """A stage with the rule, its questions in the bank of 甲一, and a paper of them."""

    def __init__(self, stage: Stage, document_id: str, paper_id: str) -> None:
        self.stage = stage
        self.document_id = document_id
        self.paper_id = paper_id
        self.quiz = stage.services.quiz

    def copied(self, home: Path) -> "Hall":
        """The same on a home of its own."""
        return Hall(self.stage.copied(home), self.document_id, self.paper_id)

    def give(self, **other: Any) -> str:
        """Give the paper to the branch: a test of an hour in the order of the paper, told at once; the exam's id."""
        now = self.stage.access.office.now()
        rules = ExamRules(
            "夜读测验",
            Mode.TEST,
            now - timedelta(minutes=1),
            now + timedelta(hours=2),
            minutes=60,
            reveal=Reveal.SUBMITTED,
            shuffled=False,
        )
        return self.quiz.exams.give(
            self.stage.principal("trainer"), self.paper_id, replace(rules, **other), [Wanted(OWN)]
        )

    def begin(self, login: str, exam_id: str) -> str:
        """Begin the exam; the attempt's id."""
        return self.quiz.attempts.begin(self.stage.principal(login), exam_id)

    def asked(self, login: str, attempt_id: str) -> dict[Type, Asked]:
        """The questions as the person has them, by type."""
        found = self.quiz.attempts.sitting(self.stage.principal(login), attempt_id).questions
        return {asked.type: asked for asked in found}

    def leave(self, attempt_id: str, seconds: float) -> None:
        """Let so many seconds be left of an attempt."""
        office = self.stage.access.office
        with office.writing() as connection:
            connection.execute(
                update(attempts)
                .where(attempts.c.attempt_id == attempt_id)
                .values(due_at=office.now() + timedelta(seconds=seconds))
            )

    def withdraw(self) -> None:
        """Take the rule out."""
        self.stage.services.remove([self.document_id])


def open_hall(home: Path) -> Hall:
    """A hall on an empty home."""
    stage = full_stage(home)
    services = stage.services
    trainer = stage.principal("trainer")
    source = Source("夜读室管理办法.txt", "text/plain", RULE.encode())
    outcome = services.holdings.hand_in(trainer, "jia-1", source, [Wanted(OWN)])
    assert outcome.document_id, outcome
    document = services.document(outcome.document_id, trainer.scope)
    cited = []
    for label, question in QUESTIONS.items():
        clause = next(c for c in document.clauses if c.label == label)
        said = next(line.split("　")[1] for line in RULE.splitlines() if line.startswith(f"{label}　"))
        start = document.text.index(said, clause.start, clause.end)
        citation = Citation(
            document.document_id,
            document.meta.title,
            clause.path,
            said,
            start,
            start + len(said),
            clause.clause_id,
            clause.anchor,
        )
        cited.append(replace(question, citation=citation, explanation=f"{label}是这样规定的。"))
    ids = services.quiz.bank.add(trainer, "jia-1", cited, state=State.APPROVED).ids
    paper_id = services.quiz.papers.by_hand(trainer, "jia-1", "夜读卷", ids)
    return Hall(stage, document.document_id, paper_id)


def right(asked: Asked) -> list[Any]:
    """The right answer to a question as it is shown."""
    question = next(q for q in QUESTIONS.values() if q.type is asked.type)
    if asked.type in (Type.BLANK, Type.SHORT):
        return list(question.answer)
    chosen = [asked.options.index(text) for text in question.answer]
    return sorted(chosen) if asked.type is Type.MULTIPLE else chosen


def fields_of(asked: Asked, answer: list[Any]) -> dict[str, Any]:
    """An answer as the fields of its form send it."""
    if asked.type is Type.ORDERING:
        n = len(asked.options)
        places = [str(answer.index(i) + 1) if i in answer else "" for i in range(n)]
        return {"option": [str(i) for i in range(n)], "place": places}
    return {"answer": ["" if part is None else str(part) for part in answer]}


def token_of(html: str) -> str:
    """The form token of a page."""
    found: list[str] = re.findall(r'name="form_token" value="([^"]+)"', html)
    return found[0]
