"""What waits for the writer, in the order of whose turn it is. Owns the ranks and how much is written together; never writes anything."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, unique
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from store.ledger.prefetch import Needs
from store.ledger.unit_of_work import UnitOfWork

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Narrow = Callable[[Connection, datetime], T]
"""A write beside the ledger: own rows only, never a case, a leaf or the inbox."""

MAX_ITEMS = 64


@unique
class Rank(IntEnum):
    """Whose turn it is first."""

    PROMPT = 0
    """People who pressed and clocks that ran out."""
    INTAKE = 1
    NARROW = 2


_ROOM = ((Rank.PROMPT, MAX_ITEMS), (Rank.INTAKE, MAX_ITEMS), (Rank.NARROW, 2 * MAX_ITEMS))
"""Narrow writes always get some, or nothing would be sent while cases pour in."""

CROWDED = 8
"""Narrow writes beside clocks and presses that are more than a transaction takes: sending waits for those, and yet never stands still."""


class Item(Protocol[T_co]):
    """One piece of work for the ledger. It may be applied twice, in different transactions, if the first one could not be committed."""

    @property
    def needs(self) -> Needs:
        """What to read before."""
        ...

    def apply(self, unit: UnitOfWork) -> T_co:
        """Add to the unit and give the result that the caller gets once it is committed. What raises adds nothing."""
        ...


@dataclass(slots=True, eq=False)
class Entry:
    """An item or a narrow write, what became of it, and the future by which its caller learns that."""

    future: asyncio.Future[Any]
    item: Item[Any] | None = None
    narrow: Narrow[Any] | None = None
    result: Any = None
    problem: Exception | None = None

    def tell(self) -> None:
        """What became of it."""
        if self.problem is not None:
            self.fail(self.problem)
        elif not self.future.done():
            self.future.set_result(self.result)

    def fail(self, problem: BaseException) -> None:
        """Why nothing did."""
        if not self.future.done():
            self.future.set_exception(problem)


class Waiting:
    """Entries by rank. Those whose caller went away are passed over."""

    def __init__(self) -> None:
        self._queues: tuple[deque[Entry], ...] = tuple(deque() for _ in Rank)

    def __len__(self) -> int:
        """How many there are."""
        return sum(map(len, self._queues))

    def __iter__(self) -> Iterator[Entry]:
        """Those that somebody still waits for."""
        return (entry for queue in self._queues for entry in queue if not entry.future.done())

    def add(self, entry: Entry, rank: Rank) -> None:
        """Last of its rank."""
        self._queues[rank].append(entry)

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Before all others: there was no time for them."""
        self._queues[Rank.PROMPT].extendleft(reversed(entries))

    def take(self) -> list[Entry]:
        """What is to be written together."""
        taken = list[Entry]()
        crowded = len(self._queues[Rank.PROMPT]) > MAX_ITEMS
        for rank, most in _ROOM:
            queue = self._queues[rank]
            room = MAX_ITEMS + CROWDED if crowded and rank is Rank.NARROW else most
            while queue and len(taken) < room:
                entry = queue.popleft()
                if not entry.future.done():
                    taken.append(entry)
        return taken

    def fail(self, problem: Exception) -> None:
        """Nothing will become of any."""
        for queue in self._queues:
            for entry in queue:
                entry.fail(problem)
            queue.clear()
