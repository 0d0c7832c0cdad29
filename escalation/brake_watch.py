"""Looks after what is decided about more than one case: breakers, the cases that brakes concern and the cards that name them, what people
have claimed who are away, and presses that were refused. Owns the order in which it looks. No clock of a case waits for it:
`escalation.watch` has those.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from escalation.absent_claims import ClaimedCases, return_claims
from escalation.breaker_watch import BreakerWatch
from escalation.enforcement import BrakedCases, enforce
from escalation.put_off import PutOff
from escalation.redrawing import OutdatedCards, Redrawing, redraw
from escalation.watch import Report
from store.ledger.ledger import Ledger


class Braked(BrakedCases, OutdatedCards, ClaimedCases, Protocol):
    """Where the cases that brakes concern are found, their cards, and what people have claimed."""


class BrakeWatch:
    """Looks with every tick. `clock` gives aware UTC times."""

    def __init__(self, ledger: Ledger, cases: Braked, breakers: BreakerWatch, clock: Callable[[], datetime], *, report: Report) -> None:
        self._ledger = ledger
        self._cases = cases
        self._breakers = breakers
        self._clock = clock
        self._report = report
        self._redrawing = Redrawing(cases, lambda case_id: ledger.change(case_id, redraw))
        self._put_off = PutOff()  # of its own: a clock that cannot act is no reason to let a brake wait

    async def tick(self) -> int:
        """Breakers, brakes, the cards that name them, claims of people who are away, and the presses refused in minutes that are over.

        Raises CannotRecordError.
        """
        now = self._clock()
        acted = await self._breakers.tick()
        acted += await enforce(self._ledger, self._cases, now, self._report, self._put_off)
        governance = await self._cases.governance()
        acted += await self._redrawing.tick(tuple(governance.controls.values()), now)
        acted += await return_claims(self._ledger, self._cases, governance, now, report=self._report, put_off=self._put_off)
        await self._ledger.sweep_refusals(now)
        return acted
