"""How long we wait for peers before we go on without their answer, and how often we look whether all goes on. Owns the counting of seconds;
how many stands with each call, and what has to fit together in `Rhythm`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often somebody outside is told that all is well, and how long something may be amiss before that ends; all in seconds.

    A receiver that waits for 20 s more after `beat_s` knows within a minute: `late_s` + the last beat's way + `beat_s` + 20.
    """

    beat_s: float = 20.0
    again_s: float = 5.0
    """After a beat that was kept back or not taken."""
    late_s: float = 15.0
    """How late a loop, a clock, a message or a checkpoint may be."""
    peer_s: float = 10.0
    """Between two questions to a peer whether it is there."""
    lately_s: float = 30.0
    """How old its last good answer may be: one that is missed says nothing yet."""


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
RHYTHM = Rhythm()
