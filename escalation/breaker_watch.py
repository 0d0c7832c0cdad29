"""Watches the figures: once a minute every breaker of the policy is held against what was counted, and what has to end by itself ends.

Owns when it is looked and which alerts are open for what. It measures nothing (`store.reads.breaker_samples`), judges nothing
(`routing.governance.breakers`) and changes nothing itself (`routing.governance`): what it finds goes through the ledger. A breaker that
cannot be read is reported and does not hold up the others.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from routing.authority import Automation
from routing.change import Refused
from routing.governance.alert import Alert
from routing.governance.automation import cleared, trip
from routing.governance.break_glass_list import list_weekly as list_uses
from routing.governance.breakers import Reading, Sample, covers, in_force, in_workflow, judge, read, said, scopes
from routing.governance.governance import Governance
from routing.governance.incident_lifecycle import is_due, remind
from routing.governance.on_call_gap import end_unpaged, unpaged
from routing.governance.ruling import Governed, Ruling
from routing.governance.sampling import calmed, is_calm
from routing.governance.waiver_lifecycle import expire, list_weekly, run_out, week_of
from routing.policy.form.guardrails import Breaker
from routing.policy.policy import Policy
from store.database.database import Database
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey
from store.ledger.writer import CannotRecordError, WriterClosedError
from store.reads.breaker_samples import OpenCases, Scope, baseline, completeness, models, open_cases, sample
from store.reads.cases import Reads

EVERY = timedelta(minutes=1)
"""How often the breakers are evaluated (G1)."""

BASELINE_EVERY = timedelta(hours=1)
"""How long a baseline is used: it reaches back weeks, an hour changes little of it."""

COMPLETE_WITHIN = timedelta(hours=1)

Report = Callable[[str, Exception], None]
"""Told of a breaker that could not be evaluated: its name and what was raised."""


@dataclass(frozen=True, slots=True)
class _Watched:
    breaker: Breaker
    scope: Scope

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.breaker.name, self.scope.workflow, self.said)

    @property
    def said(self) -> str:
        """The scope in words, as the alert names it."""
        return " ".join(part for part in (str(self.scope.risk or ""), self.scope.model) if part)


class BreakerWatch:
    """The evaluation as the ticker calls it. `clock` gives aware UTC times, `policy` the active policy."""

    def __init__(
        self,
        ledger: Ledger,
        reads: Reads,
        database: Database,
        policy: Callable[[], Policy],
        clock: Callable[[], datetime],
        *,
        report: Report,
    ) -> None:
        self._ledger = ledger
        self._reads = reads
        self._database = database
        self._policy = policy
        self._clock = clock
        self._report = report
        self._last: datetime | None = None
        self._week = ""
        self._uses_listed = ""
        self._counted: dict[tuple[Scope, int], Sample] = {}
        self._usual: dict[tuple[Scope, int], tuple[datetime, Sample]] = {}

    async def tick(self) -> int:
        """Evaluate if a minute has passed. Gives how many alerts were opened or closed and exceptions ended. Raises CannotRecordError."""
        now = self._clock()
        if self._last is not None and now - self._last < EVERY:
            return 0
        self._last = now
        return await self._end_what_is_over(now) + await self._evaluate(now)

    async def _end_what_is_over(self, now: datetime) -> int:
        governance = await self._reads.governance()
        ended = 0
        if any(run_out(waiver, now) is not None for waiver in governance.waivers):
            ended += not isinstance(await self._ledger.govern(expire), Refused)
        if self._week != week_of(now) and any(not waiver.over for waiver in governance.waivers):
            week = week_of(now)
            await self._ledger.govern(list_weekly(week), key=InboxKey("govern", "weekly", week))
            self._week = week  # in memory only: the inbox key sees to it that a week is listed once
        if self._uses_listed != week_of(now) and governance.break_glass:
            week = week_of(now)
            await self._ledger.govern(list_uses(week), key=InboxKey("govern", "break_glass", week))
            self._uses_listed = week
        if any(is_due(incident, now) for incident in governance.incidents):
            ended += not isinstance(await self._ledger.govern(remind), Refused)
        if unpaged(governance, self._policy(), now):
            ended += not isinstance(await self._ledger.govern(end_unpaged), Refused)
        if any(is_calm(control, now) for control in governance.controls.values()):
            ended += not isinstance(await self._ledger.govern(calmed), Refused)
        return ended

    async def _evaluate(self, now: datetime) -> int:
        policy, governance = self._policy(), await self._reads.governance()
        open_now = await self._database.read(open_cases)
        events = await self._database.read(partial(completeness, since=now - COMPLETE_WITHIN))
        self._counted = {}
        every = await self._watched(policy, now)
        acted = await self._end_unwatched(governance, {watched.key for watched in every})
        for watched in every:
            try:
                counted = await self._sample(watched, open_now.get(watched.scope.workflow, OpenCases(0, 0)), events, now)
                acted += await self._look(watched, governance, counted, now)
            except (CannotRecordError, WriterClosedError):
                raise
            except Exception as error:  # noqa: BLE001 - one breaker must not hold up the others
                self._report(watched.breaker.name, error)
        return acted

    async def _end_unwatched(self, governance: Governance, keys: Collection[tuple[str, str, str]]) -> int:
        """A breaker that is gone or off, and a model version that no longer comes: nobody would ever find their figures back to normal."""
        measured = [one for one in governance.alerts if not one.over and "measure" in one.figures]  # not a stopped line: people end that
        ended = 0
        for alert in measured:
            if (alert.rule, alert.workflow, alert.scope) not in keys:
                ended += not isinstance(await self._ledger.govern(partial(_clear, alert=alert.id, figure=None)), Refused)
        return ended

    async def _watched(self, policy: Policy, now: datetime) -> list[_Watched]:
        """Every breaker with every scope it is judged for."""
        found = list[_Watched]()
        for breaker in in_force(policy.form):
            for workflow, settings in policy.workflows.items():
                if covers(breaker, workflow):
                    since = now - timedelta(seconds=breaker.window)
                    seen = await self._database.read(partial(models, workflow=workflow, since=since)) if breaker.by_model else ()
                    found += [
                        _Watched(in_workflow(breaker, settings), Scope(workflow, risk, model)) for risk, model in scopes(breaker, seen)
                    ]
        return found

    async def _sample(self, watched: _Watched, open_now: OpenCases, events: tuple[int, int], now: datetime) -> Sample:
        """What was counted in the window; once a round for all breakers that share it."""
        key = (watched.scope, watched.breaker.window)
        if key not in self._counted:
            since = now - timedelta(seconds=watched.breaker.window)
            self._counted[key] = await self._database.read(
                partial(sample, scope=watched.scope, since=since, open_now=open_now, events=events)
            )
        return self._counted[key]

    async def _look(self, watched: _Watched, governance: Governance, counted: Sample, now: datetime) -> int:
        breaker = watched.breaker
        reading = read(breaker.measure, counted, await self._baseline(watched, now))
        alert = _open_alert(governance, watched)
        aged = alert is not None and now - alert.at >= timedelta(seconds=breaker.window)
        match judge(breaker, reading, tripped=alert is not None, aged=aged):
            case "trip":
                found = _found(watched, reading, now)
                step: Callable[[Governed, datetime], Ruling | Refused] = partial(_trip, found=found, to=breaker.action)
            case "clear" if alert is not None:
                step = partial(_clear, alert=alert.id, figure=reading.figure)
            case _:
                return 0
        return int(not isinstance(await self._ledger.govern(step), Refused))

    async def _baseline(self, watched: _Watched, now: datetime) -> Sample:
        key = (watched.scope, watched.breaker.baseline)
        known = self._usual.get(key)
        if known is None or now - known[0] >= BASELINE_EVERY:
            since = now - timedelta(seconds=watched.breaker.baseline)
            known = (now, await self._database.read(partial(baseline, scope=watched.scope, since=since)))
            self._usual[key] = known
        return known[1]


def _open_alert(governance: Governance, watched: _Watched) -> Alert | None:
    return next((one for one in governance.alerts if (one.rule, one.workflow, one.scope) == watched.key and not one.over), None)


def _found(watched: _Watched, reading: Reading, now: datetime) -> Alert:
    breaker = watched.breaker
    figures = {
        "measure": breaker.measure,
        "figure": reading.figure,
        "limit": breaker.above if breaker.above is not None else breaker.below,
        "side": "above" if breaker.above is not None else "below",
        "counted": reading.count,
        "usual": reading.usual,
        "window_s": breaker.window,
    }
    return Alert(
        id="",
        rule=breaker.name,
        workflow=watched.scope.workflow,
        scope=watched.said,
        level=breaker.level,
        at=now,
        why=said(breaker, reading),
        figures=figures,
        action=breaker.action or Automation.ON,
    )


def _trip(governed: Governed, now: datetime, *, found: Alert, to: Automation | None) -> Ruling:
    return trip(governed, found, now, to=to)


def _clear(governed: Governed, now: datetime, *, alert: str, figure: float | None) -> Ruling | Refused:
    return cleared(governed, alert, now, {"figure": figure})
