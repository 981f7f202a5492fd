"""Random worlds of passages for the contracts of the legs, and which of them a filter admits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from hypothesis import strategies as st

from kb.model import Entry, Filters, Kind, Validity, derive_id, validity

LETTERS = "甲乙丙丁戊己"
DAY = date(2024, 6, 1)
DAYS = (None, date(2020, 1, 1), DAY, date(2024, 6, 2), date(2030, 1, 1))
AUDIENCES = ("public", "北辰", "partners")
ISSUERS = (None, "国务院", "北辰党委")
YEARS = (None, 2020, 2024)


def entry(
    document: str,
    n: int,
    text: str,
    *,
    kind: Kind = Kind.LAW,
    issuer: str | None = None,
    year: int | None = None,
    effective_on: date | None = None,
    ended_on: date | None = None,
    end_reason: Validity | None = None,
    audiences: Iterable[str] = ("public",),
) -> Entry:
    """Passage `n` of a document, its ids following from both."""
    return Entry(
        derive_id(document, str(n)),
        derive_id(document),
        text,
        kind,
        issuer,
        year,
        effective_on,
        ended_on,
        end_reason,
        frozenset(audiences),
    )


@dataclass
class World:
    """What an index should hold: the changes so far, applied to a dictionary."""

    held: dict[str, list[Entry]] = field(default_factory=dict)

    def apply(self, removed: Iterable[str], entries: Sequence[Entry]) -> None:
        """The same change that the index takes."""
        for document_id in {*removed, *(e.document_id for e in entries)}:
            self.held.pop(document_id, None)
        for e in entries:
            self.held.setdefault(e.document_id, []).append(e)

    @property
    def entries(self) -> list[Entry]:
        """Every passage that is here."""
        return [e for found in self.held.values() for e in found]

    def admitted(self, within: Filters) -> dict[int, Entry]:
        """The passages inside the filters, by key."""
        return {
            e.key: e
            for e in self.entries
            if e.audiences & within.scope
            and within.admits(
                e.document_id,
                e.kind,
                e.issuer,
                e.year,
                validity(e.effective_on, e.ended_on, e.end_reason, within.day),
            )
        }


texts = st.text(LETTERS, min_size=1, max_size=8)


@st.composite
def _documents(draw: st.DrawFn) -> list[Entry]:
    name = str(draw(st.integers(0, 9)))
    ended_on = draw(st.sampled_from(DAYS))
    facts = {
        "kind": draw(st.sampled_from(list(Kind))),
        "issuer": draw(st.sampled_from(ISSUERS)),
        "year": draw(st.sampled_from(YEARS)),
        "effective_on": draw(st.sampled_from(DAYS)),
        "ended_on": ended_on,
        "end_reason": draw(st.sampled_from([Validity.SUPERSEDED, Validity.REPEALED, None]))
        if ended_on
        else None,
        "audiences": draw(st.sets(st.sampled_from(AUDIENCES), max_size=2)),
    }
    return [
        entry(name, n, text, **facts) for n, text in enumerate(draw(st.lists(texts, min_size=1, max_size=3)))
    ]


@st.composite
def _changes(draw: st.DrawFn) -> tuple[list[str], list[Entry]]:
    put = {found[0].document_id: found for found in draw(st.lists(_documents(), max_size=5))}
    removed = [derive_id(str(n)) for n in draw(st.sets(st.integers(0, 9), max_size=2))]
    return removed, [e for found in put.values() for e in found]


histories = st.lists(_changes(), min_size=1, max_size=4)
"""Changes in the order in which the catalog made them: documents removed, passages put."""


def _some(values: Iterable[object]) -> st.SearchStrategy[frozenset[object]]:
    return st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(list(values)), max_size=2))


filters = st.builds(
    Filters,
    scope=st.frozensets(st.sampled_from([*AUDIENCES, "nobody"]), max_size=3),
    day=st.sampled_from([*(d for d in DAYS if d), date.min, date.max]),
    validity=_some(Validity),
    kinds=_some(Kind),
    issuers=_some(["国务院", "北辰党委", "无此机关", ""]),
    years=_some([2020, 2024, 1999, 0]),
    documents=_some([derive_id(str(n)) for n in range(10)]),
    without=_some([derive_id(str(n)) for n in range(10)]),
)

everything = Filters(scope=frozenset(AUDIENCES), day=DAY)
