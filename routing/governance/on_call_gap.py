"""Nobody is on call for a tier: an event and an alarm, once per tier and day, however many cases are there; and its end. Asks nobody: what
PagerDuty said comes in.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from routing.authority import AlertLevel
from routing.change import SYSTEM, Event, Refused
from routing.governance.automation import cleared, noticed
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.vocabulary import EventKind

RULE = "nobody_on_call"
"""The rule of the alert."""

AGAIN = timedelta(days=1)


def nobody_on_call(workflow: str, ladder: str, tier: int, escalation_policy: str) -> GovernStep:
    """PagerDuty names nobody at the first level for this tier (0-based); `workflow` is that of the case whose card asked. A day later it is
    said again, if it is still so.
    """
    scope = f"tier {tier + 1} of {ladder}"
    why = (
        f"In PagerDuty nobody is on call first for tier {tier + 1} of the ladder {ladder} (escalation policy {escalation_policy}),"
        " so its pages may ring nobody."
    )

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = [one for one in governed.governance.alerts if (one.rule, one.scope) == (RULE, scope)]
        if any(now - one.at < AGAIN for one in known):
            return refuse("not_due")
        told = _ended(governed, scope, now)
        figures = {"escalation_policy": escalation_policy}
        raised = noticed(workflow, RULE, why, figures, scope=scope, level=AlertLevel.ACTION)(
            replace(governed, governance=told.governance), now
        )
        if isinstance(raised, Refused):
            return raised
        subject = raised.events[0].fields["subject"]
        fields = {"subject": subject, "ladder": ladder, "tier": tier + 1, "escalation_policy": escalation_policy}
        events = (*raised.events, Event(EventKind.NOBODY_ON_CALL, SYSTEM, fields), *told.events)
        return replace(raised, events=events, messages=(*raised.messages, *told.messages))

    return step


def somebody_on_call(ladder: str, tier: int) -> GovernStep:
    """Somebody is on call there again: the alarm is over."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        told = _ended(governed, f"tier {tier + 1} of {ladder}", now)
        return told if told.events else refuse("not_due")

    return step


def _ended(governed: Governed, scope: str, now: datetime) -> Ruling:
    """Every open alarm of the tier ends."""
    told = Ruling(governed.governance, ())
    for alert in governed.governance.alerts:
        if (alert.rule, alert.scope, alert.over) == (RULE, scope, False):
            done = cleared(replace(governed, governance=told.governance), alert.id, now)
            if isinstance(done, Ruling):
                told = Ruling(done.governance, (*told.events, *done.events), (*told.messages, *done.messages))
    return told
