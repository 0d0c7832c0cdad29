"""Finds the cases whose card Slack does not take and lets each go where people can see it, in time. Owns the sweep; decides nothing:
`routing.review.unseen` does.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from routing.governance.binding import channel_name
from routing.governance.governance import Governance
from routing.policy.policy import Policy
from routing.review.unseen import go_where_seen
from store.ledger.answers import Changed
from store.ledger.ledger import Ledger
from store.reads.unposted import UnseenCard

EVERY = timedelta(seconds=5)
BATCH = 200
"""Cases looked at in one round at most; those that have gone on are not found again."""

Report = Callable[[str, Exception], None]


class UnseenCards(Protocol):
    """Where cards that are not posted are found."""

    async def governance(self) -> Governance:
        """What is decided about more than one case, with the channels that take no messages."""
        ...

    async def unseen_cards(self, destinations: Sequence[str], limit: int) -> Sequence[UnseenCard]:
        """Cards that are not posted, to these destinations or given up."""
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

    async def tick(self) -> int:
        """Let those go on whose time it is. Gives how many did. Raises what the database raises."""
        now = self._clock()
        if self._at is not None and timedelta(0) <= now - self._at < EVERY:
            return 0
        self._at = now
        trouble = {one.name: one.trouble for one in (await self._cards.governance()).bindings.values() if one.trouble}
        dark = [spelling for name in trouble for spelling in (name, name.removeprefix("#"))]
        found = await self._cards.unseen_cards(dark, BATCH)
        owners = self._policy().form.owners
        steps = [
            (one, go_where_seen(one.tier, trouble.get(channel_name(one.destination)) or one.error, dark=dark, otherwise=owners))
            for one in found
        ]
        results = await asyncio.gather(*(self._ledger.change(one.case_id, step) for one, step in steps), return_exceptions=True)
        for (one, _), result in zip(steps, results, strict=True):
            if isinstance(result, Exception):
                self._report(one.case_id, result)
            elif isinstance(result, BaseException):
                raise result
        return sum(isinstance(result, Changed) for result in results)
