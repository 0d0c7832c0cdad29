"""Hints within this process that something was committed. Owns no truth: who waits looks into the database again, and also looks without
a hint now and then.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Wakeups:
    """Who waits for what to be committed."""

    def __init__(self) -> None:
        self.outbox = asyncio.Event()
        """Set when a message was enqueued. The courier clears it before it looks."""
        self.promised = asyncio.Event()
        """Set when a callback was enqueued, which wants a checkpoint. The signer clears it before it looks."""
        self._waiting = defaultdict[str, set[asyncio.Event]](set)

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
        if enqueued:
            self.outbox.set()
        if promised:
            self.promised.set()
        for case_id in changed:
            for event in self._waiting.get(case_id, ()):
                event.set()
