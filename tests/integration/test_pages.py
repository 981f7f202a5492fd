"""The pages over HTTP, without a browser."""

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient

from access.principal import Principal
from api.pages import WEB, attachment, error_page, router, static_files
from api.principal import principal
from api.security import Security
from api.settings import Settings
from kb.errors import IndexMissing, KbError, NotFound
from tests.integration.page_library import HOSTILE, Library, many_articles

FIRST_PAGE_BYTES = 60_000


def make_app(library: Library) -> FastAPI:
    """The pages with what the program adds to them."""
    app = FastAPI()
    app.include_router(router(library))
    app.mount("/static", static_files())

    def on_error(request: Request, error: Exception) -> HTMLResponse:
        assert isinstance(error, KbError)
        return error_page(request, 404 if isinstance(error, NotFound) else 503, error)

    app.add_exception_handler(KbError, on_error)
    app.add_middleware(Security, settings=Settings(requests_per_minute=0))
    return app


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    with TestClient(make_app(library)) as client:
        yield client


def links(html: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]*)"', html)]


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def addresses(library: Library) -> list[str]:
    """Every kind of page, the hostile document among them."""
    found = ["/", "/documents", "/documents?kind=law&page=2", "/documents?kind=case", "/documents?page=99"]
    found += [
        f"/documents/{d.document_id}?q=试用期&hit={d.passages[-1].passage_id}" for d in library.held[:6]
    ]
    found += [
        "/?q=试用期&explain=1&page=2",
        "/?q=试用期&page=99",
        f"/?q={HOSTILE.replace('&', '%26')}&kind=law",
    ]
    found += [
        "/?q=zzz&issuer=国务院&year=2024",
        "/?q=x&as_of=<b>&mode=<i>&year=<u>",
        "/?q=坏",
        "/documents/none",
    ]
    return found


def test_pages_answer(client: TestClient, library: Library) -> None:
    """Every page answers with Chinese HTML, one h1 and one main."""
    for address in addresses(library):
        response = client.get(address)
        assert response.status_code in (200, 400, 404), address
        assert response.text.count("<h1") == 1, address
        assert response.text.count("<main") == 1
        assert '<html lang="zh-CN">' in response.text
        ids = re.findall(r'\sid="([^"]*)"', response.text)
        assert len(ids) == len(set(ids)), address


def test_pages_answer_head(client: TestClient) -> None:
    """HEAD says what GET would, without the page."""
    response = client.head("/?q=试用期")
    assert response.status_code == 200
    assert response.content == b""


def test_pages_escape_what_they_show(client: TestClient, library: Library) -> None:
    """Markup in titles, issuers, names, text and queries never becomes markup of the page."""
    for address in addresses(library):
        html = client.get(address).text
        assert not re.search(r"<script>alert|<img|<evil", html), address
        assert not re.search(r"<(b|i|u)>", html), address


def test_pages_need_no_inline_script_style_or_other_host(client: TestClient, library: Library) -> None:
    """A strict policy holds: no inline script, style or handler, nothing from another host."""
    for address in addresses(library):
        response = client.get(address)
        tags = re.findall(r"<[a-z][^>]*>", response.text)
        assert not [tag for tag in tags if tag.startswith("<script") and " src=" not in tag]
        assert not [tag for tag in tags if re.search(r"^<style|\s(style|on[a-z]+)=", tag)], address
        assert not [tag for tag in tags if re.search(r'(href|src|action)="\s*([a-z]+:|//)', tag)], address
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    for file in (WEB / "static").iterdir():
        assert not re.search(r"(?<!xmlns=\")https?://|@import", file.read_text()), file.name


def test_first_page_is_light(client: TestClient) -> None:
    """The start page with all it loads stays under the budget, uncompressed, and all of it is there."""
    page = client.get("/")
    total = len(page.content)
    for address in re.findall(r'(?:src|href)="(/static/[^"]*)"', page.text):
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        got = client.get(address)
        assert got.status_code == 200
        total += len(got.content)
    assert total < FIRST_PAGE_BYTES


def test_static_files_are_kept_only_under_their_hash(client: TestClient) -> None:
    """The address with the right hash lasts; any other is asked for again."""
    address = re.findall(r'href="(/static/style[^"]*)"', client.get("/").text)[0]
    assert "immutable" in client.get(address).headers["cache-control"]
    for other in (address.split("?")[0], address[:-1] + "x"):
        assert client.get(other).headers["cache-control"] == "no-cache"


def test_start_says_what_there_is(client: TestClient) -> None:
    """The empty search offers the box, examples, counts by kind and recent documents."""
    html = client.get("/").text
    assert 'name="q"' in html
    assert "试试这样查" in html
    assert "最近发布" in html
    assert "/documents?kind=law" in links(html)
    assert "/documents?kind=case" in links(html)


def test_empty_library_says_what_to_do() -> None:
    """Without documents the start page says how they come in."""
    client = TestClient(make_app(Library(())))
    assert "gongxue ingest" in client.get("/").text
    assert "gongxue ingest" in client.get("/documents").text


def test_results_show_the_clause(client: TestClient) -> None:
    """A hit shows its text marked, its path, issuer, number, standing, and links to its clause."""
    html = client.get("/?q=试用期").text
    assert "规范<mark>试用期</mark>管理" in html
    assert "第一章　总则" in html
    assert "主席令第一百二十号" in html
    assert "现行有效" in html
    assert "涉及&lt;b&gt;职工&lt;/b&gt;切身利益 &amp; 安全的" in html
    target = next(href for href in links(html) if href.endswith("#art-1"))
    assert parse_qs(urlsplit(target).query)["q"] == ["试用期"]


def test_results_keep_their_state_in_the_address(client: TestClient) -> None:
    """Filters of an address are checked in the form, shown as chips, and carried by every link on."""
    address = "/?q=试用期&kind=law&kind=case&validity=in_force&as_of=2025-01-01&mode=keyword&explain=1"
    html = client.get(address).text
    for field, value in (("kind", "law"), ("kind", "case"), ("validity", "in_force")):
        assert f'name="{field}" value="{value}" checked' in html
    assert 'value="2025-01-01"' in html
    assert '<option value="keyword" selected>' in html
    assert "已选 4 项" in html
    following = next(href for href in links(html) if "page=2" in href)
    expected = {
        "q": ["试用期"],
        "kind": ["law", "case"],
        "validity": ["in_force"],
        "as_of": ["2025-01-01"],
        "mode": ["keyword"],
        "explain": ["1"],
        "page": ["2"],
    }
    assert parse_qs(urlsplit(following).query) == expected
    chip = next(href for href in re.findall(r'class="chip on" href="([^"]*)"', html))
    assert "validity" not in parse_qs(urlsplit(unescape(chip)).query)
    assert "12.5000" in html
    assert "匹配的词" in html


def test_results_explain_only_when_asked(client: TestClient) -> None:
    """Ranks and raw scores of the legs stay away otherwise."""
    assert "原始分" not in client.get("/?q=试用期").text


def test_no_result_offers_ways_on(client: TestClient) -> None:
    """Nothing found: each filter can be taken off, and similar titles are offered."""
    html = client.get("/?q=共建促进法&kind=case&year=1999").text
    assert "没有找到“共建促进法”" in html
    assert "/?q=%E5%85%B1%E5%BB%BA%E4%BF%83%E8%BF%9B%E6%B3%95&year=1999" in links(html)
    assert "标题相近的文献" in html


def test_mistakes_keep_what_was_typed(client: TestClient, library: Library) -> None:
    """A wrong date is named beside the box, nothing is searched, and the form is as it was left."""
    response = client.get("/?q=试用期&as_of=2024-02-31&year=2023")
    assert response.status_code == 400
    assert library.n_searches == 0
    assert "“2024-02-31”不是有效的日期" in response.text
    assert 'value="试用期"' in response.text
    assert 'value="2024-02-31"' in response.text
    assert 'name="year" value="2023" checked' in response.text


def test_refused_query_is_told(client: TestClient) -> None:
    """A query that the search refuses comes back with the reason."""
    response = client.get("/?q=坏")
    assert response.status_code == 400
    assert "Use other words." in response.text
    assert 'value="坏"' in response.text


def test_page_past_the_end_leads_back(client: TestClient) -> None:
    """A page number that is too high links to the first page."""
    html = client.get("/?q=试用期&page=99").text
    assert "没有第 99 页" in html
    assert "/?q=%E8%AF%95%E7%94%A8%E6%9C%9F" in links(html)


def test_documents_are_listed_by_kind(client: TestClient) -> None:
    """The list pages through one kind and marks where it stands."""
    first, second = client.get("/documents?kind=law").text, client.get("/documents?kind=law&page=2").text
    assert "/documents?kind=law&page=2" in links(first)
    assert "第1号实施细则" in first
    assert "第40号实施细则" in second
    assert "浅谈共建" not in first + second
    assert 'href="/documents?kind=law" aria-current="page"' in first


def test_document_conserves_its_text(client: TestClient, library: Library) -> None:
    """The article element holds the document's text, all of it, once and in order."""
    for document in library.held[:6]:
        html = client.get(f"/documents/{document.document_id}").text
        article = html[html.index("<article") : html.index("</article>")]
        assert "".join(text_of(article).split()) == "".join(document.text.split())


def test_document_has_its_title_block(client: TestClient, library: Library) -> None:
    """Number, issuer, dates, standing, keywords, abstract and DOI are told."""
    html = client.get(f"/documents/{library.held[1].document_id}").text
    for told in (
        "主席令第一百零一号",
        "2019年3月1日",
        "2019年3月2日",
        "2019年6月1日",
        "2024年1月1日",
        "已被新版取代",
    ):
        assert told in html
    assert f"/documents/{library.held[0].document_id}" in links(html)
    assert "全部版本（2）" in html
    article = client.get(f"/documents/{library.held[3].document_id}").text
    assert "10.1000/example.2023.1" in article
    assert "共建；活动" in article
    assert "本文讨论共建。" in article


def test_document_parts_have_addresses(client: TestClient, library: Library) -> None:
    """Clauses, paragraphs, items and sub-items have ids; rows of tabs are a table; pages are told."""
    html = client.get(f"/documents/{library.held[0].document_id}").text
    for anchor in ("art-3", "art-3-k1", "art-3-k1-x2", "art-3-k1-x2-m1", "art-3-k1-x3", "s0"):
        assert f'id="{anchor}"' in html
    assert '<a class="label" href="#art-3">第三条</a>' in html
    assert "<td>每人50元</td>" in html
    assert html.count("<table>") == 1
    assert 'data-page="2"' in client.get(f"/documents/{library.held[2].document_id}").text


def test_document_carries_the_search(client: TestClient, library: Library) -> None:
    """From a hit there is a way back to its result page, and on to the hits before and after it."""
    results = "/?q=试用期&kind=law&page=2"
    listed = client.get(results).text
    targets = [href for href in links(listed) if "hit=" in href]
    html = client.get(targets[0]).text
    back = next(href for href in links(html) if href.startswith("/?"))
    assert parse_qs(urlsplit(back).query) == {"q": ["试用期"], "kind": ["law"], "page": ["2"]}
    assert f'id="{urlsplit(back).fragment}"' in client.get(back).text
    steps = [unescape(href) for href in re.findall(r'rel="(?:prev|next)" href="([^"]*)"', html)]
    assert steps[1] == targets[1]
    assert "page" not in parse_qs(urlsplit(steps[0]).query)
    assert html.count("clause hit current") == 1
    assert "当前命中" in html


def test_document_marks_all_hits_in_it(client: TestClient, library: Library) -> None:
    """Every hit that stands in this document is marked, with its words."""
    law = library.held[0]
    html = client.get(f"/documents/{law.document_id}?q=试用期&hit={law.passages[1].passage_id}").text
    assert (
        html.count('class="clause hit') == len(re.findall(r"class=\"clause hit (?:also|current)", html)) == 3
    )
    assert html.count("<mark>试用期</mark>") >= 3


def test_long_document_is_rendered_soon(client: TestClient) -> None:
    """A code of 1,260 articles comes within a second."""
    document = many_articles()
    long = TestClient(make_app(Library((document,))))
    response = long.get(f"/documents/{document.document_id}")
    assert response.status_code == 200
    assert response.elapsed.total_seconds() < 1
    assert response.text.count('class="clause"') == 1260


def test_original_is_a_download(client: TestClient, library: Library) -> None:
    """The source comes as handed in, under its own name, and is never opened in place."""
    document = library.held[2]
    response = client.get(f"/documents/{document.document_id}/original")
    assert response.content == document.text.encode()
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"original.pdf\"; filename*=UTF-8''%E9%80%9A%E7%9F%A5%20%E7%BB%88%E7%A8%BF.pdf"
    )
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


@pytest.mark.parametrize("name", ['a"\r\nX: y.pdf', "..\\..\\密.docx", "", "名", "dir/.hidden", "\udc80.txt"])
def test_attachment_survives_any_name(name: str) -> None:
    """No name breaks out of the header."""
    header = attachment(name)
    header.encode("ascii")
    assert re.fullmatch(
        r"attachment; filename=\"[A-Za-z0-9._-]+\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+", header
    )


def test_suggest_gives_titles(client: TestClient) -> None:
    """Suggestions are titles with where they lead; no text gives none."""
    body = client.get("/suggest", params={"q": "共建促进"}).json()
    assert {"title", "href", "kind", "validity", "number"} <= set(body["suggestions"][0])
    assert client.get("/suggest").json()["suggestions"] == []
    assert json.dumps(client.get("/suggest", params={"q": "<script>"}).json())


def test_pages_run_under_the_scope(library: Library) -> None:
    """Another scope sees another library: nothing here, and a missing document reads the same as a hidden one."""
    app = make_app(library)
    app.dependency_overrides[principal] = lambda: Principal(scope=frozenset())
    client = TestClient(app)
    hidden = client.get(f"/documents/{library.held[0].document_id}")
    missing = client.get("/documents/0000000000000000")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace(library.held[0].document_id, "") == missing.text.replace(
        "0000000000000000", ""
    )
    assert "没有找到" in client.get("/?q=试用期").text
    assert client.get("/suggest", params={"q": "共建"}).json()["suggestions"] == []


def test_error_page_says_what_to_do(library: Library) -> None:
    """A service error keeps the words, says what to do, and tells the administrator the code."""

    class Broken(Library):
        def search(self, query: object) -> None:  # type: ignore[override]
            raise IndexMissing("Nothing <built>.", "Run `gongxue reindex`.")

    response = TestClient(make_app(Broken())).get("/?q=试用期")
    assert response.status_code == 503
    assert "还没有可检索的内容" in response.text
    assert 'value="试用期"' in response.text
    assert "index_missing" in response.text
    assert "Nothing &lt;built&gt;." in response.text
