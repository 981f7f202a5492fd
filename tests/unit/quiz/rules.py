"""An invented rule to ask about, and what is made of it."""

from ingest.read import read_document
from kb.model import Document, Source
from quiz.generation.gates import Basis, squeeze

RULE = """# 云屏市共享学习点管理条例

（2024年3月5日云屏市学习联席会议通过）

## 第一章 总则

第一条 为了规范共享学习点的设立和使用，方便各支部学习，制定本条例。

第二条 本条例所称共享学习点，是指由两个以上支部共同出资设立、轮流值守并向成员开放的学习场所。

第三条 设立共享学习点，应当遵循自愿、公开、节俭、便利的原则。

## 第二章 设立

第四条 申请设立共享学习点的支部，应当向云屏市学习联席会议办公室提交书面申请。办公室应当自收到申请之日起十五日内作出决定；不予同意的，应当书面说明理由。

第五条 共享学习点应当具备下列条件：
（一）使用面积不少于六十平方米；
（二）有固定的值守人员；
（三）有符合要求的消防设施。

第六条 有下列情形之一的，不得设立共享学习点：
（一）所在房屋为危险房屋的；
（二）距离已有学习点不足三百米的；
（三）发起支部在一年内被通报批评的；
（四）其他不适合设立的情形。

第七条 前款规定的距离由云屏市测绘管理机构核定。

## 第三章 使用

第八条 每个共享学习点设管理员三至五人，由管理委员会推选，每届任期二年。

第九条 预约使用学习点的，应当提前三日登记；取消预约的，应当提前一日告知值守人员；连续三次失约的，六个月内不得预约。

第十条 值守人员应当按照下列程序接待来访支部：
（一）查验预约信息；
（二）登记来访人数；
（三）讲解安全须知；
（四）开放学习区域。

第十一条 违反本条例规定，擅自改变学习点用途的，由管理委员会责令改正，处五百元以上二千元以下的违约金；逾期不改正的，由云屏市学习联席会议办公室撤销该学习点。

第十二条 学习点的维修经费由发起支部按照百分之四十的比例承担，其余由市学习专项经费列支。

## 第四章 附则

第十三条 本条例自2024年5月1日起施行。
"""


def document_of(text: str = RULE, name: str = "rule.md") -> Document:
    """The text as a document, read as any other."""
    return read_document(Source(name, "text/markdown", text.encode()))


def basis_of(document: Document, elsewhere: str = "", *, in_force: bool = True) -> Basis:
    """What questions on the document are held against, with a text of another one."""
    said = squeeze(document.text + elsewhere)
    return Basis(document, in_force, lambda text: squeeze(text) in said, squeeze(document.text))
