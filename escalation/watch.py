"""Watches the clocks: finds the cases of which something is due and lets each act, however many, in whatever state they are.

Owns the sweep. It holds no deadline (those are in the database) and decides nothing: `routing.review.timing` does. A case that cannot be
processed is reported and left alone for a minute, and never holds up the others.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from escalation.put_off import PutOff
from routing.review.timing import on_time
from store.ledger.answers import Changed
from store.ledger.ledger import Ledger
from store.ledger.writer import CannotRecordError, WriterClosedError
from store.reads.cases import Due

BATCH = 500
ROUNDS = 20
"""Batches in one sweep at most; what is left is taken up by the next tick."""


class DueCases(Protocol):
    """Where due cases are found."""

    async def due(self, now: datetime, limit: int, after: Due | None = None) -> Sequence[Due]:
        """Cases of which something is due, earliest first; those that follow `after`."""
        ...


Report = Callable[[str, Exception], None]
"""Told of a case that could not be processed: its id and what was raised."""

Late = Callable[[float], None]
"""Told by how many seconds the oldest clock was missed."""


async def sweep(ledger: Ledger, cases: DueCases, now: datetime, report: Report, put_off: PutOff, *, late: Late) -> int:
    """Let every due case act until none is due. Gives how many acted; a case with several clocks due acts several times.

    Raises CannotRecordError when the database fails: the next tick tries again.
    """
    acted, passed = 0, set[str]()
    for number in range(ROUNDS):
        found = await _to_act(cases, now, put_off, passed)
        if not found:
            break
        if number == 0:
            late((now - found[0].at).total_seconds())
        due = [one.case_id for one in found]
        results = await asyncio.gather(*(ledger.change(case_id, on_time) for case_id in due), return_exceptions=True)
        for case_id, result in zip(due, results, strict=True):
            match result:
                case CannotRecordError() | WriterClosedError():
                    raise result
                case Exception() as poison:
                    report(case_id, poison)
                    put_off.add(case_id, now)
                case BaseException():
                    raise result
                case Changed():
                    acted += 1
                case _:
                    passed.add(case_id)  # nothing of ours is due there: those behind it have their turn
    return acted


async def _to_act(cases: DueCases, now: datetime, put_off: PutOff, passed: Collection[str]) -> Sequence[Due]:
    """A batch of due cases, earliest first, past however many are put off or in `passed`."""
    found, page = list[Due](), await cases.due(now, BATCH)
    while True:
        found += [one for one in page if one.case_id not in passed and not put_off.holds(one.case_id, now)]
        if len(found) >= BATCH or len(page) < BATCH:
            return found
        page = await cases.due(now, BATCH, page[-1])


class Watch:
    """The sweep as the ticker calls it. `clock` gives aware UTC times."""

    def __init__(self, ledger: Ledger, cases: DueCases, clock: Callable[[], datetime], *, report: Report, late: Late) -> None:
        self._ledger = ledger
        self._cases = cases
        self._clock = clock
        self._report = report
        self._late = late
        self._put_off = PutOff()

    async def tick(self) -> int:
        """One sweep. Raises CannotRecordError."""
        return await sweep(self._ledger, self._cases, self._clock(), self._report, self._put_off, late=self._late)
