"""Exceptions to the policy: asked for by one person, approved by another, ended by anybody who may brake, or by themselves (R14).

Owns who may, for how long and what may be waived at all. What an exception in force does to a case is the router's; its uses are counted
by the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.authority import GovernanceVerb
from routing.canonical import Json
from routing.case.people import GovernancePress
from routing.case.submission import moment_text
from routing.change import SYSTEM, Actor, Event, Message, MessageKind, Refused
from routing.governance.permissions import no_such_workflow, obstacle, reason_given, refuse
from routing.governance.ruling import WAIVER, Governed, GovernStep, Ruling
from routing.governance.waiver import LONGEST, Waiver
from routing.policy.policy import Policy
from routing.signals import WAIVABLE
from routing.vocabulary import EventKind

SHORTEST = timedelta(hours=1)

WEEKLY = WAIVER + "week_"
"""What the subject of a weekly list begins with; its week follows."""

LISTED_FROM = timedelta(hours=9)
"""How far into Monday (UTC) the list comes: nobody reads it at midnight."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `lasts` counts from the request; `most` is None for as often as it applies."""

    waives: tuple[str, ...]
    lasts: timedelta
    action_types: tuple[str, ...] = ()
    most: int | None = None


def request(press: GovernancePress, wish: Wish) -> GovernStep:
    """Ask for an exception in the workflow that the press is about."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        workflow, reason = press.subject.removeprefix("w_"), reason_given(press)
        if (refused := obstacle(press, governed.policy)) is not None:
            return refused
        if governed.policy.workflow(workflow) is None:
            return no_such_workflow(workflow, governed.policy)
        if not wish.waives or not set(wish.waives) <= WAIVABLE:
            return refuse("not_waivable", codes=", ".join(sorted(WAIVABLE)))
        if not SHORTEST <= wish.lasts <= LONGEST:
            return refuse("bad_end")
        if wish.most is not None and wish.most < 1:
            return refuse("bad_limit")
        if not reason:
            return refuse("reason_required")
        waiver = Waiver(
            id=WAIVER + governed.draw,
            workflow=workflow,
            waives=tuple(sorted(set(wish.waives))),
            action_types=wish.action_types,
            reason=reason,
            requested_by=press.person.id,
            people=press.person.known_with(()),
            requested_at=now,
            until=now + wish.lasts,
            most=wish.most,
        )
        event = Event(EventKind.EXCEPTION_REQUESTED, _actor(press), _told(waiver) | {"reason": reason})
        messages = _bulletin(governed.policy, waiver, MessageKind.BULLETIN)
        return Ruling(governed.governance.with_waiver(waiver), (event,), messages, answer={"id": waiver.id})

    return step


def approve(press: GovernancePress) -> GovernStep:
    """Put an exception in force: by a policy owner who did not ask for it."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        waiver = governed.governance.waiver(press.subject)
        if (refused := obstacle(press, governed.policy)) is not None:
            return refused
        if waiver is None:
            return refuse("unknown_exception")
        if waiver.over or waiver.until <= now:
            return refuse("exception_ended")
        if waiver.state == "in_force":
            return refuse("exception_in_force")
        if press.person.was(waiver.requested_by, waiver.people):
            return refuse("own_request")
        known = waiver.model_copy(update={"state": "in_force", "approved_by": press.person.id, "approved_at": now})
        event = Event(EventKind.EXCEPTION_APPROVED, _actor(press), _told(known) | {"requested_by": waiver.requested_by})
        messages = _bulletin(governed.policy, known, MessageKind.BULLETIN_UPDATE)
        return Ruling(governed.governance.with_waiver(known), (event,), messages)

    return step


def end(press: GovernancePress) -> GovernStep:
    """End an exception, or decline one that is asked for. Whoever asked for it may take it back."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        waiver, reason = governed.governance.waiver(press.subject), reason_given(press)
        mine = waiver is not None and press.person.was(waiver.requested_by, waiver.people)
        asked = replace(press, verb=GovernanceVerb.REQUEST_EXCEPTION) if mine else press
        if (refused := obstacle(asked, governed.policy)) is not None:
            return refused
        if waiver is None:
            return refuse("unknown_exception")
        if waiver.over:
            return refuse("exception_ended")
        if not reason:
            return refuse("reason_required")
        how = "declined" if waiver.state == "requested" and not mine else press.person.id
        return _ended(governed, waiver, how, _actor(press), reason)

    return step


def expire(governed: Governed, now: datetime) -> Ruling | Refused:
    """End every exception whose time or number of uses is over."""
    events: list[Event] = []
    messages: list[Message] = []
    for waiver in governed.governance.waivers:
        if (how := run_out(waiver, now)) is None:
            continue
        one = _ended(governed, waiver, how, SYSTEM, "", event=len(events))
        governed = replace(governed, governance=one.governance)
        events += one.events
        messages += one.messages
    return Ruling(governed.governance, tuple(events), tuple(messages)) if events else refuse("not_due")


def list_weekly(week: str) -> GovernStep:
    """Put what is in force or asked for before the owners; once a week, by the inbox key of whoever calls it."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        channel, listed = governed.policy.form.channels.owners, [one.id for one in governed.governance.waivers if not one.over]
        if channel is None or not listed:
            return refuse("not_due")
        subject = WEEKLY + week
        event = Event(EventKind.EXCEPTION_LISTED, SYSTEM, {"subject": subject, "exceptions": list(listed)})
        return Ruling(governed.governance, (event,), (Message(MessageKind.BULLETIN, channel, subject=subject),))

    return step


def week_of(now: datetime) -> str:
    """The week whose list is due, `2026-W47`."""
    year, week, _ = (now - LISTED_FROM).isocalendar()
    return f"{year}-W{week:02}"


def run_out(waiver: Waiver, now: datetime) -> str | None:
    """How an exception ends by itself now; None while it does not."""
    if waiver.over:
        return None
    if waiver.until <= now:
        return "expired"
    return "used_up" if waiver.most is not None and waiver.uses >= waiver.most else None


def _ended(governed: Governed, waiver: Waiver, how: str, actor: Actor, reason: str, *, event: int = 0) -> Ruling:
    known = waiver.model_copy(update={"state": "ended", "ended": how})
    said: Mapping[str, Json] = {"ended": how, "uses": waiver.uses, "reason": reason}
    messages = _bulletin(governed.policy, known, MessageKind.BULLETIN_UPDATE, event)
    return Ruling(governed.governance.with_waiver(known), (Event(EventKind.EXCEPTION_ENDED, actor, {**_told(known), **said}),), messages)


def _bulletin(policy: Policy, waiver: Waiver, kind: MessageKind, event: int = 0) -> tuple[Message, ...]:
    channel = policy.form.channels.owners
    return (Message(kind, channel, event=event, urgent=kind is MessageKind.BULLETIN, subject=waiver.id),) if channel is not None else ()


def _told(waiver: Waiver) -> dict[str, Json]:
    return {
        "subject": waiver.id,
        "workflow": waiver.workflow,
        "waives": list(waiver.waives),
        "action_types": list(waiver.action_types),
        "until": moment_text(waiver.until),
        "most": waiver.most,
    }


def _actor(press: GovernancePress) -> Actor:
    return Actor("human", press.person.id)
