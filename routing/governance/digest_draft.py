"""A change of digests being put together: the value, its events and what is to be sent. Owns how a digest is sent, and sent anew."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from routing.canonical import Json
from routing.change import SYSTEM, Actor, Event, Message, MessageKind
from routing.governance.digest import Digest, Listed
from routing.governance.governance import Governance
from routing.governance.ruling import Ruling
from routing.vocabulary import EventKind, PageRoute

PACE = {PageRoute.PAGERDUTY: timedelta(seconds=10), PageRoute.SECOND_KEY: timedelta(seconds=10), PageRoute.EMAIL: timedelta(seconds=30)}
"""How soon after the last time a digest that has changed is sent anew."""

HURRY = timedelta(seconds=30)
"""How long every further route of a digest has, as of any page (`routing.review.pages`)."""

ROUND = 1
"""A digest has one incident at each service; what has to ring again is another digest."""

BY_PAGERDUTY = (PageRoute.PAGERDUTY, PageRoute.SECOND_KEY)


class DigestDraft:
    """A ruling about digests being put together, from the value as it was `before`."""

    def __init__(self, governance: Governance, now: datetime) -> None:
        self.before = self.governance = governance
        self.now = now
        self.events: list[Event] = []
        self.messages: list[Message] = []

    def put(self, digest: Digest) -> None:
        """The digest is so from now on."""
        self.governance = self.governance.with_digest(digest)

    def record(self, kind: EventKind, digest: Digest, fields: Mapping[str, Json], actor: Actor = SYSTEM) -> int:
        """Record what happened to it. Gives the position of the event."""
        self.events.append(Event(kind, actor, {"subject": digest.id, **fields}))
        return len(self.events) - 1

    def send(self, digest: Digest, kind: MessageKind, routes: Iterable[PageRoute], event: int = 0) -> None:
        """Send it these ways; `event` is the position of the event it speaks of."""
        for route in routes:
            by = MessageKind.EMAIL if route is PageRoute.EMAIL else MessageKind.PAGE
            self.messages.append(_message(digest, by if kind is MessageKind.PAGE else kind, route, event))

    def ruling(self) -> Ruling | None:
        """What it comes to; None where nothing changed."""
        changed = self.governance != self.before or self.events or self.messages
        return Ruling(self.governance, tuple(self.events), tuple(self.messages)) if changed else None


def send_anew(work: DigestDraft, digest: Digest) -> None:
    """Send what has changed, if it is time; else, or while it is on its way, that it changed is kept for when it is."""
    if not digest.wanted:
        return
    due = tuple(one for one, at in sent_anew_at(digest).items() if work.now >= at)
    if due:
        digest = digest.model_copy(update={"under_way": (*digest.under_way, *due), "sent_at": work.now, "stale": False})
        work.send(digest, MessageKind.PAGE, due)
    else:
        digest = digest.model_copy(update={"stale": True})
    work.put(digest)


def sent_anew_at(digest: Digest) -> dict[PageRoute, datetime]:
    """By which routes what has changed may be said, and from when on: by mail only where PagerDuty has nothing of it, and only to tell of
    cases; nobody is written to about what is over.
    """
    ringing = tuple(one for one in digest.accepted if one in BY_PAGERDUTY)
    mail = tuple(one for one in digest.accepted if digest.untold) if not ringing else ()
    return {one: digest.sent_at + PACE[one] for one in ringing or mail if one not in digest.under_way}


def names_of(routes: Iterable[PageRoute]) -> list[Json]:
    """As an event has them."""
    return [route.value for route in routes]


def pages_of(listed: Iterable[Listed]) -> list[Json]:
    """As an answer has them."""
    return [{"case": one.case, "tier": one.tier, "round": one.round} for one in listed]


def _message(digest: Digest, kind: MessageKind, route: PageRoute, event: int = 0) -> Message:
    destination = f"{digest.ladder}/{digest.tier + 1}{'/second_key' if route is PageRoute.SECOND_KEY else ''}"
    return Message(kind, destination, tier=digest.tier, round=ROUND, event=event, urgent=True, subject=digest.id)
