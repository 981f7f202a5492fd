"""Which field of the form a heading of a case speaks of. Branches call the same thing by many names."""

import re

from cases.model import LABELS, Field

_NUMBER = re.compile(
    r"^(?:第[一二三四五六七八九十\d]+(?:部分|章|节)|[（(][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+[、．.]"
    r"|\d+(?:\.\d+)*[.、．)）]?(?=\D))\s*"
)
_BRACKETS = re.compile(r"^[【\[〔](.+)[】\]〕]$")

_CONDITIONS = re.compile(r"条件|适用|适合|前提|注意|提醒|范围|边界")
_CARRIES = re.compile(
    r"复制|照搬|照着|推广|借鉴|借用|启示|启发|经验|带走|带得走|体会|思考|感悟|建议|别家|别的(?:支部|单位)|(?:其他|其它|兄弟)(?:支部|单位)"
)
_DETOUR = re.compile(
    r"弯路|曲折|波折|失误|教训|反复|不顺|麻烦|难处|岔子|试错|走通|拦错|(?:不|没有|没)(?:成功|管用|办好|弄成|做好)|不[好对足]的"
    r"|没有?成功|试过"
)
_SOLVING = re.compile(
    r"做法|措施|举措|对策|办法|步骤|(?:解决|破解|化解|处理).{0,6}(?:问题|难题)|(?:问题|投诉|矛盾)的?(?:解决|处理|整改|化解)"
)
_ORIGIN = re.compile(
    r"背景|起因|由来|缘起|缘由|来历|台面|概况|概述|简介|摘要|前言|引言|基本情况|怎么回事|为什么要|^情况$"
)
_TROUBLE = re.compile(
    r"问题|困难|难点|难题|难在|痛点|堵点|瓶颈|矛盾|病根|症结|短板|不足|现状|隐患|挑战|诉求|反映|暴露|原因|为什么会|为何|"
    r"要解决|解决什么|有多少|有多|缺口|困扰|误区"
)
_ORIGIN_OF_TROUBLE = re.compile(r"(?:问题|矛盾|困难)(?:的?(?:由来|背景|起因|缘起|缘由|来历)|是怎[么样])")
_RESULT = re.compile(r"成效|效果|结果|成果|成绩|变化|收获|实效|反响|业绩|(?:没有|尚未|还没|未)(?:有)?解决")
_DOING = re.compile(
    r"怎么|怎样|如何|过程|经过|实践|路径|实施|探索|解决|整改|改进|处理|化解|治理|做了什么|^(?:主要)?工作|具体"
)

PLAIN = frozenset(
    {
        *LABELS.values(), "背景", "案例背景", "背景情况", "工作背景", "起因", "基本情况", "情况概述", "摘要", "内容摘要",
        "问题", "主要问题", "存在问题", "存在的问题", "遇到的问题", "问题与困难", "困难", "痛点", "难点",
        "做法", "主要做法", "具体做法", "经验做法", "措施", "主要措施", "工作措施", "过程", "实施过程",
        "成效", "工作成效", "取得成效", "取得的成效", "主要成效", "效果", "成果",
        "条件", "适用条件", "适用范围", "推广条件", "前提", "前提条件", "注意事项",
        "启示", "经验", "经验启示", "工作启示", "经验与启示", "体会", "可复制", "可复制推广之处", "可复制的经验", "可推广经验",
        "联系", "联系人", "联系方式",
    }
)  # fmt: skip
"""Names that make a line a heading even where it stands bare, or begins one with a colon after it."""

BOTH = (Field.CONDITIONS, Field.CARRIES_OVER)
"""What a section tells of whose heading speaks of conditions and of what carries over alike."""


def bare(heading: str) -> str:
    """The heading without its number, brackets and colon.

    >>> bare("（一）先停，再谈"), bare("【做法】"), bare("3.1 并表"), bare("2022年的事")
    ('先停，再谈', '做法', '并表', '2022年的事')
    """
    text = heading.strip().rstrip(":：").strip()
    if found := _BRACKETS.match(text):
        text = found[1].strip()
    return text if re.match(r"\d+\s*[年月日个条项名]", text) else _NUMBER.sub("", text).strip() or text


def fields_of(heading: str) -> tuple[Field, ...]:
    """The fields that the section under this heading fills: none, one, or `BOTH`.

    >>> [f.value for f in fields_of("二、存在的问题")], [f.value for f in fields_of("问题的由来")]
    (['problem'], ['background'])
    >>> [f.value for f in fields_of("启示与推广条件")], fields_of("第二次、第三次")
    (['conditions', 'carries_over'], ())
    """
    name = bare(heading)
    for field, label in LABELS.items():
        if name == label and field is not Field.LEVEL:
            return (field,)
    if name in {"联系", "联系方式", "联络", "咨询"}:
        return (Field.CONTACTS,)
    if _SOLVING.search(name) and not re.search(r"解决什么|要解决", name):
        return (Field.PRACTICE,)
    if _CARRIES.search(name) and not re.search(r"做法|教训$", name):
        # 推广条件 speaks of conditions alone; 启示与推广条件 of both.
        alone = re.sub(r"推广", "", name)
        if _CONDITIONS.search(name):
            return BOTH if _CARRIES.search(alone) else (Field.CONDITIONS,)
        return (Field.CARRIES_OVER,)
    if _CONDITIONS.search(name):
        return (Field.CONDITIONS,)
    if _DETOUR.search(name):
        return (Field.PRACTICE,)
    if _RESULT.search(name) and not re.search(r"(?:调查|检查|摸底)结果", name):
        return (Field.OUTCOME,)
    if _ORIGIN_OF_TROUBLE.search(name):
        return (Field.BACKGROUND,)
    if _TROUBLE.search(name) and not name.startswith("起因"):
        return (Field.PROBLEM,)
    if _ORIGIN.search(name):
        return (Field.BACKGROUND,)
    return (Field.PRACTICE,) if _DOING.search(name) else ()


def is_detour(heading: str) -> bool:
    """Whether the section tells what was tried in vain; what that cost is not what the case cost.

    >>> is_detour("四、走过的弯路"), is_detour("三、主要做法")
    (True, False)
    """
    name = bare(heading)
    return bool(_DETOUR.search(name)) and not _SOLVING.search(name)
