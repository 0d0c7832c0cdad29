"""An alert from its posting to its end: whom it is told to, who acknowledged it, when its page stops. Owns these events and messages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from routing.authority import AlertLevel
from routing.canonical import Json
from routing.case.people import GovernancePress
from routing.change import SYSTEM, Actor, Event, Message, MessageKind, Refused
from routing.governance.alert import Alert
from routing.governance.drill_end import ended
from routing.governance.permissions import obstacle, refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.policy.policy import Policy
from routing.vocabulary import EventKind, PageRoute

INCIDENTS = "incidents"
"""The destination of pages about alerts: the policy's `incidents`."""

PATIENCE = timedelta(minutes=5)
"""How long PagerDuty has to take a page about an alert before that is said."""

EXHAUSTED_RULE = "ladder_exhausted"
"""The rule of the alert that a last tier never answered: once somebody has acknowledged it there is nothing left to wait for."""

OPERATIONS, OWNERS = 0, 1
"""The two places an alert is said in."""

REDRAWN_MOST = 8
"""How many times of an alert that was said again and again are brought up to date, the latest."""


def acknowledge(press: GovernancePress) -> GovernStep:
    """Somebody looks after the alert: its page stops ringing."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        alert = governed.governance.alert(press.subject)
        if (refused := obstacle(press, governed.policy)) is not None:
            return refused
        if alert is None or alert.over:
            return refuse("unknown_alert" if alert is None else "alert_over")
        if alert.acknowledged_by:
            return refuse("already_acknowledged")
        known = alert.model_copy(update={"acknowledged_by": press.person.id})
        fields = {"subject": alert.id, "workflow": alert.workflow, "rule": alert.rule}
        event = Event(EventKind.ALERT_ACKNOWLEDGED, Actor("human", press.person.id), fields)
        page = page_acknowledged(alert)
        events: tuple[Event, ...] = (event,)
        if alert.rule == EXHAUSTED_RULE:
            end, known = alert_over(known, Actor("human", press.person.id), now, known.figures)
            events = (event, end)
        if (over := drill_answered(governed, event, known, now)) is not None:
            return over
        return Ruling(governed.governance.with_alert(known), events, (*alert_redrawn(governed.policy, known), *page))

    return step


def drill_answered(governed: Governed, event: Event, alert: Alert, now: datetime) -> Ruling | None:
    """What it means that somebody acknowledged this alert, which `event` says, where it is all of a drill: both are over. None where it is
    any other alert, or the drill has cases too, with which it ends.
    """
    drill = governed.governance.drill(alert.drill)
    if drill is None or drill.over or drill.until is None:
        return None
    end, over, messages = ended(governed.policy, drill, now, 1)
    known = alert.model_copy(update={"cleared_at": now, "page_open": False})
    governance = governed.governance.with_alert(known).with_drill(over)
    return Ruling(governance, (event, end), (*alert_redrawn(governed.policy, known), *page_resolved(alert), *messages))


def page_failed(alert_id: str, number: int, cause: str, tries: int, *, final: bool) -> GovernStep:
    """A try to page about the alert failed; `final`: it was refused, else it has five minutes. Those who read the alert are told."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        alert = governed.governance.alert(alert_id)
        if alert is None or not alert.page_open or alert.page_round != number or alert.unpaged or alert.acknowledged_by:
            return refuse("unknown_alert" if alert is None else "alert_over")
        if not final and now < alert.at + PATIENCE:
            return refuse("not_due")
        told: dict[str, Json] = {"subject": alert.id, "tier": 0, "round": number, "routes": [PageRoute.PAGERDUTY.value]}
        event = Event(EventKind.PAGE_NOT_ACCEPTED, SYSTEM, {**told, "cause": cause, "tries": tries, "next": "operations"})
        known = alert.model_copy(update={"unpaged": cause})
        return Ruling(governed.governance.with_alert(known), (event,), alert_redrawn(governed.policy, known))

    return step


def page_accepted(alert_id: str, number: int) -> GovernStep:
    """PagerDuty took the page after all."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        alert = governed.governance.alert(alert_id)
        if alert is None or not alert.unpaged or alert.page_round != number:
            return refuse("unknown_alert" if alert is None else "alert_over")
        told: dict[str, Json] = {"subject": alert.id, "tier": 0, "round": number, "route": PageRoute.PAGERDUTY.value}
        known = alert.model_copy(update={"unpaged": ""})
        event = Event(EventKind.PAGE_ACCEPTED, SYSTEM, told)
        return Ruling(governed.governance.with_alert(known), (event,), alert_redrawn(governed.policy, known))

    return step


def alert_posted(policy: Policy, alert: Alert) -> tuple[Message, ...]:
    """Where a new alert is said: nowhere (info), in operations (action), there, to the owners and by a page (incident)."""
    bulletins = tuple(
        Message(MessageKind.BULLETIN, channel, _tier(alert.said, place), urgent=True, subject=alert.id)
        for place, channel in _places(policy, alert).items()
    )
    return (*bulletins, _page(alert, MessageKind.PAGE)) if alert.page_open else bulletins


def alert_redrawn(policy: Policy, alert: Alert) -> tuple[Message, ...]:
    """Bring what was posted of it up to date."""
    numbers = range(max(0, alert.said + 1 - REDRAWN_MOST), alert.said + 1)
    return tuple(
        Message(MessageKind.BULLETIN_UPDATE, channel, _tier(number, place), subject=alert.id)
        for number in numbers
        for place, channel in _places(policy, alert).items()
    )


def said_again(policy: Policy, alert: Alert, now: datetime) -> tuple[Alert, tuple[Message, ...]]:
    """It is still so: the alert stays open and is said once more, and what was posted of it before says the same."""
    again = alert.model_copy(update={"said": alert.said + 1, "said_at": now, "page_open": False})
    return again.model_copy(update={"page_open": alert.page_open}), (*alert_redrawn(policy, alert), *alert_posted(policy, again))


def said_before(tier: int) -> int:
    """How often the alert of a bulletin had been said before it."""
    return tier // 2


def _tier(number: int, place: int) -> int:
    """What tells the bulletins of an alert apart."""
    return 2 * number + place


def alert_over(alert: Alert, actor: Actor, now: datetime, figures: Mapping[str, Any]) -> tuple[Event, Alert]:
    """The alert as it is once it is over, and the event that says so."""
    fields: dict[str, Json] = {"subject": alert.id, "workflow": alert.workflow, "rule": alert.rule, "scope": alert.scope}
    fields["figures"] = dict(figures)
    over = alert.model_copy(update={"cleared_at": now, "figures": dict(figures), "page_open": False})
    return Event(EventKind.BREAKER_CLEARED, actor, fields), over


def page_resolved(alert: Alert, event: int = 0) -> tuple[Message, ...]:
    """End the alert's page, where one is out. `event` is the position of the event it speaks of."""
    return (_page(alert, MessageKind.PAGE_RESOLVE, event),) if alert.page_open else ()


def page_acknowledged(alert: Alert) -> tuple[Message, ...]:
    """Have the alert's page ring nobody any more, where one is out."""
    return (_page(alert, MessageKind.PAGE_ACKNOWLEDGE),) if alert.page_open else ()


def _page(alert: Alert, kind: MessageKind, event: int = 0) -> Message:
    return Message(kind, INCIDENTS, round=alert.page_round, event=event, urgent=True, subject=alert.id)


def _places(policy: Policy, alert: Alert) -> dict[int, str]:
    if alert.level is AlertLevel.INFO:
        return {}
    channels = policy.form.channels
    owners = channels.owners if alert.level is AlertLevel.INCIDENT and channels.owners != channels.operations else None
    return {place: channel for place, channel in ((OPERATIONS, channels.operations), (OWNERS, owners)) if channel is not None}
