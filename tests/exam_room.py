"""A branch with a trainer and members, questions of every type over an invented rule, and papers of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from access.access import open_access
from access.keys import Keys
from access.resolve import Policy
from access.rights import Role
from access.sharing import OWN, Wanted
from access.tables import people
from kb.model import derive_id
from quiz.attempts import Attempts
from quiz.bank import Bank
from quiz.blueprint import Blueprint, Line, blueprint_json
from quiz.exam import ExamRules, Mode, Retake, Reveal
from quiz.exams import Exams
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, State, Type
from quiz.papers import Papers
from quiz.tables import paper_questions, papers
from store.catalog import Catalog
from store.database import open_database
from tests.fakes import make_document, put
from tests.people import CHEAP
from tests.unit.access.conftest import Clock, House

RULE = (
    "夜学小组由五至七人组成。",
    "夜学每月不少于两次，每次不少于九十分钟。",
    "夜学记录保存三十日。",
    "参加夜学的人员不得代签。",
    "夜学包括领学、自学、研讨和测验。",
    "夜学先由组长领学，再分组研讨，最后当场测验。",
    "组长负责领学，记录员负责记录，联络员负责通知。",
    "夜学缺席的，应当说明原因并在七日内补学。",
)
"""The clauses of the rule that is asked about."""


@dataclass
class Ticks:
    """A monotonic clock as the test has it, in seconds."""

    at: float = 0.0

    def __call__(self) -> float:
        """This moment."""
        return self.at


def questions_of(document_id: str) -> dict[Type, Question]:
    """A question of each type about the rule."""
    made = [
        Question(
            Type.SINGLE, f"夜学小组由{BLANK}人组成。", ("三至五", "五至七", "七至九", "九至十一"), ("五至七",)
        ),
        Question(
            Type.MULTIPLE,
            "夜学包括哪些环节？",
            ("领学", "自学", "研讨", "测验", "竞赛"),
            ("领学", "自学", "研讨", "测验"),
        ),
        Question(Type.TRUE_FALSE, "参加夜学的人员可以代签。", (TRUE, FALSE), (FALSE,)),
        Question(
            Type.BLANK,
            f"夜学每月不少于{BLANK}次，记录保存{BLANK}。",
            (),
            ("两", "三十日"),
            accepted=(("二",), ("一个月",)),
        ),
        Question(
            Type.SHORT,
            "夜学缺席的，应当怎么办？",
            (),
            ("应当说明原因并在七日内补学。",),
            points=(Point("说明原因", 0.4), Point("七日内补学", 0.6)),
        ),
        Question(
            Type.ORDERING,
            "把夜学的步骤排好。",
            ("分组研讨", "当场测验", "组长领学"),
            ("组长领学", "分组研讨", "当场测验"),
        ),
        Question(
            Type.MATCHING,
            "各人负责什么？",
            ("通知", "领学", "记录"),
            ("领学", "记录", "通知"),
            prompts=("组长", "记录员", "联络员"),
        ),
    ]
    return {q.type: cited(q, document_id) for q in made}


def cited(question: Question, document_id: str, clause: int = 0) -> Question:
    """The question with a clause of the rule that proves it."""
    start = sum(len(c) + 1 for c in RULE[:clause])
    label = f"第{clause + 1}条"
    citation = Citation(
        document_id,
        "夜学办法",
        (label,),
        RULE[clause],
        start,
        start + len(RULE[clause]),
        derive_id(document_id, str(clause)),
        f"c{clause}",
    )
    return replace(question, citation=citation, explanation=f"依据{label}的规定。")


def singles(document_id: str, n: int) -> list[Question]:
    """So many single choices whose keys cannot be told from their options."""
    return [
        cited(
            Question(
                Type.SINGLE,
                f"第{i}小组的编号是哪一个？",
                tuple(f"编号{i:03d}{letter}" for letter in "甲乙丙丁"),
                (f"编号{i:03d}{'甲乙丙丁'[i % 4]}",),
            ),
            document_id,
            i % len(RULE),
        )
        for i in range(n)
    ]


@dataclass
class Room:
    """Services over one store, and ids by name."""

    house: House
    ticks: Ticks
    bank: Bank
    papers: Papers
    exams: Exams
    attempts: Attempts
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The wall clock."""
        return self.house.clock

    def pass_(self, **time: float) -> None:
        """Let time go by, on the wall clock and in truth."""
        self.clock.pass_(**time)
        self.ticks.at += timedelta(**time).total_seconds()

    def document(self, name: str = "夜学办法", audience: Sequence[str] = ("branch:jia",)) -> str:
        """The rule, seen by who has one of the tokens; the document's id."""
        made = make_document(name, RULE, title="夜学办法")
        put(self.house.catalog, made, audience=audience, branch_id="jia")
        return made.document_id

    def add(self, found: Sequence[Question]) -> list[str]:
        """Put questions into the bank, approved; their ids."""
        return list(self.bank.add(self.house.by("trainer"), "jia", found, state=State.APPROVED).ids)

    def paper(self, *forms: Sequence[str], points: Mapping[str, float] | None = None) -> str:
        """A paper of these forms, each a list of ids; worth one point each unless said otherwise."""
        blueprint = Blueprint((Line(max(map(len, forms)) or 1),), n_forms=len(forms))
        return self._paper(blueprint, forms, points or {})

    def drawn(self, n: int) -> str:
        """A paper that draws so many questions for each person."""
        return self._paper(Blueprint((Line(n),), drawn=True), (), {})

    def _paper(
        self, blueprint: Blueprint, forms: Sequence[Sequence[str]], points: Mapping[str, float]
    ) -> str:
        paper_id = derive_id("paper", str(len(self.ids)), str(self.clock.at))
        self.ids[paper_id] = paper_id
        by, at = self.house.by("trainer"), self.clock.now()
        rows: list[dict[str, Any]] = []
        for form, found in enumerate(forms, 1):
            for position, question_id in enumerate(found, 1):
                kept = self.bank.question(by, question_id)
                rows.append(
                    {
                        "paper_id": paper_id,
                        "form": form,
                        "position": position,
                        "question_id": question_id,
                        "version": kept.version,
                        "points": points.get(question_id, 1.0),
                        "options": list(range(len(kept.question.options))),
                        "line": 0,
                    }
                )
        with self.house.access.office.writing() as connection:
            connection.execute(
                insert(papers).values(
                    paper_id=paper_id,
                    branch_id="jia",
                    title="夜学测验",
                    blueprint=blueprint_json(blueprint),
                    seed=1,
                    drawn=blueprint.drawn,
                    n_forms=blueprint.n_forms,
                    shortfalls=[],
                    made_by=by.person_id,
                    made_at=at,
                    changed_at=at,
                )
            )
            if rows:
                connection.execute(insert(paper_questions), rows)
        return paper_id

    def rules(self, **other: Any) -> ExamRules:
        """A test of an hour within the next two; sat once, told at once."""
        now = self.clock.now()
        rules = ExamRules(
            "夜学测验",
            Mode.TEST,
            now,
            now + timedelta(hours=2),
            minutes=60,
            retake=Retake.NEVER,
            reveal=Reveal.SUBMITTED,
            shuffled=True,
        )
        return replace(rules, **other)

    def give(self, paper_id: str, wanted: Sequence[str] = (OWN,), **other: Any) -> str:
        """Give a paper out to the branch; the exam's id."""
        by = self.house.by("trainer")
        return self.exams.give(by, paper_id, self.rules(**other), [Wanted(w) for w in wanted])


def found(folder: Path) -> Path:
    """A store with a branch 甲, its trainer, administrator and members m1 and m2, and a partner 乙; to be copied."""
    room = open_room(folder)
    house = room.house
    house.branch("jia")
    house.branch("yi")
    house.person("trainer", {"jia": Role.TRAINER})
    house.person("admin", {"jia": Role.ADMINISTRATOR})
    for login in ("m1", "m2"):
        house.person(login, {"jia": Role.MEMBER})
    house.person("guest", {"yi": Role.MEMBER})
    house.person("other-trainer", {"yi": Role.TRAINER})
    house.partners("jia", "yi")
    house.catalog.engine.dispose()
    return folder


def open_room(folder: Path) -> Room:
    """Services over the store in the folder, whether `found` or empty."""
    clock, ticks = Clock(), Ticks()
    catalog = Catalog(open_database(f"sqlite:///{folder / 'catalog.db'}"))
    access = open_access(
        catalog,
        Keys(b"k" * 32),
        policy=Policy(second_factor=False),
        passwords=CHEAP,
        now=clock.now,
        today=clock.today,
    )
    with access.office.reading() as connection:
        ids = {r.login: r.person_id for r in connection.execute(select(people))}
    house = House(access, catalog, clock, ids)
    bank = Bank(access.office, catalog, lambda question, scope: ())
    shelf = Papers(access.office, bank)
    exams = Exams(access.office, shelf, access.sharing, ticks)
    return Room(house, ticks, bank, shelf, exams, Attempts(access.office, shelf, exams))
