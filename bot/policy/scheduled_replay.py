"""The scheduled replay: once a day the active policy is tried on the newest stored cases, and a mix of lanes that moved is an alert (R11).

Owns when that is and what counts as moved: the population stability index of the newer half against the older half of the cases, lane by
lane. It changes nothing but alerts, and those through the ledger.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.policy.proposing import Proposing
from routing.authority import AlertLevel, Automation
from routing.change import Refused
from routing.governance.alert import Alert
from routing.governance.automation import cleared, trip
from routing.governance.breakers import psi
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.policy.policy import Policy
from routing.simulation.replay import Replayed, replay
from routing.vocabulary import Lane
from store.ledger.ledger import Ledger
from store.reads.cases import Reads

EVERY = timedelta(days=1)
LEAST = 40
"""Cases of a workflow without which its mix of lanes says nothing."""

RULE = "replay-drift"
LIMIT, RESET = 0.2, 0.16
"""PSI from which the mix has moved (R8), and at which it is back."""


class ScheduledReplay:
    """The scheduled replay as the ticker calls it. `policy` gives the active one, `clock` aware UTC times."""

    def __init__(
        self, ledger: Ledger, reads: Reads, proposing: Proposing, policy: Callable[[], Policy], clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._reads = reads
        self._proposing = proposing
        self._policy = policy
        self._clock = clock
        self._last = clock()

    async def tick(self) -> int:
        """Replay if a day has passed since the start or the last time. Gives how many alerts opened or closed. Raises CannotRecordError."""
        now = self._clock()
        if now - self._last < EVERY:
            return 0
        self._last = now
        policy, governance = self._policy(), await self._reads.governance()
        moved = await asyncio.to_thread(drift, policy, await self._proposing.newest())
        acted = 0
        for workflow, (figure, counted) in moved.items():
            step = _step(governance, workflow, figure, counted, now)
            acted += step is not None and not isinstance(await self._ledger.govern(step), Refused)
        return acted


def drift(policy: Policy, cases: Sequence[Replayed]) -> dict[str, tuple[float, int]]:
    """By workflow with enough cases: how far its mix of lanes moved from the older half to the newer one, and of how many cases."""
    by_workflow: dict[str, list[Replayed]] = {}
    for case in sorted(cases, key=lambda one: one.at):
        by_workflow.setdefault(case.submission.workflow, []).append(case)
    found = {}
    for workflow, own in by_workflow.items():
        if len(own) >= LEAST and policy.workflow(workflow) is not None:
            older, newer = (replay(policy, half).after.lanes for half in (own[: len(own) // 2], own[len(own) // 2 :]))
            figure = psi([older[lane.value] for lane in Lane], [newer[lane.value] for lane in Lane])
            found[workflow] = (figure or 0.0, len(own))
    return found


def _step(governance: Governance, workflow: str, figure: float, counted: int, now: datetime) -> GovernStep | None:
    known = next((one for one in governance.alerts if (one.rule, one.workflow) == (RULE, workflow) and not one.over), None)
    if known is None and figure > LIMIT:
        return partial(_trip, found=_alert(workflow, figure, counted, now))
    if known is not None and figure <= RESET:
        return partial(_clear, alert=known.id, figure=figure)
    return None


def _alert(workflow: str, figure: float, counted: int, now: datetime) -> Alert:
    why = f"Replayed, the newer half of the last {counted} cases goes to other lanes than the older half (PSI {figure:.3g}, limit {LIMIT})."
    figures = {"measure": "replay_drift", "figure": figure, "limit": LIMIT, "side": "above", "counted": counted}
    return Alert(id="", rule=RULE, workflow=workflow, level=AlertLevel.ACTION, at=now, why=why, figures=figures, action=Automation.ON)


def _trip(governed: Governed, now: datetime, *, found: Alert) -> Ruling:
    return trip(governed, found, now, to=Automation.ON)


def _clear(governed: Governed, now: datetime, *, alert: str, figure: float) -> Ruling | Refused:
    return cleared(governed, alert, now, {"figure": figure})
