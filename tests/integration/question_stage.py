"""A branch with a rule and a question of every type about it in its bank, as the pages of trainers are tried by."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from access.rights import Role
from access.sharing import OWN, Wanted
from api.question_citing import quoted_in
from kb.model import Source
from quiz.bank import Bank
from quiz.model import Question, Type
from tests.integration.manage_stage import Stage, full_stage
from tests.integration.sitting_stage import QUESTIONS, RULE

SINCE = "第八条　本办法自{year}年1月1日起施行。\n"
BRANCH = "jia-1"


class BankStage:
    """A stage, the document, and the ids of the questions by type."""

    def __init__(self, stage: Stage, document_id: str, ids: dict[Type, str]) -> None:
        self.stage = stage
        self.document_id = document_id
        self.ids = ids
        self.services = stage.services
        self.bank: Bank = stage.services.quiz.bank

    def copied(self, home: Path) -> "BankStage":
        """The same on a home of its own."""
        return BankStage(self.stage.copied(home), self.document_id, self.ids)

    def hand_in(self, text: str, wanted: Sequence[Wanted] = (Wanted(OWN),), login: str = "trainer") -> str:
        """A document of the branch; its id."""
        return hand_in(self.stage, text, wanted, login)

    def cite(self, question: Question, document_id: str, words: str) -> Question:
        """The question with these words of a document as its proof."""
        document = self.services.document(document_id, self.stage.principal("trainer").scope)
        found = quoted_in(document, words)
        assert found, words
        return replace(question, citation=found)

    def newer(self) -> str:
        """Hand in a newer version of the rule, in which absence is made up for within nine days; its id."""
        return self.hand_in(RULE.replace("七日内", "九日内") + SINCE.format(year=2022))


def hand_in(stage: Stage, text: str, wanted: Sequence[Wanted], login: str = "trainer") -> str:
    """A document that somebody hands in for the branch; its id."""
    source = Source("夜读室管理办法.txt", "text/plain", text.encode())
    outcome = stage.services.holdings.hand_in(stage.principal(login), BRANCH, source, list(wanted))
    assert outcome.document_id, outcome
    return outcome.document_id


def open_bank(home: Path) -> BankStage:
    """A bank on an empty home; its questions are candidates. "second" is another trainer of the branch."""
    stage = full_stage(home)
    stage.add("second", **{BRANCH: Role.TRAINER})
    stage.add("other-trainer", **{"yi-1": Role.TRAINER})
    document_id = hand_in(stage, RULE + SINCE.format(year=2020), [Wanted(OWN)])
    trainer = stage.principal("trainer")
    document = stage.services.document(document_id, trainer.scope)
    bank, ids = stage.services.quiz.bank, {}
    for label, question in QUESTIONS.items():
        clause = next(c for c in document.clauses if c.label == label)
        words = document.text[clause.start : clause.end].strip().removeprefix(label).strip()
        cited = quoted_in(document, words, clause.start)
        assert cited
        at = words.find(question.answer[0])
        places = ((cited.start + at, cited.start + at + len(question.answer[0])),) if at >= 0 else ()
        whole = replace(question, citation=cited, places=places, topics=(document.meta.title,))
        ids[question.type] = bank.add(trainer, BRANCH, [whole]).ids[0]
    return BankStage(stage, document_id, ids)
