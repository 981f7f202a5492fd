"""The one predicate: which documents a scope may see. Every query that reads documents carries it.

A document is seen by whoever has a token of its shares in scope. A copy is seen
by those who also see the document it was made from, and that one's origin, and so
on: it can never reach further than they do, and goes when they go.
"""

from collections.abc import Callable

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.sql import ColumnElement

from store.tables import documents, origins, shares

InScope = Callable[[ColumnElement[str]], ColumnElement[bool]]


def visible(scope: frozenset[str]) -> ColumnElement[bool]:
    """Whether the row of `documents` may be seen under the scope."""
    tokens = sorted(scope)
    return _predicate(lambda token: token.in_(tokens))


def visible_by_name() -> ColumnElement[bool]:
    """The same for statements that are put together once; the scope comes as the parameter "scope"."""
    return _predicate(_named)


def hidden_copies() -> Select[str]:
    """Ids of copies of what the scope, given as the parameter "scope", may not see.

    Engines know the shares of a copy but not its origin: these are left out before they rank.
    """
    return select(origins.c.document_id).distinct().where(~_shared(origins.c.origin_id, _named))


def _predicate(in_scope: InScope) -> ColumnElement[bool]:
    beyond = exists(
        select(origins.c.origin_id).where(
            origins.c.document_id == documents.c.document_id, ~_shared(origins.c.origin_id, in_scope)
        )
    )
    return _shared(documents.c.document_id, in_scope) & ~beyond


def _shared(document_id: ColumnElement[str], in_scope: InScope) -> ColumnElement[bool]:
    own = shares.alias()
    return exists(select(own.c.token).where(own.c.document_id == document_id, in_scope(own.c.token)))


def _named(token: ColumnElement[str]) -> ColumnElement[bool]:
    return token.in_(bindparam("scope", expanding=True))
