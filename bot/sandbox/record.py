"""The ledger each peer keeps of what was asked of it and what it answered. Append-only; it judges nothing and forgets nothing, so a test
can count what really arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing a peer saw. `at` is unix seconds; `data` is a private copy (what was asked, what came of it)."""

    peer: str
    kind: str
    at: float
    data: Mapping[str, Any]


class Record:
    """What one peer saw, in order."""

    def __init__(self, peer: str, clock: Callable[[], float]) -> None:
        self.peer = peer
        self._clock = clock
        self._seen: list[Seen] = []
        self._listeners: list[Callable[[Seen], None]] = []

    def add(self, kind: str, **data: Any) -> Seen:
        """Append one entry, stamped with the peer's clock, and tell those who watch."""
        seen = Seen(self.peer, kind, self._clock(), deepcopy(data))
        self._seen.append(seen)
        for listener in tuple(self._listeners):
            listener(seen)
        return seen

    def watch(self, listener: Callable[[Seen], None]) -> Callable[[], None]:
        """Call `listener` with every later entry (the page's live updates); returns what ends it."""
        self._listeners.append(listener)

        def stop() -> None:
            self._listeners.remove(listener)

        return stop

    def find(self, kind: str | None = None, where: Callable[[Mapping[str, Any]], bool] | None = None, **equal: Any) -> list[Seen]:
        """Entries of `kind` whose data satisfies `where` and holds every given key with exactly that value."""
        return [
            seen
            for seen in self._seen
            if (kind is None or seen.kind == kind)
            and all(key in seen.data and seen.data[key] == value for key, value in equal.items())
            and (where is None or where(seen.data))
        ]

    def count(self, kind: str | None = None, where: Callable[[Mapping[str, Any]], bool] | None = None, **equal: Any) -> int:
        """How many entries `find` would give."""
        return len(self.find(kind, where, **equal))

    def last(self, kind: str | None = None) -> Seen | None:
        """The newest entry (of `kind`), or None."""
        found = self.find(kind)
        return found[-1] if found else None

    def __iter__(self) -> Iterator[Seen]:
        return iter(tuple(self._seen))

    def __len__(self) -> int:
        return len(self._seen)
