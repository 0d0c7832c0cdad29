"""Who is away, and until when: said by each of themselves, undone by themselves, and over by itself. Owns these steps; who stands in for an
owner who is away is said where owners are named.
"""

from datetime import datetime, timedelta

from routing.authorize import outsider
from routing.authorize import refuse as refuse_person
from routing.case.people import GovernancePress
from routing.case.submission import moment_text
from routing.change import Actor, Event, Refused
from routing.governance.permissions import obstacle, refuse
from routing.governance.ruling import PERSON, Governed, GovernStep, Ruling
from routing.policy.policy import Policy
from routing.vocabulary import EventKind

LONGEST = timedelta(days=90)


def leave(press: GovernancePress, until: datetime) -> GovernStep:
    """Whoever presses is away until then (aware UTC); said again, the later word counts."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        if (refused := _obstacle(press, governed.policy)) is not None:
            return refused
        if not now < until <= now + LONGEST:
            return refuse("bad_return")
        return _ruled(press, governed, now, until)

    return step


def come_back(press: GovernancePress) -> GovernStep:
    """Whoever presses is there again."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        if (refused := _obstacle(press, governed.policy)) is not None:
            return refused
        if press.person.id not in governed.governance.away_at(now):
            return refuse("not_away")
        return _ruled(press, governed, now, None)

    return step


def _obstacle(press: GovernancePress, policy: Policy) -> Refused | None:
    """Whoever a tier names may, whatever their roles."""
    named = any(press.person.id in (tier.owner, tier.backup) for tiers in policy.tiers.values() for tier in tiers)
    if named and (code := outsider(press.person, press.team)) is not None:
        return refuse_person(code)
    return None if named else obstacle(press, policy)


def _ruled(press: GovernancePress, governed: Governed, now: datetime, until: datetime | None) -> Ruling:
    who = press.person.id
    left = {person: at for person, at in governed.governance.away_at(now).items() if person != who}
    away = left | ({who: until} if until is not None else {})
    kind, more = (EventKind.CAME_BACK, {}) if until is None else (EventKind.WENT_AWAY, {"until": moment_text(until)})
    event = Event(kind, Actor("human", who), {"subject": PERSON + who, **more})
    return Ruling(governed.governance.model_copy(update={"away": away}), (event,))
