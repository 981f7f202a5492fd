"""No question breaks a gate of DESIGN section 8, judged by `tests.gate_checker`, which shares no code with the generator."""

import copy
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from api.services import Services
from api.settings import Settings, load_settings
from api.wiring import build_services
from benchmarks.questions import drawn_laws, made
from kb.model import PUBLIC, Validity
from quiz.generation.generator import Material
from quiz.model import question_json
from tests.fakes import HashingEncoder
from tests.gate_checker import GAP, SOUND, Violation, violations
from tests.quality.regulations import Regulation, libraries

SCOPE = frozenset({PUBLIC})
SEED = 20261123
LAWS = os.environ.get("GONGXUE_LAWS")
"""The folder of the laws of LawRefBook/Laws; `GONGXUE_LAWS_HOME` may name a home to use, or to make, with them in it."""

Json = dict[str, Any]


def read(services: Services) -> tuple[dict[str, str], dict[str, bool]]:
    """Every text of the installation, and which are in force today."""
    cards = services.documents(SCOPE, k=10**6)[1]
    texts = {c.document_id: services.document(c.document_id, SCOPE).text for c in cards}
    return texts, {c.document_id: c.validity is Validity.IN_FORCE for c in cards}


def generated(services: Services, document_id: str, n: int, seed: int = SEED) -> list[Json]:
    """Questions of one document as the command line prints them."""
    found = services.quiz.generator.generate(Material(document_id), SCOPE, n=n, seed=seed)
    return [question_json(q) for q in found.questions]


def unsound(found: list[Violation], questions: list[Json]) -> list[str]:
    """The breaches by which a question is wrong or misleads, each with its stem."""
    stems = {q["question_id"]: q["stem"] for q in questions}
    return [f"gate {v.gate}: {v.what} | {stems.get(v.question_id, '')}" for v in found if v.gate in SOUND]


def test_the_sample_corpus_gives_sound_questions(corpus_home: Path) -> None:
    """Sixty questions at most of each document, of all types, break no gate."""
    services = build_services(Settings(home=corpus_home))
    try:
        texts, in_force = read(services)
        broken, n = [], 0
        for document_id in sorted(d for d, valid in in_force.items() if valid):
            questions = generated(services, document_id, 60)
            broken += unsound(violations(questions, texts, in_force), questions)
            n += len(questions)
    finally:
        services.close()
    assert not broken, f"{len(broken)} of {n} questions:\n" + "\n".join(broken)
    assert n > 1000


# A library cannot be made smaller in good time: each trial takes it in anew.
@settings(
    max_examples=15,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(library=libraries())
def test_invented_regulations_give_sound_questions(library: list[Regulation]) -> None:
    """Whatever regulations say, what is made of them breaks no gate, asks nothing of ended texts, and is the same again."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), library) as services:
        texts, in_force = read(services)
        assert len(texts) == len(library)
        assert sum(in_force.values()) == len(library) - 1
        for document_id in sorted(texts):
            questions = generated(services, document_id, 60)
            broken = unsound(violations(questions, texts, in_force), questions)
            assert not broken, "\n".join([*broken, *(r.text for r in library)])
            assert generated(services, document_id, 60) == questions


@contextmanager
def opened(folder: Path, library: list[Regulation]) -> Iterator[Services]:
    """A home of these regulations, taken in as any files are, while it is needed."""
    texts = folder / "texts"
    texts.mkdir()
    for number, regulation in enumerate(library):
        (texts / f"{number}.txt").write_text(regulation.text, encoding="utf-8")
    services = build_services(Settings(home=folder / "home", processes=1), encoder=HashingEncoder())
    try:
        assert not services.ingest([texts]).failed
        yield services
    finally:
        services.close()


@pytest.mark.long
@pytest.mark.skipif(LAWS is None, reason="GONGXUE_LAWS names no folder with real laws")
def test_real_laws_give_sound_questions(tmp_path: Path) -> None:
    """Two thousand questions over a hundred laws, drawn by the committed seed, break no gate."""
    home = Path(os.environ.get("GONGXUE_LAWS_HOME", tmp_path / "home"))
    new = not (home / "catalog.db").exists()
    services = build_services(load_settings({}, home=home))
    try:
        if new:
            services.ingest([Path(str(LAWS))])
        questions = [question_json(q) for q in made(services, drawn_laws(services))[0]]
        broken = unsound(violations(questions, *read(services)), questions)
    finally:
        services.close()
    assert len(questions) > 1900
    assert not broken, f"{len(broken)} of {len(questions)} questions:\n" + "\n".join(broken)


# --- The checker is not blind: a good question, broken in one way, is caught by that gate

TEXT = """澄江市档案借阅条例
第一条 档案馆应当自收到借阅申请之日起三十日内作出答复。
第二条 有下列情形之一的，档案馆应当停止借阅：
（一）档案正在修复；
（二）档案已经遗失；
（三）申请人冒用他人名义。
第三条 借阅室应当自行巡查安全设施并保持通风，不得存放易燃物品。
第四条 借阅费用由市财政部门和档案主管部门承担。
第五条 有下列材料之一的，档案馆可以免收费用：
（一）残疾证明；
（二）学生证明；
（三）市人民政府规定的其他证明。
第六条 档案馆应当自收到修复申请之日起六十日内作出答复。
第七条 档案馆的藏品包括手稿、图纸、照片等。
第八条 前款规定的藏品由档案主管部门登记。
第九条 逾期不归还的，由档案主管部门处二百元罚款。
第十条 档案馆应当自收到复制申请之日起十五日内作出答复。
第十一条 档案馆应当在六月清点图纸。
第十二条 档案馆应当在九月清点图纸。
"""
OTHER = "云泽市档案借阅办法\n第一条 借阅室应当自行巡查安全设施并保持整洁，不得存放易燃物品。\n"
TEXTS = {"a": TEXT, "b": OTHER}
IN_FORCE = {"a": True, "b": False}
PREFACE = "根据《澄江市档案借阅条例》，"


def question(kind: str, slot: str, article: str, quote: str, stem: str, answer: Any, **more: Any) -> Json:
    """A question on a quote of TEXT; its places are those of `asked`."""
    start = TEXT.index(quote)
    asked = more.pop("asked", [answer] if isinstance(answer, str) else answer)
    places = [[start + quote.index(a), start + quote.index(a) + len(a)] for a in asked]
    cited = {"document_id": "a", "path": [article], "quote": quote, "start": start, "end": start + len(quote)}
    rest = {"options": [], "accepted": [], "points": [], "prompts": [], **more}
    return {
        "question_id": f"{kind}-{slot}", "type": kind, "slot": slot, "stem": PREFACE + stem, "answer": answer,
        "citation": cited, "places": places, **rest,
    }  # fmt: skip


REPLY = "档案馆应当自收到借阅申请之日起三十日内作出答复。"
ROOM = "借阅室应当自行巡查安全设施并保持通风，不得存放易燃物品。"
STOP = "有下列情形之一的，档案馆应当停止借阅：\n（一）档案正在修复；\n（二）档案已经遗失；\n（三）申请人冒用他人名义"
REASONS = ["档案正在修复", "档案已经遗失", "申请人冒用他人名义"]
PAYS = "借阅费用由市财政部门和档案主管部门承担。"


def number() -> Json:
    """Single choice of a number with its unit."""
    stem = REPLY.replace("三十日", GAP)
    options = ["七日", "十日", "二十日", "三十日"]
    return question("single", "number", "第一条", REPLY, stem, "三十日", options=options)


def body_asked() -> Json:
    """Single choice of a body."""
    options = ["市财政部门", "市审计部门", "市人民政府", "市公安机关"]
    return question(
        "single", "body", "第四条", PAYS, PAYS.replace("市财政部门", GAP), "市财政部门", options=options
    )


def term() -> Json:
    """Single choice of a term."""
    options = ["安全设施", "消防通道", "门禁系统", "照明设备"]
    return question(
        "single", "term", "第三条", ROOM, ROOM.replace("安全设施", GAP), "安全设施", options=options
    )


def modality() -> Json:
    """Single choice of a modality."""
    stem = REPLY.replace("应当", GAP)
    options = ["应当", "可以", "不得", "无须"]
    return question("single", "modality", "第一条", REPLY, stem, "应当", options=options)


def several() -> Json:
    """Multiple choice from a list in items."""
    stem = f"有下列情形之一的，档案馆应当停止借阅：{GAP}。"
    return question(
        "multiple", "list", "第二条", STOP, stem, list(REASONS), options=[*REASONS, "档案尚未编目"]
    )


def true_one() -> Json:
    """A true statement."""
    options = ["正确", "错误"]
    return question("true_false", "number", "第一条", REPLY, REPLY, "正确", options=options, asked=["三十日"])


def false_one() -> Json:
    """A false statement."""
    stem = REPLY.replace("三十日", "四十日")
    return {**true_one(), "question_id": "false", "stem": PREFACE + stem, "answer": "错误"}


def blank() -> Json:
    """Fill in the blank."""
    accepted = [["30日", "三十天", "30天"]]
    return question(
        "blank", "number", "第一条", REPLY, REPLY.replace("三十日", GAP), ["三十日"], accepted=accepted
    )


GOOD: tuple[Callable[[], Json], ...] = (
    number,
    body_asked,
    term,
    modality,
    several,
    true_one,
    false_one,
    blank,
)


def changed(make: Callable[[], Json], **fields: Any) -> Callable[[], Json]:
    """The question with some fields changed; `cited` changes the citation, `stem` gets the preface."""

    def build() -> Json:
        found = copy.deepcopy(make())
        found["citation"].update(fields.get("cited", {}))
        if "stem" in fields:
            found["stem"] = PREFACE + fields["stem"]
        return {**found, **{k: v for k, v in fields.items() if k not in ("cited", "stem")}}

    return build


def statement(text: str, key: str) -> Callable[[], Json]:
    """A statement said to be false over the rule on the reading room, with the place that was changed."""
    at = TEXT.index(ROOM) + ROOM.index(key)

    def build() -> Json:
        options = ["正确", "错误"]
        found = question("true_false", "other", "第三条", ROOM, text, "错误", options=options, asked=[])
        return {**found, "places": [[at, at + len(key)]]}

    return build


def catch_all() -> Json:
    """A list that its last item leaves open."""
    quote = "有下列材料之一的，档案馆可以免收费用：\n（一）残疾证明；\n（二）学生证明；\n（三）市人民政府规定的其他证明"
    right = ["残疾证明", "学生证明", "市人民政府规定的其他证明"]
    stem = f"有下列材料之一的，档案馆可以免收费用：{GAP}。"
    return question("multiple", "list", "第五条", quote, stem, right, options=[*right, "军人证明"])


def open_list() -> Json:
    """A list in a sentence that ends in 等."""
    quote = "档案馆的藏品包括手稿、图纸、照片等。"
    right = ["手稿", "图纸", "照片"]
    return question(
        "multiple", "list", "第七条", quote, f"档案馆的藏品包括{GAP}等。", right, options=[*right, "书籍"]
    )


def part_of_a_list() -> Json:
    """Two of three items."""
    right = REASONS[:2]
    found = several()
    return {**found, "answer": right, "options": [*right, "档案尚未编目"], "places": found["places"][:2]}


def unheaded() -> Json:
    """A sentence that leans on the paragraph before it."""
    quote = "前款规定的藏品由档案主管部门登记。"
    options = ["档案主管部门", "市财政部门", "市审计部门"]
    return question(
        "single", "body", "第八条", quote, f"前款规定的藏品由{GAP}登记。", "档案主管部门", options=options
    )


def beheaded() -> Json:
    """A sentence that begins in the middle of a matter."""
    quote = "逾期不归还的，由档案主管部门处二百元罚款。"
    options = ["一百元", "二百元", "五百元"]
    return question(
        "single", "number", "第九条", quote, quote.replace("二百元", GAP), "二百元", options=options
    )


def cut_number() -> Json:
    """A gap in the middle of a number."""
    return question(
        "single",
        "number",
        "第一条",
        REPLY,
        REPLY.replace("十日", GAP),
        "十日",
        options=["八日", "九日", "十日"],
    )


def two_ways() -> Json:
    """A gap where two articles say two things."""
    quote = "档案馆应当在六月清点图纸。"
    return question("blank", "date", "第十一条", quote, quote.replace("六月", GAP), ["六月"])


HELD_BY: tuple[tuple[str, int, Callable[[], Json]], ...] = (
    ("key not among the options", 1, changed(number, options=["七日", "十日", "二十日", "四十日"])),
    ("options that are the same", 1, changed(number, options=["七日", "7天", "三十日"])),
    ("one key of a multiple choice", 1, changed(several, answer=REASONS[:1])),
    ("every option a key", 1, changed(several, options=list(REASONS))),
    ("two gaps, one key", 1, changed(blank, stem=REPLY.replace("三十日", GAP).replace("答复", GAP))),
    ("a quote that is not there", 2, changed(number, cited={"quote": REPLY.replace("三十", "九十")})),
    ("a quote of another place", 2, changed(number, cited={"start": 0, "end": len(REPLY)})),
    ("another article named", 2, changed(number, cited={"path": ["第六条"]})),
    ("a text that is not in force", 2, changed(number, cited={"document_id": "b"})),
    ("a text that nobody has", 2, changed(number, cited={"document_id": "c"})),
    ("a key that is not in the clause", 2, changed(blank, answer=["九十日"])),
    ("a stem of other words", 2, changed(number, stem=f"档案馆应当在{GAP}内作出答复。")),
    ("a place beside the key", 2, changed(number, places=[[0, 3]])),
    ("a number cut in two", 2, cut_number),
    ("a distractor of the same length", 3, changed(number, options=["七日", "三十天", "三十日"])),
    ("a distractor that is right elsewhere", 3, changed(
        term, stem=ROOM.replace("通风", GAP), answer="通风", options=["通风", "整洁", "安静"],
        places=[[TEXT.index(ROOM) + ROOM.index("通风"), TEXT.index(ROOM) + ROOM.index("通风") + 2]],
    )),
    ("a modality of the same meaning", 3, changed(modality, options=["应当", "必须", "不得"])),
    ("a distractor of the list itself", 3, changed(several, answer=REASONS[:2])),
    ("months among days", 4, changed(number, options=["七个月", "十日", "三十日"])),
    ("a word among numbers", 4, changed(number, options=["立即", "十日", "三十日"])),
    ("a thing among bodies", 4, changed(body_asked, options=["市财政部门", "灭火器", "市人民政府"])),
    ("an amount among terms", 4, changed(term, options=["安全设施", "三十日", "消防通道"])),
    ("half a phrase among terms", 4, changed(term, options=["安全设施", "消防通道的", "门禁系统"])),
    ("part of a list", 5, part_of_a_list),
    ("a catch-all among the keys", 5, catch_all),
    ("a list that ends in 等", 5, open_list),
    ("a false statement that is the clause", 6, changed(false_one, stem=REPLY)),
    ("a true statement that is not", 6, changed(true_one, stem=REPLY.replace("三十日", "四十日"))),
    ("two slots changed", 6, changed(false_one, stem=REPLY.replace("三十日", "四十日").replace("借阅", "复制"))),
    ("another way to write the same", 6, changed(false_one, stem=REPLY.replace("三十日", "30天"))),
    ("bare negation", 6, statement(ROOM.replace("应当自行", "不应当自行"), "应当")),
    ("a false statement true elsewhere", 6, statement(ROOM.replace("通风", "整洁"), "通风")),
    ("a blank accepted in another way", 7, changed(blank, accepted=[["四十日"]])),
    ("a blank that two articles fill", 7, two_ways),
    ("the paragraph before", 8, unheaded),
    ("the middle of a matter", 8, beheaded),
    ("the key in the stem", 8, changed(number, stem=f"三十日规则：档案馆应当自收到借阅申请之日起{GAP}内作出答复。")),
    ("该 without its noun", 8, changed(number, stem=f"该馆应当自收到借阅申请之日起{GAP}内作出答复。")),
    ("a paragraph without its article", 8, changed(number, stem=f"依照第二款规定，档案馆应当在{GAP}内作出答复。")),
)  # fmt: skip


@pytest.mark.parametrize("make", GOOD, ids=[m.__name__ for m in GOOD])
def test_a_good_question_passes(make: Callable[[], Json]) -> None:
    """The questions that are broken below break no gate as they are."""
    assert violations([make()], TEXTS, IN_FORCE) == []


@pytest.mark.parametrize(("gate", "make"), [h[1:] for h in HELD_BY], ids=[h[0] for h in HELD_BY])
def test_a_broken_question_is_caught(gate: int, make: Callable[[], Json]) -> None:
    """A question broken in one way breaks the gate that guards against it."""
    assert gate in {v.gate for v in violations([make()], TEXTS, IN_FORCE)}


def test_ought_is_no_pointer() -> None:
    """该 counts as left hanging, 应该 does not."""
    found = violations(
        [changed(number, stem=f"档案馆应该自收到借阅申请之日起{GAP}内作出答复。")()], TEXTS, IN_FORCE
    )
    assert 8 not in {v.gate for v in found}


@pytest.mark.parametrize(
    ("true", "false", "even"), [(2, 1, True), (3, 1, False), (70, 66, True), (90, 60, False)]
)
def test_true_and_false_are_counted(true: int, false: int, even: bool) -> None:
    """A batch is even within one, a large one within three in a hundred of half."""
    judged = [true_one() for _ in range(true)] + [false_one() for _ in range(false)]
    assert (6 not in {v.gate for v in violations(judged, TEXTS, IN_FORCE)}) == even
