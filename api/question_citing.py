"""From the words that a trainer quotes to the citation of the clause in which they stand."""

from access.principal import Principal
from api.address import Problem
from api.services import Services
from kb.errors import NotFound
from kb.model import Document, DocumentCard, Query, Validity
from quiz.citing import cited
from quiz.model import Citation, Question

_SEARCHED = 8
_LONGEST_QUERY = 120


def quoted_in(document: Document, words: str, near: int = 0) -> Citation | None:
    """The citation of these words: where they stand inside one clause, nearest to `near`; None where they do not."""
    places, at = [], document.text.find(words) if words else -1
    while at >= 0:
        places.append(at)
        at = document.text.find(words, at + 1)
    places.sort(key=lambda start: abs(start - near))
    found = (cited(document, start, start + len(words)) for start in places)
    return next((citation for citation in found if citation), None)


def sources(services: Services, by: Principal, question: Question) -> tuple[DocumentCard, ...]:
    """Every version of the document that a question cites, newest first; none for one that cites nothing."""
    if question.citation is None:
        return ()
    return services.versions(question.citation.document_id, by.scope)


def cited_for(
    services: Services, by: Principal, old: Question, words: str, source: str
) -> tuple[Citation | None, list[Problem]]:
    """What a question cites once these words are quoted, or what is to be mended.

    Args:
        source: the id of the version that is quoted; for a question that cites nothing yet, a part of the title
            or nothing.
    """
    if old.citation is None:
        return _looked_for(services, by, words, source)
    if not words:
        return None, [Problem("quote", "请照抄所依据的原句。")]
    document_id = source or old.citation.document_id
    if (words, document_id) == (old.citation.quote, old.citation.document_id):
        return old.citation, []
    try:
        document = services.document(document_id, by.scope)
    except NotFound:
        return None, [Problem("document", "这份文献现在看不到了，请另选。")]
    found = quoted_in(document, words, old.citation.start)
    if found is None:
        title = document.meta.title
        return None, [Problem("quote", f"《{title}》里没有这句话，或者它跨了两条。请从右边的条文里照抄。")]
    return found, []


def _looked_for(
    services: Services, by: Principal, words: str, title: str
) -> tuple[Citation | None, list[Problem]]:
    if not words:
        return None, []
    if title:
        candidates = [card.document_id for card in services.suggest(title, by.scope, _SEARCHED)]
        if not candidates:
            return None, [Problem("document", f"没有标题含“{title}”的文献。换个写法，或空着。")]
    else:
        candidates = _hits(services, by, words)
    for document_id in dict.fromkeys(candidates):
        if found := quoted_in(services.document(document_id, by.scope), words):
            return found, []
    return None, [Problem("quote", "您能看到的文献里没有找到这句话。请照抄原文，一字不差；或空着先存。")]


def _hits(services: Services, by: Principal, words: str) -> list[str]:
    query = Query(
        words[:_LONGEST_QUERY],
        by.scope,
        k=_SEARCHED,
        validity=frozenset({Validity.IN_FORCE, Validity.NOT_YET}),
    )
    return [hit.document_id for hit in services.search(query).hits]
