"""An exam of 24 questions over an invented rule that 120 people of five branches sat, as pages of results show it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from access.office import Office
from access.rights import Role
from access.sharing import Wanted
from kb.model import Document, Source
from quiz.model import FALSE, TRUE, Citation, Point, Question, Type
from tests.integration.manage_stage import Stage, full_stage
from tests.sittings import put_exam, put_question, put_sitting

RULE = """夜学管理办法
第一章　总则
第一条　为办好夜学，制定本办法。
第二条　夜学每月不少于两次，每次不少于九十分钟。
第三条　夜学由支部委员会组织，夜学小组具体承办。
第二章　人员
第四条　夜学小组由五至七人组成，组长由支部委员担任。
第五条　组长负责领学，记录员负责记录，联络员负责通知。
第六条　参加夜学的人员不得代签，不得提前离开。
第三章　记录和补学
第七条　夜学记录保存三年，由记录员保管。
第八条　夜学缺席的，应当在七日内说明原因并补学。
第九条　一季度缺席三次的，由组长谈话提醒。
"""
_ASKED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("第二条", "夜学每月不少于几次？", ("两次", "一次", "三次", "四次")),
    ("第二条", "夜学每次不少于多长时间？", ("九十分钟", "六十分钟", "四十五分钟", "一百二十分钟")),
    ("第三条", "夜学由谁组织？", ("支部委员会", "夜学小组", "联络员", "上级党委")),
    ("第三条", "夜学由谁具体承办？", ("夜学小组", "支部委员会", "记录员", "组长")),
    ("第四条", "夜学小组由多少人组成？", ("五至七人", "三至五人", "三至七人", "七至九人")),
    ("第四条", "夜学小组组长由谁担任？", ("支部委员", "联络员", "记录员", "书记")),
    ("第五条", "谁负责夜学的通知？", ("联络员", "组长", "记录员", "书记")),
    ("第五条", "谁负责领学？", ("组长", "记录员", "联络员", "书记")),
    ("第七条", "夜学记录由谁保管？", ("记录员", "组长", "联络员", "支部委员会")),
    ("第七条", "夜学记录保存多久？", ("三年", "一年", "两年", "五年")),
    ("第八条", "缺席夜学的，应当在多长时间内说明原因？", ("七日", "三日", "十日", "十五日")),
    ("第九条", "一季度缺席几次，由组长谈话提醒？", ("三次", "两次", "四次", "五次")),
    ("第九条", "缺席满次数的，由谁谈话提醒？", ("组长", "书记", "记录员", "联络员")),
    ("第二条", "下列哪一项是夜学时长的下限？", ("九十分钟", "八十分钟", "一百分钟", "六十分钟")),
    ("第四条", "夜学小组最多几人？", ("七人", "五人", "九人", "六人")),
    ("第八条", "补学应当在缺席后几日内完成？", ("七日", "五日", "十日", "三十日")),
)
MIS_KEYED, EASY, IDLE = 6, 0, 11
"""Questions, from 0: one whose key is wrong, one that nearly all get right, one that says nothing of the others."""
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
_GIVEN = ("建国", "晓燕", "志强", "丽华", "海涛", "秀英")
SIZES: Mapping[str, int] = {"jia-1": 68, "yi-1": 40, "jia-2": 9, "bing-1": 3}
"""How many people of each branch sat it; the last is too small to be told."""


@dataclass
class Results:
    """The stage, the exam, and its questions by number from 0."""

    stage: Stage
    document_id: str
    exam_id: str
    question_ids: list[str]

    @property
    def office(self) -> Office:
        """What the services work with."""
        return self.stage.access.office


def questions_of(document: Document) -> list[Question]:
    """Sixteen single choices, three of several, three true or false, a blank and a short answer."""
    made = []
    for number, (label, stem, options) in enumerate(_ASKED):
        key = options[1] if number == MIS_KEYED else options[0]
        turned = options[number % 4 :] + options[: number % 4]
        made.append((label, Question(Type.SINGLE, stem, turned, (key,))))
    for label, stem, options, key in (
        ("第五条", "夜学小组里有哪些分工？", ("领学", "记录", "通知", "考核"), 3),
        ("第六条", "参加夜学的人员不得做什么？", ("代签", "提前离开", "做笔记", "发言"), 2),
        ("第八条", "缺席的人应当怎么办？", ("说明原因", "补学", "写检查", "交罚款"), 2),
    ):
        made.append((label, Question(Type.MULTIPLE, stem, options, options[:key])))
    for label, stem, answer in (
        ("第六条", "参加夜学的人员可以代签。", FALSE),
        ("第七条", "夜学记录保存三年。", TRUE),
        ("第四条", "夜学小组组长由支部委员担任。", TRUE),
    ):
        made.append((label, Question(Type.TRUE_FALSE, stem, (TRUE, FALSE), (answer,))))
    made.append(("第九条", Question(Type.BLANK, "一季度缺席（　　）次的，由组长谈话提醒。", (), ("三",))))
    short = Question(
        Type.SHORT,
        "缺席夜学之后应当怎样做？",
        (),
        ("在七日内说明原因并补学。",),
        points=(Point("七日内", 0.4), Point("说明原因", 0.3), Point("补学", 0.3)),
    )
    made.append(("第八条", short))
    return [_cited(question, document, label) for label, question in made]


def _cited(question: Question, document: Document, label: str) -> Question:
    clause = next(c for c in document.clauses if c.label == label)
    text = document.text[clause.start : clause.end].strip()
    citation = Citation(
        document.document_id,
        document.meta.title,
        clause.path,
        text,
        clause.start,
        clause.start + len(text),
        clause.clause_id,
        clause.anchor,
    )
    return replace(question, citation=citation, topics=(document.meta.title, *clause.path[:1]))


def result_stage(home: Path) -> Results:
    """The stage, the same each time."""
    stage = full_stage(home)
    stage.access.branches.found(None, "甲公司二支部", parent_id="jia", branch_id="jia-2")
    stage.add("trainer2", **{"jia-2": Role.TRAINER})
    stage.add("other-trainer", **{"yi-1": Role.TRAINER})
    source = Source("夜学管理办法.txt", "text/plain", RULE.encode())
    outcome = stage.services.holdings.hand_in(
        stage.principal("liaison"), "jia-1", source, [Wanted("own"), Wanted("partners"), Wanted("everyone")]
    )
    document = stage.services.document(outcome.document_id or "", stage.principal("liaison").scope)
    made = questions_of(document)
    office = stage.access.office
    ids = [put_question(office, "jia-1", question) for question in made]
    # One more that is approved, and never asked.
    put_question(
        office,
        "jia-1",
        _cited(Question(Type.TRUE_FALSE, "夜学为了玩。", (TRUE, FALSE), (FALSE,)), document, "第一条"),
    )
    points = [2.0] * 16 + [4.0] * 3 + [2.0] * 3 + [4.0, 10.0]
    exam_id = put_exam(office, "jia-1", [ids], ["public"], points=points, title="夜学知识季度测验")
    found = Results(stage, document.document_id, exam_id, ids)
    _sit(found, made, dict(zip(ids, points, strict=True)))
    return found


def _sit(found: Results, made: list[Question], points: dict[str, float]) -> None:
    rng = np.random.default_rng(120)
    slopes, places = rng.uniform(0.7, 1.6, len(made)), rng.normal(-0.7, 0.8, len(made))
    slopes[IDLE], places[EASY] = 0.0, -4.0
    n = 0
    for branch_id, size in SIZES.items():
        for _ in range(size):
            name = _SURNAMES[n % 20] + _GIVEN[n // 20]
            person_id = found.stage.access.people.add(None, f"p{n:03d}", name)
            found.stage.access.people.set_roles(None, person_id, branch_id, frozenset({Role.MEMBER}))
            found.stage.ids[f"p{n:03d}"] = person_id
            ability = rng.normal()
            knows = rng.random(len(made)) < 0.15 + 0.85 / (1 + np.exp(-1.7 * slopes * (ability - places)))
            left = rng.random(len(made)) < (0.02 if ability > 0 else 0.05)
            gave = {
                q: _answer(rng, question, number, bool(knows[number]))
                for number, (q, question) in enumerate(zip(points, made, strict=True))
                if not left[number]
            }
            short = list(points)[-1]
            waits = short in gave and n % 10 == 3
            if waits:
                gave[short] = (gave[short][0], None)
            state = "submitted" if waits else "marked"
            put_sitting(
                found.office,
                found.exam_id,
                person_id,
                branch_id,
                list(points),
                gave,
                points=points,
                state=state,
            )
            n += 1


def _answer(
    rng: np.random.Generator, question: Question, number: int, knows: bool
) -> tuple[list[int | str], float | None]:
    """What somebody gives, and the share it gets; who knows the question with the wrong key gives what is true."""
    if question.type is Type.BLANK:
        return (["三"], 1.0) if knows else (["五"], 0.0)
    if question.type is Type.SHORT:
        return (["七日内说明原因，并且补学。"], 1.0) if knows else (["向组长说明原因。"], 0.3)
    key = [n for n, text in enumerate(question.options) if text in question.answer]
    true = question.options.index(_ASKED[number][2][0]) if number == MIS_KEYED else key[0]
    wrong = [n for n in range(len(question.options)) if n not in key and n != true]
    if question.type is Type.MULTIPLE:
        given = (
            key if knows else sorted({*key[:1], int(rng.choice(wrong))}) if rng.random() < 0.6 else key[:1]
        )
        return list(given), 1.0 if given == key else 0.5 if set(given) <= set(key) else 0.0
    others = [n for n in range(len(question.options)) if n != true]
    given = [true] if knows else [int(rng.choice(others))]
    return list(given), float(given == key)
