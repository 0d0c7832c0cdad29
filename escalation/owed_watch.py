"""Whoever owes something is told, once an hour at most. Owns what counts as owed, and when it is looked; that nothing is told twice says
`routing.governance.owed`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from routing.case.case import Case
from routing.change import Refused
from routing.governance.owed import APART, Claim, Owed, tell
from routing.governance.told import Told
from routing.governance.waiver import Waiver
from routing.policy.policy import Policy
from routing.review.outlook import Upcoming, upcoming
from routing.vocabulary import State
from store.ledger.ledger import Ledger
from store.reads.cases import Reads

EVERY = timedelta(minutes=1)
"""How often it is looked."""


SOON = timedelta(minutes=30)
LAST_PART = 4
"""A claim is about to run out in the last quarter of its time, and at most so long before."""


def owed(person: str, claimed: Iterable[Case], waivers: Iterable[Waiver], owners: Sequence[str], now: datetime) -> Owed:
    """What this person owes at `now`, of the cases that they claimed and the exceptions that there are."""
    claims = [Claim(case, move.at) for case in claimed if (move := upcoming(case)) is not None and _soon(case, move, now)]
    asked = [one for one in waivers if one.state == "requested" and person in owners and one.requested_by != person]
    return Owed(
        person,
        tuple(sorted(claims, key=lambda claim: (claim.at, claim.case.id))),
        tuple(sorted(asked, key=lambda one: (one.until, one.id))),
    )


def _soon(case: Case, move: Upcoming, now: datetime) -> bool:
    if case.state is not State.PENDING or case.tied_to:
        return False
    since = case.tier_since or case.created_at
    return move.at - now <= min(SOON, (move.at - since) / LAST_PART)


class OwedWatch:
    """As the ticker calls it. `clock` gives aware UTC times, `policy` the active policy."""

    def __init__(self, ledger: Ledger, reads: Reads, policy: Callable[[], Policy], clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._reads = reads
        self._policy = policy
        self._clock = clock
        self._looked: datetime | None = None

    async def tick(self) -> int:
        """Gives how many people were told. Raises CannotRecordError."""
        now = self._clock()
        if self._looked is not None and now - self._looked < EVERY:
            return 0
        self._looked = now
        governance, owners = await self._reads.governance(), self._policy().form.owners
        claimed: dict[str, list[Case]] = {}
        for case in await self._reads.claims_due(now + SOON):
            claimed.setdefault(case.claimed_by, []).append(case)
        asked = [*owners] if any(one.state == "requested" for one in governance.waivers) else []
        told = 0
        for person in dict.fromkeys([*claimed, *asked]):
            known, about = governance.told.get(person, Told()), owed(person, claimed.get(person, ()), governance.waivers, owners, now)
            if known.off or set(about.keys) <= set(known.keys) or (known.at is not None and now - known.at < APART):
                continue
            told += not isinstance(await self._ledger.govern(tell(about)), Refused)
        return told
