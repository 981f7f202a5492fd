"""With whom documents are shared. A change here is a change of the document: indexes follow it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from kb.model import derive_id
from store.standing import record_change, settle_document
from store.tables import shares


@dataclass(frozen=True, slots=True)
class Share:
    """One audience of a document.

    `audience` is who it was shared with, `token` what stands in scopes for it: the same, but for a
    reshare, whose token is its own, since it holds only while its sharer still has what it passed on.
    `branch_id` shared it, None where the operator did. `parent_id` is the share that was passed on.
    """

    share_id: str
    document_id: str
    audience: str
    token: str
    branch_id: str | None
    parent_id: str | None
    may_reshare: bool
    shared_by: str | None
    shared_at: datetime


def share(
    document_id: str,
    audience: str,
    *,
    branch_id: str | None,
    at: datetime,
    parent_id: str | None = None,
    may_reshare: bool = False,
    shared_by: str | None = None,
) -> Share:
    """A share with its derived id and token."""
    share_id = derive_id("share", document_id, branch_id or "", audience)
    token = f"reshare:{share_id}" if parent_id else audience
    return Share(share_id, document_id, audience, token, branch_id, parent_id, may_reshare, shared_by, at)


def shares_of(connection: Connection, document_id: str) -> list[Share]:
    """The document's shares, first made first."""
    rows = connection.execute(
        select(*_FIELDS)
        .where(shares.c.document_id == document_id)
        .order_by(shares.c.shared_at, shares.c.share_id)
    )
    return [Share(*r) for r in rows]


def put_shares(connection: Connection, document_id: str, put: Iterable[Share], drop: Iterable[str]) -> None:
    """Put shares and drop others by id, with what was passed on from them, as one change of the document.

    A share put again takes the place of the one of the same id; what was passed on from it
    stays only if it may still be passed on.
    """
    known = {s.share_id: s for s in shares_of(connection, document_id)}
    put = list(put)
    dropped = set(drop) - {s.share_id for s in put}
    for s in put:
        if s.share_id in known:
            connection.execute(
                shares.update().where(shares.c.share_id == s.share_id).values(may_reshare=s.may_reshare)
            )
            if not s.may_reshare:
                dropped |= {k.share_id for k in known.values() if k.parent_id == s.share_id}
        else:
            connection.execute(insert(shares).values({f: getattr(s, f) for f in Share.__slots__}))
    if dropped:
        connection.execute(delete(shares).where(shares.c.share_id.in_(dropped)))
    record_change(connection, document_id, removed=False)
    settle_document(connection, document_id)


_FIELDS = [shares.c[name] for name in Share.__slots__]
