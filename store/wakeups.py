"""Hints that something was committed, in this process and, on PostgreSQL, between replicas. Owns no truth: who waits looks into the
database again, and also looks without a hint now and then. A hint that is lost costs that time and nothing else.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from store.database.database import Database
from store.database.errors import is_unavailable

CHANNEL = "tierline"
"""PostgreSQL's channel: https://www.postgresql.org/docs/current/sql-notify.html"""

MOST_NAMED = 200
"""Cases in one hint: PostgreSQL takes fewer than 8,000 bytes. Who waits for others looks at them in its own time."""

AGAIN_S = 1.0
"""The wait before a line that broke is opened again."""

_OUTBOX, _PROMISED = "outbox", "promised"


class Wakeups:
    """Who waits for what to be committed."""

    def __init__(self) -> None:
        self.outbox = asyncio.Event()
        """Set when a message was enqueued. The courier clears it before it looks."""
        self.promised = asyncio.Event()
        """Set when a callback was enqueued, which wants a checkpoint. The signer clears it before it looks."""
        self._waiting = defaultdict[str, set[asyncio.Event]](set)
        self._untold: set[str] | None = None
        self._to_tell = asyncio.Event()

    @contextmanager
    def case(self, case_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever this case changes while the block runs. Read the case inside the block, then wait."""
        event = asyncio.Event()
        self._waiting[case_id].add(event)
        try:
            yield event
        finally:
            self._waiting[case_id].discard(event)
            if not self._waiting[case_id]:
                del self._waiting[case_id]

    def tell(self, changed: Iterable[str], *, enqueued: bool, promised: bool) -> None:
        """A transaction was committed: which cases changed, whether anything is to be sent, whether a callback is among it."""
        words = {*changed, *([_OUTBOX] if enqueued else []), *([_PROMISED] if promised else [])}
        self._wake(words)
        if self._untold is not None:
            self._untold |= words
            self._to_tell.set()

    async def share(self, database: Database) -> None:
        """Tell the other replicas, and hear what they tell, until cancelled. What cannot be told while PostgreSQL is away is not told.

        Raises what the database raises where it is not away.
        """
        while True:
            self._untold = set()
            try:
                async with database.line(CHANNEL, lambda hint: self._wake(hint.split()), self._to_tell.set) as say:
                    while True:
                        await self._to_tell.wait()
                        self._to_tell.clear()
                        words, self._untold = self._untold, set()
                        await say(" ".join(sorted(words, key=len)[:MOST_NAMED]))  # the two words are shorter than any id
            except Exception as problem:
                if not is_unavailable(problem):
                    raise
                await asyncio.sleep(AGAIN_S)
            finally:
                self._untold = None

    def _wake(self, words: Iterable[str]) -> None:
        for word in words:
            if word == _OUTBOX:
                self.outbox.set()
            elif word == _PROMISED:
                self.promised.set()
            for event in self._waiting.get(word, ()):
                event.set()
