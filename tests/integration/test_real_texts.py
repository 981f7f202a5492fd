"""Real laws and a real journal article, where a folder beside the repository holds them; judged by counts and digests alone."""

import hashlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.read import read_document
from ingest.readers import media_type_of
from kb.errors import EmptySource
from kb.model import Document, Kind, Source

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LAWS = DATA / "laws" / "laws.tar.gz"
CODE = "laws/民法典/"
needs_laws = pytest.mark.skipif(not LAWS.exists(), reason="no folder with real laws beside the repository")
needs_article = pytest.mark.skipif(
    not (DATA / "seed").is_dir(), reason="no folder with a real article beside the repository"
)


def laws(every: int, folder: str = "laws/") -> Iterator[Source]:
    """Every n-th law of the archive below a folder."""
    with tarfile.open(LAWS) as archive:
        members = [m for m in archive if m.isfile() and m.name.endswith(".md") and m.name.startswith(folder)]
        for member in members[::every]:
            file = archive.extractfile(member)
            assert file is not None
            yield Source(member.name, media_type_of(member.name), file.read())


def numbers(document: Document) -> list[int]:
    """Numbers of the articles, those of 之一 left out."""
    return [int(c.anchor[4:]) for c in document.clauses if re.fullmatch(r"art-[0-9]+", c.anchor)]


def assert_tiled(document: Document) -> None:
    """Headings and clauses hold every character once."""
    spans = sorted(
        [(s.start, s.end) for s in document.sections] + [(c.start, c.end) for c in document.clauses]
    )
    ends = [0, *(end for _, end in spans)]
    assert [start for start, _ in spans] == ends[:-1], document.source
    assert ends[-1] == len(document.text)


@needs_laws
def test_the_civil_code_runs_from_1_to_1260() -> None:
    """Its eight files give 1,260 articles without a gap, and are eight works of one code."""
    parts = []
    for source in laws(1, CODE):
        try:
            parts.append(read_document(source))
        except EmptySource:
            continue
    assert sorted(n for part in parts for n in numbers(part)) == list(range(1, 1261))
    assert len(parts) == len({p.meta.work for p in parts}) == 8
    assert {p.meta.kind for p in parts} == {Kind.LAW}


@needs_laws
def test_laws_keep_their_text_and_every_article() -> None:
    """No character is lost, and the articles are the lines that begin with 第…条 and a space, no cross-reference among them."""
    head = re.compile(r"(?m)^第[一二三四五六七八九十百千零〇0-9]+条(?:之[一二三四五六七八九十]+)?\s")
    n_documents = n_articles = 0
    for source in laws(23):
        if source.name.startswith("laws/案例"):
            continue
        try:
            document = read_document(source)
        except EmptySource:
            continue
        assert_tiled(document)
        found = sum("art-" in c.anchor for c in document.clauses)
        assert abs(found - len(head.findall(document.text))) <= 1, source.name
        if found:
            assert numbers(document) == sorted(numbers(document)), source.name
        n_documents += 1
        n_articles += found
    assert n_documents > 120
    assert n_articles > 5000


@needs_article
def test_a_journal_article_comes_out_whole() -> None:
    """Title, two levels of numbered headings, abstract, keywords and DOI; the words that page breaks cut are whole."""
    path = next((DATA / "seed").glob("*.txt"))
    document = read_document(Source(path.name, media_type_of(path.name), path.read_bytes()))
    assert_tiled(document)
    assert document.meta.kind is Kind.ARTICLE
    assert [s.label for s in document.sections if s.level == 1 and s.label] == ["一", "二", "三", "四"]
    assert [s.label for s in document.sections if s.level == 2] == [f"（{n}）" for n in "一二三一二三四五六"]
    assert len(document.meta.keywords) == 3
    assert document.meta.abstract is not None
    assert len(document.meta.abstract) == 234
    assert document.meta.doi is not None
    assert hashlib.sha256(document.meta.doi.encode()).hexdigest().startswith("d129c9d093e78c52")
    # Prose ends as sentences do, so no paragraph stops in the middle of a word; one lacks its stop in the original.
    prose = [line for line in document.text.split("\n") if len(line) > 120]
    assert len(prose) >= 12
    assert sum(not line.endswith(("。", "：", "”")) for line in prose) <= 1
