"""The nouns of cases. A case is a form of named fields; published, it is a document like any other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Field(StrEnum):
    """What the form asks for, in its order."""

    TITLE = "title"
    INDUSTRY = "industry"
    PEOPLE = "people"
    COST = "cost"
    LEVEL = "level"
    BACKGROUND = "background"
    PROBLEM = "problem"
    PRACTICE = "practice"
    OUTCOME = "outcome"
    FIGURES = "figures"
    CONDITIONS = "conditions"
    CARRIES_OVER = "carries_over"
    CONTACTS = "contacts"


class Shape(StrEnum):
    """How a field is filled in: one line, text, one of several, a whole number, or a table of figures."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    FIGURES = "figures"


SHAPES: Mapping[Field, Shape] = {
    Field.TITLE: Shape.LINE,
    Field.INDUSTRY: Shape.CHOICE,
    Field.PEOPLE: Shape.NUMBER,
    Field.COST: Shape.NUMBER,
    Field.LEVEL: Shape.CHOICE,
    Field.BACKGROUND: Shape.TEXT,
    Field.PROBLEM: Shape.TEXT,
    Field.PRACTICE: Shape.TEXT,
    Field.OUTCOME: Shape.TEXT,
    Field.FIGURES: Shape.FIGURES,
    Field.CONDITIONS: Shape.TEXT,
    Field.CARRIES_OVER: Shape.TEXT,
    Field.CONTACTS: Shape.TEXT,
}

LABELS: Mapping[Field, str] = {
    Field.TITLE: "标题",
    Field.INDUSTRY: "行业",
    Field.PEOPLE: "涉及人数",
    Field.COST: "花费（元）",
    Field.LEVEL: "结果",
    Field.BACKGROUND: "背景",
    Field.PROBLEM: "问题",
    Field.PRACTICE: "做法",
    Field.OUTCOME: "成效",
    Field.FIGURES: "成效数据",
    Field.CONDITIONS: "适用条件",
    Field.CARRIES_OVER: "可以照搬的",
    Field.CONTACTS: "联系人",
}
"""What people read, on pages, in Word files and in the published text."""

REQUIRED = (Field.TITLE, Field.PROBLEM, Field.PRACTICE, Field.OUTCOME)
"""Without these a case cannot be submitted for review."""

LONGEST: Mapping[Shape, int] = {
    Shape.LINE: 120,
    Shape.TEXT: 20_000,
    Shape.CHOICE: 16,
    Shape.NUMBER: 12,
    Shape.FIGURES: 8_000,
}
"""Code points that a field takes."""


class Level(StrEnum):
    """How far the problem is solved."""

    SOLVED = "solved"
    EASED = "eased"
    OPEN = "open"


LEVEL_WORDS: Mapping[Level, str] = {
    Level.SOLVED: "已解决",
    Level.EASED: "有改善",
    Level.OPEN: "没有办成",
}

INDUSTRIES: Mapping[str, str] = {
    "A": "农林牧渔",
    "B": "采矿",
    "C": "制造",
    "D": "电力、热力、燃气和水",
    "E": "建筑",
    "F": "批发零售",
    "G": "交通运输、仓储、邮政",
    "H": "住宿餐饮",
    "I": "信息技术",
    "J": "金融",
    "K": "房地产与物业",
    "L": "租赁与商务服务",
    "M": "科研与技术服务",
    "N": "水利、环境、公共设施",
    "O": "居民服务",
    "P": "教育",
    "Q": "卫生与社会工作",
    "R": "文化、体育、娱乐",
    "S": "公共管理与社会组织",
}
"""Sections of the national classification of industries (GB/T 4754-2017), by their letter."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of the outcome, before and after, as written: ("平均等待", "73", "26", "分钟")."""

    measure: str
    before: str
    after: str
    unit: str = ""


def figures_of(text: str) -> tuple[Figure, ...]:
    """The figures of a field's text: a line each, `measure|before|after|unit`; lines that are none are passed over.

    >>> figures_of("平均等待|73|26|分钟")
    (Figure(measure='平均等待', before='73', after='26', unit='分钟'),)
    """
    found = []
    for line in text.splitlines():
        parts = [p.strip() for p in line.replace("｜", "|").split("|")]
        if len(parts) >= 3 and parts[0]:
            found.append(Figure(parts[0], parts[1], parts[2], parts[3] if len(parts) > 3 else ""))
    return tuple(found)


class State(StrEnum):
    """What becomes of a case in its own branch. Whether others see it follows from its document alone."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"


STATE_WORDS: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.IN_REVIEW: "待审",
    State.APPROVED: "已审，待发布",
    State.PUBLISHED: "已发布",
}

Body = Mapping[Field, str]
"""The filled-in form; an empty field is left out."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a case. `caption` says what it shows; `n_bytes` is what is kept, after photographs were scaled."""

    attachment_id: str
    name: str
    media_type: str
    sha256: str
    n_bytes: int
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A published case as somebody sees it. `branch_id` is None for one of the common library."""

    case_id: str
    document_id: str
    branch_id: str | None
    title: str
    body: Body
    attachments: tuple[Attachment, ...]
    published_at: datetime
    derived_from: str | None = None


@dataclass(frozen=True, slots=True)
class CaseCard:
    """A case in a list. `problem` and `outcome` are excerpts; `why` names what the case shares with what was asked."""

    case_id: str
    document_id: str
    branch_id: str | None
    issuer: str
    title: str
    problem: str
    outcome: str
    industry: str | None
    people: int | None
    cost: int | None
    level: Level | None
    published_at: datetime
    score: float = 0.0
    why: tuple[str, ...] = ()


SIZES: Mapping[str, tuple[str, int, int]] = {
    "s": ("20 人以下", 0, 20),
    "m": ("20 至 99 人", 20, 100),
    "l": ("100 至 499 人", 100, 500),
    "xl": ("500 人以上", 500, 10**9),
}
"""Bands of people, at least and below."""

COSTS: Mapping[str, tuple[str, int, int]] = {
    "0": ("几乎不花钱（1 千元以下）", 0, 1_000),
    "1": ("1 千至 1 万元", 1_000, 10_000),
    "2": ("1 万至 10 万元", 10_000, 100_000),
    "3": ("10 万至 100 万元", 100_000, 1_000_000),
    "4": ("100 万元以上", 1_000_000, 10**12),
}
"""Bands of cost in yuan, at least and below."""


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """What a search of cases is narrowed to; empty does not narrow. `outcome` is text that the outcome speaks of."""

    industries: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    costs: frozenset[str] = frozenset()
    levels: frozenset[Level] = frozenset()
    branches: frozenset[str] = frozenset()
    outcome: str = ""


class Progress(StrEnum):
    """How far a branch is with a case that it took over."""

    PLANNED = "planned"
    UNDER_WAY = "under_way"
    DONE = "done"
    UNSUITABLE = "unsuitable"


PROGRESS_WORDS: Mapping[Progress, str] = {
    Progress.PLANNED: "打算做",
    Progress.UNDER_WAY: "正在做",
    Progress.DONE: "做成了",
    Progress.UNSUITABLE: "不适用",
}


class Effect(StrEnum):
    """Whether it worked where it was done."""

    WORKED = "worked"
    PARTLY = "partly"
    FAILED = "failed"


EFFECT_WORDS: Mapping[Effect, str] = {
    Effect.WORKED: "管用",
    Effect.PARTLY: "部分管用",
    Effect.FAILED: "没管用",
}
