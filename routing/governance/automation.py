"""The brake of a workflow: who takes it to a safer level, what stops it by itself, and what it takes to go on (G2, G3, E8).

Owns which level follows and under which conditions a workflow is resumed. It never measures, and what a level means for a case is decided
where cases are routed and decided.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.case.people import GovernancePress
from routing.change import SYSTEM, Actor, Event, Refused, Stop
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import EXHAUSTED_RULE, alert_over, alert_posted, alert_redrawn, page_resolved, said_again
from routing.governance.brake import Shift, shift
from routing.governance.control import STOPS_KEPT, Cause, Control
from routing.governance.incident_lifecycle import STOP_RULE, followed_by
from routing.governance.permissions import MAY, RESTART, no_such_workflow, obstacle, reason_given, refuse
from routing.governance.policy_activation import event_of
from routing.governance.policy_activation import redrawn as proposals_redrawn
from routing.governance.ruling import ALERT, WORKFLOW, Governed, GovernStep, Ruling
from routing.governance.sampling import doubled, level_by_factor
from routing.policy.policy import Policy
from routing.vocabulary import EventKind, Exhausted

UNPROVEN_RULE = "audit_log_disagrees"
"""The rule of the alert that rows, or a decision, are not what the audit log says."""

AGAIN = timedelta(hours=1)
_SAFE = {Exhausted.HOLD: "was held", Exhausted.QUARANTINE: "was put in quarantine", Exhausted.REJECT: "expired"}

LEVELS = {
    GovernanceVerb.PAUSE: Automation.PAUSED,
    GovernanceVerb.REVIEW_ALL: Automation.REVIEW_ALL,
    GovernanceVerb.FREEZE: Automation.FROZEN,
}

_NEXT = {Automation.ON: Automation.SAMPLING_RAISED, Automation.SAMPLING_RAISED: Automation.REVIEW_ALL}
"""The next safer level; beyond, a workflow is paused. Nothing is frozen by itself."""


def tighten(press: GovernancePress) -> GovernStep:
    """Pause, review all or freeze the workflow of the press, as its verb says."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        control, reason = governed.governance.control(workflow_of(press.subject)), reason_given(press)
        if (refused := obstacle(press, governed.policy)) is not None:
            return refused
        if governed.policy.workflow(control.workflow) is None:
            return no_such_workflow(control.workflow, governed.policy)
        if LEVELS[press.verb].level <= control.automation.level:
            return refuse("safer_already")
        if not reason:
            return refuse("reason_required")
        kept: Cause = "stop" if control.stop_cases else "person"
        after = control.model_copy(update={"automation": LEVELS[press.verb], "cause": kept, "by": press.person.id, "reason": reason})
        done = shift(governed, after, Actor("human", press.person.id), now)
        redrawn = [one for alert in _open_alerts(governed, control.workflow) for one in alert_redrawn(governed.policy, alert)]
        return Ruling(done.governance, (done.event,), (*done.messages, *redrawn))

    return step


def resume(press: GovernancePress, *, closed: Collection[str] = (), seen: int | None = None) -> GovernStep:
    """Let the workflow of the press go on. `closed` are the stop cases known to be decided; `seen` is the number of the bulletin pressed.

    After a stop or an incident only a duty officer or a policy owner may (never the breaker). Cases that were decided or held meanwhile
    are reviewed afresh; that is enforced case by case.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        control, reason = governed.governance.control(workflow_of(press.subject)), reason_given(press)
        alerts = _open_alerts(governed, control.workflow)
        roles = MAY[GovernanceVerb.FREEZE] if control.freezes() else MAY[GovernanceVerb.RESUME]
        if control.stop_cases or any(alert.level is AlertLevel.INCIDENT for alert in alerts):
            roles &= RESTART
        if (refused := obstacle(press, governed.policy, roles)) is not None:
            return refused
        if control.automation.level <= Automation.SAMPLING_RAISED.level:
            known = governed.policy.workflow(control.workflow) is not None
            return refuse("not_braked") if known else no_such_workflow(control.workflow, governed.policy)
        if seen is not None and seen != control.posted:
            return refuse("stale")
        if waiting := [case_id for case_id in control.stop_cases if case_id not in closed]:
            return refuse("stop_case_open", case=waiting[0])
        if not reason:
            return refuse("reason_required")
        told = {"automation": Automation.ON, "cause": "person", "by": press.person.id, "reason": reason, "stop_cases": ()}
        after = control.model_copy(update=told)
        if after.sampling > 1.0:
            after = after.model_copy(update={"automation": Automation.SAMPLING_RAISED})
        return _resumed(governed, shift(governed, after, Actor("human", press.person.id), now), alerts, now)

    return step


def stopped(governed: Governed, stop: Stop, case_id: str, now: datetime) -> Ruling:
    """A critical trigger: the workflow is paused at once, whoever braked it before, and an incident is opened, one however many cases."""
    control = governed.governance.control(stop.workflow)
    stops = (*(one for one in control.stop_cases if one != case_id), case_id)[-STOPS_KEPT:]
    level = max(control.automation, Automation.PAUSED, key=lambda one: one.level)
    why = {"cause": "stop", "by": case_id, "reason": stop.reason}
    after = control.model_copy(update={"automation": level, "stop_cases": stops, **why})
    known = _same(governed, STOP_RULE, stop.workflow, "")
    if known is not None:
        done = shift(governed, after, SYSTEM, now)
        more = known.model_copy(update={"figures": {**known.figures, "cases": len(stops), "newest": case_id}})
        return Ruling(done.governance.with_alert(more), (done.event,), (*done.messages, *alert_redrawn(governed.policy, more)))
    found = Alert(
        id=ALERT + governed.draw,
        rule=STOP_RULE,
        workflow=stop.workflow,
        level=AlertLevel.INCIDENT,
        at=now,
        why=stop.reason,
        figures={"case": case_id},
        action=level,
    )
    return _tripped(governed, found, after, now, model=stop.model)


def trip(governed: Governed, found: Alert, now: datetime, *, to: Automation | None = None) -> Ruling:
    """A breaker tripped: the workflow goes to `to`, or to the next safer level where that is None; it is never made freer.

    `found` says rule, workflow, scope, level, why and figures; its id, time and action are given here. The same rule and scope once more,
    while its alert is open, changes nothing. Where the workflow is paused already, a policy that only a share of the cases follows goes
    back to the shadow: model roll-out is frozen (G2).
    """
    if _same(governed, found.rule, found.workflow, found.scope) is not None:
        return Ruling(governed.governance, ())
    control = governed.governance.control(found.workflow)
    wanted = _NEXT.get(control.automation, Automation.PAUSED) if to is None else to
    after = doubled(control, now) if wanted is Automation.SAMPLING_RAISED else control
    if wanted.level > control.automation.level:
        after = after.model_copy(update={"automation": wanted, "cause": "breaker", "by": found.rule, "reason": found.why})
    else:
        after = level_by_factor(after, found.why)
    tripped = _tripped(governed, found.model_copy(update={"id": ALERT + governed.draw, "at": now}), after, now)
    return _roll_out_frozen(governed.policy, tripped) if to is None and control.withholds() else tripped


def noticed(
    workflow: str, rule: str, why: str, figures: Mapping[str, Any], *, scope: str = "", level: AlertLevel = AlertLevel.INCIDENT
) -> GovernStep:
    """Something is wrong that no brake mends: an alert, one however often it is found meanwhile. The workflow stays as it is."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = _same(governed, rule, workflow, scope)
        if known is not None:
            count = int(known.figures.get("cases", 1)) + 1
            more = known.model_copy(update={"figures": {**known.figures, "newest": figures.get("case", ""), "cases": count}})
            return Ruling(governed.governance.with_alert(more), (), alert_redrawn(governed.policy, more))
        control = governed.governance.control(workflow)
        alert = Alert(
            id=ALERT + governed.draw,
            rule=rule,
            workflow=workflow,
            scope=scope,
            level=level,
            at=now,
            why=why,
            figures=dict(figures),
            action=control.automation,
        )
        return _tripped(governed, alert, control, now)

    return step


def unproven(governed: Governed, workflow: str, case_id: str, why: str, now: datetime) -> Ruling:
    """The log does not prove a decision of a case: an alert, one for the workflow however many cases."""
    sentence = f"The audit log does not prove a decision of case {case_id}, so it was kept back: {why}"
    done = noticed(workflow, UNPROVEN_RULE, sentence[:600], {"case": case_id})(governed, now)
    return done if isinstance(done, Ruling) else Ruling(governed.governance, ())


def exhausted(governed: Governed, workflow: str, case_id: str, safe: Exhausted, now: datetime) -> Ruling:
    """Nobody took a case although its last tier was paged again and again: operations are told, once an hour however many cases."""
    known = _same(governed, EXHAUSTED_RULE, workflow, "")
    if known is not None:
        figures = {**known.figures, "newest": case_id, "cases": int(known.figures.get("cases", 1)) + 1}
        more = known.model_copy(update={"figures": figures})
        if now < known.told_at + AGAIN:
            return Ruling(governed.governance.with_alert(more), (), alert_redrawn(governed.policy, more))
        again, messages = said_again(governed.policy, more, now)
        return Ruling(governed.governance.with_alert(again), (), messages)
    control = governed.governance.control(workflow)
    why = f"The last tier was paged again and again and nobody took the case, so it {_SAFE[safe]}."
    found = Alert(
        id=ALERT + governed.draw,
        rule=EXHAUSTED_RULE,
        workflow=workflow,
        level=AlertLevel.ACTION,
        at=now,
        why=why,
        figures={"case": case_id},
        action=control.automation,
    )
    return _tripped(governed, found, control, now)


def cleared(governed: Governed, alert_id: str, now: datetime, figures: Mapping[str, Any] | None = None) -> Ruling | Refused:
    """The figure is back to normal. The workflow stays where it is: going on is for people to say."""
    alert = governed.governance.alert(alert_id)
    if alert is None or alert.over:
        return refuse("unknown_alert" if alert is None else "alert_over")
    event, over = alert_over(alert, SYSTEM, now, {**alert.figures, **(figures or {})})
    messages = (*alert_redrawn(governed.policy, over), *page_resolved(alert))
    return Ruling(governed.governance.with_alert(over), (event,), messages)


def workflow_of(subject: str) -> str:
    """The workflow that a subject `w_<workflow>` names."""
    return subject.removeprefix(WORKFLOW)


def _tripped(governed: Governed, alert: Alert, after: Control, now: datetime, *, model: str = "") -> Ruling:
    """Record an alert that is new with what it does to its workflow. `model`: the version whose case caused it."""
    before = governed.governance.control(alert.workflow)
    changed = after.automation is not before.automation
    pages = alert.level is AlertLevel.INCIDENT and governed.policy.form.incidents is not None
    paged = {"page_round": 1, "page_open": True} if pages else {}
    alert = alert.model_copy(update={"action": after.automation, "changed": changed, **paged})
    event = Event(
        EventKind.BREAKER_TRIPPED,
        SYSTEM,
        {
            "subject": alert.id,
            "workflow": alert.workflow,
            "rule": alert.rule,
            "scope": alert.scope,
            "level": alert.level.value,
            "why": alert.why,
            "figures": dict(alert.figures),
            "before": before.automation.value,
            "after": after.automation.value,
        },
    )
    messages = alert_posted(governed.policy, alert)
    governance = governed.governance.with_alert(alert)
    if after == before:
        return followed_by(governed, Ruling(governance, (event,), messages), alert, now, model=model)
    quiet = alert.level is AlertLevel.INFO
    done = shift(replace(governed, governance=governance), after, SYSTEM, now, event=1, operations=quiet, why=alert.why)
    others = _open_alerts(governed, alert.workflow) if changed else ()
    redrawn = [message for other in others for message in alert_redrawn(governed.policy, other)]
    tripped = Ruling(done.governance, (event, done.event), (*messages, *done.messages, *redrawn))
    return followed_by(governed, tripped, alert, now, model=model)


def _roll_out_frozen(policy: Policy, ruling: Ruling) -> Ruling:
    rollout = ruling.governance.rollout
    proposal = ruling.governance.proposal(rollout.proposal) if rollout is not None else None
    if rollout is None or proposal is None or rollout.percent == 0:
        return ruling
    event = event_of(EventKind.POLICY_STAGED, SYSTEM, proposal, "A breaker tripped.", percent=0)
    shadow = ruling.governance.model_copy(update={"rollout": rollout.model_copy(update={"percent": 0})})
    messages = (*ruling.messages, *proposals_redrawn(policy, (proposal,), len(ruling.events)))
    return replace(ruling, governance=shadow, events=(*ruling.events, event), messages=messages)


def _resumed(governed: Governed, done: Shift, alerts: tuple[Alert, ...], now: datetime) -> Ruling:
    """With what it means for the alerts of the workflow: nobody is paged any more, and a stopped line is over."""
    governance, events, messages = done.governance, [done.event], list(done.messages)
    for alert in alerts:
        closed = {"page_open": False, "heard_at": now}  # what is still to be heard of it is older
        over = alert.model_copy(update=closed if alert.page_open else {})
        messages += page_resolved(alert, len(events) if alert.rule == STOP_RULE else 0)
        if alert.rule == STOP_RULE:
            event, over = alert_over(alert, done.event.actor, now, alert.figures)
            events.append(event)
        governance = governance.with_alert(over)
        messages += alert_redrawn(governed.policy, over)
    return Ruling(governance, tuple(events), tuple(messages))


def _open_alerts(governed: Governed, workflow: str) -> tuple[Alert, ...]:
    """Those of the workflow that are not over; the alarm of a drill concerns no brake."""
    return tuple(alert for alert in governed.governance.alerts if alert.workflow == workflow and not alert.over and not alert.drill)


def _same(governed: Governed, rule: str, workflow: str, scope: str) -> Alert | None:
    """The open alert of this rule and scope."""
    return next((one for one in _open_alerts(governed, workflow) if (one.rule, one.scope) == (rule, scope)), None)
