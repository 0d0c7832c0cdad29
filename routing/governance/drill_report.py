"""What a drill showed: at each tier who answered and how soon, which way of reaching somebody failed, and when each answered one last. Owns
putting that together from the events and messages of its cases; reads nothing itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from routing.canonical import Json
from routing.case.case import Case
from routing.change import MessageKind
from routing.governance.alert import Alert
from routing.governance.drill import Drill
from routing.governance.incident import Entry
from routing.governance.on_call_gap import RULE as NOBODY_ON_CALL
from routing.vocabulary import DrillEnd, EventKind, PageRoute

End = Literal["waits", "answered", "nobody", "over", "closed", "stopped", "unseen", "not_asked"]

SHOWN: dict[End, str] = {
    "waits": "nobody has answered yet",
    "answered": "answered",
    "nobody": "nobody answered",
    "over": "it was over before anybody acknowledged it",
    "closed": "the tier was closed",
    "stopped": "the drill was stopped",
    "unseen": "its channel did not show the card",
    "not_asked": "the policy asks nobody",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One message about a case of the drill, or its alarm: `what` and `tier` (0-based) as the outbox has them; `state` done where it
    arrived, at `settled_at`; `error` what was said last where it did not, after so many `tries`.
    """

    case: str
    what: str
    tier: int
    round: int
    to: str
    state: str
    created_at: datetime
    settled_at: datetime | None = None
    error: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """A case at one tier (0-based): since when, how that ended and when, and who answered, by Slack id or `pagerduty:` and theirs."""

    case: str
    tier: int
    channel: str
    since: datetime
    end: End = "waits"
    at: datetime | None = None
    by: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it waits."""
        return None if self.at is None else round((self.at - self.since).total_seconds(), 1)


@dataclass(frozen=True, slots=True)
class Contact:
    """A tier (0-based) of a ladder, or with ladder "" whoever hears alarms: when it last answered a drill, and who that was; None and ""
    where it never did.
    """

    ladder: str
    tier: int
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class DrillReport:
    """Everything there is to say. `failed`: what did not reach anybody, a sentence each; `contacts`: the tiers of its ladder, alarms."""

    drill: Drill
    hops: tuple[Hop, ...]
    failed: tuple[str, ...]
    contacts: tuple[Contact, ...] = ()
    reasons: tuple[str, ...] = field(default=())

    @property
    def answered(self) -> int:
        """How many cases and alarms were answered."""
        return len({hop.case for hop in self.hops if hop.end == "answered"})

    @property
    def asked(self) -> int:
        """How many there were."""
        return len(self.drill.cases) + bool(self.drill.alert)


def report(
    drill: Drill, cases: Sequence[Case], events: Mapping[str, Sequence[Entry]], sent: Sequence[Sent], alerts: Iterable[Alert]
) -> DrillReport:
    """`cases` are those of the drill, `events` by the id of what they are about, in order of the log; `alerts` those there are."""
    known = tuple(alerts)
    hops = [hop for case in cases for hop in _hops(case, events.get(case.id, ()))]
    if drill.alert:
        hops.append(_alarm(drill, events.get(drill.alert, ())))
    failed = [*_unreached(drill, sent, events), *_by_events(events), *_nobody_on_call(drill, hops, known), *_silent(hops)]
    reasons = tuple(reason.text for case in cases[:1] for reason in case.route.reasons)
    return DrillReport(drill, tuple(hops), tuple(dict.fromkeys(failed)), reasons=reasons)


def where(tier: int, channel: str = "") -> str:
    """`tier 2 (#review-tier2)`."""
    shown = f" (#{channel.removeprefix('#')})" if channel else ""
    return f"tier {tier + 1}{shown}"


def named(by: str) -> str:
    """Who answered, as far as an id says: `PX1 in PagerDuty`, else the id as it is."""
    return f"{by.removeprefix('pagerduty:')} in PagerDuty" if by.startswith("pagerduty:") else by


def _hops(case: Case, events: Sequence[Entry]) -> list[Hop]:
    found = list[Hop]()
    for event in events:
        fields = event.fields
        match event.kind:
            case EventKind.RECEIVED:
                found.append(_hop(case, case.route.start, event.at))
            case EventKind.ACKNOWLEDGED if found and found[-1].end == "waits":
                found[-1] = replace(found[-1], end="answered", at=event.at, by=event.actor.id)
            case EventKind.ESCALATED if found:
                found[-1] = _left(found[-1], event)
                found.append(_hop(case, _led_to(fields), event.at))
            case EventKind.EXPIRED if found and found[-1].end == "waits":
                found[-1] = replace(found[-1], end="nobody", at=event.at)
            case EventKind.DECIDED if found and found[-1].end == "waits":
                found[-1] = replace(found[-1], end=_ENDS.get(str(fields.get("reason_code")), "answered"), at=event.at, by=_voter(fields))
            case _:
                pass
    return found


_ENDS: dict[str, End] = {DrillEnd.STOPPED.value: "stopped", DrillEnd.NOT_ASKED.value: "not_asked"}
_MOVED: dict[str, End] = {"closed": "closed", "unseen": "unseen"}


def _hop(case: Case, tier: int, at: datetime) -> Hop:
    return Hop(case.id, tier, case.route.tiers[tier].channel, at)


def _left(hop: Hop, event: Entry) -> Hop:
    """How it ended for a tier that the case left."""
    if hop.end != "waits":
        return hop
    if event.actor.kind == "human":
        return replace(hop, end="answered", at=event.at, by=event.actor.id)
    return replace(hop, end=_MOVED.get(str(event.fields.get("clock")), "nobody"), at=event.at)


def _led_to(fields: Mapping[str, Json]) -> int:
    """The tier (0-based) that an escalation led to: without a word of it, the next."""
    to, left = fields.get("to_tier"), fields.get("tier")
    return to - 1 if isinstance(to, int) else left if isinstance(left, int) else 0


def _voter(fields: Mapping[str, Json]) -> str:
    votes = fields.get("decided_by")
    last = votes[-1] if isinstance(votes, list) and votes else None
    return str(last.get("by")) if isinstance(last, dict) else ""


def _alarm(drill: Drill, events: Sequence[Entry]) -> Hop:
    hop = Hop(drill.alert, 0, "", drill.at)
    taken = next((one for one in events if one.kind == EventKind.ALERT_ACKNOWLEDGED), None)
    if taken is not None:
        return replace(hop, end="answered", at=taken.at, by=taken.actor.id)
    if drill.ended_at is None:
        return hop
    end: End = "stopped" if drill.stopped_by else "nobody" if drill.until is not None else "over"
    return replace(hop, end=end, at=drill.ended_at)


_WAYS = {
    MessageKind.CARD.value: "The card of {where} was not shown in its channel",
    MessageKind.BULLETIN.value: "It was not said in {to}",
    MessageKind.PAGE.value: "The page of {where} was not taken by PagerDuty",
    MessageKind.EMAIL.value: "The e-mail to {where} was not taken",
}


_BY = {"pagerduty": "PagerDuty", "second_key": "PagerDuty's second service", "email": "e-mail"}


def _unreached(drill: Drill, sent: Iterable[Sent], events: Mapping[str, Sequence[Entry]]) -> list[str]:
    """Messages that did not arrive, by whatever was said last; also those of which nobody had need any more before they did, and no event
    says it.
    """
    found = list[str]()
    said = {key for about, several in events.items() for event in several for key in _not_accepted(about, event)}
    for one in sent:
        if one.what not in _WAYS or one.state == "done":
            continue
        what = _WAYS[one.what].format(where="the alarm" if one.case == drill.alert else where(one.tier), to=one.to)
        if one.state != "cancelled":
            found += [f"{what}: {one.error[:200]}."] if one.error else []
        elif one.tries and (one.case, one.round, one.what == MessageKind.EMAIL.value) not in said:
            found.append(f"{what} in {one.tries} {'try' if one.tries == 1 else 'tries'}, and then it was over.")
    return found


def _not_accepted(about: str, event: Entry) -> Iterator[tuple[str, Json, bool]]:
    """What a page that was not taken was about, its round, and whether it was an e-mail; for each such way of the event."""
    routes = event.fields.get("routes") if event.kind == EventKind.PAGE_NOT_ACCEPTED else None
    for route in routes if isinstance(routes, list) else ():
        yield about, event.fields.get("round"), route == PageRoute.EMAIL


def _by_events(events: Mapping[str, Sequence[Entry]]) -> list[str]:
    found = list[str]()
    for event in (one for several in events.values() for one in several):
        fields = event.fields
        if event.kind == EventKind.PAGE_NOT_ACCEPTED:
            routes = fields.get("routes")
            ways = ", ".join(_BY.get(str(one), str(one)) for one in routes) if isinstance(routes, list) else ""
            tier = fields.get("tier")
            at = f" of tier {tier}" if tier else " of the alarm"
            found.append(f"The page{at} was not taken by {ways or 'its route'}: {fields.get('cause')}.")
        if event.kind == EventKind.NOT_SEEN:
            found.append(f"Nobody could see the card of tier {fields.get('tier')}: {fields.get('error')}.")
    return found


def _nobody_on_call(drill: Drill, hops: Iterable[Hop], alerts: Iterable[Alert]) -> list[str]:
    """Tiers that it came to while PagerDuty named nobody on call for them."""
    gaps = [one for one in alerts if one.rule == NOBODY_ON_CALL]
    asked = {hop.tier for hop in hops if hop.case != drill.alert and any(_was_so(drill, hop, gap) for gap in gaps)}
    return [f"PagerDuty had nobody on call for {where(tier)}." for tier in sorted(asked)]


def _was_so(drill: Drill, hop: Hop, gap: Alert) -> bool:
    """Whether nobody was on call for the tier at any time while the case was there."""
    policy = drill.on_call[hop.tier] if hop.tier < len(drill.on_call) else ""
    end = hop.at or drill.ended_at
    while_there = (end is None or gap.at <= end) and (gap.cleared_at is None or gap.cleared_at > hop.since)
    return policy != "" and gap.figures.get("escalation_policy") == policy and while_there


def _silent(hops: Iterable[Hop]) -> list[str]:
    """Tiers where nobody answered in their time, or nobody could."""
    hops = tuple(hops)
    unseen = [f"Slack did not show the card of {where(hop.tier, hop.channel)}." for hop in hops if hop.end == "unseen"]
    by_tier: dict[tuple[int, str], int] = {}
    for hop in hops:
        if hop.end == "nobody":
            by_tier[hop.tier, hop.channel] = by_tier.get((hop.tier, hop.channel), 0) + 1
    return unseen + [
        f"Nobody answered at {where(tier, channel) if channel else 'the alarm'}{f' ({count} times)' if count > 1 else ''}."
        for (tier, channel), count in sorted(by_tier.items())
    ]
