"""Facts that a case tells in running text: people, cost, how far it is solved, the industry, figures before and after."""

import re
from collections.abc import Iterable, Iterator, Sequence

from cases.model import INDUSTRIES, LEVEL_WORDS, Figure, Level
from kb.numerals import NUMERALS, numeral_value

_SENTENCE = re.compile(r"[^。！？；\n]+")

# -- cost ---------------------------------------------------------------------------

_AMOUNT = re.compile(rf"(\d[\d,，]*(?:\.\d+)?|[{NUMERALS}]+)\s*(亿|万|千)?余?多?\s*元")
_SCALE = {"亿": 10**8, "万": 10**4, "千": 10**3, None: 1, "": 1}
_SPENT = re.compile(
    r"投入|花费|费用|开支|支出|多花|共花|花了|经费|成本|所需资金|总投资|材料费|购置|添置|列支|(?<!没有)采购"
)
_LEADS = re.compile(
    r"^[^，：:]{0,12}?(?:投入|花费|费用|开支|支出|共花|多花的钱|总投资|成本)[^，。：:\d]{0,8}(?=[：:，\d]|$)"
)
_TOTAL = re.compile(r"(?:合计|共计|总计|总共)[^，；：:\d]{0,4}$")
_NOTHING = re.compile(
    r"(?:没有|无|未|不)(?:另外|额外|再|新增|增加|产生|发生)?(?:需要|需)?(?:采购|购买|买|花钱|投入|支出|费用|开支|付费)"
    r"|(?:投入|费用|花费|支出|成本|开支)(?:总计)?(?:为|是)?(?:零|0(?![\d.]))|零(?:投入|成本|费用|花费)|一分钱(?:没|也没|不)|不花(?:一分)?钱"
)
_ASIDE = re.compile(r"[（(][^（）()]*[)）]|其中[^，；。]*")
_EACH = re.compile(r"(?:每(?!月|年|季|学期|周)|单价|人均|户均)[^，；：:]{0,8}$")
_NOT_SPENT = re.compile(
    r"(?:节约|节省|省下|减少|少花|损失|索赔|赔付|受骗|拦截|报价|扣|收入|罚|没有购买|退了货)"
)


def cost_of(texts: Iterable[str]) -> int | None:
    """What it cost in yuan, from the first sentence that says so plainly; None where nothing does.

    A total that is named counts; otherwise the amounts of the sentence are added, what recurs once,
    prices of single pieces and what stands after 其中 not at all. 没有采购支出 is 0.

    >>> cost_of(["全年花费 1.86 万元：奖励 0.52 万元，防坠绳 1.17 万元。"]), cost_of(["投入约 210 人时，没有采购支出。"])
    (18600, 0)
    >>> cost_of(["投入：椅子1.44万元，卡片0.09万元。"]), cost_of(["共收到意见3条。"])
    (15300, None)
    """
    sentences = [s for text in texts for s in _SENTENCE.findall(_ASIDE.sub("", text))]
    plain = [s.strip() for s in sentences if _LEADS.match(s.strip())]
    for sentence in plain:
        if (found := _sum(sentence)) is not None:
            return found
    if any(_NOTHING.search(s) for s in sentences):
        return 0
    told = [s for s in sentences if _SPENT.search(s) and not _NOT_SPENT.search(s)]
    found_in = [n for n in map(_sum, told) if n is not None]
    return sum(found_in) if found_in else None


def _sum(sentence: str) -> int | None:
    amounts: list[int] = []
    for found in _AMOUNT.finditer(sentence):
        value = _yuan(found)
        before = sentence[: found.start()]
        if value is None or _EACH.search(before):
            continue
        if _TOTAL.search(before) or (not amounts and _names_total(before, sentence[found.end() :])):
            return value
        amounts.append(value)
    return sum(amounts) if amounts else None


def _names_total(before: str, after: str) -> bool:
    """Whether an amount stands right behind the word for cost, and is not the first of a list."""
    return (
        bool(_LEADS.match(before))
        and not re.search(r"[：:，]", before)
        and not after.startswith(("加", "、"))
    )


def _yuan(found: re.Match[str]) -> int | None:
    number, scale = found[1].replace(",", "").replace("，", ""), found[2]
    try:
        return round(float(number) * _SCALE[scale])
    except ValueError:
        value = numeral_value(number)
        return None if value is None else value * _SCALE[scale]


# -- people -------------------------------------------------------------------------

_WHO = (
    r"职工|员工|党员|工人|司机|学徒|学员|志愿者|人员|工程师|技术员|居民|村民|群众|客户|老人|孩子|儿童|学生|用户|队员|干部|同志|"
    r"女工|教师|医生|护士|积极分子|成员"
)
_HOW_MANY = r"(?:共有|共|约有|约|近|有|现有)?\s*(\d[\d,]*)\s*多?余?"
_PEOPLE = (
    re.compile(rf"(\d[\d,]*)\s*多?余?\s*(?:名|位|个|人)?\s*(?:一线|在职|劳务|派遣|青年|老|小|驻地|检修|本地|党)*(?:{_WHO})"),
    re.compile(rf"(?:{_WHO})(?:当?中|里)?\s*{_HOW_MANY}(?:名|人|位|个)(?!次|时|均|月|天)"),
    re.compile(
        rf"(?:部|班|组|队|科|室|车间|中心|公司|单位|这一?批|那一?批|全员|入职|招来?|来了)(?:来了)?\s*{_HOW_MANY}(?:名|人)(?!次|时|均|月|天)"
    ),
)  # fmt: skip
_UNSURE = re.compile(r"平均|每天|每班|每人|其中|愿意|不满|以上$")


def people_of(texts: Sequence[str]) -> int | None:
    """How many people it concerns: the largest number of people that the first text with one names.

    >>> people_of(["支部有职工41人，党员16人。"]), people_of(["参加240人次。", "共登记 27 名，实到 23 个孩子。"]), people_of([""])
    (41, 23, None)
    """
    for text in texts:
        numbers = [
            int(found[1].replace(",", ""))
            for sentence in _SENTENCE.findall(text)
            for pattern in _PEOPLE
            for found in pattern.finditer(sentence)
            if not _UNSURE.search(sentence[max(0, found.start() - 6) : found.start()])
        ]
        if numbers:
            return max(numbers)
    return None


# -- level --------------------------------------------------------------------------

_FAILED = re.compile(r"没有办成|未能解决|没能解决|没有解决成|最终失败|以失败告终|没有见效|没有效果|毫无起色")
_REMAINS = re.compile(r"(?:没有|尚未|还没有?|未能)(?:完全|彻底|全部)?解决|部分解决|有所|遗留|仍有|仍需")
_SOLVED = re.compile(
    r"(?:已经?|全部|彻底|完全|都)(?:得到)?解决|(?:没有|不|未)再(?:发生|出现|有)|再没有?(?:发生|出现)|销号|杜绝|根除|(?:降|减)(?:到|为|至)(?:零|0(?![\d.]))"
)
_BETTER = re.compile(r"[降减升增]|提高|缩短|改善|好转|下降|上升")


def level_of(outcome: str, figures: Sequence[Figure]) -> Level | None:
    """How far the problem is solved, as far as the outcome says so in words or figures.

    >>> [level_of(t, ()) for t in ["下半年没有再发生落物。", "等候由74分钟降到19分钟。", "试了两个月，没有见效。", "大家说好。"]]
    [<Level.SOLVED: 'solved'>, <Level.EASED: 'eased'>, <Level.OPEN: 'open'>, None]
    """
    if not outcome and not figures:
        return None
    if _FAILED.search(outcome):
        return Level.OPEN
    if _SOLVED.search(outcome) and not _REMAINS.search(outcome):
        return Level.SOLVED
    return Level.EASED if figures or _BETTER.search(outcome) or _REMAINS.search(outcome) else None


def level_named(text: str) -> Level | None:
    """The level that a filled-in form names by its word."""
    return next((level for level, word in LEVEL_WORDS.items() if word == text.strip()), None)


# -- industry -----------------------------------------------------------------------

_INDUSTRY = (
    ("A", "农场|林场|牧场|渔业|种植|养殖"),
    ("B", "煤矿|矿业|矿山|油田|采油"),
    ("D", "电力|供电|发电|电网|热力|燃气|水务|自来水|供水"),
    ("E", "工程局|建筑|建设集团|路桥|隧道|施工|项目部|标段"),
    ("J", "银行|农商行|信用社|保险|证券|金融|信托"),
    ("Q", "医院|卫生院|疾控|养老院|福利院|护理院"),
    ("C", "药业|制药|乳业|食品厂|机械|制造|化工|钢铁|纺织|电子厂|水泥|汽车厂|生产线"),
    ("I", "软件|信息技术|网络|通信|数据中心|电信|互联网"),
    ("G", "港务|港口|码头|物流|运输|公交|地铁|铁路局|机场|航空|邮政|快递|仓储"),
    ("K", "物业|房地产|置业"),
    ("P", "学校|中学|小学|学院|大学|幼儿园"),
    ("M", "研究院|设计院|研究所|检测中心|勘察"),
    ("N", "环卫|园林|水利|景区|市政"),
    ("R", "剧院|出版社|报社|图书馆|博物馆|体育馆|电视台"),
    ("F", "超市|商场|商贸|百货|批发"),
    ("H", "酒店|宾馆|餐饮|饭店"),
    ("L", "人力资源公司|租赁|律师事务所|会计师事务所"),
    ("O", "家政|殡葬|修理店|居民服务"),
    ("S", "街道|社区|居委会|村委会|人民政府|税务局|机关"),
)


def industry_of(issuer: str, texts: Iterable[str]) -> str | None:
    """The letter of the industry: by the name of who hands the case in, else by what is named first in the texts.

    >>> industry_of("润城水务有限公司营业党支部", []), industry_of("", ["码头党支部有党员 57 名。"]), industry_of("", [])
    ('D', 'G', None)
    """
    for letter, words in _INDUSTRY:
        if re.search(words, issuer):
            return letter
    for text in texts:
        places = [(found.start(), letter) for letter, words in _INDUSTRY if (found := re.search(words, text))]
        if places:
            return min(places)[1]
    return None


def industry_named(text: str) -> str | None:
    """The letter of the industry that a filled-in form names by its letter or its name."""
    said = text.strip()
    return next((letter for letter, name in INDUSTRIES.items() if said in (letter, name)), None)


# -- figures ------------------------------------------------------------------------

_PERIOD = re.compile(
    r"\d{4}\s*年|\d+\s*月|\d+\s*届|季度|[上下]半年|[前后]$|原来|现在|以前|之前|之后|改造|实施|暑期|交接|演练|^(?:前|后)"
)
_ABOUT = re.compile(r"^(\D{0,2}?)([\d,]+(?:\.\d+)?)\s*(\D{0,6})$")
_UNIT = re.compile(r"[（(]((?!最|约|含|估|平均)[^（）()\d]{1,4})[)）]$")
_TURN = re.compile(
    r"(?:^|(?<=[，：:]))(?P<measure>[^，。；：:]{2,24}?)[：:，]?(?:由|从|[：:])(?P<before>[^，。；：:、]{1,24}?)，?"
    r"(?:减|降|升|缩短|提高|增加|增长|压缩|下降|上升|增|压)(?:到|至|为)(?:最后一个月的)?(?P<after>[^，。；（(、]{1,24})"
)
_ORDINAL = re.compile(r"^(?:[（(]\d+[)）]|\d+[.、．])\s*")
_GLUED_HEAD = re.compile(r"^(\d{4}年\S{0,8})\s+(\d{4}年\d{0,2}(?:月|季度)?)(.*)$")
_GLUED_ROW = re.compile(r"\s*([^\d\s%][^\s]*)\s+(\d[\d,.]*%?)\s+(\d[\d,.]*%?)")
_PERIOD_LINE = re.compile(r"^(\d{4}(?:年|届)[^：:，]{0,24})[：:](.+)$")
_NAMED_NUMBER = re.compile(r"^([^\d]{2,16}?)(约?\d[\d,.]*)\s*(\D{0,4})$")


def is_compared(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table with this header sets two or more moments beside each other, mostly in numbers."""
    periods = sum(bool(_PERIOD.search(cell)) for cell in header[1:])
    told = [row for row in rows if len(row) >= 3]
    numbers = sum(any(c.isdigit() for c in row[1]) or any(c.isdigit() for c in row[-1]) for row in told)
    return periods >= 2 and len(told) >= 1 and numbers * 2 >= len(told)


def figure_of(row: Sequence[str]) -> Figure | None:
    """The first and the last moment of a row of such a table, with the unit apart where both have it."""
    if len(row) < 3 or not row[0].strip() or not (row[1].strip() and row[-1].strip()):
        return None
    measure, before, after = (_cell(c) for c in (row[0], row[1], row[-1]))
    unit = ""
    one, two = _ABOUT.match(before), _ABOUT.match(after)
    if one and two and not one[1] and not two[1] and one[3] == two[3]:
        before, after, unit = one[2], two[2], one[3].strip()
    if not unit and (named := _UNIT.search(measure)) and one and two:
        measure, unit = measure[: named.start()].strip(), named[1]
    return Figure(measure, before, after, unit)


def _cell(text: str) -> str:
    """Text that a line of figures can hold."""
    return " ".join(text.replace("|", "／").replace("｜", "／").split())


def figures_in(text: str) -> Iterator[Figure]:
    """Figures that lines of running text tell: 平均等待由 73 分钟降到 26 分钟; two lines that begin with two years.

    >>> list(figures_in("共用账号：41个减为4个；"))
    [Figure(measure='共用账号', before='41', after='4', unit='个')]
    """
    lines = text.splitlines()
    periods = [found for line in lines if (found := _PERIOD_LINE.match(line.strip()))]
    if len(periods) >= 2:
        yield from _between(periods[0][2], periods[1][2])
    for line in lines:
        if glued := _GLUED_HEAD.match(line.strip()):
            for cells in _GLUED_ROW.findall(glued[3]):
                if figure := figure_of(cells):
                    yield figure
            continue
        for sentence in _SENTENCE.findall(line):
            for found in _TURN.finditer(sentence.strip()):
                row = (_ORDINAL.sub("", found["measure"]), found["before"], found["after"])
                if any(c.isdigit() for c in row[1] + row[2]) and (figure := figure_of(row)):
                    yield figure


def _between(earlier: str, later: str) -> Iterator[Figure]:
    """What two lists of named numbers have in common."""

    def named(said: str) -> dict[str, tuple[str, str]]:
        found = (_NAMED_NUMBER.match(part.strip(" 。")) for part in re.split(r"[，；;]", said))
        return {f[1].strip(): (f[2], f[3].strip()) for f in found if f}

    before, after = named(earlier), named(later)
    for measure, (number, unit) in before.items():
        if measure in after:
            yield Figure(measure, number, after[measure][0], unit)
