"""What people do with documents: hand in, read, copy, withdraw; each checked, and told in the audit trail."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from access.access import Access
from access.principal import Principal
from access.rights import Action
from access.sharing import Wanted
from ingest.metadata import Sidecar
from ingest.pipeline import Keeping, Outcome, Pipeline
from kb.errors import Conflict
from kb.model import Source
from search.index import SearchIndex
from store.catalog import Catalog
from store.originals import OriginalFolder


class Holdings:
    """Documents as branches keep them. Safe to share between threads."""

    def __init__(
        self,
        access: Access,
        catalog: Catalog,
        originals: OriginalFolder,
        pipeline: Pipeline,
        index: SearchIndex,
        versions: Callable[[Connection, str], list[str]],
    ) -> None:
        """`versions` names the documents that go together with one, itself among them, if any do."""
        self._access = access
        self._catalog = catalog
        self._originals = originals
        self._pipeline = pipeline
        self._index = index
        self._versions = versions

    def hand_in(
        self,
        by: Principal,
        branch_id: str,
        source: Source,
        wanted: Sequence[Wanted],
        *,
        sidecar: Sidecar | None = None,
        again: bool = False,
    ) -> Outcome:
        """Take a source in for a branch, shared from the start with these; none leaves it to the owner alone.

        Bytes that the person can see already are not taken in twice; that others hold them is not told.

        Raises:
            SignInRequired, Refused: the asker may not add to the branch, or not share so widely.
            InvalidRequest, NotFound: an audience makes no sense.
        """
        keeping = self.keeping(by, branch_id, wanted, again=again)
        if held := self._catalog.held(source.sha256, by.scope):
            return Outcome(source.name, "unchanged", held)
        outcome = self._pipeline.ingest(source, sidecar=sidecar, keeping=keeping)
        if outcome.status == "added":
            self._access.audit.note(
                by, "document.add", "document", outcome.document_id or "", branch_id=branch_id
            )
            self._index.follow(block=True)
        return outcome

    def keeping(
        self, by: Principal, branch_id: str, wanted: Sequence[Wanted], *, again: bool = False
    ) -> Keeping:
        """Who would keep what the person hands in so; the same checks as `hand_in`."""
        by.require(Action.ADD, branch_id)
        person_id = by.require_person()
        tokens = self._access.sharing.tokens(by, branch_id, wanted, owner_id=person_id)
        return Keeping(
            frozenset(tokens),
            branch_id,
            person_id,
            again,
            may_reshare=frozenset(token for token, may in tokens.items() if may),
        )

    def note_reading(self, by: Principal, document_id: str, action: str = "document.read") -> None:
        """Tell in the trail that a person, who could see it, read a document or took its original."""
        if by.signed_in:
            keeper = self._catalog.keeper(document_id, by.scope)
            self._access.audit.note(by, action, "document", document_id, branch_id=keeper.branch_id)

    def copy(self, by: Principal, document_id: str, branch_id: str) -> str:
        """Put a copy into a branch of one's own, for that branch; its id. It is seen only by who sees the origin.

        Raises:
            NotFound: there is no such document in the asker's scope.
            Conflict: the branch keeps it, or has a copy of it.
            SignInRequired, Refused: the asker may not add to the branch.
        """
        keeping = self.keeping(by, branch_id, [Wanted("own")])
        keeper = self._catalog.keeper(document_id, by.scope)
        by.require(Action.COPY, keeper.branch_id)
        if keeper.branch_id == branch_id:
            raise Conflict("Cannot copy this document: the branch keeps it.", "Share it instead.")
        source = self._originals.get(keeper.sha256)
        document = self._catalog.document(document_id, by.scope)
        copy_id, added = self._pipeline.copy(document, len(source), keeping=keeping)
        if not added:
            raise Conflict("Cannot copy this document: the branch has a copy.", "Open the copy.")
        for told in dict.fromkeys([branch_id, keeper.branch_id]):
            self._access.audit.note(
                by, "document.copy", "document", document_id, branch_id=told, copy=copy_id
            )
        self._index.follow(block=True)
        return copy_id

    def withdraw(self, by: Principal, document_id: str, reason: str = "") -> None:
        """Take a document out, with every copy of it and every version of a case; found by nobody from here on.

        Raises:
            NotFound: there is no such document in the asker's scope.
            SignInRequired, Refused: the asker may not take it out.
        """
        keeper = self._access.sharing.check_withdraw(by, document_id)
        digests = []
        with self._catalog.writing() as connection:
            for taken_id in self._versions(connection, document_id) or [document_id]:
                digests.append(
                    self._catalog.remove(
                        taken_id, by=by.person_id, reason=reason.strip()[:200], within=connection
                    )
                )
                self._access.audit.write(
                    connection, by, "document.withdraw", "document", taken_id, branch_id=keeper.branch_id
                )
        for digest in digests:
            if digest:
                self._originals.discard(digest)
        self._index.follow(block=True)
