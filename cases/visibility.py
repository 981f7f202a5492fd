"""Who may see a case: whoever sees the document that is published of it.

Its draft is for those who write cases for the branch. A published case that was
withdrawn, or is shared with the asker no longer, is gone from every list, count,
similarity, adoption, answer, vote and export in the same moment.
"""

from sqlalchemy import exists, select
from sqlalchemy.sql import ColumnElement

from cases.tables import cases
from store.tables import documents
from store.visibility import visible


def seen(scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the row of `cases` is published, and may be seen under the scope."""
    return exists(
        select(documents.c.document_id).where(documents.c.document_id == cases.c.document_id, visible(scope))
    )
