"""Cases come in a few at a time, and in between everything else that is ready has its turn: people first by construction.

Owns how many cases may be on their way at a time, by how long a turn takes now: whoever would wait too long is asked to come back, before
anything of what was sent is read. It knows neither what is posted nor who posts it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

MOST_WAIT_S = 0.5
"""Longer than this nobody waits for those before: a service that is told to come back does something else meanwhile."""

AT_ONCE = 4
"""Cases in a row: some milliseconds of work, and enough to be written together."""

FEWEST = 16
"""So many are always taken, however long a turn takes."""

_NEW = 0.1
"""The part of what is known of a turn's length that the last one says."""


class Turns:
    """Whose turn it is. `most_wait_s`: how long anybody waits for those before; None where nobody's seconds count."""

    def __init__(self, most_wait_s: float | None = MOST_WAIT_S) -> None:
        self._most_wait_s = most_wait_s
        self._few = asyncio.Semaphore(AT_ONCE)
        self._turn_s = 0.0
        self.under_way = 0
        """Cases that were let in and are not answered yet."""

    @property
    def full(self) -> bool:
        """Whether whoever comes now would wait too long."""
        if self._most_wait_s is None or self.under_way < FEWEST:
            return False
        return self.under_way / AT_ONCE * self._turn_s > self._most_wait_s

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """One more is under way while the block runs."""
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn. In the block stands what keeps the loop busy, and nothing that waits."""
        loop = asyncio.get_running_loop()
        async with self._few:
            begun = loop.time()
            await asyncio.sleep(0)
            yield
            self._turn_s += _NEW * (loop.time() - begun - self._turn_s)
