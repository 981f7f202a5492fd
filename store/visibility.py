"""The one predicate: which documents a scope may see. Every query that reads documents carries it.

A document is seen by whoever has a token of its shares in scope. A copy is seen
by those who also see the document it was made from, and that one's origin, and so
on: it can never reach further than they do, and goes when they go.
"""

from collections.abc import Callable

from sqlalchemy import bindparam, exists, select
from sqlalchemy.sql import ColumnElement

from store.tables import documents, origins, shares


def visible(scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the row of `documents` may be seen under the scope."""
    tokens = sorted(scope)
    return _predicate(lambda token: token.in_(tokens))


def visible_by_name() -> ColumnElement[bool]:
    """The same for statements that are put together once; the scope comes as the parameter "scope"."""
    return _predicate(lambda token: token.in_(bindparam("scope", expanding=True)))


def _predicate(in_scope: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> ColumnElement[bool]:
    def shared(document_id: ColumnElement[str]) -> ColumnElement[bool]:
        own = shares.alias()
        return exists(select(own.c.token).where(own.c.document_id == document_id, in_scope(own.c.token)))

    beyond = exists(
        select(origins.c.origin_id).where(
            origins.c.document_id == documents.c.document_id, ~shared(origins.c.origin_id)
        )
    )
    return shared(documents.c.document_id) & ~beyond
