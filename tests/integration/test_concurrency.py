"""Many asking while one changes."""

import threading
import time
from collections.abc import Callable

import pytest

from api.services import Services
from kb.errors import NotFound
from kb.model import PUBLIC, Mode, Query, Source
from tests.conftest import Opener

EVERYONE = frozenset({PUBLIC})
ROUNDS = 12


def run_together(*workers: Callable[[], None]) -> None:
    """Run all at once to their end; the first error of any is raised."""
    errors: list[BaseException] = []

    def guarded(worker: Callable[[], None]) -> None:
        try:
            worker()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(w,)) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("own_process", [False, True], ids=["one index", "an index for each"])
def test_queries_run_while_documents_come_and_go(
    services: Services, open_services: Opener, own_process: bool
) -> None:
    """Four threads that ask see no error, never a text whose removal had ended, and always one whose ingest had ended."""
    present: dict[str, str] = {}
    gone: set[str] = set()
    lock, stop = threading.Lock(), threading.Event()
    asked = [0] * 4

    def change() -> None:
        try:
            for n in range(ROUNDS):
                source = Source(
                    f"变{n}.txt", "text/plain", f"变动{n}\n共建变动编号{n:04d}的安排，供查询之用。\n".encode()
                )
                document_id = services.ingest_source(source).document_ids[0]
                with lock:
                    present[document_id] = f"编号{n:04d}"
                if n % 2:
                    with lock:
                        # From here until removal has ended it may be seen or not.
                        leaving = next(iter(present))
                        del present[leaving]
                    services.remove([leaving])
                    with lock:
                        gone.add(leaving)
            while min(asked) < 3:
                time.sleep(0.005)
        finally:
            stop.set()

    def asking(worker: int) -> Callable[[], None]:
        reader = open_services() if own_process else services

        def ask() -> None:
            while not stop.is_set():
                with lock:
                    expected, withdrawn = dict(present), set(gone)
                mode = list(Mode)[asked[worker] % 3]
                answer = reader.search(Query("共建变动安排", EVERYONE, k=200, mode=mode))
                found = {h.document_id for h in answer.hits}
                assert not found & withdrawn
                with lock:
                    leaving = set(expected) - set(present)
                assert set(expected) - leaving <= found
                # What goes while a query runs may be counted still, but is not shown.
                assert answer.total == sum(answer.facets["kind"].values()) >= len(answer.hits)
                for document_id in list(withdrawn)[:1]:
                    with pytest.raises(NotFound):
                        reader.document(document_id, EVERYONE)
                asked[worker] += 1

        return ask

    run_together(change, *(asking(n) for n in range(4)))
    assert min(asked) >= 3
    assert len(gone) == ROUNDS // 2


def test_writers_wait_for_each_other(services: Services, open_services: Opener) -> None:
    """Several that take documents in at once, each through its own index, all succeed, and every one finds all."""
    writers = [services, open_services(), open_services()]

    def writing(worker: int) -> Callable[[], None]:
        def write() -> None:
            for n in range(8):
                text = f"并行{worker}之{n}\n共建并行编号{worker}{n:03d}的安排，供查询之用。\n"
                assert (
                    writers[worker]
                    .ingest_source(Source(f"并{worker}-{n}.txt", "text/plain", text.encode()))
                    .documents
                    == 1
                )

        return write

    run_together(*(writing(n) for n in range(3)))
    for reader in [*writers, open_services()]:
        found = {h.source for h in reader.search(Query("共建并行", EVERYONE, k=200)).hits}
        assert found >= {f"并{w}-{n}.txt" for w in range(3) for n in range(8)}


def test_queries_run_through_a_reindex(services: Services, open_services: Opener) -> None:
    """Rebuilding switches under those who ask, in this process and another, without an error or an empty answer."""
    other = open_services()
    stop = threading.Event()

    def rebuild() -> None:
        try:
            for _ in range(4):
                services.reindex()
        finally:
            stop.set()

    def asking(reader: Services) -> Callable[[], None]:
        def ask() -> None:
            while not stop.is_set():
                assert reader.search(Query("支部共建促进法第二条", EVERYONE)).hits[0].path[-1] == "第二条"

        return ask

    run_together(rebuild, asking(services), asking(services), asking(other))
