"""Drills as time goes on: those that come round begin, alarms that nobody acknowledged end, cases of a stopped drill are closed.

Owns when it is looked; what follows is decided by `routing.governance.drill_lifecycle` and `routing.review.drill`. Whatever it does is
found again from the database after a crash, and done once however many replicas look.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from routing.change import Opens, Refused
from routing.governance.drill import Drill
from routing.governance.drill_lifecycle import come_round, is_due, run_out
from routing.policy.policy import Policy
from routing.review.drill import Play, open_cases, stopped
from store.ledger.answers import Changed
from store.ledger.ledger import Ledger
from store.reads.cases import Reads

EVERY = timedelta(minutes=1)
"""How often it is looked whether a drill comes round."""


def opener(drill: Drill, policy: Policy, count: int, now: datetime, dark: Mapping[str, str]) -> tuple[Opens, ...]:
    """What opens so many cases of a drill."""
    return open_cases(Play(drill.id, drill.kind, drill.workflow, drill.to), policy, count, now, dark)


class DrillWatch:
    """As the ticker calls it. `clock` gives aware UTC times, `policy` the active policy."""

    def __init__(self, ledger: Ledger, reads: Reads, policy: Callable[[], Policy], clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._reads = reads
        self._policy = policy
        self._clock = clock
        self._looked: datetime | None = None

    async def tick(self) -> int:
        """Gives how many drills and cases of drills changed. Raises CannotRecordError."""
        now = self._clock()
        governance = await self._reads.governance()
        acted = 0
        for drill in governance.drills:
            if drill.over:
                continue
            if drill.until is not None and now >= drill.until:
                acted += not isinstance(await self._ledger.govern(run_out(drill.id)), Refused)
            for case_id in drill.left if drill.stopped_by else ():
                acted += isinstance(await self._ledger.change(case_id, stopped()), Changed)
        return acted + await self._come_round(now)

    async def _come_round(self, now: datetime) -> int:
        if self._looked is not None and now - self._looked < EVERY:
            return 0
        self._looked = now
        begun = 0
        for schedule in self._policy().form.drills.schedule:
            if is_due(self._policy(), await self._reads.governance(), schedule, now):
                begun += not isinstance(await self._ledger.govern(come_round(schedule.name, opener)), Refused)
        return begun
