"""Nobody is on call for an escalation policy: an event and an alarm, however many ladders and cases page it; said again every day that it
is still so; and its end, also where no ladder pages it any more. Asks nobody: what PagerDuty said comes in.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from routing.authority import AlertLevel
from routing.canonical import Json
from routing.change import SYSTEM, Event, Refused
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import said_again
from routing.governance.automation import cleared, noticed
from routing.governance.governance import Governance
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.policy.policy import Policy
from routing.vocabulary import EventKind

RULE = "nobody_on_call"
"""The rule of the alert. Its scope is PagerDuty's id of the escalation policy: several ladders may page the same one."""

AGAIN = timedelta(days=1)


def nobody_on_call(workflow: str, ladder: str, tier: int, escalation_policy: str) -> GovernStep:
    """PagerDuty names nobody at the first level of the escalation policy that this tier (0-based) pages; `workflow` is that of the case
    whose card asked.
    """
    why = (
        f"In PagerDuty nobody is on call first for tier {tier + 1} of the ladder {ladder} (escalation policy {escalation_policy}),"
        " so its pages may ring nobody."
    )
    fields: dict[str, Json] = {"ladder": ladder, "tier": tier + 1, "escalation_policy": escalation_policy}

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = _open(governed, escalation_policy)
        if known:
            return _still(governed, known, fields, now)
        figures = {"escalation_policy": escalation_policy}
        raised = noticed(workflow, RULE, why, figures, scope=escalation_policy, level=AlertLevel.ACTION)(governed, now)
        if isinstance(raised, Refused):
            return raised
        subject = raised.events[0].fields["subject"]
        return replace(raised, events=(*raised.events, Event(EventKind.NOBODY_ON_CALL, SYSTEM, {"subject": subject, **fields})))

    return step


def somebody_on_call(escalation_policy: str) -> GovernStep:
    """Somebody is on call there again: the alarm is over."""
    return lambda governed, now: _over(governed, _open(governed, escalation_policy), now)


def unpaged(governance: Governance, policy: Policy, now: datetime) -> list[Alert]:
    """The alarms that nothing would end any more: the policy in force pages their escalation policy nowhere, and no card of a case of
    before has asked for a day who is on call there (as long as one does, it is said again each day).
    """
    tiers = [tier for ladder in policy.form.ladders.values() for tier in ladder.tiers]
    paged = {tier.pagerduty.escalation_policy for tier in tiers if tier.pagerduty is not None}
    stale = (one for one in governance.alerts if one.rule == RULE and not one.over and now - one.told_at > AGAIN)
    return [one for one in stale if one.figures.get("escalation_policy") not in paged]


def end_unpaged(governed: Governed, now: datetime) -> Ruling | Refused:
    """End them; a case of before that is shown after all raises its alarm anew."""
    return _over(governed, unpaged(governed.governance, governed.policy, now), now)


def _over(governed: Governed, alerts: Iterable[Alert], now: datetime) -> Ruling | Refused:
    told = Ruling(governed.governance, ())
    for alert in alerts:
        done = cleared(replace(governed, governance=told.governance), alert.id, now)
        told = told.then(done) if isinstance(done, Ruling) else told
    return told if told.events else refuse("not_due")


def _still(governed: Governed, known: list[Alert], fields: dict[str, Json], now: datetime) -> Ruling | Refused:
    """It is still so: said once more, a day after it was said last."""
    latest = max(known, key=lambda one: one.told_at)
    if now - latest.told_at < AGAIN:
        return refuse("not_due")
    again, messages = said_again(governed.policy, latest, now)
    event = Event(EventKind.NOBODY_ON_CALL, SYSTEM, {"subject": again.id, **fields})
    return Ruling(governed.governance.with_alert(again), (event,), messages)


def _open(governed: Governed, escalation_policy: str) -> list[Alert]:
    """The alarms about it, one as a rule; those of before were told apart by tier and ladder."""
    alerts = (one for one in governed.governance.alerts if one.rule == RULE and not one.over)
    return [one for one in alerts if one.figures.get("escalation_policy") == escalation_policy]
