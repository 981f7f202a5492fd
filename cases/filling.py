"""The form being filled in from the sections of a text, and from what its lines tell."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cases import facts
from cases.headings import BOTH, PLAIN, bare, is_detour
from cases.model import LABELS, Body, Field, Figure
from cases.sections import CLOSED, FACTS, Part

FIGURES_HEADER = ("指标", "之前", "之后", "单位")
"""The first row of the table of figures in the form."""

_CONTACT = re.compile(
    r"(?:^|(?<=[。；]))\s*(?:联系人及方式|联系人|联系方式|联系电话|联系|联络人|联络|咨询|交流)\s*[:：]\s*(?P<who>.+)$"
)
_FOOTER = re.compile(
    r"^(?:责任编辑|打印|上一篇|下一篇|浏览|(?:案例)?报送日期[:：][^。]+。?$|\d{4}\s*年\s*\d+\s*月\s*\d+\s*日[。）)]?$)"
)
_NEEDS = re.compile(
    r"适合|适用|前提|条件|不能照搬|不适|需要[^，。]{0,3}(?:的|有|具备)|至少要?|要具备|要留意|必须|最需要|要有"
)
_LABELLED = re.compile(r"^\s*(?P<label>[^：:\t]{2,10})\s*(?:[：:]|\t)\s*(?P<value>.+)$")
_NAMES: Mapping[str, Field] = {
    "标题": Field.TITLE,
    "案例名称": Field.TITLE,
    "案例标题": Field.TITLE,
    "题目": Field.TITLE,
    "行业": Field.INDUSTRY,
    "所属行业": Field.INDUSTRY,
    "涉及人数": Field.PEOPLE,
    "受益人数": Field.PEOPLE,
    "覆盖人数": Field.PEOPLE,
    "参与人数": Field.PEOPLE,
    "人数": Field.PEOPLE,
    "花费": Field.COST,
    "花费（元）": Field.COST,
    "投入": Field.COST,
    "投入资金": Field.COST,
    "费用": Field.COST,
    "经费": Field.COST,
    "成本": Field.COST,
    "结果": Field.LEVEL,
    "解决程度": Field.LEVEL,
}


class Form:
    """The form being filled in from the parts of a text."""

    def __init__(self, title: str) -> None:
        self._texts: dict[Field, list[str]] = {}
        self._elsewhere: list[str] = []
        self._detours: set[str] = set()
        self.take(Field.TITLE, title)

    def body(self) -> Body:
        """What is filled in by now, in the order of the form."""
        joined = {f: "\n".join(self._texts.get(f, ())).strip() for f in Field}
        return {f: text for f, text in joined.items() if text}

    def elsewhere(self) -> str:
        """What fits no field."""
        return "\n".join(self._elsewhere)

    def take(self, into: Field, text: str) -> None:
        """Fill a field that holds one value; an empty text leaves it as it is."""
        if text:
            self._texts[into] = [text]

    def fill_own(self, parts: Sequence[Part], title: str) -> None:
        """Take in the parts of a file that `write_form` wrote, every line as it stands."""
        labels = {LABELS[f]: f for f in FACTS}
        for line in parts[0].lines:
            label, _, said = line.partition("\t")
            if line == title or (label in labels and not said.strip()):
                continue
            if not (label in labels and self._fact(labels[label], said)):
                self._elsewhere.append(line)
        for part in parts[1:]:
            into = part.fields[0]
            if into is Field.FIGURES:
                self._figure_rows(part.lines)
            else:
                for line in part.lines:
                    self._add(into, line)

    def fill(self, parts: Sequence[Part], *, join: bool) -> None:
        """Take in the parts; `join` puts what names no field to the one before it instead of elsewhere."""
        last: tuple[Field, ...] = ()
        for part in parts:
            fields = part.fields or (last if join else ())
            if not part.heading and not fields:
                self._preamble(part.lines, join=join, alone=len(parts) == 1)
                continue
            last = fields
            self._section(part, fields or ((Field.BACKGROUND,) if join else ()))
        if Field.COST not in self._texts:
            order = (Field.OUTCOME, Field.CONDITIONS, Field.CARRIES_OVER, Field.PRACTICE)
            found = facts.cost_of(
                line for f in order for line in self._texts.get(f, ()) if line not in self._detours
            )
            self.take(Field.COST, "" if found is None else str(found))
        if Field.FIGURES not in self._texts:
            told = facts.figures_in("\n".join(self._texts.get(Field.OUTCOME, ())))
            self._figures(told)

    def _preamble(self, lines: Sequence[str], *, join: bool, alone: bool) -> None:
        """What stands before the first heading: facts with a label, sentences, and who wrote it."""
        for line in self._without_facts(lines, ahead=True):
            if join and (alone or "。" in line):
                self._add(Field.BACKGROUND, line)
            elif not join:
                self._elsewhere.append(line)

    def _section(self, part: Part, fields: tuple[Field, ...]) -> None:
        lines = list(
            self._without_facts(self._without_contacts(part.lines, keep=fields == (Field.CONTACTS,)))
        )
        if not fields:
            self._elsewhere += [part.heading, *lines]
            return
        into = fields[0]
        if into in CLOSED:
            self._values(into, lines)
            return
        if part.heading and self._tells(part.heading, into):
            lines = [bare(part.heading), *lines]
        if is_detour(part.heading):
            self._detours.update(lines)
        for line in self._without_tables(lines, outcome=into is Field.OUTCOME):
            if fields == BOTH or into is Field.CARRIES_OVER:
                carried, needed = _parted(line)
                self._add(Field.CARRIES_OVER, carried)
                self._add(Field.CONDITIONS, needed)
            else:
                self._add(into, line)

    def _tells(self, heading: str, into: Field) -> bool:
        """Whether a heading says more than which field it opens: one of its own, or the second of a field."""
        if into in BOTH or bare(heading) in PLAIN:
            return False
        return bool(self._texts.get(into)) or len(bare(heading)) > 8

    def _values(self, into: Field, lines: Sequence[str]) -> None:
        """A section of the form itself that holds values and no text."""
        if into is Field.FIGURES:
            self._figure_rows(lines)
            return
        for line in lines:
            if not self._fact(into, line):
                self._elsewhere.append(f"{LABELS[into]}：{line}")

    def _figure_rows(self, lines: Sequence[str]) -> None:
        """A table of figures as the form has it, or lines of any kind."""
        for line in lines:
            row = [c.strip() for c in line.split("\t")]
            if tuple(row) == FIGURES_HEADER or not any(row):
                continue
            if len(row) in (3, 4):
                line = _figure_line(Figure(row[0], row[1], row[2], *row[3:]))
            self._add(Field.FIGURES, line)

    def _add(self, into: Field, line: str) -> None:
        if line:
            self._texts.setdefault(into, []).append(line)

    def _figures(self, found: Iterable[Figure]) -> None:
        for figure in found:
            line = _figure_line(figure)
            if line not in self._texts.get(Field.FIGURES, ()):
                self._add(Field.FIGURES, line)

    def _without_contacts(self, lines: Sequence[str], *, keep: bool) -> Iterator[str]:
        """The lines but for whom to ask, which goes to its field."""
        for line in lines:
            found = None if keep else _CONTACT.search(line)
            if found:
                self._add(Field.CONTACTS, found["who"].strip())
                line = line[: found.start()].strip()
            if _FOOTER.match(line):
                self._elsewhere.append(line)
            elif line:
                yield line

    def _without_facts(self, lines: Iterable[str], *, ahead: bool = False) -> Iterator[str]:
        """The lines but for labelled ones and rows that fill in a fact whole; a title only `ahead` of all headings."""
        for line in lines:
            found = _LABELLED.match(line)
            into = _NAMES.get("".join(found["label"].split())) if found else None
            open_ = ahead if into is Field.TITLE else into not in self._texts
            if not (found and into and open_ and self._fact(into, found["value"])):
                yield line

    def _fact(self, into: Field, said: str) -> bool:
        """Fill in a fact if that is all that is said; whether it was."""
        said = said.strip()
        value: str | None = None
        if into is Field.TITLE:
            value = one_line(said)
        elif into is Field.INDUSTRY:
            value = facts.industry_named(said)
        elif into is Field.LEVEL:
            level = facts.level_named(said)
            value = level.value if level else None
        elif found := re.fullmatch(r"(?:共|约)?\s*([\d,，]+)\s*(?:人|名|元|元整)?左?右?", said):
            value = found[1].replace(",", "").replace("，", "")
        elif into is Field.COST and re.fullmatch(r"约?[\d.]+\s*万元|无|零|没有", said):
            cost = 0 if said in ("无", "零", "没有") else facts.cost_of([f"投入{said}"])
            value = None if cost is None else str(cost)
        if value:
            self.take(into, value)
        return bool(value)

    def _without_tables(self, lines: Sequence[str], *, outcome: bool) -> Iterator[str]:
        """The lines; tables that set before and after beside each other fill in the figures.

        A table of just the two moments leaves its moments in the text, a larger one all of its rows.
        """
        at = 0
        while at < len(lines):
            end = at
            while end < len(lines) and "\t" in lines[end]:
                end += 1
            if end == at:
                yield lines[at]
                at += 1
                continue
            rows = [[c.strip() for c in line.split("\t")] for line in lines[at:end]]
            width = len(rows[0])
            whole = [row for row in rows[1:] if len(row) == width]
            if (
                width >= 3
                and facts.is_compared(rows[0], whole)
                and (outcome or Field.FIGURES not in self._texts)
            ):
                found = [facts.figure_of(row) for row in whole]
                self._figures(f for f in found if f)
                if width == 3 and len(whole) == end - at - 1 and all(found):
                    yield f"{rows[0][1]} → {rows[0][2]}"
                    at = end
                    continue
            yield from lines[at:end]
            at = end


def _parted(line: str) -> tuple[str, str]:
    """What carries over, and from the first sentence that names a condition on, the conditions."""
    at = 0
    for sentence in re.findall(r"[^。；]+[。；]*|[。；]+", line):
        if _NEEDS.search(sentence):
            return line[:at].strip(), line[at:].strip()
        at += len(sentence)
    return line, ""


def one_line(text: str) -> str:
    """The text in one line, its white space single."""
    return " ".join(text.split())


def _figure_line(figure: Figure) -> str:
    cells = (figure.measure, figure.before, figure.after, figure.unit)
    return "|".join(cells if figure.unit else cells[:3])
