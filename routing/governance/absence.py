"""Who is away, and until when: said by each of themselves, undone by themselves, and over by itself. Owns these steps; who stands in for an
owner who is away is said where owners are named. Somebody is away under every id of theirs: which of them a policy names is not
theirs to know.
"""

from datetime import datetime, timedelta

from routing.authorize import outsider
from routing.authorize import refuse as refuse_person
from routing.canonical import Json
from routing.case.case import Group
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
        if not press.person.ids & governed.governance.away_at(now).keys():
            return refuse("not_away")
        return _ruled(press, governed, now, None)

    return step


def _obstacle(press: GovernancePress, policy: Policy) -> Refused | None:
    """Whoever a tier names, and whoever answers anywhere, may, whatever their roles."""
    named = bool(press.person.ids & named_by_tiers(policy) or press.person.groups & answering_groups(policy).keys())
    if named and (code := outsider(press.person, press.team)) is not None:
        return refuse_person(code)
    return None if named else obstacle(press, policy)


def named_by_tiers(policy: Policy) -> frozenset[str]:
    """The people whom tiers name as owner or backup."""
    tiers = (tier for ladder in policy.tiers.values() for tier in ladder)
    return frozenset(person for tier in tiers for person in (tier.owner, tier.backup) if person)


def answering_groups(policy: Policy) -> dict[str, Group]:
    """The groups that any tier or step names: everybody who reviews is in one of them."""
    named = {tier.group for ladder in policy.tiers.values() for tier in ladder}
    for workflow in policy.workflows.values():
        steps = (workflow.dual.verify, workflow.dual.approve, workflow.expert.group, workflow.triage.group)
        named |= {group for group in steps if group is not None}
    return {name: policy.groups[name] for name in sorted(named) if name in policy.groups}


def _ruled(press: GovernancePress, governed: Governed, now: datetime, until: datetime | None) -> Ruling:
    who, ids = press.person.id, press.person.ids
    left = {person: at for person, at in governed.governance.away_at(now).items() if person not in ids}
    away = left | (dict.fromkeys(sorted(ids), until) if until is not None else {})
    kind, more = (EventKind.CAME_BACK, {}) if until is None else (EventKind.WENT_AWAY, {"until": moment_text(until)})
    others: list[Json] = [*sorted(ids - {who})]
    fields: dict[str, Json] = {"subject": PERSON + who, **more, **({"also": others} if others else {})}
    event = Event(kind, Actor("human", who), fields)
    return Ruling(governed.governance.model_copy(update={"away": away}), (event,))
