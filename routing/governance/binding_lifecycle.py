"""A name's life: bound to an id once, found to have parted from it, confirmed by an owner; and whether anything can be sent there.

Owns these events and who is told. It asks nobody in Slack: what was found there comes in.
"""

from datetime import datetime

from routing.authority import GovernanceVerb
from routing.canonical import Json
from routing.case.people import GovernancePress
from routing.change import SYSTEM, Actor, Event, Message, MessageKind, Refused
from routing.governance.binding import Binding, channel_name
from routing.governance.permissions import obstacle, refuse
from routing.governance.ruling import BINDING, Governed, GovernStep, Ruling
from routing.vocabulary import EventKind

PLACES = 8
"""Bulletins of one alarm at most: the operations channel, the owners' channel, or the owners themselves."""


def bind(name: str, wanted: str) -> GovernStep:
    """The name stands for this id from now on. The first to say so wins."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = governed.governance.binding(name)
        if known is not None and known.id:
            return refuse("bound_already")
        bound = (known or Binding(name=name, since=now)).model_copy(update={"id": wanted, "since": now})
        event = Event(EventKind.NAME_BOUND, SYSTEM, {"subject": BINDING + name, "name": name, "id": wanted})
        return Ruling(governed.governance.with_binding(bound), (event,))

    return step


def part(name: str, called: str, claimant: str) -> GovernStep:
    """In Slack the id is called `called` now ("": as ever), and `claimant` carries the name ("": nobody else does)."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        known = governed.governance.binding(name)
        if known is None or not known.id or (known.called, known.claimant) == (called, claimant):
            return refuse("not_due")
        found = known.model_copy(update={"called": called, "claimant": claimant, "kept": False})
        fields: dict[str, Json] = {"called": called, "claimant": claimant}
        return _told(governed, known, found, EventKind.NAME_PARTED, fields, news=found.parted)

    return step


def confirm(press: GovernancePress, number: int | None) -> GovernStep:
    """An owner says which one is meant: the id as before, or the one that carries the name now. `number` is that of the alarm pressed."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = governed.governance.binding(press.subject.removeprefix(BINDING))
        if (refused := obstacle(press, governed.policy)) is not None:
            return refused
        if known is None or not known.parted:
            return refuse("unknown_name" if known is None else "names_agree")
        moves = press.verb is GovernanceVerb.MOVE_NAME
        if number != known.posted or (moves and not known.claimant):
            return refuse("stale")
        fields: dict[str, Json] = {"before": known.id, "after": known.claimant if moves else known.id}
        new = {"id": known.claimant, "since": now, "called": "", "claimant": "", "trouble": "", "trouble_since": None}
        after = known.model_copy(update=new if moves else {"kept": True})
        return _told(governed, known, after, EventKind.NAME_CONFIRMED, fields, actor=Actor("human", press.person.id))

    return step


def unreachable(name: str, error: str) -> GovernStep:
    """Slack refuses what is sent there, with this code."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = governed.governance.binding(name) or Binding(name=name, since=now)
        if known.trouble == error:
            return refuse("not_due")
        found = known.model_copy(update={"trouble": error, "trouble_since": known.trouble_since or now})
        return _told(governed, known, found, EventKind.CHANNEL_UNREACHABLE, {"error": error}, news=True)

    return step


def reachable(name: str, why: str) -> GovernStep:
    """What is sent there arrives again, or (`why`) nothing says any more that it would not."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        known = governed.governance.binding(name)
        if known is None or not known.trouble:
            return refuse("not_due")
        free = known.model_copy(update={"trouble": "", "trouble_since": None})
        return _told(governed, known, free, EventKind.CHANNEL_REACHABLE, {"error": known.trouble, "reason": why})

    return step


def shown_alarm(tier: int) -> int:
    """The number of the alarm that a bulletin was posted for."""
    return tier // PLACES


def _told(
    governed: Governed,
    before: Binding,
    after: Binding,
    kind: EventKind,
    fields: dict[str, Json],
    *,
    news: bool = False,
    actor: Actor = SYSTEM,
) -> Ruling:
    """Put `after` in its place and say so. `news` is posted anew; anything else is written into the alarm that stands."""
    subject = BINDING + after.name
    redrawn = tuple(
        Message(MessageKind.BULLETIN_UPDATE, where, before.posted * PLACES + place, subject=subject)
        for place, where in enumerate(before.places)
    )
    posted: tuple[Message, ...] = ()
    if news:
        number, places = governed.governance.revision + 1, _places(governed, after)
        after = after.model_copy(update={"posted": number, "places": places})
        posted = tuple(
            Message(MessageKind.BULLETIN, where, number * PLACES + place, urgent=True, subject=subject)
            for place, where in enumerate(places)
        )
    told: dict[str, Json] = {"subject": subject, "name": after.name, "id": after.id, **fields, "number": after.posted}
    return Ruling(governed.governance.with_binding(after), (Event(kind, actor, told),), (*redrawn, *posted))


def _places(governed: Governed, about: Binding) -> tuple[str, ...]:
    """The channels for operations and owners, but those to which nothing can be sent; where there is none, the owners directly."""
    form, known = governed.policy.form, governed.governance.bindings
    said = [one for one in (form.channels.operations, form.channels.owners) if one is not None]
    dead = {name for name, one in known.items() if one.trouble} | ({about.name} if about.trouble else set())
    places = [one for one in said if channel_name(one) not in dead] or list(form.owners)
    return tuple(dict.fromkeys(places))[:PLACES]
