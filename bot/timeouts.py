"""How long we wait for peers before we go on without their answer. Owns the counting of seconds; how many stands with each call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager


class Timeouts:
    """Counts real seconds."""

    def within(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A bound on what is awaited in its block, which ends with TimeoutError."""
        return asyncio.timeout(seconds)

    def limit_s(self, seconds: float) -> float | None:
        """The same bound for clients that count by themselves; None: none."""
        return seconds


class ManualTimeouts(Timeouts):
    """Counts no seconds: a peer on this machine that has not answered yet is no slow peer. Time is over when `run_out` says so."""

    def __init__(self) -> None:
        self._bounds = set[asyncio.Timeout]()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:  # noqa: ARG002 - all of them at once, when told
        """A bound that holds until `run_out`."""
        async with asyncio.timeout(None) as bound:
            self._bounds.add(bound)
            try:
                yield
            finally:
                self._bounds.discard(bound)

    def limit_s(self, seconds: float) -> float | None:  # noqa: ARG002 - as above
        """None."""
        return None

    @property
    def waiting(self) -> int:
        """How many bounds hold now."""
        return len(self._bounds)

    def run_out(self) -> None:
        """Let the time of everything that is awaited now be over."""
        for bound in self._bounds:
            if not bound.expired():
                bound.reschedule(0.0)


REAL = Timeouts()
