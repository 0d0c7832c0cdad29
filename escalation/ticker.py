"""The pulse: calls one coroutine again and again. Owns APScheduler; knows nothing of cases and keeps no deadline of anybody.

APScheduler is used in memory and as a tick only: a shared job store runs jobs twice, and its default grace of one second drops what was
late (APScheduler 3.11, user guide: "Missed job executions and coalescing").
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Ticker:
    """Calls `tick` every `every_s` seconds, never twice at once. What it raises goes to `failed` and the next tick comes all the same."""

    def __init__(self, tick: Callable[[], Awaitable[object]], failed: Callable[[Exception], None], every_s: float = 1.0) -> None:
        self._tick = tick
        self._failed = failed
        self._every_s = every_s
        self._idle = asyncio.Event()
        self._idle.set()
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin; the first tick comes after `every_s`."""
        self._scheduler.start()
        self._scheduler.add_job(self._run, "interval", seconds=self._every_s, max_instances=1, coalesce=True, misfire_grace_time=None)

    async def stop(self) -> None:
        """End, after a tick that is under way (the scheduler's own shutdown does not wait for coroutines)."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await self._idle.wait()

    async def _run(self) -> None:
        self._idle.clear()
        try:
            await self._tick()
        except Exception as error:  # noqa: BLE001 - handed on; the clock of every case hangs on this loop going on
            self._failed(error)
        finally:
            self._idle.set()
