"""Second stage: passages whose form is that of an answer to what is asked.

A regulation answers "联络员负责什么" with "联络员履行下列职责：", which shares little with
the question but its subject. Each form pairs a way to ask with the way in which
rules answer; a passage that answers so about a subject of the query gains a
fixed part of the best score.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.ports import Run
from search.analysis import fold

POOL = 40
"""How many of the best passages are looked at."""


@dataclass(frozen=True, slots=True)
class Form:
    """A question and its answer. `answer` is matched in folded text and names its subject."""

    question: re.Pattern[str]
    answer: re.Pattern[str]
    gain: float


_SUBJECT = r"(?P<subject>[\u4e00-\u9fff]{2,16}?)"
FORMS = (
    Form(
        re.compile(
            r"负责什么|负责哪些|负责做|做什么|干什么|管什么|管哪些|有什么职责|有哪些职责|职责(?:是|有|$)|哪些工作"
        ),
        re.compile(
            rf"{_SUBJECT}(?:应当)?(?:履行|行使|承担|负责|有)?(?:的)?(?:下列|以下|主要)(?:工作|主要)?(?:职责|职权|任务|工作)"
        ),
        0.5,
    ),
    Form(
        re.compile(r"什么是|是什么意思|什么叫|是指什么|指的是什么|的定义"),
        re.compile(rf"(?:所称|所指){_SUBJECT}(?:,|是|指|包括)"),
        0.1,
    ),
)


def asked_forms(query: str) -> list[Form]:
    """Forms of answer that the query asks for.

    >>> len(asked_forms("联络员负责什么")), len(asked_forms("联络员 补贴"))
    (1, 0)
    """
    folded = fold(query).text
    return [form for form in FORMS if form.question.search(folded)]


def gain(forms: Sequence[Form], query: str, passage: str) -> float:
    """What the passage gains, as a part of the best score; 0 unless it answers about a subject of the query.

    >>> gain(asked_forms("共建联络员负责什么"), "共建联络员负责什么", "第八条 联络员履行下列职责：（一）协调")
    0.5
    >>> gain(asked_forms("共建联络员负责什么"), "共建联络员负责什么", "第九条 培训员履行下列职责：（一）备课")
    0.0
    """
    asked = fold(query).text
    text = fold(passage).text
    found = 0.0
    for form in forms:
        for m in form.answer.finditer(text):
            if _shares(m["subject"], asked):
                found = max(found, form.gain)
    return found


def _shares(subject: str, asked: str) -> bool:
    """The last three characters of the subject, or all of a shorter one, stand in the query."""
    return subject[-3:] in asked


def add_gains(run: Run, gains: Mapping[int, float]) -> Run:
    """The run with passages raised by their gain times the best score, ranked anew.

    Equal scores sort by key.

    >>> add_gains([(1, 1.0), (2, 0.8)], {2: 0.35})
    [(2, 1.15), (1, 1.0)]
    """
    top = run[0][1] if run else 0.0
    raised = [(key, score + top * gains.get(key, 0.0)) for key, score in run]
    return sorted(raised, key=lambda hit: (-hit[1], hit[0]))
