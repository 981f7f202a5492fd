"""The nouns: derived ids, standing on a day, filters."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Entry, Filters, Flow, Kind, Metadata, Source, Validity, derive_id, page_at, validity

days = st.dates(date(2000, 1, 1), date(2040, 1, 1))
maybe = st.none() | days


@given(st.lists(st.text(max_size=5), max_size=4))
def test_derive_id_is_sixteen_digits_below_two_to_the_63(parts: list[str]) -> None:
    """An id is 16 hexadecimal digits and fits a signed 64-bit number, so any engine can hold it."""
    found = derive_id(*parts)
    assert len(found) == 16
    assert 0 <= int(found, 16) < 2**63
    assert found == derive_id(*parts)


def test_derive_id_is_the_same_in_every_release() -> None:
    """Ids are stored and cited, so their derivation never changes."""
    assert derive_id("document", "abc") == "31052598d62a55cc"
    assert derive_id("a", "b") != derive_id("b", "a")
    assert derive_id("a", "b") != derive_id("ab")


@given(maybe, maybe, st.sampled_from([None, Validity.SUPERSEDED, Validity.REPEALED]), days)
def test_validity_is_one_standing_that_changes_only_on_stated_days(
    effective: date | None, ended: date | None, reason: Validity | None, day: date
) -> None:
    """A text is not yet in force, in force, or ended, and only its own dates move it on."""
    found = validity(effective, ended, reason, day)
    if ended and day >= ended:
        assert found is (reason or Validity.REPEALED)
    else:
        assert found is (Validity.NOT_YET if effective and day < effective else Validity.IN_FORCE)
    if found is not validity(effective, ended, reason, day + timedelta(1)):
        assert day + timedelta(1) in (effective, ended)


def test_metadata_orders_versions_by_effect_and_shows_the_year_of_issue() -> None:
    """Versions go by the day of effect, readers see the year of issue, each with its fallbacks."""
    adopted, issued, effective = date(2019, 1, 1), date(2020, 1, 1), date(2021, 1, 1)
    whole = Metadata("题", Kind.LAW, adopted_on=adopted, issued_on=issued, effective_on=effective)
    assert (whole.version_on, whole.year) == (effective, 2020)
    assert Metadata("题", Kind.LAW, issued_on=issued, adopted_on=adopted).version_on == issued
    assert Metadata("题", Kind.LAW, adopted_on=adopted, effective_on=effective).year == 2021
    assert (Metadata("题", Kind.LAW).version_on, Metadata("题", Kind.LAW).year) == (None, None)


@given(st.lists(st.integers(0, 50), unique=True).map(sorted), st.integers(0, 60))
def test_page_at_gives_the_last_page_begun(starts: list[int], offset: int) -> None:
    """A character stands on the last page that began at or before it."""
    pages = tuple((start, n) for n, start in enumerate(starts, 1))
    expected = sum(start <= offset for start in starts) or None
    assert page_at(pages, offset) == Flow("", (), pages).page_at(offset) == expected


def test_source_shows_no_bytes() -> None:
    """The representation of a source names it without its content."""
    source = Source("a.txt", "text/plain", b"secret")
    assert "secret" not in repr(source)
    assert source.sha256 == Source("b", "", b"secret").sha256


def test_entry_key_is_its_id_as_a_number() -> None:
    """The number that indexes hold leads back to the passage id."""
    entry = Entry(derive_id("x"), derive_id("d"), "", Kind.LAW, None, None, None, None, None, frozenset())
    assert f"{entry.key:016x}" == entry.passage_id


@pytest.mark.parametrize(
    ("limit", "admitted"),
    [
        ({}, True),
        ({"kinds": {Kind.LAW}}, True),
        ({"kinds": {Kind.CASE, Kind.POLICY}}, False),
        ({"issuers": {"国务院"}}, True),
        ({"issuers": {"别处"}}, False),
        ({"years": {2020}}, True),
        ({"years": {2021}}, False),
        ({"documents": {"d"}}, True),
        ({"documents": {"e"}}, False),
        ({"without": {"d"}}, False),
        ({"without": {"e"}}, True),
        ({"validity": {Validity.IN_FORCE}}, True),
        ({"validity": {Validity.SUPERSEDED}}, False),
    ],
)
def test_filters_admit_by_each_fact(limit: dict[str, set[object]], admitted: bool) -> None:
    """Each filter limits by its own fact, and an empty one does not limit."""
    within = Filters(frozenset({"public"}), date(2024, 1, 1), **{k: frozenset(v) for k, v in limit.items()})
    assert within.admits("d", Kind.LAW, "国务院", 2020, Validity.IN_FORCE) is admitted
