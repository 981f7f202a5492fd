"""Queries through catalog, both legs, fusion and targets, on real stores."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.services import Services
from ingest.pipeline import File, Keeping, find_files
from kb.errors import IndexMismatch, InvalidQuery, NotFound, ServiceError
from kb.model import PUBLIC, Answer, Hit, Kind, Mode, Query, Source, Validity
from search.engine import MAX_QUERY_CHARS, MAX_WINDOW
from tests.conftest import Opener
from tests.fakes import HashingEncoder, make_document, put
from tests.texts import CASE, FUNDS_2023, LAW

EVERYONE = frozenset({PUBLIC})
BEICHEN = frozenset({PUBLIC, "北辰"})


def ask(services: Services, text: str, scope: frozenset[str] = EVERYONE, **more: Any) -> Answer:
    """The answer to a query."""
    return services.search(Query(text, scope, **more))


def sources(answer: Answer) -> list[str]:
    """Where the hits come from, each source once, best first."""
    return list(dict.fromkeys(h.source for h in answer.hits))


def add_text(
    services: Services, name: str, text: str, *, audience: Sequence[str] = (PUBLIC,), follow: bool = True
) -> str:
    """Put a text under an audience; its document id."""
    outcome = services.pipeline.ingest(
        Source(name, "text/plain", text.encode()), keeping=Keeping(frozenset(audience))
    )
    assert outcome.status == "added"
    assert outcome.document_id
    if follow:
        services.follow()
    return outcome.document_id


def without_scores(answer: Answer) -> tuple[Any, ...]:
    """What a person sees of an answer, time and scores left out."""
    return (answer.query, answer.total, answer.facets, [replace(h, score=0.0, legs={}) for h in answer.hits])


# -- scope ------------------------------------------------------------------------

SECRET = """北辰内部奖励办法
北辰内发〔2024〕9号
北辰集团党委

第一条　夜班吊机奖励每人三百元。
第二条　共建协议另有约定的从其约定。
"""


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "text",
    ["奖励", "夜班吊机", "北辰内发〔2024〕9号", "北辰内部奖励办法", "北辰内部奖励办法第一条", "共建协议"],
)
def test_search_answers_as_if_the_hidden_were_not_there(services: Services, text: str, mode: Mode) -> None:
    """Hits, total, facets and targets are the same whether a document outside the scope exists or not."""
    before = ask(services, text, k=100, mode=mode)
    hidden = add_text(services, "奖励.txt", SECRET, audience=["北辰"])
    after = ask(services, text, k=100, mode=mode)
    assert {h.passage_id for h in after.hits} == {h.passage_id for h in before.hits}
    assert (after.total, after.facets) == (before.total, before.facets)
    assert all(h.legs.keys() != {"target"} for h in after.hits)
    assert hidden in {h.document_id for h in ask(services, text, BEICHEN, k=100, mode=mode).hits}


def test_search_under_no_scope_finds_nothing(library: Services) -> None:
    """An empty scope, and one of audiences that nothing was shared with, see nothing."""
    for scope in (frozenset[str](), frozenset({"生人"})):
        for mode in Mode:
            answer = ask(library, "支部共建促进法第二条", scope, mode=mode)
            assert (answer.total, answer.hits) == (0, ())
            assert not any(answer.facets.values())
        assert library.suggest("共建", scope) == ()


def test_suggest_keeps_to_the_scope(services: Services) -> None:
    """Neither a title nor a 文号 is suggested to those who may not see the document."""
    add_text(services, "奖励.txt", SECRET, audience=["北辰"])
    for text in ("奖励", "北辰内发〔2024〕9号", "北辰内发"):
        assert services.suggest(text, EVERYONE) == ()
        assert [c.source for c in services.suggest(text, BEICHEN)] == ["奖励.txt"]


def test_hidden_and_missing_documents_are_told_alike(services: Services) -> None:
    """A document outside the scope and one that does not exist give the same error but for the id asked."""
    hidden = add_text(services, "奖励.txt", SECRET, audience=["北辰"])
    for ask_for in (services.document, services.card, services.versions, services.original):
        errors = []
        for document_id in (hidden, "0" * 16):
            with pytest.raises(NotFound) as caught:
                ask_for(document_id, EVERYONE)
            errors.append((caught.value.code, str(caught.value).replace(document_id, "ID")))
        assert errors[0] == errors[1]
        assert ask_for(hidden, BEICHEN)


def test_hidden_namesakes_do_not_displace_a_target(services: Services) -> None:
    """However many documents of a title one may not see, the one that may be seen is still gone to first."""
    for n in range(12):
        put(
            services.catalog,
            make_document(f"秘{n}", title="支部共建促进法", effective_on=date(2022, 1, n + 1)),
            audience=["北辰"],
        )
    services.follow()
    first = ask(services, "支部共建促进法").hits[0]
    assert first.source == "law/支部共建促进法.txt"
    assert "target" in first.legs


# -- versions ---------------------------------------------------------------------


def test_search_leaves_out_superseded_versions_unless_asked(library: Services) -> None:
    """By default only the version that stands is found; the older one is had by its standing."""
    assert sources(ask(library, "外出学习每人每天", mode=Mode.KEYWORD))[0] == "policy/经费办法2023.txt"
    assert "policy/经费办法2019.txt" not in sources(ask(library, "外出学习每人每天", k=100))
    old = ask(library, "外出学习每人每天", k=100, validity=frozenset({Validity.SUPERSEDED}))
    assert sources(old) == ["policy/经费办法2019.txt"]
    assert {h.validity for h in old.hits} == {Validity.SUPERSEDED}


@pytest.mark.parametrize("text", ["外出学习每人每天不超过", "活动经费管理办法第三条", "活动经费管理办法"])
@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2019, 3, 31), set()),
        (date(2019, 4, 1), {"policy/经费办法2019.txt"}),
        (date(2023, 5, 31), {"policy/经费办法2019.txt"}),
        (date(2023, 6, 1), {"policy/经费办法2023.txt"}),
        (date(2026, 1, 1), {"policy/经费办法2023.txt"}),
    ],
)
def test_search_as_of_gives_the_version_in_force_on_that_day(
    library: Services, text: str, day: date, expected: set[str]
) -> None:
    """As of a day the version then in force answers, from its first day to the eve of its successor."""
    found = ask(library, text, k=100, as_of=day)
    assert {s for s in sources(found) if "经费办法" in s} == expected
    assert {h.validity for h in found.hits} <= {Validity.IN_FORCE}


def test_search_finds_the_old_version_again_when_the_new_one_is_removed(services: Services) -> None:
    """Removal of the newer version brings the older back into default answers."""
    new = next(h.document_id for h in ask(services, "北党发〔2023〕5号").hits if "2023" in h.source)
    services.remove([new])
    # The index itself has let go of the text, not only the answers.
    assert services.status()["ready"]
    found = ask(services, "活动经费管理办法第三条")
    assert found.hits[0].source == "policy/经费办法2019.txt"
    assert "target" in found.hits[0].legs
    assert "八十元" not in "".join(h.text for h in ask(services, "外出学习", k=100).hits)


# -- targets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "label"),
    [
        ("北党发[2023]5号", "policy/经费办法2023.txt", None),
        ("北黨發（２０２３）第５號", "policy/经费办法2023.txt", None),
        ("江安字〔2024〕12号", "policy/夜间检查通知.txt", None),
        ("支部共建促进法第五十四条", "law/支部共建促进法.txt", "第五十四条"),
        ("《支部共建促进法》第54条", "law/支部共建促进法.txt", "第五十四条"),
        ("支部共建促進法５４條", "law/支部共建促进法.txt", "第五十四条"),
        ("活动经费管理办法第三条", "policy/经费办法2023.txt", "第三条"),
        ("间隔复习怎样用于党员教育", "article/间隔复习.md", None),
    ],
)
def test_search_goes_to_what_the_query_names_first(
    library: Services, text: str, source: str, label: str | None
) -> None:
    """文号, law and article, and exact title lead to their place, ahead of every other hit."""
    for mode in Mode:
        first = ask(library, text, mode=mode).hits[0]
        assert (first.source, first.legs["target"].rank) == (source, 1)
        assert label is None or first.path[-1] == label


def test_search_goes_to_an_article_added_later(library: Services) -> None:
    """第三条之一 is not 第三条."""
    assert ask(library, "活动经费管理办法第三条之一").hits[0].path[-1] == "第三条之一"


def test_search_keeps_targets_inside_the_filters(library: Services) -> None:
    """A query that names a document the filters leave out does not get it."""
    for more in (
        {"kinds": frozenset({Kind.CASE})},
        {"years": frozenset({1999})},
        {"issuers": frozenset({"别处"})},
    ):
        assert all("target" not in h.legs for h in ask(library, "北党发〔2023〕5号", **more).hits)


# -- filters, facets, paging --------------------------------------------------------


def test_facets_count_what_filtering_gives(library: Services) -> None:
    """Each facet value counts the passages that the same query has under that filter."""
    text = "活动经费 学习 共建 吊机"
    whole = ask(library, text, k=100, validity=frozenset(Validity))
    assert (
        whole.total
        == sum(whole.facets["kind"].values())
        == sum(whole.facets["validity"].values())
        == len(whole.hits)
    )
    values = {
        "kind": ("kinds", Kind),
        "issuer": ("issuers", str),
        "year": ("years", int),
        "validity": ("validity", Validity),
    }
    for name, (argument, kind) in values.items():
        assert whole.facets[name], name
        for value, n in whole.facets[name].items():
            limits: dict[str, Any] = {"validity": frozenset(Validity)} | {argument: frozenset({kind(value)})}
            filtered = ask(library, text, k=100, **limits)
            assert (filtered.total, len(filtered.hits)) == (n, n), (name, value)
            assert list(filtered.facets[name]) == [value]


def test_filters_on_documents_keep_to_them(library: Services) -> None:
    """A query inside one document finds only that document's passages."""
    law = ask(library, "支部共建促进法").hits[0].document_id
    found = ask(library, "经费", k=100, documents=frozenset({law}))
    assert found.total
    assert {h.document_id for h in found.hits} == {law}


def many(services: Services, n: int) -> None:
    """Many like documents, so that scores tie and lists are long."""
    for i in range(n):
        put(services.catalog, make_document(f"批{i}", [f"共建活动经费第{i % 7}项安排。"], title=f"批文{i}"))
    services.follow()


@pytest.mark.parametrize("mode", Mode)
def test_pages_follow_each_other_completely(services: Services, mode: Mode) -> None:
    """Pages of any size put together are the whole list: no hit twice, none missing, the same order, ranks in a row."""
    many(services, 100)
    whole = ask(services, "共建活动经费", k=190, mode=mode)
    assert len(whole.hits) > 90
    for k in (10, 37):
        paged: list[Hit] = []
        while page := ask(services, "共建活动经费", k=k, offset=len(paged), mode=mode).hits:
            paged.extend(page)
            if len(paged) >= len(whole.hits):
                break
        assert [h.passage_id for h in paged[: len(whole.hits)]] == [h.passage_id for h in whole.hits]
        assert [h.rank for h in paged] == list(range(1, len(paged) + 1))


def test_pages_to_the_end_repeat_and_lose_nothing(services: Services) -> None:
    """Paged to its end, an answer gives each of its passages once, and as many as its total says."""
    many(services, 700)
    total = ask(services, "共建活动经费").total
    paged = [
        h.passage_id
        for offset in range(0, total, 50)
        for h in ask(services, "共建活动经费", k=50, offset=offset).hits
    ]
    assert len(paged) == len(set(paged)) == total >= 300


def test_search_is_the_same_every_time(services: Services, open_services: Opener) -> None:
    """The same query gives the same answer again, and in another process."""
    one = without_scores(ask(services, "活动经费", k=100))
    assert without_scores(ask(services, "活动经费", k=100)) == one
    assert without_scores(ask(open_services(), "活动经费", k=100)) == one


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", {}),
        (" \n\u3000", {}),
        ("经" * (MAX_QUERY_CHARS + 1), {}),
        ("经费", {"k": 0}),
        ("经费", {"k": -1}),
        ("经费", {"offset": -1}),
        ("经费", {"k": MAX_WINDOW + 1}),
        ("经费", {"k": 10, "offset": MAX_WINDOW - 9}),
    ],
)
def test_search_refuses_what_makes_no_sense(library: Services, text: str, more: dict[str, int]) -> None:
    """No text, too long a text and pages that cannot be had are InvalidQuery with a way out."""
    with pytest.raises(InvalidQuery) as caught:
        ask(library, text, **more)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "经" * MAX_QUERY_CHARS,
        "？！。",
        "\0",
        "经费\0共建",
        "a" * 2000,
        "第" * 50,
        '"AND" OR NOT (',
        "terms:经 +- * ~ ^2 [a TO b]",
        "𠮷",
        "\ufeff经费",
        "<script>",
        "%_'; DROP TABLE documents",
        "〔2023〕",
        "第999999999999999999999条",
        "20231301年号",
        "٣",
    ],
)
def test_search_takes_any_text_literally(library: Services, text: str) -> None:
    """Signs that mean something to an engine, SQL or HTML, and the strangest texts, are only text."""
    for mode in Mode:
        answer = ask(library, text, mode=mode, explain=True)
        assert answer.total >= len(answer.hits) >= 0


def test_search_of_an_empty_home_finds_nothing(open_services: Opener) -> None:
    """Before anything was taken in, a query has an empty answer, not an error."""
    services = open_services()
    answer = ask(services, "民法典第一条")
    assert (answer.total, answer.hits) == (0, ())
    assert services.status()["ready"]


# -- what a hit says ----------------------------------------------------------------


def test_hit_quotes_its_document(library: Services) -> None:
    """Text, span, clause and page of a hit are those of the document that it names."""
    for hit in ask(library, "活动经费 共建协议 复习", k=100, validity=frozenset(Validity)).hits:
        document = library.document(hit.document_id, EVERYONE)
        assert document.text[hit.start : hit.end] == hit.text
        clause = next(c for c in document.clauses if c.clause_id == hit.clause_id)
        assert clause.start <= hit.start < hit.end <= clause.end
        assert clause.anchor == hit.anchor
        assert (hit.title, hit.source, hit.number) == (
            document.meta.title,
            document.source,
            document.meta.number,
        )
        for start, end in hit.highlights:
            assert 0 <= start < end <= len(hit.text)


def test_search_highlights_across_number_forms(library: Services) -> None:
    """A query in digits marks the numeral as the text writes it."""
    hit = next(h for h in ask(library, "期满30日前").hits if "三十日" in h.text)
    assert "三十日" in "".join(hit.text[a:b] for a, b in hit.highlights)


def test_explain_shows_legs_and_terms(library: Services) -> None:
    """With explain each hit tells its rank and raw score in each leg and which of the query's tokens it has."""
    answer = ask(library, "共建协议 续签", explain=True)
    first = answer.hits[0]
    assert first.legs.keys() == {"keyword", "vector"}
    assert first.legs["keyword"].rank == 1
    assert first.legs["keyword"].score > 0
    assert set(first.terms) >= {"协议", "续签"}
    assert ask(library, "共建协议 续签").hits[0].terms == ()


@pytest.mark.parametrize(("mode", "legs"), [(Mode.KEYWORD, {"keyword"}), (Mode.VECTOR, {"vector"})])
def test_modes_ask_one_leg(library: Services, mode: Mode, legs: set[str]) -> None:
    """In keyword or vector mode only that leg answers, in its own order and scores."""
    answer = ask(library, "共建协议续签", k=100, mode=mode)
    assert answer.hits
    assert all(h.legs.keys() == legs for h in answer.hits)
    ranks = [next(iter(h.legs.values())) for h in answer.hits]
    assert [r.rank for r in ranks] == sorted(r.rank for r in ranks)
    assert [h.score for h in answer.hits] == [r.score for r in ranks]


@pytest.mark.parametrize("leg", ["keyword", "vector"])
def test_a_failing_leg_is_an_error_of_the_answer(
    services: Services, monkeypatch: pytest.MonkeyPatch, leg: str
) -> None:
    """A leg that fails makes the answer fail; it is never given from the other leg alone."""

    def fail(*_: object) -> None:
        raise ServiceError(f"The {leg} leg is gone.", "Mend it.")

    monkeypatch.setattr(getattr(services.index, leg), "search", fail)
    with pytest.raises(ServiceError, match=leg):
        ask(services, "共建")
    other = Mode.VECTOR if leg == "keyword" else Mode.KEYWORD
    assert ask(services, "共建", mode=other).hits


# -- following the catalog ------------------------------------------------------------


def test_removal_elsewhere_is_gone_at_the_next_query(services: Services, open_services: Opener) -> None:
    """A document removed through one opened home is in no answer of another that was open before."""
    other = open_services()
    gone = ask(other, "支部共建促进法第二条").hits[0].document_id
    services.remove([gone])
    for mode in Mode:
        answer = ask(other, "支部共建促进法第二条 自愿平等互助", k=100, mode=mode)
        assert gone not in {h.document_id for h in answer.hits}
        assert "互助" not in json.dumps(
            [h.text for h in answer.hits if h.kind is Kind.LAW], ensure_ascii=False
        )
    assert other.suggest("共建促进法", EVERYONE) == ()
    with pytest.raises(NotFound):
        other.document(gone, EVERYONE)


def test_removal_elsewhere_is_gone_though_another_writes_the_index(
    services: Services, open_services: Opener
) -> None:
    """Also while a third holds the index to itself, a removed document and its counts are in no answer."""
    other, writer = open_services(), open_services()
    gone = ask(other, "支部共建促进法第二条").hits[0].document_id
    with writer.index._writing(block=True):
        services.catalog.remove(gone)
        answer = ask(other, "共建", k=100)
        assert answer.hits
        assert gone not in {h.document_id for h in answer.hits}
        assert answer.total == len(answer.hits)
        assert Kind.LAW.value not in answer.facets["kind"]


def test_addition_elsewhere_is_found_at_the_next_query(services: Services, open_services: Opener) -> None:
    """A document taken in through one opened home is found by another that was open before, even a catalog ahead of its index."""
    other = open_services()
    add_text(services, "新.txt", "新的安排\n关于无人机巡检的安排说明，自即日起实行。\n", follow=False)
    assert sources(ask(other, "无人机巡检"))[0] == "新.txt"


def test_one_new_document_does_not_rebuild(services: Services) -> None:
    """A single document goes into the live generation, in a few new files, and is found at once."""
    generation = services.index.generation
    folder = services.index.folder / generation
    for n in range(20):
        add_text(services, f"新{n}.txt", f"安排{n}\n关于第{n + 1}次无人机巡检的安排说明，自即日起实行。\n")
        assert f"新{n}.txt" in sources(ask(services, f"第{n + 1}次无人机巡检"))
    assert services.index.generation == generation
    assert len(list((folder / "keyword").glob("*.store"))) <= 12
    assert len(list((folder / "vector").iterdir())) <= 12


def test_ingest_of_the_same_again_touches_no_index(services: Services, texts_folder: Path) -> None:
    """Taking in what is here already changes neither catalog nor index."""
    before = services.status()
    report = services.ingest([texts_folder])
    assert (report.documents, report.unchanged) == (0, before["documents"])
    assert services.status() == before


# -- generations ------------------------------------------------------------------------


def test_another_encoder_is_refused_by_name_until_reindexed(
    services: Services, open_services: Opener
) -> None:
    """An index of another encoder is not opened: the error names both and the command; reindex mends it."""
    old = services.index.generation
    with pytest.raises(IndexMismatch) as caught:
        open_services(encoder=HashingEncoder("other", 32))
    for part in ("hashing-64", "other-32", "gongxue reindex"):
        assert part in str(caught.value)
    steps: list[str] = []
    mending = open_services(encoder=HashingEncoder("other", 32), index=False)
    mending.reindex(lambda *_: steps.append((services.index.folder / "CURRENT").read_text()))
    # Until the last step the old one stayed live and whole.
    assert set(steps) == {old}
    assert mending.index.generation != old
    found = open_services(encoder=HashingEncoder("other", 32))
    assert sources(ask(found, "支部共建促进法第五十四条"))[0] == "law/支部共建促进法.txt"
    assert [p.name for p in services.index.folder.iterdir() if p.name.isdigit()] == [found.index.generation]


def test_reindex_leaves_open_readers_answering(services: Services, open_services: Opener) -> None:
    """One that had the index open goes on answering through a rebuild, and follows into the new generation."""
    other = open_services()
    before = without_scores(ask(other, "活动经费", k=100))
    services.reindex()
    assert without_scores(ask(other, "活动经费", k=100)) == before
    add_text(services, "新.txt", "新的安排\n关于无人机巡检的安排说明，自即日起实行。\n")
    assert sources(ask(other, "无人机巡检"))[0] == "新.txt"
    assert other.index.generation == services.index.generation


def test_a_rebuild_cut_short_leaves_the_old_index_live(
    services: Services, open_services: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebuild that fails half way changes nothing, and what it left is cleared by the next."""
    old = services.index.generation

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(services.index, "_catch_up", fail)
        with pytest.raises(OSError, match="disk full"):
            services.reindex()
    assert services.index.generation == old
    assert ask(open_services(), "共建").hits
    services.reindex()
    assert [p.name for p in services.index.folder.iterdir() if p.name.isdigit()] == [
        services.index.generation
    ]


def test_a_catalog_that_went_back_is_noticed(services: Services, open_services: Opener, home: Path) -> None:
    """An index that is ahead of its catalog, as after an old catalog was put back, is not opened as if it matched."""
    services.close()
    for path in home.glob("catalog.db*"):
        path.unlink()
    with pytest.raises(IndexMismatch, match="gongxue reindex"):
        open_services()
    mended = open_services(index=False)
    mended.reindex()
    add_text(mended, "新.txt", "新的安排\n关于无人机巡检的安排说明，自即日起实行。\n")
    assert sources(ask(open_services(), "无人机巡检")) == ["新.txt"]


def test_damaged_meta_is_a_mismatch(services: Services, open_services: Opener) -> None:
    """A generation whose meta.json cannot be read is refused with the command that mends it."""
    (services.index.folder / services.index.generation / "meta.json").write_text("{")
    with pytest.raises(IndexMismatch, match="gongxue reindex"):
        open_services()


# -- ingest of a batch --------------------------------------------------------------------


def test_outcomes_come_in_order_and_name_what_failed(open_services: Opener, tmp_path: Path) -> None:
    """A batch gives one outcome for each file, in order, and goes on after those that fail."""
    folder = tmp_path / "批"
    folder.mkdir()
    for name, data in {
        "一.txt": LAW.encode(),
        "二.txt": b"",
        "三.xyz": b"x",
        "四.txt": FUNDS_2023.encode(),
        "五.txt": CASE.encode(),
    }.items():
        (folder / name).write_bytes(data)
    outcomes = list(
        open_services().pipeline.ingest_files([*find_files([folder]), File(tmp_path / "六.txt", "六.txt")])
    )
    assert {o.source: o.status for o in outcomes} == {
        "一.txt": "added",
        "三.xyz": "failed",
        "二.txt": "failed",
        "五.txt": "added",
        "四.txt": "added",
        "六.txt": "failed",
    }
    assert {o.code for o in outcomes if o.status == "failed"} == {
        "empty_source",
        "unsupported_format",
        "unreadable_source",
    }
    assert all(o.message for o in outcomes if o.status == "failed")


def test_a_named_document_stands_before_an_answer_in_form(services: Services) -> None:
    """What the query names leads, also over a passage that answers in the very form asked for."""
    named = Source(
        "named.txt", "text/plain", "值班管理办法\n\n第一条 为做好值班工作，制定本办法。\n".encode()
    )
    form = Source(
        "form.txt",
        "text/plain",
        "交接须知\n\n第一条 值班员履行下列职责：\n\n（一）看守；\n\n（二）登记。\n".encode(),
    )
    services.ingest_source(named)
    services.ingest_source(form)
    hits = ask(services, "《值班管理办法》中值班员负责什么").hits
    assert "target" in hits[0].legs
    assert "form" in hits[1].legs
