"""The form of a case on its pages: what each field is asked with, and how what was sent is read."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from access.principal import Principal
from cases.drafts import Draft
from cases.library import Library
from cases.model import (
    INDUSTRIES,
    LABELS,
    LEVEL_WORDS,
    LONGEST,
    REQUIRED,
    SHAPES,
    Body,
    Field,
    Shape,
    figures_of,
)
from kb.errors import NotFound

GROUPS: Sequence[tuple[str, str, tuple[Field, ...]]] = (
    ("story", "事情", (Field.TITLE, Field.BACKGROUND, Field.PROBLEM, Field.PRACTICE)),
    ("result", "结果", (Field.OUTCOME, Field.FIGURES, Field.LEVEL)),
    ("facts", "方便别人找到", (Field.INDUSTRY, Field.PEOPLE, Field.COST)),
    ("reuse", "给想照着做的支部", (Field.CONDITIONS, Field.CARRIES_OVER, Field.CONTACTS)),
)
"""The fields in the order in which one tells what happened: id, heading, fields."""

HELP: Mapping[Field, tuple[str, str]] = {
    Field.TITLE: (
        "一句话：谁，用什么办法，办成了什么。",
        "场站支部把党课拆到交接班，夜班司机一次没落下",
    ),
    Field.BACKGROUND: (
        "单位做什么、有多少人、在什么情况下碰到这件事。两三句就够。",
        "我们是一家公交场站，党员 38 名，三分之一常年上夜班。",
    ),
    Field.PROBLEM: (
        "用遇到它的人会说的话写：谁，在什么时候，被什么卡住了。",
        "夜班司机收车已是凌晨，集中学习总赶不上，半年里平均每人缺课四次。",
    ),
    Field.PRACTICE: (
        "一步写一段：谁做了什么，先后次序，用了多长时间。走过的弯路也写。",
        "第一步，把一堂课拆成四个 15 分钟，放在交接班前。第二步，每班选一名带学人……",
    ),
    Field.OUTCOME: (
        "变好了多少，怎么知道的。没达到预期的也写上。",
        "三个月后，每人缺课从四次降到不足一次，值班员的登记表可查。",
    ),
    Field.FIGURES: ("有数字就填，一行一个：量的是什么，之前多少，之后多少。", "半年人均缺课，4，0.6，次"),
    Field.LEVEL: ("没办成的也值得写，别人可以少走弯路。", ""),
    Field.INDUSTRY: ("选最接近的一类。", ""),
    Field.PEOPLE: ("大约有多少人参加或受益，只填数字。", "38"),
    Field.COST: ("一共花了多少元，只填数字。没花钱填 0。", "3200"),
    Field.CONDITIONS: (
        "什么样的单位才做得成，缺了哪条会做不成。",
        "要有人能在交接班时带学；三班倒以上的单位，带学人要多备一名。",
    ),
    Field.CARRIES_OVER: (
        "别人可以直接拿去用的：制度、表格、日程。文件放到下面的附件里。",
        "15 分钟课的目录，带学人排班表。",
    ),
    Field.CONTACTS: (
        "想细问该找谁：姓名、职务、办公电话。能看到这个案例的人都能看到，不要写私人号码。",
        "场站支部宣传委员赵敏，办公电话 8800 转 26。",
    ),
}
"""What to write, and an example; the example may be empty."""

CHOICES: Mapping[Field, Mapping[str, str]] = {
    Field.INDUSTRY: INDUSTRIES,
    Field.LEVEL: {level.value: words for level, words in LEVEL_WORDS.items()},
}

FIGURE_PARTS: Mapping[str, str] = {"measure": "量的是什么", "before": "之前", "after": "之后", "unit": "单位"}
"""The cells of a row of figures: their names in the form, and what people read."""

_SPARE_ROWS = 2


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A row of figures as it is edited."""

    measure: str = ""
    before: str = ""
    after: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field as it is edited. `base` is the revision that is shown; `clash` says that two changed one sentence."""

    field: Field
    label: str
    help: str
    example: str
    shape: Shape
    required: bool
    longest: int
    text: str
    base: int
    clash: bool = False
    wrong: str = ""
    choices: Mapping[str, str] | None = None
    rows: tuple[FigureRow, ...] = ()
    rest: str = ""


def field_view(
    field: Field, text: str = "", base: int = 0, *, clash: bool = False, wrong: str = ""
) -> FieldView:
    """A field with the text that stands in it."""
    shape = SHAPES[field]
    rows: tuple[FigureRow, ...] = ()
    rest = ""
    if shape is Shape.FIGURES:
        lines = [(line, figures_of(line)) for line in text.splitlines() if line.strip()]
        # What is no row of four cells is written below them.
        rows = tuple(FigureRow(*astuple(f[0])) for line, f in lines if f and _n_cells(line) <= 4)
        rows += (FigureRow(),) * _SPARE_ROWS
        rest = "\n".join(line for line, f in lines if not f or _n_cells(line) > 4)
    return FieldView(
        field,
        LABELS[field],
        *HELP[field],
        shape=shape,
        required=field in REQUIRED,
        longest=LONGEST[shape],
        text=text,
        base=base,
        clash=clash,
        wrong=wrong,
        choices=CHOICES.get(field),
        rows=rows,
        rest=rest,
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form says of one field: its text, and the revision that it was written over."""

    text: str
    base: int


def body_shown(library: Library, by: Principal, draft: Draft) -> Body:
    """What stands in a form; the published text where nobody wrote into it yet, since the case came as a file."""
    if draft.fields or not draft.document_id:
        return draft.body
    try:
        return library.case(by.scope, draft.case_id).body
    except NotFound:
        return {}


def sent_fields(form: Mapping[str, Sequence[str]]) -> dict[Field, Sent]:
    """The fields of a form that was sent, by the lists of its values; a field that it lacks is left out.

    >>> sent_fields({"title": [" 一课三讲 "], "base_title": ["3"]})
    {<Field.TITLE: 'title'>: Sent(text='一课三讲', base=3)}
    """
    found = {}
    for field in Field:
        if field is Field.FIGURES:
            text = figures_text(form)
        elif field.value in form:
            text = plain(form[field.value][0])
        else:
            continue
        base = (form.get(f"base_{field.value}") or [""])[0]
        if base.isascii() and base.isdigit() and len(base) < 10:
            found[field] = Sent(text, int(base))
    return found


def figures_text(form: Mapping[str, Sequence[str]]) -> str:
    """The rows of figures of a form as the text of their field.

    >>> figures_text({"figure_measure": ["缺课", ""], "figure_before": ["4", ""], "figure_after": ["1", ""],
    ...     "figure_unit": ["次", ""], "figure_rest": [""]})
    '缺课|4|1|次'
    """
    columns = [form.get(f"figure_{part}", ()) for part in FIGURE_PARTS]
    lines = []
    for cells in zip(*columns, strict=False):
        kept = [" ".join(c.replace("|", "／").replace("｜", "／").split()) for c in cells]
        if any(kept):
            lines.append("|".join(kept).removesuffix("|"))
    return "\n".join([*lines, *plain("".join(form.get("figure_rest", ("",))[:1])).splitlines()])


def _n_cells(line: str) -> int:
    return 1 + line.count("|") + line.count("｜")


def plain(text: str) -> str:
    """Text of a form without what browsers add to it.

    >>> plain("一\\r\\n二 \\n")
    '一\\n二'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
