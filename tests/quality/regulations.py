"""Invented regulations: grammatical articles of bodies, periods, amounts, lists, definitions and cross-references."""

from typing import NamedTuple

from hypothesis import strategies as st

BODIES = (
    "市人民政府", "县级以上人民政府", "市档案主管部门", "市财政部门", "市审计机关", "街道办事处", "市公安机关",
    "园区管理委员会", "市监察机关", "借阅服务中心",
)  # fmt: skip
ACTORS = ("借阅人", "保管人", "档案馆", "承运单位", "修复机构", "志愿服务组织")
PAPERS = ("借阅申请", "修复申请", "延期申请", "举报材料", "评估报告", "移交清单")
DUTIES = (
    "组织年度检查", "保持库房通风", "建立登记制度", "公布开放目录", "培训工作人员", "清点馆藏图纸", "更换防火设备",
    "编制应急预案", "查验借阅凭证", "归还原始手稿",
)  # fmt: skip
FAULTS = (
    "涂改档案内容", "逾期不归还图纸", "冒用他人名义借阅", "擅自复制手稿", "损坏防火设备", "泄露借阅记录",
    "拒绝接受检查", "隐瞒遗失情况",
)  # fmt: skip
THINGS = ("手稿", "图纸", "照片", "录音", "地图", "拓片", "族谱", "印章")
TERMS = {
    "开放档案": "已经公布目录并允许任何人借阅的档案",
    "珍贵档案": "经评估认为不可替代的档案",
    "保管人": "受委托看管馆藏的单位和个人",
    "修复机构": "从事纸张和照片修复的专业单位",
}
KINDS = ("条例", "办法", "规定")
SUBJECTS = ("档案借阅", "图纸保管", "馆藏修复", "库房安全")
CITIES = ("澄江市", "云泽市", "岚山市")
CHINESE = "零一二三四五六七八九十"


class Regulation(NamedTuple):
    """A regulation as a file holds it."""

    title: str
    year: int
    text: str


def written(number: int) -> str:
    """A number below a hundred in Chinese.

    >>> [written(n) for n in (3, 10, 15, 20, 45)]
    ['三', '十', '十五', '二十', '四十五']
    """
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else CHINESE[tens] + "十") + (
        CHINESE[ones] if ones or not number else ""
    )


numbers = st.sampled_from((2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90))
figures = st.one_of(numbers.map(written), numbers.map(str))
periods = st.builds(str.__add__, figures, st.sampled_from(("日", "天", "个月", "年", "个工作日")))
fines = st.sampled_from(("二百元", "500元", "一千元", "二千元", "五千元", "1万元", "二万元", "五万元"))
bodies, actors, papers = st.sampled_from(BODIES), st.sampled_from(ACTORS), st.sampled_from(PAPERS)
duties, faults = st.sampled_from(DUTIES), st.sampled_from(FAULTS)
modals = st.sampled_from(("应当", "可以", "不得", "必须", "无须"))
several_things = st.lists(st.sampled_from(THINGS), min_size=2, max_size=5, unique=True)


@st.composite
def listed(draw: st.DrawFn) -> str:
    """A rule with items, whole or left open by its last, on lines or torn in the middle."""
    from_these = draw(st.sampled_from((DUTIES, FAULTS)))
    items = draw(st.lists(st.sampled_from(from_these), min_size=2, max_size=6, unique=True))
    last = draw(
        st.sampled_from(
            ("", "", "", "其他违反本办法的行为", "法律、法规规定的其他情形", f"{draw(bodies)}要求的其他事项")
        )
    )
    items += [last] if last else []
    if draw(st.integers(0, 7)) == 0:
        at = draw(st.integers(0, len(items) - 1))
        items[at] = items[at][:3] + "\n" + items[at][3:]
    lead = draw(
        st.sampled_from((
            f"有下列情形之一的，{draw(bodies)}应当停止借阅：",
            f"{draw(actors)}应当履行下列职责：",
            f"{draw(actors)}不得有下列行为：",
            f"{draw(bodies)}已经作出决定。但是，有下列情形之一的，可以撤销：",
        ))
    )  # fmt: skip
    marks = [f"（{written(n + 1)}）{item}" for n, item in enumerate(items)]
    return lead + "\n" + "；\n".join(marks) + "。"


@st.composite
def in_line(draw: st.DrawFn) -> str:
    """A list inside a sentence, whole or open."""
    things = "、".join(draw(several_things))
    end = draw(st.sampled_from(("", "", "等", "以及其他纸质材料", "和其他珍贵档案")))
    return draw(
        st.sampled_from((
            f"{draw(actors)}的馆藏包括{things}{end}。",
            f"{draw(bodies)}应当将{things}{end}列入开放目录，并向{draw(bodies)}备案。",
        ))
    )  # fmt: skip


@st.composite
def defined(draw: st.DrawFn) -> str:
    """A definition."""
    term = draw(st.sampled_from(sorted(TERMS)))
    return f"本办法所称{term}，是指{TERMS[term]}。"


@st.composite
def plain(draw: st.DrawFn) -> str:
    """A sentence with a body, a period, an amount or a modality."""
    body, other, actor = draw(bodies), draw(bodies), draw(actors)
    period, longer = draw(periods), draw(periods)
    return draw(
        st.sampled_from((
            f"{body}应当自收到{draw(papers)}之日起{period}内作出决定。",
            f"{body}应当自收到{draw(papers)}之日起{period}内作出决定，并在{longer}内书面通知{actor}。",
            f"{body}负责{draw(duties)}，{other}予以配合。",
            f"{actor}{draw(modals)}{draw(duties)}。",
            f"{actor}{draw(modals)}在借阅期满前{period}向{body}提出{draw(papers)}。",
            f"违反本办法规定，{draw(faults)}的，由{body}责令限期改正；逾期不改正的，处{draw(fines)}以上{draw(fines)}以下罚款。",
            f"{draw(faults)}的，由{body}给予警告，可以并处{draw(fines)}罚款。",
            f"评估小组由{draw(figures)}至{draw(figures)}名专家组成，任期{period}。",
            f"费用由{body}承担百分之{written(draw(numbers))}，其余由{actor}承担。",
            f"库房与明火的距离不少于{draw(figures)}米，每{period}检查一次。",
            f"{actor}对决定不服的，可以自收到决定之日起{period}内向{body}申请复核。",
        ))
    )  # fmt: skip


@st.composite
def leaning(draw: st.DrawFn) -> str:
    """A sentence that points at another one."""
    body, period = draw(bodies), draw(periods)
    return draw(
        st.sampled_from((
            f"前款规定的期限，经{body}批准可以延长{period}。",
            f"依照本办法第三条第一款的规定受到处罚的，该单位应当在{period}内提交整改报告。",
            f"其负责人应当向{body}说明情况。",
            f"但经{body}同意的除外，并应当在{period}内补办手续。",
            f"上述材料由{body}保存{period}。",
            f"违反本条规定的，由{body}处{draw(fines)}罚款。",
            f"逾期未答复的，视为同意，由{body}在{period}内登记。",
            f"有本办法第五条第（二）项所列行为的，由{body}处{draw(fines)}罚款。",
        ))
    )  # fmt: skip


articles = st.builds(
    lambda first, more: "\n".join([first, *more]),
    st.one_of(plain(), plain(), listed(), in_line(), defined()),
    st.lists(st.one_of(plain(), leaning()), max_size=2),
)


@st.composite
def regulations(draw: st.DrawFn, title: str, year: int) -> Regulation:
    """A regulation of this title and year."""
    found = draw(st.lists(articles, min_size=4, max_size=12))
    lines = [f"第{written(n + 1)}条　{text}" for n, text in enumerate(found)]
    head = f"{title}\n澄政发〔{year}〕{draw(st.integers(1, 40))}号\n澄江市人民政府\n\n{year}年3月1日印发\n\n"
    return Regulation(
        title,
        year,
        head + "\n".join(lines) + f"\n第{written(len(found) + 1)}条　本办法自{year}年4月1日起施行。\n",
    )


@st.composite
def libraries(draw: st.DrawFn) -> list[Regulation]:
    """Two or three regulations on the same matters, one with an earlier version that it ended."""
    names = st.builds(
        "{}{}{}".format, st.sampled_from(CITIES), st.sampled_from(SUBJECTS), st.sampled_from(KINDS)
    )
    titles = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    found = [draw(regulations(title, 2022 + n)) for n, title in enumerate(titles)]
    return [*found, draw(regulations(titles[0], 2018))]
