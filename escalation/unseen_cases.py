"""Finds the cases whose card Slack does not show and lets each go where people can see it, in time. Owns the sweep; decides nothing:
`routing.review.unseen` does.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from escalation.put_off import PutOff
from routing.governance.governance import Governance
from routing.policy.policy import Policy
from routing.review.departure import CLOSED, GRACE
from routing.review.unseen import go_where_seen, stay_where_seen
from store.ledger.answers import Changed
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.reads.cases import Due
from store.reads.unposted import UnseenCard

EVERY = timedelta(seconds=5)
BATCH = 200
"""Cases looked at in one round at most; those of which nothing is to be done come last."""

Report = Callable[[str, Exception], None]


class UnseenCards(Protocol):
    """Where cards that are not posted are found."""

    async def governance(self) -> Governance:
        """What is decided about more than one case, with the channels that take no messages."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Cases of which something is due, earliest first."""
        ...

    async def unseen_cards(self, destinations: Sequence[str], closed: Sequence[str], now: datetime, limit: int) -> Sequence[UnseenCard]:
        """Cards that are not posted, to these destinations or given up, and those that stand in closed channels."""
        ...

    async def seen_again(self, destinations: Sequence[str], closed: Sequence[str], until: datetime, limit: int) -> Sequence[str]:
        """Cases that were announced to leave their tier by then, and whose card is none of those any more."""
        ...


class UnseenCases:
    """The sweep. `policy` gives the active one, `clock` aware UTC times; `report` is told of a case that could not be processed."""

    def __init__(
        self, ledger: Ledger, cards: UnseenCards, policy: Callable[[], Policy], clock: Callable[[], datetime], *, report: Report
    ) -> None:
        self._ledger = ledger
        self._cards = cards
        self._policy = policy
        self._clock = clock
        self._report = report
        self._at: datetime | None = None
        self._put_off = PutOff()

    async def tick(self) -> int:
        """Let those go on whose time it is. Gives how many changed. Raises what the database raises."""
        now = self._clock()
        lately = self._at is not None and timedelta(0) <= now - self._at < EVERY
        if lately and not await self._cards.due(now, 1):  # what is still due after the other clocks acted may be for us
            return 0
        dark = (await self._cards.governance()).dark
        closed = [spelling for spelling, error in dark.items() if error in CLOSED]
        most = BATCH + len(self._put_off)
        found = await self._cards.unseen_cards(list(dark), closed, now, most)
        again = await self._cards.seen_again(list(dark), closed, now + GRACE, most)
        owners = self._policy().form.owners
        steps: list[tuple[str, Step]] = [
            (one.case_id, go_where_seen(one.tier, dark.get(one.destination) or one.error, owners)) for one in found
        ]
        steps += [(case_id, stay_where_seen) for case_id in again]
        steps = [(case_id, step) for case_id, step in steps if not self._put_off.holds(case_id, now)]
        results = await asyncio.gather(*(self._ledger.change(case_id, step) for case_id, step in steps), return_exceptions=True)
        for (case_id, _), result in zip(steps, results, strict=True):
            if isinstance(result, Exception):
                self._report(case_id, result)
                self._put_off.add(case_id, now)
            elif isinstance(result, BaseException):
                raise result
        changed = sum(isinstance(result, Changed) for result in results)
        self._at = now if changed < BATCH else None  # then there may be more of them
        return changed
