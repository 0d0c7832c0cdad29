"""Watches the clocks: finds the cases of which something is due and lets each act, however many, in whatever state they are; then looks
after breakers and brakes.

Owns the sweep. It holds no deadline (those are in the database) and decides nothing: `routing.review.timing` does. A case that cannot be
processed is put off and reported, and never holds up the others.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from escalation.breaker_watch import BreakerWatch
from escalation.enforcement import BrakedCases, enforce
from routing.review.timing import on_time
from store.ledger.answers import Changed
from store.ledger.ledger import Ledger
from store.ledger.writer import CannotRecordError, WriterClosedError

BATCH = 500
ROUNDS = 20
"""Batches in one sweep at most; what is left is taken up by the next tick."""

PUT_OFF = timedelta(minutes=1)


class DueCases(Protocol):
    """Where due cases are found and put off."""

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Ids of cases of which something is due, earliest first."""
        ...

    async def put_off(self, case_id: str, until: datetime) -> None:
        """Find this case again at `until` at the earliest, or when something else changes it."""
        ...


class Agenda(DueCases, BrakedCases, Protocol):
    """Due cases, what is due first, and the cases that brakes concern."""

    async def nearest_due(self) -> datetime | None:
        """When the next thing is due, None when nothing is."""
        ...


Report = Callable[[str, Exception], None]
"""Told of a case that could not be processed: its id and what was raised."""


async def sweep(ledger: Ledger, cases: DueCases, now: datetime, report: Report) -> int:
    """Let every due case act until none is due. Gives how many acted; a case with several clocks due acts several times.

    Raises CannotRecordError when the database fails: the next tick tries again.
    """
    acted = 0
    for _ in range(ROUNDS):
        due = await cases.due(now, BATCH)
        results = await asyncio.gather(*(ledger.change(case_id, on_time) for case_id in due), return_exceptions=True)
        for case_id, result in zip(due, results, strict=True):
            match result:
                case CannotRecordError() | WriterClosedError():
                    raise result
                case Exception() as poison:
                    report(case_id, poison)
                    await cases.put_off(case_id, now + PUT_OFF)
                case BaseException():
                    raise result
                case _:
                    pass  # it acted, or somebody else was faster
        changed = sum(isinstance(result, Changed) for result in results)
        acted += changed
        if not changed:
            break
    return acted


class Watch:
    """The sweep as the ticker calls it. `clock` gives aware UTC times; `late` is told by how many seconds the oldest clock was missed."""

    def __init__(
        self,
        ledger: Ledger,
        cases: Agenda,
        breakers: BreakerWatch,
        clock: Callable[[], datetime],
        *,
        report: Report,
        late: Callable[[float], None],
    ) -> None:
        self._ledger = ledger
        self._breakers = breakers
        self._cases = cases
        self._clock = clock
        self._report = report
        self._late = late

    async def tick(self) -> int:
        """One sweep, the brakes, the breakers, and the refused presses of minutes that are over. Raises CannotRecordError."""
        now = self._clock()
        due = await self._cases.nearest_due()
        if due is not None and due <= now:
            self._late((now - due).total_seconds())
        acted = await sweep(self._ledger, self._cases, now, self._report)
        acted += await self._breakers.tick()
        acted += await enforce(self._ledger, self._cases, self._report)
        await self._ledger.sweep_refusals(now)
        return acted
