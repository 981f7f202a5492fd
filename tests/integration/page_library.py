"""A small library in memory with the methods that the pages call."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise

from access.principal import Principal
from kb.errors import InvalidQuery, NotFound
from kb.model import (
    PUBLIC,
    Answer,
    Clause,
    Document,
    DocumentCard,
    Hit,
    Kind,
    LegScore,
    Metadata,
    Part,
    Passage,
    Query,
    Section,
    Source,
    Validity,
    derive_id,
    validity,
)

TODAY = date(2025, 6, 1)
HOSTILE = "<script>alert(1)</script>\"'>&标题"

LAW = """中华人民共和国共建促进法
（2019年3月1日通过）
第一章　总则
第一条　为了促进支部共建，规范试用期管理，根据宪法，制定本法。
第二条　本法所称共建，是指不同单位的支部共同开展活动。
支部应当每季度至少活动一次。
第二章　活动
第三条　有下列情形之一的，应当公开：
（一）经费超过三千元的；
（二）涉及<b>职工</b>切身利益 & 安全的：
1.劳动报酬；
2.试用期约定；
（三）其他应当公开的。
第四条　试用期不得超过六个月。{long}
第五条　活动经费标准如下：
类别\t标准\t依据
学习活动\t每人50元\t财行〔2021〕1号
参观活动\t每人80元\t财行〔2021〕2号
"""


def build(text: str, meta: Metadata, *, source: str, pages: tuple[tuple[int, int], ...] = ()) -> Document:
    """A document of chapters and articles, tiled as the ingest does it."""
    document_id = derive_id(source, text)
    starts = [m.start() for m in re.finditer(r"^第.{1,6}?[章条]|^一、", text, re.MULTILINE)]
    edges = sorted({0, *starts, len(text)})
    sections: list[Section] = []
    clauses: list[Clause] = []
    for start, end in pairwise(edges):
        label = m[0] if (m := re.match(r"第.{1,6}?[章条]|一、", text[start:end])) else ""
        path = sections[-1].path if sections else ()
        if label.endswith(("章", "、")):
            cut = text.index("\n", start) + 1 if label.endswith("章") else start + 2
            heading = text[start:cut].strip()
            sections.append(
                Section(
                    derive_id(document_id, str(start)),
                    len(sections),
                    1,
                    label,
                    heading,
                    start,
                    cut,
                    end,
                    (heading,),
                )
            )
            if cut < end:
                anchor = f"t-{len(sections)}"
                clauses.append(
                    _clause(text, document_id, len(clauses), heading, anchor, cut, end, (heading,))
                )
            continue
        anchor = f"art-{len(clauses)}" if label else "top"
        clauses.append(
            _clause(
                text, document_id, len(clauses), label, anchor, start, end, (*path, *[label][: len(label)])
            )
        )
    passages = tuple(
        Passage(derive_id(c.clause_id, "p"), c.clause_id, i, c.start, c.end, c.path, 1 if pages else None)
        for i, c in enumerate(clauses)
    )
    return Document(
        document_id,
        "0" * 64,
        source,
        "text/plain",
        text,
        meta,
        tuple(sections),
        tuple(clauses),
        passages,
        pages,
    )


def _clause(
    text: str, document_id: str, n: int, label: str, anchor: str, start: int, end: int, path: tuple[str, ...]
) -> Clause:
    parts, at, paragraphs = [], start, 0
    for line in text[start:end].splitlines(keepends=True):
        if re.match(r"（.）", line):
            parts.append(Part(f"第{line[:3]}项", 1, at, at + len(line)))
        elif re.match(r"\d\.", line):
            parts.append(Part(f"第{line[:1]}目", 2, at, at + len(line)))
        elif line.strip():
            paragraphs += 1
            parts.append(Part(f"第{paragraphs}款", 0, at, at + len(line)))
        at += len(line)
    return Clause(derive_id(document_id, str(n)), n, label, anchor, start, end, path, None, tuple(parts))


class Library:
    """The methods of the services that pages call, over a handful of documents."""

    def __init__(self, documents: tuple[Document, ...] | None = None) -> None:
        self.held = documents if documents is not None else sample_documents()
        self.n_searches = 0

    def today(self) -> date:
        """The day on which standing is judged."""
        return TODAY

    def _visible(self, scope: frozenset[str]) -> tuple[Document, ...]:
        return self.held if PUBLIC in scope else ()

    def _card(self, document: Document) -> DocumentCard:
        meta = document.meta
        return DocumentCard(
            document.document_id,
            meta.title,
            meta.kind,
            meta.issuer,
            meta.number,
            meta.issued_on,
            meta.effective_on,
            meta.ended_on,
            validity(meta.effective_on, meta.ended_on, meta.end_reason, TODAY),
            document.source,
            document.media_type,
            len(document.clauses),
        )

    def document(self, document_id: str, scope: frozenset[str]) -> Document:
        """The document, or NotFound."""
        for document in self._visible(scope):
            if document.document_id == document_id:
                return document
        raise NotFound(f"No document {document_id}.", "Check the id.")

    def versions(self, document_id: str, scope: frozenset[str]) -> tuple[DocumentCard, ...]:
        """Versions of its work, newest first."""
        work = self.document(document_id, scope).meta.work
        same = [d for d in self._visible(scope) if d.meta.work == work]
        same.sort(key=lambda d: d.meta.version_on or date.min, reverse=True)
        return tuple(map(self._card, same))

    def suggest(self, text: str, scope: frozenset[str], k: int = 8) -> tuple[DocumentCard, ...]:
        """Documents whose title contains the text."""
        return tuple(self._card(d) for d in self._visible(scope) if text in d.meta.title)[:k]

    def documents(
        self, scope: frozenset[str], *, kind: Kind | None = None, offset: int = 0, k: int = 50
    ) -> tuple[int, tuple[DocumentCard, ...]]:
        """Count and one page of the documents."""
        found = [d for d in self._visible(scope) if kind in (None, d.meta.kind)]
        return len(found), tuple(map(self._card, found[offset : offset + k]))

    def original(self, document_id: str, scope: frozenset[str]) -> Source:
        """The text as bytes."""
        document = self.document(document_id, scope)
        return Source(document.source, document.media_type, document.text.encode())

    def note_reading(self, by: Principal, document_id: str, action: str = "document.read") -> None:
        """Nobody is told."""

    def overview(self, scope: frozenset[str]) -> Mapping[str, int]:
        """Counts by kind, and passages."""
        visible = self._visible(scope)
        return {**Counter(d.meta.kind for d in visible), "passages": sum(len(d.passages) for d in visible)}

    def search(self, query: Query) -> Answer:
        """Passages that hold one of the words."""
        self.n_searches += 1
        if query.text == "坏":
            raise InvalidQuery("Query text cannot be used.", "Use other words.")
        words = query.text.split()
        day = query.as_of or TODAY
        hits = []
        for document in self._visible(query.scope):
            meta = document.meta
            standing = validity(meta.effective_on, meta.ended_on, meta.end_reason, day)
            wanted = query.validity or set(Validity) - {Validity.SUPERSEDED}
            if standing not in wanted or (query.kinds and meta.kind not in query.kinds):
                continue
            if (query.issuers and meta.issuer not in query.issuers) or (
                query.years and meta.year not in query.years
            ):
                continue
            for passage in document.passages:
                text = document.text[passage.start : passage.end]
                spans = [m.span() for w in words for m in re.finditer(re.escape(w), text)]
                if spans:
                    clause = next(c for c in document.clauses if c.clause_id == passage.clause_id)
                    hits.append(
                        Hit(
                            0,
                            0.75,
                            passage.passage_id,
                            document.document_id,
                            clause.clause_id,
                            clause.anchor,
                            meta.title,
                            passage.path,
                            text,
                            tuple(spans),
                            document.source,
                            passage.page,
                            meta.kind,
                            meta.issuer,
                            meta.number,
                            meta.year,
                            standing,
                            meta.effective_on,
                            passage.start,
                            passage.end,
                            {"keyword": LegScore(1, 12.5), "vector": LegScore(3, 0.61)},
                            tuple(words),
                        )
                    )
        ranked = [replace(hit, rank=i) for i, hit in enumerate(hits, 1)]
        facets = {
            "kind": Counter(h.kind.value for h in hits),
            "issuer": Counter(h.issuer for h in hits if h.issuer),
            "year": Counter(str(h.year) for h in hits if h.year),
            "validity": Counter(h.validity.value for h in hits),
        }
        return Answer(
            query.text, len(hits), 3.2, tuple(ranked[query.offset : query.offset + query.k]), facets
        )


def sample_documents() -> tuple[Document, ...]:
    """Two versions of a law, a notice with pages, an article, hostile text, and enough laws to page through."""
    law = Metadata(
        title="中华人民共和国共建促进法",
        kind=Kind.LAW,
        issuer="全国人民代表大会常务委员会",
        number="主席令第一百零一号",
        adopted_on=date(2019, 3, 1),
        issued_on=date(2019, 3, 2),
        effective_on=date(2019, 6, 1),
        ended_on=date(2024, 1, 1),
        end_reason=Validity.SUPERSEDED,
        work="law",
    )
    newer = replace(
        law,
        number="主席令第一百二十号",
        adopted_on=date(2023, 9, 1),
        issued_on=date(2023, 9, 2),
        effective_on=date(2024, 1, 1),
        ended_on=None,
        end_reason=None,
    )
    long = "用人单位与劳动者约定试用期，应当遵守国家规定。" * 20
    notice = (
        "关于做好新形势下企业基层党组织与社区、学校、医院等单位党组织\n结对共建工作进一步提高活动质量的通知\n"
        "各支部：\n一、提高认识。试用期人员同样参加活动。\n落实到位。\n"
    )
    documents = [
        build(LAW.format(long=long), newer, source="laws/共建促进法 2023.md"),
        build(LAW.format(long=""), law, source="laws/共建促进法 2019.md"),
        build(
            notice,
            Metadata(
                title=squeeze_lines(notice.splitlines()[:2]),
                kind=Kind.POLICY,
                issuer="中共某某市委国有资产监督管理委员会",
                number="国资党〔2024〕5号",
                issued_on=date(2024, 5, 8),
                work="n",
            ),
            source="policy/通知 终稿.pdf",
            pages=((0, 1), (notice.index("落实"), 2)),
        ),
        build(
            "浅谈共建\n摘要说明。试用期。\n",
            Metadata(
                title="浅谈共建",
                kind=Kind.ARTICLE,
                keywords=("共建", "活动"),
                abstract="本文讨论共建。",
                doi="10.1000/example.2023.1",
                issued_on=date(2023, 3, 1),
                work="a",
            ),
            source="article.txt",
        ),
        build(
            f"{HOSTILE}\n第一条　<img src=x onerror=alert(2)> 试用期\n",
            Metadata(
                title=HOSTILE,
                kind=Kind.CASE,
                issuer=HOSTILE,
                number=HOSTILE,
                work="h",
                effective_on=date(2020, 1, 1),
                ended_on=date(2022, 1, 1),
                end_reason=Validity.REPEALED,
            ),
            source='../../<evil>\n"名.txt',
        ),
        build(
            "未来办法\n第一条　试用期另行规定。\n第二条　无。\n第三条　无。\n",
            Metadata(
                title="未来办法",
                kind=Kind.LAW,
                issuer="国务院",
                effective_on=date(2030, 1, 1),
                work="f",
            ),
            source="f.txt",
        ),
    ]
    for n in range(1, 41):
        meta = Metadata(
            title=f"第{n}号实施细则",
            kind=Kind.LAW,
            issuer=f"第{n % 11}部",
            issued_on=date(1980 + n, 1, 1),
            work=f"x{n}",
        )
        documents.append(build(f"第{n}号实施细则\n第一条　试用期按第{n}号执行。\n", meta, source=f"x{n}.txt"))
    return tuple(documents)


def squeeze_lines(lines: list[str]) -> str:
    """A title that stands on several lines, as one."""
    return "".join(lines)


def many_articles(n: int = 1260) -> Document:
    """A code of `n` articles."""
    body = "".join(
        f"第{i}条　" + "值班人员交班前把未了事项逐条写明，由接班人签收。" * 3 + "\n" for i in range(1, n + 1)
    )
    return build(
        "第一章　总则\n" + body, Metadata(title="长法典", kind=Kind.LAW, work="long"), source="long.txt"
    )
