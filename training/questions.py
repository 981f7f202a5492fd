"""Pseudo-questions: a rule's condition with the question that its consequence answers."""

import re
from collections.abc import Iterator

from training.laws import NUMERAL, Article
from training.pairs import Pair
from training.structure import sentences

_ENUMERATED = re.compile(r"^(?:[（(][^（）()]{1,3}[)）]|[0-9]+[.、．])\s*")
_CITATION = re.compile(
    rf"(?:违反|依照|按照|根据|符合|有)?(?:《[^《》]+》|本(?:法|条例|办法|规定|规则|解释|细则))(?:第[{NUMERAL}]+条)?"
    rf"(?:第[{NUMERAL}]+款)?(?:第?[（(]?[{NUMERAL}]+[)）]?项)?(?:[、和或至](?:本法)?第[{NUMERAL}]+[条款项])*的?(?:规定|所列(?:行为|情形))?(?:之一)?的?[，,]?"
)
_LEAD = r"^"
_DEFINED = re.compile(
    _LEAD
    + r"(?:本[^，。]{1,6})?所称(?:的)?[“\"]?(?P<x>[^，。“”\"]{2,20}?)[”\"]?[，,]?\s*(?:是指|指的是|包括|为)"
)
_DEFINED_BARE = re.compile(_LEAD + r"[“\"]?(?P<x>[^，。“”\"]{2,16}?)[”\"]?[，,]?是指")
_PUNISHED = re.compile(
    r"^(?P<x>.{6,160}?)的?[，,](?:由[^，。]{2,30}[，,]?)?(?P<y>(?:依法|并|可以|应当)?"
    r"(?:处(?!理)|给予|责令|没收|吊销|追究|警告|罚款|拘留|并处)[^。；]*)"
)
_CONDITION = re.compile(r"^(?P<x>.{6,140}?的)[，,](?P<y>[^。；]{4,})")
_PERIOD = re.compile(
    r"^(?P<x>.{4,120}?)(?:在|自|于|为|应当自|应当在)?[^，。]{0,24}?[零〇一二两三四五六七八九十百0-9]+(?:个工作日|个月|日|天|年|小时)(?:以?内|之内|前)?(?P<y>[^。；]*)"
)
_DUTY = re.compile(
    r"^(?P<who>[^，。]{2,40}?(?:部门|机关|机构|政府|法院|检察院|委员会|国务院))(?:依法|统一|主管|具体|应当)?负责(?P<x>[^，。；]{4,60})"
)
_MAY = re.compile(r"^(?P<x>[^，。；]{2,60}?)(?P<m>不得|可以|应当|必须|有权|禁止)(?P<y>[^，。；]{3,60})")
_MONEY = re.compile(r"[0-9零一二两三四五六七八九十百千万]+(?:元|万元|倍)")

_PUNISH_ASKS = ("怎么处罚", "会受到什么处罚", "要承担什么责任", "怎么办")
_FACT_ASKS = ("怎么办", "怎么处理", "应该怎么办", "可以吗", "会怎样")
_MODAL_ASKS = {
    "不得": ("可以{y}吗", "能不能{y}", "{y}违法吗"),
    "禁止": ("可以{y}吗", "{y}违法吗"),
    "可以": ("可以{y}吗", "能{y}吗", "是否可以{y}"),
    "有权": ("可以{y}吗", "有权{y}吗"),
    "应当": ("要{y}吗", "是否需要{y}", "应当{y}吗"),
    "必须": ("要{y}吗", "必须{y}吗"),
}


def asked(sentence: str, turn: int) -> Iterator[str]:
    """Questions that the sentence answers; `turn` picks the wording.

    >>> list(asked("未取得营业执照从事经营活动的，处一万元以下罚款。", 0))
    ['未取得营业执照从事经营活动，怎么处罚', '未取得营业执照从事经营活动罚多少钱']
    """
    if m := _DEFINED.match(sentence) or _DEFINED_BARE.match(sentence):
        yield ("什么是{}", "{}是什么意思", "哪些属于{}")[turn % 3].format(m["x"])
        return
    if m := _PUNISHED.match(sentence):
        yield f"{m['x']}，{_PUNISH_ASKS[turn % len(_PUNISH_ASKS)]}"
        if _MONEY.search(m["y"]):
            yield f"{m['x']}罚多少钱"
        return
    if m := _DUTY.match(sentence):
        yield ("{}由谁负责", "哪个部门负责{}")[turn % 2].format(m["x"])
    if m := _CONDITION.match(sentence):
        yield f"{m['x'].removesuffix('的')}，{_FACT_ASKS[turn % len(_FACT_ASKS)]}"
    if m := _PERIOD.match(sentence):
        yield f"{m['x']}{('期限是多久', '要多长时间', '几天内')[turn % 3]}"
    if m := _MAY.match(sentence):
        asks = _MODAL_ASKS[m["m"]]
        yield m["x"] + asks[turn % len(asks)].format(y=m["y"])


def questions(articles: list[Article]) -> Iterator[Pair]:
    """Pairs of pseudo-question and article, at most three an article."""
    for i, a in enumerate(articles):
        n = 0
        for j, raw in enumerate(sentences(a.text)):
            sentence = _CITATION.sub("", _ENUMERATED.sub("", raw))
            for question in asked(sentence, i + j):
                if 4 <= len(question) <= 120 and n < 3:
                    n += 1
                    yield Pair("question", question, f"{a.title}\n{a.text}")
