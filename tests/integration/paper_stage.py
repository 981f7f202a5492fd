"""A bank with enough approved questions for papers, as the pages of papers are tried by."""

from pathlib import Path

from access.rights import Role
from access.sharing import OWN, Wanted
from api.question_citing import quoted_in
from kb.model import Document
from quiz.blueprint import Blueprint, Line
from quiz.model import BLANK, FALSE, TRUE, Question, State, Type
from tests.integration.manage_stage import Stage, full_stage
from tests.integration.question_stage import BRANCH, hand_in

PLACES = (
    *("灯塔", "栈桥", "船坞", "仓房", "锚地", "航标", "浮筒", "缆桩", "水闸", "泵房"),
    *("吊臂", "磅秤", "油库", "雨棚", "岗亭", "围栏", "水塔", "车库", "花圃", "井台"),
)
KEEPERS = ("甲班", "乙班", "丙班", "丁班")
LINES = (Line(4, 2, frozenset({Type.SINGLE})), Line(2, 3, frozenset({Type.BLANK})))


def rule(places: tuple[str, ...]) -> str:
    """A rule with an article on each place."""
    articles = [
        f"第{n}条　{sentence(place)}" for n, place in zip("一二三四五六七八九十", places, strict=True)
    ]
    return "\n".join([f"{places[0]}守则", *articles]) + "\n"


def sentence(place: str) -> str:
    """What is said of a place."""
    keeper = KEEPERS[PLACES.index(place) % 4]
    return f"{place}由{keeper}看守，{place}的钥匙挂在{place}门内，{place}每旬点验。"


def question_on(document: Document, place: str) -> Question:
    """A question about who keeps the place: single choice, a blank, or true or false, by turns."""
    words, keeper = sentence(place), KEEPERS[PLACES.index(place) % 4]
    cited = quoted_in(document, words)
    assert cited
    at = cited.start + words.index(keeper)
    kind = (Type.SINGLE, Type.SINGLE, Type.BLANK, Type.SINGLE, Type.TRUE_FALSE)[PLACES.index(place) % 5]
    stem, options, answer = words.replace(keeper, BLANK, 1), KEEPERS, (keeper,)
    if kind is Type.BLANK:
        options = ()
    if kind is Type.TRUE_FALSE:
        true = PLACES.index(place) % 2 == 0
        wrong = KEEPERS[(KEEPERS.index(keeper) + 1) % 4]
        stem = words if true else words.replace(keeper, wrong, 1)
        options, answer = (TRUE, FALSE), (TRUE if true else FALSE,)
    return Question(
        kind,
        stem,
        options,
        answer,
        explanation=f"{place}由{keeper}看守。",
        citation=cited,
        difficulty=0.3 + PLACES.index(place) % 5 / 10,
        places=((at, at + len(keeper)),),
        topics=(document.meta.title,),
    )


class PaperStage:
    """A stage with two rules and twenty approved questions in the bank of 甲一; a paper of two forms."""

    def __init__(self, stage: Stage, document_ids: list[str], paper_id: str) -> None:
        self.stage = stage
        self.document_ids = document_ids
        self.paper_id = paper_id
        self.services = stage.services
        self.papers = stage.services.quiz.papers

    def copied(self, home: Path) -> "PaperStage":
        """The same on a home of its own."""
        return PaperStage(self.stage.copied(home), self.document_ids, self.paper_id)

    def make(self, *lines: Line, n_forms: int = 1, drawn: bool = False) -> str:
        """A paper of the branch; its id."""
        by = self.stage.principal("trainer")
        return self.papers.make(by, BRANCH, "守则测验", Blueprint(lines or LINES, n_forms, drawn), 3)

    def withdraw(self) -> None:
        """Take the first rule out."""
        self.services.remove([self.document_ids[0]])


def open_papers(home: Path) -> PaperStage:
    """Papers on an empty home."""
    stage = full_stage(home)
    stage.add("other-trainer", **{"yi-1": Role.TRAINER})
    trainer = stage.principal("trainer")
    ids = []
    for places in (PLACES[:10], PLACES[10:]):
        ids.append(hand_in(stage, rule(places), [Wanted(OWN)]))
        document = stage.services.document(ids[-1], trainer.scope)
        made = [question_on(document, place) for place in places]
        stage.services.quiz.bank.add(trainer, BRANCH, made, state=State.APPROVED)
    found = PaperStage(stage, ids, "")
    found.paper_id = found.make(n_forms=2)
    return found
