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
from store.visibility import visible, visible_by_name


def seen(cited: ColumnElement[str], scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the document in this column, of questions or of their versions, is seen under the scope.

    Versions may cite different documents: ask of the version that is shown.
    """
    return _cites_none_or(cited, visible(scope))


def seen_by_name(cited: ColumnElement[str]) -> ColumnElement[bool]:
    """The same for statements that are put together once; the scope comes as the parameter "scope"."""
    return _cites_none_or(cited, visible_by_name())


def _cites_none_or(cited: ColumnElement[str], which: ColumnElement[bool]) -> ColumnElement[bool]:
    found = exists(select(documents.c.document_id).where(documents.c.document_id == cited, which))
    return or_(cited.is_(None), found)


def ended(cited: ColumnElement[str], day: date) -> ScalarSelect[str]:
    """Why the document in this column is no longer in force on the day: "superseded" or "repealed"; null if it is."""
    d = documents.c
    return (
        select(func.coalesce(d.end_reason, Validity.REPEALED.value))
        .where(d.document_id == cited, d.ended_on <= day)
        .scalar_subquery()
    )
