"""Work that takes longer than a request: sources handed in are read one after another, in the background.

huey queues the jobs, in a file of its own; the table `jobs` tells how they stand. A job that the
process did not finish is taken up again when it starts: taking in what is in already changes nothing.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from huey import SqliteHuey, crontab
from huey.consumer import Consumer
from sqlalchemy import insert, or_, select, update

from access.access import Access
from access.keys import new_secret
from access.principal import Principal
from access.rights import Action
from access.sharing import Wanted
from access.tables import jobs
from api.holdings import Holdings
from ingest.readers import media_type_of
from kb.errors import KbError
from kb.model import Source, derive_id

_LATEST = 50


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands. `state` is "waiting", "running", "done" or "failed".

    `outcomes` has what became of each source; only the person who asked is told.
    """

    job_id: str
    kind: str
    person_id: str | None
    branch_id: str | None
    state: str
    done: int
    total: int
    outcomes: tuple[dict[str, str], ...]
    asked_at: datetime
    ended_at: datetime | None


class _Consumer(Consumer):  # type: ignore[misc]
    """Works in threads of the server, whose signals it leaves alone."""

    def _set_signal_handlers(self) -> None:
        pass


class Jobs:
    """Queues jobs and works them off."""

    def __init__(
        self, home: Path, access: Access, holdings: Holdings, *, nightly: Callable[[], None]
    ) -> None:
        """`nightly` is what is to be done once a night."""
        self._access = access
        self._holdings = holdings
        self._folder = home / "jobs"
        self._huey = SqliteHuey(filename=str(home / "jobs.db"), fsync=True)
        self._run = self._huey.task()(self.run)
        self._huey.periodic_task(crontab(minute="17", hour="3"))(nightly)
        self._consumer: Consumer | None = None

    def ask(self, by: Principal, branch_id: str, sources: Sequence[Source], wanted: Sequence[Wanted]) -> str:
        """Queue sources to be taken in for a branch, and return the job's id.

        Raises:
            SignInRequired, Refused, InvalidRequest, NotFound: as in `Holdings.hand_in`, before anything is queued.
        """
        self._holdings.keeping(by, branch_id, wanted)
        now = self._access.office.now()
        job_id = derive_id("job", new_secret())
        folder = self._folder / job_id
        folder.mkdir(parents=True)
        names = []
        for n, source in enumerate(sources):
            (folder / str(n)).write_bytes(source.data)
            names.append(source.name)
        asked = {"names": names, "wanted": [[w.audience, w.may_reshare] for w in wanted]}
        (folder / "asked.json").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
        with self._access.office.writing() as connection:
            connection.execute(
                insert(jobs).values(
                    job_id=job_id,
                    kind="hand_in",
                    person_id=by.person_id,
                    branch_id=branch_id,
                    state="waiting",
                    done=0,
                    total=len(names),
                    detail=[],
                    asked_at=now,
                )
            )
        self._run(job_id)
        return job_id

    def run(self, job_id: str) -> None:
        """Work one job off, as the person who asked, with the rights that they have by now."""
        folder = self._folder / job_id
        with self._access.office.reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).first()
        if row is None or row.state in ("done", "failed"):
            return
        asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
        wanted = [Wanted(*w) for w in asked["wanted"]]
        outcomes: list[dict[str, str]] = []
        for n, name in enumerate(asked["names"]):
            outcomes.append(self._hand_in(row, name, folder / str(n), wanted))
            self._set(job_id, state="running", done=n + 1, detail=outcomes)
        failed = all(o["status"] == "failed" for o in outcomes)
        self._set(job_id, state="failed" if failed else "done", ended_at=self._access.office.now())
        shutil.rmtree(folder, ignore_errors=True)

    def _hand_in(self, row: Any, name: str, file: Path, wanted: Sequence[Wanted]) -> dict[str, str]:
        try:
            source = Source(name, media_type_of(name), file.read_bytes())
            outcome = self._holdings.hand_in(
                self._access.sessions.principal_of(row.person_id), row.branch_id, source, wanted
            )
        except KbError as error:
            return {"source": name, "status": "failed", "code": error.code, "message": str(error)}
        except Exception as error:
            # The other sources go on; this one is told as a bug of ours.
            structlog.get_logger().error("job", job=row.job_id, exc_info=error)
            return {
                "source": name,
                "status": "failed",
                "code": "internal",
                "message": "Something broke on our side.",
            }
        return {
            "source": name,
            "status": outcome.status,
            "document_id": outcome.document_id or "",
            "code": outcome.code,
            "message": outcome.message,
        }

    def _set(self, job_id: str, **values: Any) -> None:
        with self._access.office.writing() as connection:
            connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))

    # -- seeing -----------------------------------------------------------------

    def seen(self, by: Principal) -> list[Job]:
        """The latest jobs: one's own; without what was handed in, those of branches whose jobs one may see.

        Raises:
            SignInRequired: nobody is signed in.
        """
        person_id = by.require_person()
        theirs = [b for b in by.branches if by.may(Action.SEE_JOBS, b)]
        mine = [jobs.c.person_id == person_id, jobs.c.branch_id.in_(theirs)]
        if by.operator:
            mine.append(jobs.c.job_id.is_not(None))
        with self._access.office.reading() as connection:
            rows = connection.execute(
                select(jobs).where(or_(*mine)).order_by(jobs.c.asked_at.desc()).limit(_LATEST)
            )
            return [_job(r, told=r.person_id == person_id) for r in rows]

    # -- working ----------------------------------------------------------------

    def start(self) -> None:
        """Begin to work jobs off in threads of this process; first those that were left."""
        for job_id in self._left():
            self._run(job_id)
        self._consumer = _Consumer(self._huey, workers=1, max_delay=1.0, check_worker_health=False)
        self._consumer.start()

    def drain(self) -> None:
        """Work off everything that is queued, here and now."""
        while task := self._huey.dequeue():
            self._huey.execute(task)

    def stop(self) -> None:
        """Let the job at hand finish, then work no more."""
        if self._consumer is not None:
            self._consumer.stop(graceful=True)
        self._huey.storage.close()

    def _left(self) -> list[str]:
        self._huey.flush()
        with self._access.office.reading() as connection:
            return list(
                connection.execute(
                    select(jobs.c.job_id)
                    .where(jobs.c.state.in_(["waiting", "running"]))
                    .order_by(jobs.c.asked_at)
                ).scalars()
            )


def _job(row: Any, *, told: bool) -> Job:
    return Job(
        row.job_id,
        row.kind,
        row.person_id,
        row.branch_id,
        row.state,
        row.done,
        row.total,
        tuple(row.detail) if told else (),
        row.asked_at,
        row.ended_at,
    )
