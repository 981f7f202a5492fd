"""Questions as people type them: numbered, with lettered options, and the key somewhere near.

What is taken: headings such as 一、单选题（每题 2 分） or 【判断题】; numbers as 1. 1、 （1） 第1题; options as A. A、
（A）, one per line or several; 答案： 【答案】 参考答案： after the options, （A） in the stem, or a list of keys at the
end such as 1-5 ABCDA or 6.√ 7.×; 解析：, 难度：, 章节：, 分值：.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ingest import encoding
from kb.errors import UnreadableSource
from kb.model import Source
from quiz.exchange import Row
from quiz.exchange._draft import Draft, Unusable, question_from
from quiz.exchange._words import TYPE_PATTERN, fold, type_named
from quiz.soundness import fault

_END = r"[\]】)）]"
_OPEN = r"[\[【(（]"
_HEADING = re.compile(
    rf"(?:第?[一二三四五六七八九十]+(?:部分|大题)?\s*[、．.:：]?\s*)?{_OPEN}?\s*(?P<kind>{TYPE_PATTERN})\s*{_END}?"
    rf"\s*[:：]?\s*(?P<about>[（(].*[)）]|[:：,，。].*|共?\s*\d+.*)?"
)
_EACH = re.compile(r"每(?:小?题|空|个)\s*(\d+(?:\.\d+)?)\s*分")
_NUMBER = re.compile(
    r"(?:第\s*(\d{1,4})\s*题\s*[.．、:：]?|[（(]\s*(\d{1,4})\s*[)）]|(\d{1,4})\s*[.．、:：)）])\s*(.*)"
)
_DECIMAL = re.compile(r"\d+[.．]\d")
_OPTION = re.compile(r"[（(]?\s*([A-Za-zＡ-Ｚａ-ｚ])\s*(?:[)）]\s*[.．、]?|[.．、:：])\s*(.*)")
_INLINE = re.compile(r"(?:^|(?<=\s))[（(]?([A-ZＡ-Ｚ])(?:[)）]\s*[.．、]?|[.．、:：])\s*")
_GLUED = re.compile(r"([A-ZＡ-Ｚ])[.．、]\s*")
_ANSWER = re.compile(
    rf"(?:{_OPEN}\s*(?:正确|参考|标准)?答案\s*{_END}\s*[:：]?|(?:(?:正确|参考|标准)?答案|答)\s*[:：])\s*(.*)"
)
_EXPLANATION = re.compile(
    rf"(?:{_OPEN}\s*(?:答案|试题)?(?:解析|分析|详解)\s*{_END}\s*[:：]?|(?:答案|试题)?(?:解析|分析|详解)\s*[:：])\s*(.*)"
)
_MORE = re.compile(rf"{_OPEN}?\s*(难度|难易度|章节|知识点|考点|分值|分数)\s*{_END}?\s*[:：]\s*(.*)")
_WORTH = re.compile(rf"{_OPEN}\s*(?:分值\s*[:：]\s*)?(\d+(?:\.\d+)?)\s*分\s*{_END}\s*$")
_TAG_LAST = re.compile(rf"{_OPEN}\s*({TYPE_PATTERN})\s*{_END}\s*$")
_TAG_FIRST = re.compile(rf"{_OPEN}\s*({TYPE_PATTERN})\s*{_END}\s*(?:[（(](?:系统|人工)评分[)）]\s*)?")
_KEYS_HEADING = re.compile(r"[#\s]*(?:参考|正确|标准)?答案(?:与解析|及解析|部分)?\s*[:：]?")
_RANGE = re.compile(
    r"(\d{1,4})\s*[-—–~～至]+\s*(\d{1,4})\s*(?:题)?\s*[.．、:：]?\s*([A-Z√×✓✗对错\s,，、;；]+)"
)
_PAIR = re.compile(r"(\d{1,4})\s*[.．、:：]?\s*([A-Z]+|[√×✓✗对错]|正确|错误)(?=[\s,，、;；]|$)")
_FIELDS = {
    "难度": "difficulty",
    "难易度": "difficulty",
    "章节": "topics",
    "知识点": "topics",
    "考点": "topics",
}


@dataclass(slots=True)
class _Found:
    """A question while its lines come in; `where` is the field that a line without a mark continues."""

    number: int
    line: int
    draft: Draft
    points: float | None = None
    where: str = "stem"

    @property
    def complete(self) -> bool:
        return bool(self.draft.answer or self.draft.options or self.where == "explanation")


def read(data: bytes, media_type: str) -> tuple[Row, ...]:
    """The questions of a text; see `quiz.exchange.ReadableFormat.read`."""
    text = encoding.decode(Source("文本", media_type, data))
    lines = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")).split("\n")
    found = _Reader().read(line.strip() for line in lines)
    if not found:
        raise UnreadableSource(
            "文本里没有找到题目。", "每道题要有题号（如“1.”）或写在“【单选题】”之下，答案写作“答案：A”。"
        )
    return tuple(_row(f) for f in found)


def _row(found: _Found) -> Row:
    place = f"第 {found.line} 行（第 {found.number} 题）"
    try:
        question = question_from(found.draft)
        if wrong := fault(question):
            raise Unusable(wrong.rstrip("。"))
        return Row(place, question, found.points)
    except Unusable as error:
        return Row(place, None, found.points, str(error))


class _Reader:
    """Reads line by line."""

    def __init__(self) -> None:
        self._found: list[_Found] = []
        self._kind = ""
        self._each: float | None = None
        self._fresh = True
        self._after_blank = True
        self._section = 0

    def read(self, lines: Iterable[str]) -> list[_Found]:
        for n, line in enumerate(lines, 1):
            if line:
                self._line(n, line)
            self._after_blank = not line
        for found in self._found:
            _split_options(found.draft)
        return self._found

    def _line(self, n: int, line: str) -> None:
        now = self._found[-1] if self._found else None
        if (heading := _HEADING.fullmatch(line)) and _heads(heading):
            each = _EACH.search(heading["about"] or "")
            self._kind, self._each, self._fresh = heading["kind"], float(each[1]) if each else None, True
            self._section = len(self._found)
            return
        if self._keys(line):
            return
        match = _NUMBER.fullmatch(line)
        number = int(match[1] or match[2] or match[3]) if match else 0
        if match and self._begins(number, now) and not (_DECIMAL.match(line) and not self._due(number, now)):
            self._begin(n, number, match[4])
        elif (tag := _TAG_FIRST.match(line)) and (now is None or now.complete or self._fresh):
            self._begin(n, now.number + 1 if now else 1, line[tag.end() :], tag[1])
        elif now is not None:
            _continue(now, line)

    def _due(self, number: int, now: _Found | None) -> bool:
        """Whether the next question has this number, so that 2.2024年 is the second question and no decimal."""
        return now is None or self._fresh or (now.complete and number == now.number + 1)

    def _begins(self, number: int, now: _Found | None) -> bool:
        """Whether a line with this number is a new question, not part of the one before."""
        if now is None or self._fresh:
            return True
        if number == now.number + 1:
            return True
        if not now.complete:
            return False
        return now.number < number <= now.number + 5 or (number == 1 and self._after_blank)

    def _begin(self, n: int, number: int, stem: str, kind: str = "") -> None:
        points = self._each
        if worth := _WORTH.search(stem):
            stem, points = stem[: worth.start()].rstrip(), float(worth[1])
        if tag := _TAG_LAST.search(stem):
            stem, kind = stem[: tag.start()].rstrip(), tag[1]
            if worth is None and (worth := _WORTH.search(stem)):
                stem, points = stem[: worth.start()].rstrip(), float(worth[1])
        elif not kind and (tag := _TAG_FIRST.match(stem)):
            stem, kind = stem[tag.end() :], tag[1]
        self._found.append(_Found(number, n, Draft(stem, kind or self._kind), points))
        self._fresh = False

    def _keys(self, line: str) -> bool:
        """Take a line of a list of keys at the end; false where the line is none."""
        now = self._found[-1] if self._found else None
        if now is None or (now.where == "explanation" and not (self._after_blank or self._fresh)):
            return False
        if _KEYS_HEADING.fullmatch(line) and (self._after_blank or now.complete):
            now.where = "keys"
            return True
        said: dict[int, str] = {}
        rest = line
        for match in _RANGE.finditer(line):
            first, last = int(match[1]), int(match[2])
            parts = re.findall(r"[A-Z]+|[√×✓✗对错]", match[3])
            keys = parts if len(parts) > 1 else re.findall(r"[A-Z√×✓✗对错]", match[3])
            if len(keys) != last - first + 1:
                return False
            said |= dict(zip(range(first, last + 1), keys, strict=True))
            rest = rest.replace(match[0], " ")
        for match in _PAIR.finditer(rest):
            said[int(match[1])] = match[2]
        if not said or re.sub(r"[\s,，、;；.．]", "", _PAIR.sub("", rest)):
            return False
        # A number may come again in each section: the section meant is that of the last heading.
        since = self._found[self._section :]
        section = since or [f for f in self._found if type_named(f.draft.kind) == type_named(self._kind)]
        place = {f.number: f for f in self._found} | {f.number: f for f in section}
        if not all(n in place and not place[n].draft.answer for n in said):
            return False
        for n, key in said.items():
            place[n].draft.answer = key
        now.where = "keys"
        return True


def _heads(match: re.Match[str]) -> bool:
    """Whether a line is a heading and not the beginning of a text, such as 材料：."""
    return match["kind"].endswith("题") or (
        match["about"] is None and match["kind"] not in ("材料", "案例", "计算")
    )


def _continue(now: _Found, line: str) -> None:
    """Add a line to the question that it belongs to."""
    draft = now.draft
    if match := _ANSWER.fullmatch(line):
        now.where = "answer"
        draft.answer = match[1]
    elif match := _EXPLANATION.fullmatch(line):
        now.where = "explanation"
        draft.explanation = match[1]
    elif (match := _MORE.fullmatch(line)) and now.where != "explanation":
        _more(now, match[1], match[2])
    elif (
        (option := _OPTION.fullmatch(line))
        and now.where in ("stem", "options")
        and _is_next(draft, option[1])
    ):
        now.where = "options"
        draft.options.append(line)
    elif now.where == "options":
        draft.options[-1] += f"\n{line}"
    elif now.where == "answer":
        draft.answer = f"{draft.answer}\n{line}".strip()
    elif now.where == "explanation":
        draft.explanation = f"{draft.explanation}\n{line}".strip()
    elif now.where == "stem":
        draft.stem = f"{draft.stem}\n{line}".strip()


def _more(now: _Found, name: str, text: str) -> None:
    if name in _FIELDS:
        setattr(now.draft, _FIELDS[name], text)
    elif worth := re.match(r"\d+(?:\.\d+)?", text):
        now.points = float(worth[0])


def _is_next(draft: Draft, letter: str) -> bool:
    """Whether an option with this letter may follow: the letters go on, perhaps past some on the same line."""
    last = fold(_letter(draft.options[-1])) if draft.options else ""
    return fold(letter) == "a" if not last else fold(letter) > last


def _letter(line: str) -> str:
    match = _OPTION.match(line)
    return match[1] if match else ""


def _split_options(draft: Draft) -> None:
    """Options without their letters; those that share a line are parted."""
    letters = [fold(_letter(line)) for line in draft.options]
    in_order = letters == [chr(ord("a") + n) for n in range(len(letters))]
    if len(letters) > 1 and in_order:
        draft.options = [_unlettered(line) for line in draft.options]
        return
    together = "\n".join(draft.options)
    for pattern in (_INLINE, _GLUED):
        marks = list(pattern.finditer(together))
        if len(marks) > 1 and [fold(m[1]) for m in marks] == [chr(ord("a") + n) for n in range(len(marks))]:
            ends = [m.start() for m in marks[1:]] + [len(together)]
            draft.options = [together[m.end() : end].strip() for m, end in zip(marks, ends, strict=True)]
            return
    draft.options = [_unlettered(line) for line in draft.options]


def _unlettered(line: str) -> str:
    match = _OPTION.match(line)
    return match[2] + line[match.end() :] if match else line
