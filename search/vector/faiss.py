"""Vector leg on faiss: exact inner product over 8-bit codes.

The folder holds one file for each change that was applied, whole or not there
at all; together they say what can be found and up to which sequence number.
Small files are merged as they gather.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from kb.errors import IndexMismatch
from kb.model import Entry, Filters, Kind, Validity
from kb.ports import Encoder, Run

_FORMAT = 2
_MERGE_FROM = 8
"""Files at which all become one; so do they once the later ones hold as much as the first."""
_NEVER = date.max.toordinal() + 1
_BATCH = 4096

Mask = NDArray[np.bool_]


class _Coded:
    """A column of values as small numbers, so that a filter compares numbers."""

    def __init__(self, values: Sequence[object]) -> None:
        self._code: dict[object, int] = {}
        self._codes = np.array([self._code.setdefault(v, len(self._code)) for v in values], np.int32)

    def among(self, values: Iterable[object]) -> Mask:
        """Rows whose value is one of these."""
        wanted = [self._code[v] for v in values if v in self._code]
        return np.isin(self._codes, wanted)


class _Documents:
    """What filters ask of documents, a row each. `rows` is what the file keeps of them."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = tuple(rows)
        self.ids = tuple(r["id"] for r in rows)
        self._place = {d: i for i, d in enumerate(self.ids)}
        self._kinds = _Coded([r["kind"] for r in rows])
        self._issuers = _Coded([r["issuer"] for r in rows])
        self._years = _Coded([r["year"] for r in rows])
        self._effective = np.array([r["effective"] for r in rows], np.int64)
        self._ended = np.array([r["ended"] for r in rows], np.int64)
        self._superseded = np.array([r["superseded"] for r in rows], np.bool_)
        self._audiences: dict[str, Mask] = {}
        for i, row in enumerate(rows):
            for audience in row["audiences"]:
                self._audiences.setdefault(audience, np.zeros(len(rows), np.bool_))[i] = True

    def named(self, document_ids: Iterable[str]) -> Mask:
        """Rows of these documents."""
        mask = np.zeros(len(self.ids), np.bool_)
        mask[[self._place[d] for d in document_ids if d in self._place]] = True
        return mask

    def admitted(self, within: Filters) -> Mask:
        """Which documents the filters let through."""
        mask = np.zeros(len(self.ids), np.bool_)
        for audience in within.scope & self._audiences.keys():
            mask |= self._audiences[audience]
        if within.kinds:
            mask &= self._kinds.among(k.value for k in within.kinds)
        if within.issuers:
            # None is kept as "" and 0, which nobody can ask for.
            mask &= self._issuers.among(i for i in within.issuers if i)
        if within.years:
            mask &= self._years.among(y for y in within.years if y)
        if within.documents:
            mask &= self.named(within.documents)
        if within.without:
            mask &= ~self.named(within.without)
        if within.validity:
            day = within.day.toordinal()
            over, begun = self._ended <= day, self._effective <= day
            standing = {
                Validity.SUPERSEDED: over & self._superseded,
                Validity.REPEALED: over & ~self._superseded,
                Validity.IN_FORCE: ~over & begun,
                Validity.NOT_YET: ~over & ~begun,
            }
            mask &= np.logical_or.reduce([standing[v] for v in within.validity])
        return mask


@dataclass(frozen=True, slots=True)
class _Segment:
    """Passages that were applied together. `digests` are those of their texts; `alive` falls as their documents go."""

    keys: NDArray[np.int64]
    digests: NDArray[np.uint64]
    codes: NDArray[np.uint8]
    document: NDArray[np.int32]
    documents: _Documents
    alive: Mask
    index: Any

    @classmethod
    def of(
        cls,
        keys: NDArray[np.int64],
        digests: NDArray[np.uint64],
        codes: NDArray[np.uint8],
        document: NDArray[np.int32],
        rows: Sequence[dict[str, Any]],
    ) -> "_Segment":
        index = faiss.IndexScalarQuantizer(
            codes.shape[1], faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
        )
        if len(keys):
            index.add_sa_codes(np.ascontiguousarray(codes))
        documents = _Documents(rows)
        return cls(keys, digests, codes, document, documents, np.ones(len(documents.ids), np.bool_), index)

    def without(self, removed: frozenset[str]) -> "_Segment":
        """The same with documents gone."""
        gone = self.documents.named(removed)
        return replace(self, alive=self.alive & ~gone) if gone.any() else self

    def search(self, query: NDArray[np.float32], k: int, within: Filters) -> list[tuple[int, float]]:
        admitted = self.alive & self.documents.admitted(within)
        if not admitted.any():
            return []
        parameters = None
        if not admitted.all():
            bits = np.packbits(admitted[self.document], bitorder="little")
            # The stubs know the C++ signatures, not those that the package gives to Python.
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))  # type: ignore[call-arg, arg-type]
        n = min(k + 1, len(self.keys))
        scores, rows = self.index.search(query[None, :], n, params=parameters)
        while n < len(self.keys) and rows[0, -1] >= 0 and scores[0, -1] == scores[0, k - 1]:
            # A tie runs over the cut, and keys decide it: all of it is needed.
            n = min(4 * n, len(self.keys))
            scores, rows = self.index.search(query[None, :], n, params=parameters)
        return [(int(self.keys[r]), float(s)) for r, s in zip(rows[0], scores[0], strict=True) if r >= 0]


class FaissIndex:
    """A vector index in one folder. Searching is safe from many threads: segments never change."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.encoder = encoder
        # A single query gains nothing from threads, and loses much where cores are busy.
        faiss.omp_set_num_threads(1)
        # Five standard deviations of a unit vector's component fill the 8 bits.
        self._scale = 127 * encoder.dim**0.5 / 5
        self._state: tuple[int, tuple[_Segment, ...]] = (0, ())
        self._seen: tuple[str, ...] = ()
        self.refresh()

    @property
    def applied(self) -> int:
        """Catalog sequence number that is in."""
        return self._state[0]

    @property
    def n_passages(self) -> int:
        """How many passages can be found."""
        return sum(int(s.alive[s.document].sum()) for s in self._state[1])

    def refresh(self) -> None:
        """Read the files that were not seen yet; all of them if some were merged away."""
        names = tuple(sorted(p.name for p in self.folder.glob("*.npz")))
        bases = [n for n in names if n.endswith(".base.npz")]
        if bases:
            # A merge that was cut short leaves older files behind; they say nothing new.
            names = (bases[-1], *(n for n in names if n.split(".")[0] > bases[-1].split(".")[0]))
        if names == self._seen:
            return
        known = self._seen if names[: len(self._seen)] == self._seen else ()
        state = self._state if known else (0, ())
        try:
            for name in names[len(known) :]:
                state = self._with_file(state, self.folder / name)
        except FileNotFoundError:
            # Another process merged them meanwhile.
            self.refresh()
            return
        self._state, self._seen = state, names

    def _with_file(
        self, state: tuple[int, tuple[_Segment, ...]], path: Path
    ) -> tuple[int, tuple[_Segment, ...]]:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(bytes(file["meta"]))
            keys, digests, codes, document = (file.get(n) for n in ("keys", "digests", "codes", "document"))
        if meta["format"] != _FORMAT or codes.shape[1:] != (self.encoder.dim,):
            raise IndexMismatch(
                f"Cannot open {path}: format {meta['format']} with {codes.shape[1]} dimensions,"
                f" expected {_FORMAT} with {self.encoder.dim}.",
                "Run `gongxue reindex`.",
            )
        removed = frozenset(meta["removed"])
        segments = tuple(s.without(removed) for s in state[1])
        if len(keys):
            segments += (_Segment.of(keys, digests, codes, document, meta["documents"]),)
        return meta["seq"], segments

    def apply(self, removed: Iterable[str], entries: Sequence[Entry], seq: int) -> None:
        """Drop documents, take entries, remember `seq`; one new file."""
        gone = frozenset(removed) | {e.document_id for e in entries}
        rows: dict[str, dict[str, Any]] = {}
        for entry in entries:
            rows.setdefault(entry.document_id, _row(entry))
        place = {d: i for i, d in enumerate(rows)}
        self._write(
            f"{seq:012d}.npz",
            seq,
            gone,
            np.array([e.key for e in entries], np.int64),
            _digests(entries),
            self._codes(entries),
            np.array([place[e.document_id] for e in entries], np.int32),
            list(rows.values()),
        )
        self.refresh()
        sizes = [len(s.keys) for s in self._state[1]]
        if len(self._seen) > _MERGE_FROM or sum(sizes[1:]) >= sum(sizes[:1]) > 0:
            self._merge()

    def _codes(self, entries: Sequence[Entry]) -> NDArray[np.uint8]:
        """Codes of the entries; those already here under the same key and text are taken over."""
        known = self._known_codes(entries)
        codes = np.empty((len(entries), self.encoder.dim), np.uint8)
        fresh = [i for i, e in enumerate(entries) if e.key not in known]
        for i, entry in enumerate(entries):
            if entry.key in known:
                codes[i] = known[entry.key]
        for at in range(0, len(fresh), _BATCH):
            batch = fresh[at : at + _BATCH]
            vectors = self.encoder.encode_passages([entries[i].text for i in batch])
            codes[batch] = self._quantized(vectors) + 128
        return codes

    def _quantized(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Components in whole steps of 1 / scale, as floats from -128 to 127."""
        steps = np.rint(np.ascontiguousarray(vectors, np.float32) * np.float32(self._scale))
        found: NDArray[np.float32] = np.clip(steps, -128, 127).astype(np.float32)
        return found

    def _known_codes(self, entries: Sequence[Entry]) -> dict[int, NDArray[np.uint8]]:
        wanted = {e.key: digest for e, digest in zip(entries, _digests(entries), strict=True)}
        keys = np.fromiter(wanted, np.int64, len(wanted))
        found: dict[int, NDArray[np.uint8]] = {}
        for segment in self._state[1]:
            for row in np.flatnonzero(np.isin(segment.keys, keys)):
                key = int(segment.keys[row])
                if segment.digests[row] == wanted[key]:
                    found[key] = segment.codes[row]
        return found

    def _merge(self) -> None:
        """Write all that is alive to one file, then drop the others."""
        seq, segments = self._state
        keys, digests, codes, document, rows = [], [], [], [], []
        n = 0
        for s in segments:
            keep = s.alive[s.document]
            renumber = np.cumsum(s.alive) - 1 + n
            keys.append(s.keys[keep])
            digests.append(s.digests[keep])
            codes.append(s.codes[keep])
            document.append(renumber[s.document[keep]].astype(np.int32))
            rows += [r for r, alive in zip(s.documents.rows, s.alive, strict=True) if alive]
            n += int(s.alive.sum())
        base = f"{seq:012d}.base.npz"
        empty = np.empty((0, self.encoder.dim), np.uint8)
        self._write(
            base,
            seq,
            frozenset(),
            np.concatenate([np.empty(0, np.int64), *keys]),
            np.concatenate([np.empty(0, np.uint64), *digests]),
            np.concatenate([empty, *codes]),
            np.concatenate([np.empty(0, np.int32), *document]),
            rows,
        )
        for path in self.folder.iterdir():
            # What an earlier merge or write that was cut short has left, too.
            if path.name != base:
                path.unlink(missing_ok=True)
        self.refresh()

    def _write(
        self,
        name: str,
        seq: int,
        removed: frozenset[str],
        keys: NDArray[np.int64],
        digests: NDArray[np.uint64],
        codes: NDArray[np.uint8],
        document: NDArray[np.int32],
        rows: Sequence[dict[str, Any]],
    ) -> None:
        meta = json.dumps({"format": _FORMAT, "seq": seq, "removed": sorted(removed), "documents": rows})
        partial = self.folder / f".{name}.{os.getpid()}"
        with partial.open("wb") as file:
            np.savez(
                file,
                keys=keys,
                digests=digests,
                codes=codes,
                document=document,
                meta=np.frombuffer(meta.encode(), np.uint8),
            )
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / name)

    def search(self, vector: NDArray[np.float32], k: int, within: Filters) -> Run:
        """The best passages by inner product."""
        if k < 1 or not vector.any():
            return []
        # faiss compares codes of this kind as integers, so the query takes the same steps.
        query = self._quantized(vector)
        found = [hit for s in self._state[1] for hit in s.search(query, k, within)]
        return [
            (key, score / self._scale**2) for key, score in sorted(found, key=lambda h: (-h[1], h[0]))[:k]
        ]

    def close(self) -> None:
        """Nothing to let go of."""


def _digests(entries: Sequence[Entry]) -> NDArray[np.uint64]:
    """Eight bytes of the digest of each text."""
    return np.frombuffer(b"".join(sha256(e.text.encode()).digest()[:8] for e in entries), np.uint64)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.document_id,
        "kind": Kind(entry.kind).value,
        "issuer": entry.issuer or "",
        "year": entry.year or 0,
        "effective": entry.effective_on.toordinal() if entry.effective_on else 0,
        "ended": entry.ended_on.toordinal() if entry.ended_on else _NEVER,
        "superseded": entry.end_reason is Validity.SUPERSEDED,
        "audiences": sorted(entry.audiences),
    }


class Faiss:
    """Opens vector indexes."""

    def open(self, folder: Path, encoder: Encoder) -> FaissIndex:
        """Open the index in a folder, made if it is empty."""
        return FaissIndex(folder, encoder)


ENGINE = Faiss()
