"""The pulse: calls one coroutine again and again. Owns APScheduler; knows nothing of cases and keeps no deadline of anybody.

APScheduler is used in memory and as a tick only: a shared job store runs jobs twice, and its default grace of one second drops what was
late (APScheduler 3.11, user guide: "Missed job executions and coalescing"). It also compares every time it keeps with the wall clock: set
that back by two hours, and an interval is silent for two hours. So it is given no time to keep: the event loop counts the seconds, on the
monotonic clock, and hands it a job that is due whatever the wall clock says.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

DUE = DateTrigger(datetime(1970, 1, 1, tzinfo=UTC))
"""Once, and overdue by any clock."""


class Ticker:
    """Calls `tick` every `every_s` seconds, never twice at once. What it raises goes to `failed` and the next tick comes all the same."""

    def __init__(self, tick: Callable[[], Awaitable[object]], failed: Callable[[Exception], None], every_s: float = 1.0) -> None:
        self._tick = tick
        self._failed = failed
        self._every_s = every_s
        self._idle = asyncio.Event()
        self._idle.set()
        self._next: asyncio.TimerHandle | None = None
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin; the first tick comes after `every_s`."""
        self._scheduler.start()
        self._wait()

    async def stop(self) -> None:
        """End, after a tick that is under way (the scheduler's own shutdown does not wait for coroutines)."""
        if self._next is not None:
            self._next.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await self._idle.wait()

    def _wait(self) -> None:
        self._next = asyncio.get_running_loop().call_later(self._every_s, self._due)

    def _due(self) -> None:
        self._wait()
        if self._idle.is_set():
            self._scheduler.add_job(self._run, DUE, id="tick", replace_existing=True, max_instances=1, misfire_grace_time=None)

    async def _run(self) -> None:
        self._idle.clear()
        try:
            await self._tick()
        except Exception as error:  # noqa: BLE001 - handed on; the clock of every case hangs on this loop going on
            self._failed(error)
        finally:
            self._idle.set()
