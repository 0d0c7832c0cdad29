"""A drill from its start to its end (E10): who may start and stop one, when one comes round by itself, what its cases and its alarm mean
for it. Owns these events and messages.

Nothing of a drill counts anywhere else: its cases are of their own kind, its alarm carries its id, and no brake is touched. What a case of
a drill is and does is `routing.review.drill`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.authority import AlertLevel, Automation
from routing.canonical import Json
from routing.case.case import Case
from routing.case.people import GovernancePress
from routing.change import SYSTEM, Actor, Event, MessageKind, Opens, Refused
from routing.clock import opens
from routing.evaluation.work_templates import start_of
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import alert_posted, alert_redrawn, page_resolved
from routing.governance.drill import Drill
from routing.governance.drill_end import ROOT, about, ended, posted
from routing.governance.governance import Governance
from routing.governance.permissions import no_such_workflow, obstacle, refuse
from routing.governance.ruling import ALERT, DRILL, Governed, GovernStep, Ruling
from routing.policy.form.drills import DrillSchedule
from routing.policy.policy import Policy
from routing.vocabulary import DrillEnd, DrillKind, EventKind, Lane, Template, Verdict

RULE = "drill"
"""The rule of the alarm of a drill, which no breaker may be called."""

CASES_MOST = 50


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be played. `tier` (counted from 1): how far nobody_available climbs; None: to the top. `cases`: of a volume_spike; None:
    as the policy says. `schedule`: the name under which the policy has it come round.
    """

    kind: DrillKind
    workflow: str
    tier: int | None = None
    cases: int | None = None
    schedule: str = ""


Opener = Callable[[Drill, Policy, int, datetime, Mapping[str, str]], tuple[Opens, ...]]
"""What opens so many cases of a drill; given last are the channels to which nothing can be sent, as in `routing.change.Subject`."""


def start(order: Order, actor: Actor, opener: Opener, press: GovernancePress | None = None) -> GovernStep:
    """Begin a drill. With `press` only whom the policy names may."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        policy = governed.policy
        if press is not None and (refused := obstacle(press, policy, frozenset(policy.form.drills.roles))) is not None:
            return refused
        return _unfit(order, governed) or _begun(order, actor, opener, governed, now)

    return step


def stop(drill_id: str, actor: Actor, press: GovernancePress | None = None) -> GovernStep:
    """End one before its time, "": the only one there is. Its alarm ends with it; its cases are closed one by one, and it with the last."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        policy, governance = governed.policy, governed.governance
        if press is not None and (refused := obstacle(press, policy, frozenset(policy.form.drills.roles))) is not None:
            return refused
        running = [one for one in governance.drills if not one.over]
        found = governance.drill(drill_id) if drill_id else running[0] if len(running) == 1 else None
        if found is None or found.over or found.stopped_by:
            return refuse("unknown_drill" if found is None else "drill_over")
        stopped = found.model_copy(update={"stopped_by": actor.id})
        event = Event(EventKind.DRILL_STOPPED, actor, about(stopped))
        answer: dict[str, Json] = {"id": stopped.id}
        if stopped.left:
            redrawn = posted(policy, stopped, MessageKind.BULLETIN_UPDATE, ROOT)
            return Ruling(governance.with_drill(stopped), (event,), redrawn, answer=answer)
        done = _alarm_over(governed, stopped, now, event=1)
        return replace(done, events=(event, *done.events), answer=answer)

    return step


def followed(governed: Governed, case: Case, now: datetime, *, opened: bool) -> Ruling | None:
    """What it means for its drill that this case was opened, or is over; None where nothing."""
    drill = governed.governance.drill(case.parent)
    if drill is None or drill.over:
        return None
    cases, left = drill.cases, drill.left
    if opened:
        cases, left = (*cases, case.id), (*left, case.id)
    if case.open:
        return Ruling(governed.governance.with_drill(drill.model_copy(update={"cases": cases, "left": left})), ()) if opened else None
    known = drill.model_copy(
        update={
            "cases": cases,
            "left": tuple(one for one in left if one != case.id),
            "unanswered": drill.unanswered + (case.verdict is Verdict.EXPIRED),
            "unasked": drill.unasked + (case.reason_code == DrillEnd.NOT_ASKED),
        }
    )
    return Ruling(governed.governance.with_drill(known), ()) if known.left else _alarm_over(governed, known, now)


def run_out(drill_id: str) -> GovernStep:
    """Nobody acknowledged the alarm of a drill in time."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        drill = governed.governance.drill(drill_id)
        if drill is None or drill.over or drill.until is None or now < drill.until:
            return refuse("not_due")
        return _alarm_over(governed, drill.model_copy(update={"unanswered": 1}), now)

    return step


def come_round(name: str, opener: Opener) -> GovernStep:
    """Begin the drill that the policy has under this name in its schedule, if it is due: once in its time, whoever asks first."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        found = next((one for one in governed.policy.form.drills.schedule if one.name == name), None)
        if found is None or not is_due(governed.policy, governed.governance, found, now):
            return refuse("not_due")
        order = _order(governed.governance, found)
        return _unfit(order, governed) or _begun(order, SYSTEM, opener, governed, now)

    return step


def is_due(policy: Policy, governance: Governance, schedule: DrillSchedule, now: datetime) -> bool:
    """Whether it is to begin now: its time has come, its calendar is open, nothing is the matter."""
    calendar = policy.calendars.get(schedule.calendar) if schedule.calendar is not None else None
    closed = (schedule.calendar is not None and calendar is None) or (calendar is not None and opens(calendar, now) > now)
    return due_at(governance, schedule, now) <= now and not closed and not what_is_the_matter(governance)


def due_at(governance: Governance, schedule: DrillSchedule, now: datetime) -> datetime:
    """When it comes round next at the earliest: `every` after it did last, now where it never did."""
    last = _last(governance, schedule.name)
    return now if last is None else last.at + timedelta(seconds=schedule.every)


def what_is_the_matter(governance: Governance) -> str:
    """Why no drill begins by itself now; empty where nothing is the matter. Whoever is busy with something real is not to be rung for
    nothing, and what a drill found out about them then would be true of no other day.
    """
    braked = [one.workflow for one in governance.controls.values() if one.automation.level >= Automation.REVIEW_ALL.level]
    if braked:
        return f"The workflow {braked[0]} is held back."
    if any(one.level is AlertLevel.INCIDENT and not one.over and not one.drill for one in governance.alerts):
        return "An incident is open."
    if governance.paging is not None and not governance.paging.over:
        return "Pages do not get through."
    if any(not one.over for one in governance.digests):
        return "So many pages are out that they are listed in one."
    return "Another drill runs." if any(not one.over for one in governance.drills) else ""


def _last(governance: Governance, schedule: str) -> Drill | None:
    return next((one for one in reversed(governance.drills) if one.schedule == schedule), None)


def _order(governance: Governance, schedule: DrillSchedule) -> Order:
    """The kind after the one that it had last."""
    last = _last(governance, schedule.name)
    place = schedule.kinds.index(last.kind) + 1 if last is not None and last.kind in schedule.kinds else 0
    kind = schedule.kinds[place % len(schedule.kinds)]
    climbs = kind is DrillKind.NOBODY_AVAILABLE and not schedule.to_the_top
    return Order(kind, schedule.workflow, schedule.tier if climbs else None, schedule=schedule.name)


def _unfit(order: Order, governed: Governed) -> Refused | None:
    """Why this cannot be played."""
    policy = governed.policy
    workflow = policy.workflow(order.workflow)
    if workflow is None:
        return no_such_workflow(order.workflow, policy)
    tiers = len(policy.tiers[workflow.ladder])
    first = start_of(workflow, Lane.REVIEW, Template.APPROVAL, tiers) + 1
    if order.tier is not None and (order.kind is not DrillKind.NOBODY_AVAILABLE or not first <= order.tier <= tiers):
        return refuse("drill_tier", workflow=order.workflow, tiers=f"{tiers} {'tier' if tiers == 1 else 'tiers'}", start=f"tier {first}")
    if order.cases is not None and (order.kind is not DrillKind.VOLUME_SPIKE or not 2 <= order.cases <= CASES_MOST):
        return refuse("drill_cases")
    if order.kind is DrillKind.DOWNSTREAM_FAILURE and policy.form.channels.operations is None:
        return refuse("drill_without_channel")
    same = [one for one in governed.governance.drills if not one.over and (one.kind, one.workflow) == (order.kind, order.workflow)]
    return refuse("drill_running", workflow=order.workflow, drill=same[0].id) if same else None


def _begun(order: Order, actor: Actor, opener: Opener, governed: Governed, now: datetime) -> Ruling:
    policy = governed.policy
    workflow = policy.workflows[order.workflow]
    alone = order.kind is DrillKind.DOWNSTREAM_FAILURE
    heard = policy.form.channels.operations is not None or policy.form.incidents is not None
    alarm = alone or (order.kind is DrillKind.VIOLATION and heard)  # as a case that stops the line raises one
    top = len(policy.tiers[workflow.ladder]) if order.kind is DrillKind.NOBODY_AVAILABLE else 1
    drill = Drill(
        id=DRILL + governed.draw,
        kind=order.kind,
        workflow=order.workflow,
        ladder=workflow.ladder,
        to=(order.tier or top) - 1,
        on_call=tuple(policy.escalation_policy(workflow.ladder, tier) or "" for tier in range(len(policy.tiers[workflow.ladder]))),
        by=actor.id,
        at=now,
        schedule=order.schedule,
        alert=ALERT + governed.draw if alarm else "",
        until=now + timedelta(seconds=policy.form.drills.alarm) if alone else None,
        ring=policy.form.pages.storm.most if policy.form.pages.storm is not None else 0,
    )
    count = 0 if alone else (order.cases or policy.form.drills.cases) if order.kind is DrillKind.VOLUME_SPIKE else 1
    told: dict[str, Json] = {"to_tier": drill.to + 1, "cases": count, "schedule": drill.schedule, "alert": drill.alert}
    event = Event(EventKind.DRILL_STARTED, actor, about(drill) | told)
    governance, messages = governed.governance.with_drill(drill), posted(policy, drill, MessageKind.BULLETIN, ROOT)
    if alarm:
        alert = _alarm(governed, drill)
        governance, messages = governance.with_alert(alert), (*messages, *alert_posted(policy, alert))
    return Ruling(
        governance, (event,), messages, answer={"id": drill.id}, opens=opener(drill, policy, count, now, governance.dark) if count else ()
    )


def _alarm(governed: Governed, drill: Drill) -> Alert:
    """The alarm that the real thing would raise: said where such alarms are said, with the same page."""
    paged = {"page_round": 1, "page_open": True} if governed.policy.form.incidents is not None else {}
    alert = Alert(
        id=drill.alert,
        rule=RULE,
        workflow=drill.workflow,
        level=AlertLevel.INCIDENT,
        at=drill.at,
        why=f"This is a drill: as if {_AS_IF[drill.kind]}. Nothing is the matter. Acknowledge it as you would a real one.",
        action=governed.governance.control(drill.workflow).automation,
        changed=False,
        drill=drill.id,
    )
    return alert.model_copy(update=paged)


_AS_IF = {
    DrillKind.DOWNSTREAM_FAILURE: "decisions did not reach the service",
    DrillKind.VIOLATION: "a case had stopped the line, which it has not",
}


def _alarm_over(governed: Governed, drill: Drill, now: datetime, event: int = 0) -> Ruling:
    """The drill ends, and its alarm, if it has one, with it."""
    over, done, messages = ended(governed.policy, drill, now, event)
    governance = governed.governance.with_drill(done)
    alert = governance.alert(drill.alert)
    if alert is not None and not alert.over:
        known = alert.model_copy(update={"cleared_at": now, "page_open": False})
        governance = governance.with_alert(known)
        messages = (*messages, *alert_redrawn(governed.policy, known), *page_resolved(alert, event))
    return Ruling(governance, (over,), messages)
