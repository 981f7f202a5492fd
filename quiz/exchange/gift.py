"""GIFT, the text format of Moodle.

Texts go out as [plain], feedback as [html]. What GIFT reserves is escaped; line breaks are \\n, so that
no blank line ends a question early. Ordering is written as Moodle 4.4 and its ordering plugin take it.
"""

import itertools
import re
from dataclasses import dataclass, replace
from functools import partial

from lxml import etree

from kb.errors import UnreadableSource
from quiz.exchange import Loss, Row, Written, _notes
from quiz.exchange._draft import Unusable
from quiz.exchange._markup import fragment, inside, text_of_html
from quiz.exchange._report import losses
from quiz.exchange._rows import NUMBER, blank, dealt, gathered, matching, named, redealt, row
from quiz.exchange._words import clean, one_line
from quiz.model import BLANK, FALSE, TRUE, Question, Sheet, Type

_RESERVED = "~=#{}:"
_HIDDEN = {ord(c): 0xF0000 + ord(c) for c in _RESERVED + "\\\n"}
_SHOWN = {hidden: char for char, hidden in _HIDDEN.items()}
_WEIGHT = re.compile(r"%(-?\d+(?:\.\d+)?)%")
_FORMAT = re.compile(r"\[(html|moodle|plain|markdown)\]")
_SEPARATOR = "；"
_MOST_VARIANTS = 60


@dataclass(frozen=True, slots=True)
class Gift:
    """The format."""

    label: str = "GIFT"
    about: str = "Moodle 的文本格式，可用记事本修改。填空题几个空合成一个答案；排序题要 Moodle 4.4 以上。"
    suffix: str = ".gift.txt"
    media_type: str = "text/plain"

    def write(self, sheet: Sheet) -> Written:
        """The sheet, one block for each question."""
        category = one_line(sheet.title).replace("/", "//")
        blocks = [f"$CATEGORY: $course$/top/{category}\n"] if category else []
        blocks += [_block(n, asked.question) for n, asked in enumerate(sheet.questions, 1)]
        data = "\n".join(blocks).encode()
        joined = [
            Loss(n, f"几个空合成一个答案，按先后用“{_SEPARATOR}”分开")
            for n, asked in enumerate(sheet.questions, 1)
            if asked.question.type is Type.BLANK and len(asked.question.answer) > 1
        ]
        return Written(data, gathered(losses(redealt(sheet), self.read(data)), joined))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of the file; categories and comments are passed over.

        Raises:
            UnreadableSource: it is no text in UTF-8, or holds nothing that looks like GIFT.
        """
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableSource(
                "文件打不开：不是 UTF-8 编码的文本。", "请另存为 UTF-8 编码后再试。"
            ) from error
        if "\0" in text or not re.search(r"[{}]", text):
            raise UnreadableSource(
                "文件里没有 GIFT 试题。", "每道题的答案写在花括号 { } 里，题与题之间空一行。"
            )
        blocks = [b for b in re.split(r"\n[ \t]*\n", re.sub(r"\r\n?", "\n", text)) if b.strip()]
        found = [(block, tags) for block, tags in map(_uncommented, blocks) if block]
        return tuple(row(f"第 {n} 题", partial(_read, *one)) for n, one in enumerate(found, 1))


def _block(number: int, question: Question) -> str:
    tags = "".join(f" [tag:{_tag(topic)}]" for topic in question.topics)
    lines = _ordering(question) if question.type is Type.ORDERING else _answers(question)
    end = f"\t####{notes}\n" if (notes := _feedback(question)) and question.type is not Type.ORDERING else ""
    stem = _escaped(question.stem)
    return f"// [id:{question.question_id}]{tags}\n::{_escaped(named(number, question))}::[plain]{stem}{{{lines}{end}}}\n"


def _tag(topic: str) -> str:
    return one_line(topic).replace("[", "［").replace("]", "］")


def _escaped(text: str) -> str:
    escaped = re.sub(r"[\\~=#{}:]", r"\\\g<0>", clean(text))
    return escaped.replace("\n", "\\n")


def _piece(text: str) -> str:
    """An answer; a beginning that would be taken for a format or a weight is kept from it."""
    return ("[plain]" if text.startswith(("[", "%")) else "") + _escaped(text)


def _answers(question: Question) -> str:
    right = set(question.answer)
    match question.type:
        case Type.SINGLE:
            lines = [f"{'=' if o in right else '~'}{_piece(o)}" for o in question.options]
        case Type.MULTIPLE:
            share = f"{100 / len(right):.7g}"
            lines = [f"~%{share if o in right else -100}%{_piece(o)}" for o in question.options]
        case Type.TRUE_FALSE:
            return "TRUE" if question.answer == (TRUE,) else "FALSE"
        case Type.BLANK:
            if (
                len(question.answer) == 1
                and not any(question.accepted)
                and NUMBER.fullmatch(question.answer[0])
            ):
                return f"#{question.answer[0]}"
            lines = [f"={_piece(_starred(variant))}" for variant in _variants(question)]
        case Type.MATCHING:
            pairs = list(zip(question.prompts, question.answer, strict=True))
            pairs += [("", o) for o in question.options if o not in right]
            lines = [
                f"={_piece(prompt.replace('->', '→'))} -> {_escaped(option)}" for prompt, option in pairs
            ]
        case _:
            return ""
    return "\n" + "".join(f"\t{line}\n" for line in lines)


def _variants(question: Question) -> list[str]:
    """Everything that is right, for several gaps every combination; where they are too many, each at least once."""
    accepted = question.accepted or ((),) * len(question.answer)
    gaps = [(answer, *more) for answer, more in zip(question.answer, accepted, strict=True)]
    once = [
        (*question.answer[:n], other, *question.answer[n + 1 :])
        for n, gap in enumerate(gaps)
        for other in gap
    ]
    some = itertools.islice(itertools.product(*gaps), _MOST_VARIANTS)
    return [_SEPARATOR.join(parts) for parts in dict.fromkeys([*once, *some])]


def _starred(text: str) -> str:
    """The answer without what means more than itself: a star stands for anything, an arrow makes a pair."""
    return text.replace("*", "\\*").replace("->", "→")


def _ordering(question: Question) -> str:
    """The parts, one to a line, as they are: nothing is escaped here, and no feedback has a place."""
    parts = [one_line(part).replace("{", "｛").replace("}", "｝") for part in question.answer]
    parts = [re.sub("^//", "／／", part) or "—" for part in parts]
    return f">{len(parts)} ALL VERTICAL ALL_OR_NOTHING HIDE\n" + "".join(f"{part}\n" for part in parts)


def _feedback(question: Question) -> str:
    holder = etree.Element("div")
    if question.type is Type.SHORT:
        _notes.write(holder, _notes.marking(question))
    _notes.write(holder, _notes.feedback(question))
    return f"[html]{_escaped(inside(holder))}" if len(holder) else ""


def _uncommented(block: str) -> tuple[str, tuple[str, ...]]:
    """The block without comments and category lines, and the tags that its comments name."""
    kept, tags = [], []
    for line in block.split("\n"):
        if line.lstrip().startswith("//"):
            tags += re.findall(r"\[tag:([^\[\]]+)\]", line)
        elif not line.lstrip().startswith("$CATEGORY:"):
            kept.append(line)
    return "\n".join(kept).strip(), tuple(tags)


def _read(block: str, topics: tuple[str, ...]) -> tuple[Question, float | None]:
    return _question(block, topics), None


def _question(block: str, topics: tuple[str, ...]) -> Question:
    text = re.sub(r"\\([\\~=#{}:n])", _hide, block)
    if text.startswith("::") and "::" in text[2:]:
        text = text[text.index("::", 2) + 2 :].strip()
    start, end = text.find("{"), text.find("}")
    if start < 0 and end < 0:
        raise Unusable("没有花括号，只是说明文字，不是试题")
    if start < 0 or end < start:
        raise Unusable("花括号不成对")
    if text[start:].startswith("{>"):
        return replace(_ordered(block, _text(text[:start])), topics=topics)
    after = text[end + 1 :].strip()
    kind = found[1] if (found := _FORMAT.match(text)) else "moodle"
    stem = _text(text[:start] + (f"{BLANK}{after}" if after else ""))
    inner = text[start + 1 : end]
    general = ""
    if (at := inner.rfind("####")) >= 0:
        inner, general = inner[:at], inner[at + 4 :]
    notes = _notes.read(fragment(_html(general, kind))) if general.strip() else _notes.Notes()
    question, said = _answered(stem, inner.strip(), kind, notes)
    explanation = "\n".join(filter(None, [notes.explanation, *said]))
    return replace(question, explanation=explanation, citation=notes.citation, topics=topics)


def _hide(match: re.Match[str]) -> str:
    char = "\n" if match[1] == "n" else match[1]
    return chr(_HIDDEN[ord(char)])


def _text(part: str, kind: str = "moodle") -> str:
    """What a person reads in the part."""
    part = part.strip()
    if found := _FORMAT.match(part):
        part, kind = part[found.end() :], found[1]
    text = part.translate(_SHOWN)
    if kind == "html" or (kind == "moodle" and re.search(r"</?[a-zA-Z][^<>]*>|&\w+;", text)):
        return text_of_html(_html(part, kind))
    return clean(text).strip()


def _html(part: str, kind: str) -> str:
    part = part.strip()
    if found := _FORMAT.match(part):
        part, kind = part[found.end() :], found[1]
    text = part.translate(_SHOWN)
    if kind in ("plain", "markdown"):
        text = text.replace("&", "&amp;").replace("<", "&lt;")
    return text if kind == "html" else text.strip().replace("\n", "<br>")


def _answered(stem: str, inner: str, kind: str, notes: _notes.Notes) -> tuple[Question, list[str]]:
    """The question, and what the file says to single answers."""
    if not inner:
        return Question(
            Type.SHORT, stem, (), (notes.answer,) if notes.answer else (), points=notes.points
        ), []
    if inner.startswith("#"):
        return blank(stem, [_numbers(inner[1:])]), []
    head, _, said = inner.partition("#")
    if head.strip() in ("T", "TRUE", "F", "FALSE"):
        answer = TRUE if head.strip().startswith("T") else FALSE
        more = [_text(part, kind) for part in said.split("#")]
        return Question(Type.TRUE_FALSE, stem, (TRUE, FALSE), (answer,)), more
    if "~" in inner:
        return _choice(stem, _parts(inner, "~=", kind))
    if "->" in inner:
        pairs = [part.split("->", 1) for part in inner.split("=") if part.strip()]
        if any(len(pair) != 2 for pair in pairs):
            raise Unusable("配对题里有一行没有“->”")
        return matching(stem, [(_text(a, kind), b.translate(_SHOWN).strip()) for a, b in pairs]), []
    parts = _parts(inner, "=", kind)
    right = [part.text.replace("\\*", "*") for part in parts if part.weight in (None, 100)]
    n = max(stem.count(BLANK), 1)
    if n == 1:
        return blank(stem, [right]), _said(parts)
    split = [variant.split(_SEPARATOR) for variant in right]
    if not all(len(gaps) == n for gaps in split):
        raise Unusable(f"题干有 {n} 个空，答案没有用“{_SEPARATOR}”分成 {n} 份")
    return blank(stem, [list(dict.fromkeys(gap)) for gap in zip(*split, strict=True)]), _said(parts)


@dataclass(frozen=True, slots=True)
class _Part:
    sign: str
    text: str
    weight: float | None
    said: str


def _parts(inner: str, signs: str, kind: str) -> list[_Part]:
    found = re.split(f"([{signs}])", inner if inner[0] in signs else f"={inner}")
    parts = []
    for sign, part in zip(found[1::2], found[2::2], strict=True):
        weight = _WEIGHT.match(part.strip())
        text, _, said = part.strip()[weight.end() if weight else 0 :].partition("#")
        parts.append(_Part(sign, _text(text, kind), float(weight[1]) if weight else None, _text(said, kind)))
    return parts


def _said(parts: list[_Part]) -> list[str]:
    return [f"{part.text}：{part.said}" for part in parts if part.said]


def _choice(stem: str, parts: list[_Part]) -> tuple[Question, list[str]]:
    options = tuple(part.text for part in parts)
    single = [part.text for part in parts if part.sign == "=" and part.weight in (None, 100)]
    if any(part.sign == "=" for part in parts):
        return Question(Type.SINGLE, stem, options, tuple(single)), _said(parts)
    right = tuple(part.text for part in parts if (part.weight or 0) > 0)
    return Question(Type.MULTIPLE, stem, options, right), _said(parts)


def _numbers(inner: str) -> list[str]:
    found = []
    for part in filter(None, (p.strip() for p in inner.split("~")[0].split("="))):
        weight = _WEIGHT.match(part)
        number = part[weight.end() if weight else 0 :].split("#")[0].translate(_SHOWN).strip()
        value, _, margin = number.partition(":")
        if ".." in number or re.search("[1-9]", margin):
            raise Unusable(f"数值题的答案“{number[:20]}”是一个范围，没有这样的题型")
        if not weight or float(weight[1]) == 100:
            found.append(value.strip())
    return found


def _ordered(block: str, stem: str) -> Question:
    inner = block[block.index("{>") + 2 : block.rindex("}")]
    parts = [line.strip() for line in inner.split("\n")[1:] if line.strip()]
    return Question(Type.ORDERING, stem, dealt(parts), tuple(parts))


FORMAT = Gift()
