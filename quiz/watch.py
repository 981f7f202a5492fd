"""Time as an exam has it: it follows the clock forward and never runs backwards."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta


class Watch:
    """The moment of each exam. Safe to share between threads.

    A clock that is set back must not give anybody more time. While the process runs, each exam's time goes
    on at least as fast as the monotonic clock; in a new process it begins no earlier than what is stored.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        stored: Callable[[str], datetime | None],
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._stored = stored
        self._seen: dict[str, tuple[datetime, float]] = {}
        self._lock = threading.Lock()

    def at(self, exam_id: str) -> datetime:
        """This moment of the exam, UTC without a zone; `stored` tells the latest that is known of it."""
        latest = None if exam_id in self._seen else self._stored(exam_id)
        with self._lock:
            moment, ticks = self._now(), self._monotonic()
            if exam_id in self._seen:
                seen, since = self._seen[exam_id]
                latest = seen + timedelta(seconds=ticks - since)
            moment = max(moment, latest or moment)
            self._seen[exam_id] = moment, ticks
            return moment
