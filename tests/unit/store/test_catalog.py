"""The catalog on a real SQLite file: versions, repeal, scope, changes."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import NotFound
from kb.model import PUBLIC, Document, DocumentCard, Kind, Validity
from store.catalog import Catalog
from store.database import open_database
from tests.fakes import make_document, put

DAY = date(2024, 6, 1)
EVERYONE = frozenset({PUBLIC})
BEICHEN = frozenset({PUBLIC, "北辰"})
NOBODY: frozenset[str] = frozenset()


@contextmanager
def catalog_in(folder: Path) -> Iterator[Catalog]:
    """A catalog in a folder, closed in the end."""
    catalog = Catalog(open_database(f"sqlite:///{folder / 'catalog.db'}"))
    try:
        yield catalog
    finally:
        catalog.engine.dispose()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog."""
    with catalog_in(tmp_path) as found:
        yield found


def card(catalog: Catalog, document: Document, day: date = DAY) -> DocumentCard:
    """The document's card as everyone sees it."""
    return catalog.card(document.document_id, EVERYONE, day)


def version(year: int, **facts: object) -> Document:
    """The version of one law that took effect in a year."""
    return make_document(
        f"法{year}", title="共建法", work="law:共建法", effective_on=date(year, 1, 1), **facts
    )


def ends(catalog: Catalog) -> dict[str, tuple[date | None, Validity]]:
    """When each document ends and how it stands thereafter."""
    far = date(2100, 1, 1)
    return {c.document_id: (c.ended_on, c.validity) for c in catalog.cards(EVERYONE, far, k=1000)}


# -- versions ---------------------------------------------------------------------


@settings(max_examples=15)
@given(st.permutations([2001, 2005, 2010, 2015, 2020]))
def test_catalog_versions_end_when_the_next_takes_effect(order: list[int]) -> None:
    """In whatever order versions come in, each ends on the day its successor takes effect, the last one never."""
    with tempfile.TemporaryDirectory() as folder, catalog_in(Path(folder)) as catalog:
        for year in order:
            put(catalog, version(year))
        expected = {
            version(a).document_id: (date(b, 1, 1), Validity.SUPERSEDED)
            for a, b in ((2001, 2005), (2005, 2010), (2010, 2015), (2015, 2020))
        }
        assert ends(catalog) == expected | {version(2020).document_id: (None, Validity.IN_FORCE)}
        newest_first = [c.document_id for c in catalog.versions(version(2005).document_id, EVERYONE, DAY)]
        assert newest_first == [version(y).document_id for y in (2020, 2015, 2010, 2005, 2001)]


@settings(max_examples=15)
@given(st.permutations(["共建法2001", "共建法2010", "废止令2005", "新办法2015", "旁及法"]), st.data())
def test_catalog_ends_do_not_depend_on_the_order_of_changes(order: list[str], data: st.DataObject) -> None:
    """Putting in any order, with removals between, ends in the same state as putting what is left at once."""
    documents = {
        "共建法2001": version(2001, number="北人发〔2001〕1号"),
        "共建法2010": version(2010),
        "废止令2005": make_document("废止令", effective_on=date(2005, 3, 1), repeals=("共建法", "旁及法")),
        "新办法2015": make_document("新办法", effective_on=date(2015, 3, 1), repeals=("北人发[2001]1号",)),
        "旁及法": make_document("旁及法", effective_on=date(2003, 1, 1)),
    }
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        with catalog_in(Path(one)) as catalog, catalog_in(Path(two)) as plain:
            for name in order:
                put(catalog, documents[name])
            gone = data.draw(st.sets(st.sampled_from(order), max_size=3))
            for name in gone:
                catalog.remove(documents[name].document_id)
            back = data.draw(st.sets(st.sampled_from(sorted(gone)), max_size=2)) if gone else set()
            for name in back:
                put(catalog, documents[name], again=True)
            for name in sorted(set(order) - (gone - back)):
                put(plain, documents[name])
            assert ends(catalog) == ends(plain)


def test_catalog_removal_revives_what_was_superseded(catalog: Catalog) -> None:
    """With the newer version gone the older one stands again, and followers hear of both."""
    old, new = version(2001), version(2010)
    put(catalog, old)
    put(catalog, new)
    before = catalog.seq()
    catalog.remove(new.document_id)
    assert card(catalog, old).validity is Validity.IN_FORCE
    assert card(catalog, old).ended_on is None
    assert {(c.document_id, c.removed) for c in catalog.changes(before)} == {
        (new.document_id, True),
        (old.document_id, False),
    }


def test_catalog_repeal_ends_a_text_and_its_removal_revives_it(catalog: Catalog) -> None:
    """A text that another names as repealed ends when that one takes effect, by title or by 文号 in any form."""
    by_title = make_document("甲办法", effective_on=date(2001, 1, 1))
    by_number = make_document("乙办法", number="北党发〔2019〕3号", effective_on=date(2001, 1, 1))
    repealer = make_document(
        "丙办法", effective_on=date(2020, 1, 1), repeals=("《甲办法》", "北党发[2019]3号")
    )
    for document in (repealer, by_title, by_number):
        put(catalog, document)
    assert card(catalog, by_title).validity is card(catalog, by_number).validity is Validity.REPEALED
    assert card(catalog, by_title, date(2019, 12, 31)).validity is Validity.IN_FORCE
    catalog.remove(repealer.document_id)
    assert card(catalog, by_title).validity is Validity.IN_FORCE


def test_catalog_stated_end_goes_before_a_derived_one(catalog: Catalog) -> None:
    """Where the source states when it ends, newer versions do not move that day."""
    stated = version(2001, ended_on=date(2008, 8, 8), end_reason=Validity.REPEALED)
    put(catalog, stated)
    put(catalog, version(2010))
    assert ends(catalog)[stated.document_id] == (date(2008, 8, 8), Validity.REPEALED)


def test_catalog_version_not_yet_in_force_leaves_the_old_one_standing(catalog: Catalog) -> None:
    """Until the day it takes effect a new version supersedes nothing, in lists and suggestions too."""
    old = version(2001)
    put(catalog, old)
    put(catalog, version(2030))
    assert card(catalog, old).validity is Validity.IN_FORCE
    assert {c.document_id for c in catalog.suggest("共建法", EVERYONE, DAY, 9)} >= {old.document_id}
    assert card(catalog, old, date(2030, 1, 1)).validity is Validity.SUPERSEDED
    assert old.document_id not in {
        c.document_id for c in catalog.suggest("共建法", EVERYONE, date(2030, 1, 1), 9)
    }


# -- scope ------------------------------------------------------------------------

READINGS: dict[str, Callable[[Catalog, Document, frozenset[str]], object]] = {
    "place": lambda c, d, s: c.place([int(p.passage_id, 16) for p in d.passages], s, DAY),
    "locate": lambda c, d, s: c.locate([int(p.passage_id, 16) for p in d.passages], s, DAY),
    "document": lambda c, d, s: c.document(d.document_id, s),
    "card": lambda c, d, s: c.card(d.document_id, s, DAY),
    "cards": lambda c, d, s: c.cards(s, DAY),
    "versions": lambda c, d, s: c.versions(d.document_id, s, DAY),
    "count": lambda c, d, s: c.count(s),
    "count of a kind": lambda c, d, s: c.count(s, kind=d.meta.kind),
    "overview": lambda c, d, s: c.overview(s),
    "suggest": lambda c, d, s: c.suggest("秘", s, DAY, 9),
}


@pytest.mark.parametrize("name", READINGS)
def test_catalog_readings_keep_to_the_scope(catalog: Catalog, tmp_path: Path, name: str) -> None:
    """What is outside the scope and what does not exist give the same answer, byte for byte."""
    secret = make_document("秘密", ["秘密的第一条。", "第二条。"], number="北秘〔2024〕1号")

    def answer(scope: frozenset[str]) -> str:
        try:
            return repr(READINGS[name](catalog, secret, scope))
        except NotFound as error:
            return repr((error.code, error.message, error.hint, str(error)))

    put(catalog, make_document("公开"))
    absent = {scope: answer(scope) for scope in (EVERYONE, BEICHEN, NOBODY)}
    put(catalog, secret, audience=["北辰"])
    assert answer(EVERYONE) == absent[EVERYONE]
    assert answer(NOBODY) == absent[NOBODY]
    assert answer(frozenset({"北"})) == absent[NOBODY]
    assert answer(BEICHEN) != absent[BEICHEN]


def test_catalog_document_without_audience_is_seen_by_nobody(catalog: Catalog) -> None:
    """An empty audience opens nothing to anyone."""
    put(catalog, make_document("无人"), audience=[])
    assert catalog.cards(BEICHEN, DAY) == []
    assert catalog.total() == 1


def test_catalog_suggest_takes_signs_literally(catalog: Catalog) -> None:
    """Signs that mean something to SQL mean themselves."""
    put(catalog, make_document("办法"))
    assert catalog.suggest("%", EVERYONE, DAY, 9) == []
    assert catalog.suggest("_", EVERYONE, DAY, 9) == []


# -- documents and changes ----------------------------------------------------------


def test_catalog_gives_back_the_document_as_it_was_put(catalog: Catalog) -> None:
    """Text, structure, passages and metadata come back equal, wide characters too."""
    document = make_document(
        "全",
        ["第一条 𠮷字与空\u3000格。", "第二条\t表\n格。"],
        issuer="国务院",
        number="国发〔2023〕5号",
        kind=Kind.POLICY,
        issued_on=date(2023, 1, 2),
        effective_on=date(2023, 2, 3),
    )
    document = replace(
        document, pages=((0, 1), (5, 2)), meta=replace(document.meta, keywords=("甲", "乙"), abstract="摘要")
    )
    assert put(catalog, document)
    assert catalog.document(document.document_id, EVERYONE) == document
    located = catalog.locate([int(p.passage_id, 16) for p in document.passages], EVERYONE, DAY)
    assert {x.text for x in located.values()} == {document.text[p.start : p.end] for p in document.passages}


def test_catalog_takes_the_same_document_once(catalog: Catalog) -> None:
    """A second put of the same document changes nothing and says so."""
    document = make_document("一")
    assert put(catalog, document)
    assert not put(catalog, document)
    assert (catalog.seq(), catalog.total(), len(catalog.changes(0))) == (1, 1, 1)


def test_catalog_changes_tell_the_latest_of_each_document(catalog: Catalog) -> None:
    """Changes since a number are one a document, the latest, in order, and end with the present number."""
    a, b = make_document("甲"), make_document("乙")
    put(catalog, a)
    put(catalog, b)
    catalog.remove(a.document_id)
    put(catalog, a, again=True)
    assert [(c.document_id, c.removed) for c in catalog.changes(0)] == [
        (b.document_id, False),
        (a.document_id, False),
    ]
    assert [(c.document_id, c.removed) for c in catalog.changes(2)] == [(a.document_id, False)]
    assert catalog.changes(0)[-1].seq == catalog.seq()
    assert catalog.changes(catalog.seq()) == []
    assert len(catalog.changes(0, limit=1)) == 1
    catalog.remove(b.document_id)
    assert [(c.document_id, c.removed) for c in catalog.changes(0)] == [
        (a.document_id, False),
        (b.document_id, True),
    ]


def test_catalog_never_gives_a_sequence_number_twice(catalog: Catalog, tmp_path: Path) -> None:
    """Numbers grow even after the latest change was forgotten, so no follower can miss one."""
    put(catalog, make_document("甲"))
    with catalog.engine.connect().execution_options(write=True) as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM changes")
    put(catalog, make_document("乙"))
    assert catalog.seq() == 2


def test_catalog_entries_say_what_indexes_need(catalog: Catalog) -> None:
    """Entries hold title, path and text of each passage with the document's facts, and none when it is gone."""
    document = make_document(
        "甲", ["子。", "丑。"], issuer="国务院", issued_on=date(2020, 1, 1), effective_on=date(2021, 1, 1)
    )
    put(catalog, document, audience=["北辰", "partners"])
    entries = catalog.entries(document.document_id)
    assert [e.text for e in entries] == ["甲 第1条\n子。\n", "甲 第2条\n丑。"]
    assert [e.passage_id for e in entries] == [p.passage_id for p in document.passages]
    assert {(e.issuer, e.year, e.effective_on, e.audiences) for e in entries} == {
        ("国务院", 2020, date(2021, 1, 1), frozenset({"北辰", "partners"}))
    }
    catalog.remove(document.document_id)
    assert catalog.entries(document.document_id) == []


def test_catalog_removal_of_what_is_not_there_is_not_found(catalog: Catalog) -> None:
    """Removing twice names the document that is missing and changes nothing."""
    document = make_document("甲")
    put(catalog, document)
    catalog.remove(document.document_id)
    with pytest.raises(NotFound, match=document.document_id):
        catalog.remove(document.document_id)
    assert catalog.seq() == 2


def test_catalog_removal_leaves_nothing_behind(catalog: Catalog) -> None:
    """After removal no table but the log of changes holds anything of the document."""
    put(catalog, make_document("甲", repeals=("乙",)))
    catalog.remove(make_document("甲").document_id)
    with catalog.engine.connect() as connection:
        for table in ("documents", "passages", "clauses", "sections", "shares", "repeals"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_catalog_lists_newest_first_and_pages_completely(catalog: Catalog) -> None:
    """Pages of a list follow each other without gap or repeat; undated documents come last."""
    documents = [make_document(str(n), effective_on=date(2020, 1, 1) + timedelta(n % 5)) for n in range(20)]
    for document in [make_document("无日期"), *documents]:
        put(catalog, document)
    whole = catalog.cards(EVERYONE, DAY, k=100)
    paged = [c for offset in range(0, 25, 4) for c in catalog.cards(EVERYONE, DAY, offset=offset, k=4)]
    assert paged == whole
    assert len(whole) == catalog.count(EVERYONE) == 21
    days = [c.effective_on for c in whole[:-1]]
    assert days == sorted(days, reverse=True)
    assert whole[-1].effective_on is None


def test_catalog_takes_writers_from_many_threads(catalog: Catalog) -> None:
    """Threads that put and remove at once all succeed, each change under its own number."""
    errors: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for n in range(10):
                put(
                    catalog,
                    make_document(
                        f"{worker}-{n}", title="同名", work="same", effective_on=date(2000 + n, 1 + worker, 1)
                    ),
                )
            catalog.remove(make_document(f"{worker}-0").document_id)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert catalog.total() == 36
    in_force = [c for c in catalog.cards(EVERYONE, DAY, k=99) if c.validity is Validity.IN_FORCE]
    assert [c.effective_on for c in in_force] == [date(2009, 4, 1)]
