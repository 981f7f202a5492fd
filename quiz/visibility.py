"""Who may see a question: whoever sees the document that it cites.

A document that was withdrawn is seen by nobody, so its questions are gone from
every list, paper, attempt and result in the same moment. A question that cites
nothing is seen by its branch.
"""

from datetime import date

from sqlalchemy import ScalarSelect, exists, func, or_, select
from sqlalchemy.sql import ColumnElement

from kb.model import Validity
from store.tables import documents
from store.visibility import visible


def seen(cited: ColumnElement[str], scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the document in this column, of questions or of their versions, is seen under the scope.

    Versions may cite different documents: ask of the version that is shown.
    """
    found = exists(select(documents.c.document_id).where(documents.c.document_id == cited, visible(scope)))
    return or_(cited.is_(None), found)


def ended(cited: ColumnElement[str], day: date) -> ScalarSelect[str]:
    """Why the document in this column is no longer in force on the day: "superseded" or "repealed"; null if it is."""
    d = documents.c
    return (
        select(func.coalesce(d.end_reason, Validity.REPEALED.value))
        .where(d.document_id == cited, d.ended_on <= day)
        .scalar_subquery()
    )
