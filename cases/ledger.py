"""What a branch gave and took: its cases with what came of them elsewhere, and what it took over; also as a table."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from access.office import Office
from access.principal import Principal
from access.rights import Action
from access.tables import branches
from cases.adoptions import Adoptions
from cases.library import Library
from cases.model import EFFECT_WORDS, PROGRESS_WORDS, CaseCard
from cases.outcome import Adoption


class Side(StrEnum):
    """Whether the branch shared the case, or took it over."""

    SHARED = "shared"
    TAKEN = "taken"


SIDE_WORDS: Mapping[Side, str] = {Side.SHARED: "我们分享的", Side.TAKEN: "我们借鉴的"}

HEADER = (
    "分类",
    "案例",
    "出自",
    "发布日期",
    "借鉴的支部",
    "进展",
    "效果",
    "说明",
    "更新日期",
    "反馈",
    "由它写成的案例",
)
"""What the columns of the table are called."""

UNSEEN = "（案例现在看不到：已撤下，或不再与我们共享）"

_WIDTHS = (12, 32, 18, 12, 18, 10, 10, 48, 12, 48, 32)
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_CELL = 32_767


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A case and one branch beside its own: how far that one is with it, what it said of it, what it wrote after it.

    Of a case that nobody took over there is one row without a branch. `card` is None where the asker does not see
    the case any more. `derived` are titles.
    """

    side: Side
    card: CaseCard | None
    branch_id: str | None
    adoption: Adoption | None
    feedback: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


class Ledger:
    """Puts together what came of the cases of a branch. Safe to share between threads."""

    def __init__(self, office: Office, library: Library, adoptions: Adoptions) -> None:
        self._office = office
        self._library = library
        self._adoptions = adoptions

    def rows(self, by: Principal, branch_id: str) -> list[LedgerRow]:
        """What the branch shared, the latest first, then what it took over; only what the asker is told.

        Raises:
            SignInRequired, Refused: the asker does not write cases for the branch.
        """
        by.require(Action.WRITE_CASE, branch_id)
        shared = [r for card in self._library.of_branch(by.scope, branch_id) for r in self._shared(by, card)]
        taken = self._adoptions.of_branch(by, branch_id)
        cards = self._library.cards(by.scope, [a.case_id for a in taken if a.case_id])
        return shared + [self._taken(by, adoption, cards.get(adoption.case_id or "")) for adoption in taken]

    def _shared(self, by: Principal, card: CaseCard) -> list[LedgerRow]:
        """A row for each branch that took the case over, said something of it, or wrote one after it."""
        adopted = {a.branch_id: a for a in self._adoptions.of_case(by, card.case_id).adoptions}
        said, derived = self._said(by, card.case_id), self._derived(by, card.case_id)
        others = list(dict.fromkeys(b for b in [*adopted, *derived, *said] if b != card.branch_id))
        return [
            LedgerRow(Side.SHARED, card, b, adopted.get(b), said.get(b, ()), derived.get(b, ()))
            for b in others
        ] or [LedgerRow(Side.SHARED, card, None, None)]

    def _taken(self, by: Principal, adoption: Adoption, card: CaseCard | None) -> LedgerRow:
        own = adoption.branch_id
        if card is None:
            return LedgerRow(Side.TAKEN, None, own, adoption)
        said, derived = self._said(by, card.case_id), self._derived(by, card.case_id)
        return LedgerRow(Side.TAKEN, card, own, adoption, said.get(own, ()), derived.get(own, ()))

    def _said(self, by: Principal, case_id: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for each in reversed(self._adoptions.said(by, case_id)):
            found[each.branch_id] = (*found.get(each.branch_id, ()), each.text)
        return found

    def _derived(self, by: Principal, case_id: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for card in self._library.descent(by.scope, case_id).below:
            if card.branch_id is not None:
                found[card.branch_id] = (*found.get(card.branch_id, ()), card.title)
        return found

    # -- taken away ---------------------------------------------------------------------

    def xlsx(self, by: Principal, branch_id: str) -> bytes:
        """The rows as a workbook; every text is text, none is run as a formula.

        Raises:
            SignInRequired, Refused: as in `rows`.
        """
        import openpyxl
        from openpyxl.styles import Alignment, Font

        book = openpyxl.Workbook()
        page: Any = book.active
        page.title = "案例台账"
        page.freeze_panes = "C2"
        for n, width in enumerate(_WIDTHS):
            page.column_dimensions[chr(ord("A") + n)].width = width
        for y, line in enumerate([HEADER, *self._lines(by, branch_id)], 1):
            for x, value in enumerate(line, 1):
                if not value:
                    continue
                cell = page.cell(y, x)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                cell.value = value if isinstance(value, date) else value[:_LONGEST_CELL]
                if isinstance(value, str):
                    cell.data_type = "s"
                    cell.quotePrefix = True
                if y == 1:
                    cell.font = Font(bold=True)
        page.auto_filter.ref = page.dimensions
        written = io.BytesIO()
        book.save(written)
        return written.getvalue()

    def csv(self, by: Principal, branch_id: str) -> bytes:
        """The rows as a table in UTF-8 with a mark, by which Excel knows it; what it would run has a quote before it.

        Raises:
            SignInRequired, Refused: as in `rows`.
        """
        written = io.StringIO()
        table = csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        table.writerow(HEADER)
        for line in self._lines(by, branch_id):
            table.writerow([_harmless(str(value)) for value in line])
        return b"\xef\xbb\xbf" + written.getvalue().encode()

    def _lines(self, by: Principal, branch_id: str) -> list[Sequence[str | date]]:
        """The rows in words, and in the trail that they were taken away."""
        found = self.rows(by, branch_id)
        with self._office.writing() as connection:
            names = {r.branch_id: r.name for r in connection.execute(select(branches))}
            self._office.audit.write(
                connection, by, "case.ledger", "branch", branch_id, branch_id=branch_id, rows=len(found)
            )
        return [[_writable(value) for value in _line(row, names)] for row in found]


def _line(row: LedgerRow, names: Mapping[str, str]) -> Iterable[str | date]:
    card, adoption = row.card, row.adoption
    origin = ""
    if card is not None:
        origin = names.get(card.branch_id, "") if card.branch_id else card.issuer
    return (
        SIDE_WORDS[row.side],
        card.title if card else UNSEEN,
        origin,
        _day(card.published_at) if card else "",
        names.get(row.branch_id or "", ""),
        PROGRESS_WORDS[adoption.progress] if adoption else "",
        EFFECT_WORDS[adoption.effect] if adoption and adoption.effect else "",
        adoption.note if adoption else "",
        _day(adoption.changed_at) if adoption else "",
        "\n".join(row.feedback),
        "\n".join(f"《{title}》" for title in row.derived),
    )


def _day(at: datetime) -> date:
    """The local day of a moment in UTC."""
    return at.replace(tzinfo=UTC).astimezone().date()


def _writable(value: str | date) -> str | date:
    """The value without characters that no workbook holds."""
    return _UNWRITABLE.sub("", value) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    return "'" + text if _FORMULA.match(text) else text
