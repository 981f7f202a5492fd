"""One sheet for all formats: twelve questions over all types, about rules that exist nowhere.

`python -m tests.unit.quiz.exchange_sheet xlsx csv` writes the golden files of these formats anew; look at what
changed before you keep it.
"""

import io
import json
import re
import sys
from pathlib import Path

import pypdfium2

from quiz.exchange import Written, format_named
from quiz.model import BLANK, FALSE, TRUE, Citation, Point, Question, Sheet, SheetQuestion, Slot, Type


def citation(path: str, quote: str, start: int = 120) -> Citation:
    """A citation of the invented rules."""
    return Citation(
        "00000000000000a1",
        "青禾园区自行车棚管理规则",
        ("第二章 使用", path),
        quote,
        start,
        start + len(quote),
        "00000000000000c1",
        "art-7",
    )


GOLDEN = Path(__file__).parents[2] / "exchange"
LONG = (
    "凡在车棚内停放自行车、三轮车、婴儿车以及其他不以燃油为动力的小型车辆的住户，均应当事先登记并领取号牌，"
    * 3
)

SHEET = Sheet(
    "青禾园区自行车棚管理知识测验",
    (
        SheetQuestion(
            Question(
                Type.SINGLE,
                f"车棚管理小组一般设组员{BLANK}人。",
                ("3至5", "3至7", "5至7", "5至9"),
                ("3至7",),
                "《青禾园区自行车棚管理规则》第七条：车棚管理小组一般设组员3至7人。",
                citation("第七条", "车棚管理小组一般设组员3至7人"),
                0.3,
                slot=Slot.RANGE,
                places=((131, 134),),
                topics=("青禾园区自行车棚管理规则", "第二章 使用"),
            ),
            2,
        ),
        SheetQuestion(
            Question(
                Type.SINGLE,
                "下列单元格内容里，登记表“备注(栏)”允许写的是{哪一项}？",
                ("=SUM(A1:A9)", "+86 号牌", "@管理员", '-1 "左侧"'),
                ("=SUM(A1:A9)",),
                '=HYPERLINK("x") 也只是文字。',
                difficulty=0.7,
            ),
            2,
        ),
        SheetQuestion(
            Question(
                Type.SINGLE,
                "姓名中有“䶮”“㛃”“𠮷”等字的住户登记时，应当怎样填写？\n请选出正确的一项。",
                ("照身份证上的字填写", "用拼音代替", "留空", LONG.strip("，")),
                ("照身份证上的字填写",),
                citation=citation("第九条", "登记姓名应当与证件一致", 300),
            ),
            2,
        ),
        SheetQuestion(
            Question(
                Type.MULTIPLE,
                f"进入车棚时应当出示{BLANK}。",
                ("号牌", "登记卡", "钥匙", "购车发票", "雨衣", "打气筒", "头盔", "门禁（卡）"),
                ("号牌", "登记卡", "门禁（卡）"),
                "三样都要。",
                citation("第十条", "出示号牌、登记卡和门禁（卡）", 420),
                topics=("青禾园区自行车棚管理规则",),
            ),
            3,
        ),
        SheetQuestion(
            Question(
                Type.MULTIPLE,
                "<b>不得</b> & 禁止停放的有哪些？",
                ("汽油车", "柴油车", "自行车"),
                ("汽油车", "柴油车"),
                difficulty=0.9,
            ),
            3,
        ),
        SheetQuestion(
            Question(
                Type.TRUE_FALSE,
                "号牌遗失的，应当在三日内补领。",
                (TRUE, FALSE),
                (TRUE,),
                citation=citation("第十一条", "号牌遗失的，应当在三日内补领", 500),
            ),
            1,
        ),
        SheetQuestion(
            Question(Type.TRUE_FALSE, "车棚夜间（22时后）可以停放汽油车。", (TRUE, FALSE), (FALSE,)), 1
        ),
        SheetQuestion(
            Question(
                Type.BLANK,
                f"住户应当自领取号牌之日起{BLANK}内，到{BLANK}登记。",
                (),
                ("三十日", "管理小组"),
                citation=citation("第八条", "自领取号牌之日起三十日内，到管理小组登记", 220),
                accepted=(("30日", "30天"), ()),
                slot=Slot.NUMBER,
            ),
            2,
        ),
        SheetQuestion(Question(Type.BLANK, f"车棚的灯在{BLANK}熄灭。", (), ("23:30",)), 1.5),
        SheetQuestion(
            Question(
                Type.SHORT,
                "号牌在什么情形下收回？",
                (),
                ("住户迁出，或者连续一年不使用车棚的，收回号牌。",),
                citation=citation("第十二条", "住户迁出，或者连续一年不使用车棚的，收回号牌。", 600),
                points=(Point("住户迁出", 0.5), Point("连续一年不使用车棚", 0.5)),
            ),
            6,
        ),
        SheetQuestion(
            Question(
                Type.ORDERING,
                "把领取号牌的步骤按先后排列。",
                ("交押金", "登记", "领号牌", "验车"),
                ("登记", "验车", "交押金", "领号牌"),
            ),
            4,
        ),
        SheetQuestion(
            Question(
                Type.MATCHING,
                "把事项与办理的人对应起来。",
                ("组长", "管理员", "住户大会"),
                ("管理员", "组长", "住户大会"),
                prompts=("发号牌", "开棚门", "改规则"),
            ),
            3,
        ),
    ),
    "时间 40 分钟，满分 30.5 分。",
    "A 卷",
)


def printed(data: bytes) -> str:
    """The text of a PDF without white space, which depends on the fonts of the machine."""
    document = pypdfium2.PdfDocument(io.BytesIO(data))
    try:
        return "\n".join(re.sub(r"\s+", "", page.get_textpage().get_text_range()) for page in document)
    finally:
        document.close()


def losses_text(written: Written) -> str:
    """The report as it is kept beside a golden file."""
    return (
        json.dumps({loss.number: loss.what for loss in written.losses}, ensure_ascii=False, indent=1) + "\n"
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        format_, folder = format_named(name), GOLDEN / name
        folder.mkdir(parents=True, exist_ok=True)
        written = format_.write(SHEET)
        if name == "pdf":
            (folder / "sheet.txt").write_text(printed(written.data) + "\n", encoding="utf-8")
        else:
            (folder / f"sheet{format_.suffix}").write_bytes(written.data)
        (folder / "losses.json").write_text(losses_text(written), encoding="utf-8")
