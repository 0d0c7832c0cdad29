"""Who is on call for a tier: asked of PagerDuty where it can be asked, otherwise as last recorded, otherwise the tier's owner.

Owns that order and how long an answer is fresh. It never pages anybody, and a PagerDuty that does not answer holds a card up for one
second at most, once a minute.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from escalation.pagerduty_client import PagerDutyUnreadable, RestClient
from routing.case.case import Case, Tier
from routing.errors import PolicyError
from routing.governance.on_call_gap import nobody_on_call, somebody_on_call
from routing.governance.ruling import GovernStep
from store.ledger.ledger import Ledger, NotRecordingError
from store.ledger.unit_of_work import NoPolicyError
from store.ledger.writer import CannotRecordError
from store.reads.on_call import OnCallBook

FRESH = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)
"""How long a PagerDuty that did not answer is left alone."""

BUDGET_S = 1.0


@dataclass(frozen=True, slots=True)
class OnCall:
    """The person named for a tier, "" when there is none. `at`: when PagerDuty said so, None when the policy's owner stands in."""

    name: str
    at: datetime | None = None


class Rota:
    """Answers who is on call. `escalation_policy`: PagerDuty's id for a tier by the policy the case lives by, None when it names none.

    Without `rest` (no API token) the owner of the tier is named, as the policy has it.
    """

    def __init__(
        self,
        book: OnCallBook,
        escalation_policy: Callable[[Case, int], str | None],
        clock: Callable[[], datetime],
        rest: RestClient | None = None,
        ledger: Ledger | None = None,
        *,
        report: Callable[[str, Exception], None] = lambda _policy, _error: None,
    ) -> None:
        """`ledger` is told where nobody is on call, and where somebody is again; `report`, by escalation policy, that this failed."""
        self._ledger = ledger
        self._report = report
        self._book = book
        self._escalation_policy = escalation_policy
        self._clock = clock
        self._rest = rest
        self._ask_after: dict[str, datetime] = {}
        self._known: dict[str, OnCall] = {}
        self._untold = set[str]()

    async def on_call(self, case: Case, tier: int, away: Collection[str] = ()) -> OnCall:
        """Who is on call for a tier (0-based) of a case; of its owner and backup whoever is not `away`. Never raises for PagerDuty."""
        policy = self._escalation_policy(case, tier)
        if policy is None or self._rest is None:
            return _owner(case.route.tiers[tier], away)
        now = self._clock()
        if now >= self._ask_after.get(policy, now):
            await self._ask(self._rest, policy, now, case, tier)
        known = self._known.get(policy) or await self._recorded(policy)
        return known or _owner(case.route.tiers[tier], away)

    async def _ask(self, rest: RestClient, policy: str, now: datetime, case: Case, tier: int) -> None:
        self._ask_after[policy] = now + AGAIN
        try:
            async with asyncio.timeout(BUDGET_S):
                name = await rest.on_call(policy)
        except (PagerDutyUnreadable, TimeoutError):
            return  # what is known stays, and is asked for again in a minute
        self._ask_after[policy] = now + FRESH
        before = self._known.get(policy) or await self._recorded(policy)
        if not name:
            await self._tell(policy, nobody_on_call(case.workflow, case.route.ladder, tier, policy))
        elif policy in self._untold or (before is not None and not before.name):
            await self._tell(policy, somebody_on_call(policy))
        self._known[policy] = OnCall(name, now)
        await self._book.record_on_call(policy, name)

    async def _tell(self, policy: str, news: GovernStep) -> None:
        """Have it recorded and said. Who asked shows a case, and goes on whether or not that can be done; it is tried again in a minute."""
        if self._ledger is None:
            return
        try:
            await self._ledger.govern(news)
            self._untold.discard(policy)
        except (PolicyError, NoPolicyError, NotRecordingError, CannotRecordError) as error:
            self._untold.add(policy)
            self._ask_after[policy] = self._clock() + AGAIN
            self._report(policy, error)

    async def _recorded(self, policy: str) -> OnCall | None:
        recorded = await self._book.recorded_on_call(policy)
        if recorded is None:
            return None
        self._known[policy] = OnCall(*recorded)
        return self._known[policy]


def _owner(tier: Tier, away: Collection[str]) -> OnCall:
    return OnCall(tier.answering(away) or "")
