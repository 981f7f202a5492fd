"""Reading an original that is a web page as it was, cleaned, inside a page of ours."""

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from api.clean_html import clean_html
from api.pages import render
from api.principal import Asker
from api.services import Services
from ingest.encoding import decode
from ingest.readers.html import declared_charset
from kb.errors import DocumentError, NotFound
from kb.model import Source

MEDIA_TYPE = "text/html"
MAX_BYTES = 2 * 1024 * 1024
MAX_WORK = 3_000_000
"""Tags times their depth: what an HTML parser may be made to open again and again."""

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.I)
_UNCLOSED = re.compile(
    "area|base|br|col|colgroup|dd|dt|embed|hr|img|input|li|link|meta|option|p|source|tbody|td|tfoot|th|thead|tr"
    "|track|wbr"
)
"""Tags that people leave open, and that end by themselves."""


def router(services: Services) -> APIRouter:
    """The route of reading an original."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/documents/{document_id}/original/view")
    def view(request: Request, document_id: str, asker: Asker) -> HTMLResponse:
        """The original's text, headings, tables and links, and nothing that acts."""
        source = services.original(document_id, asker.scope)
        if source.media_type != MEDIA_TYPE:
            raise NotFound(f"No page to read of {document_id}.", "Take the original instead.")
        services.note_reading(asker, document_id, "document.original")
        context = {"card": services.card(document_id, asker.scope), "html": cleaned(source)}
        return render(request, "sharing-original.html", context)

    return pages


def cleaned(source: Source) -> Markup | None:
    """The page's safe part; None if it is too large, too deep or damaged to be shown here."""
    if len(source.data) > MAX_BYTES:
        return None
    try:
        html = decode(source, declared_charset(source.data))
    except DocumentError:
        return None
    return None if work(html) > MAX_WORK else Markup(clean_html(html))


def work(html: str) -> int:
    """How much a parser may be made to do: tags times how deep they go.

    >>> work("<div><p>a<p>b</div>")
    4
    """
    n = depth = deepest = 0
    for match in _TAG.finditer(html):
        n += 1
        if not _UNCLOSED.fullmatch(match[2].lower()):
            depth = max(0, depth - 1) if match[1] else depth + 1
            deepest = max(deepest, depth)
    return n * deepest
