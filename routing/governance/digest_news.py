"""What PagerDuty tells of a digest: acknowledged, given back, resolved or reopened there. Each answer names the pages that it concerns.

What it tells may come in another order than it happened: what holds is what happened last. Whatever happened to an incident after somebody
resolved it says that it was opened again; here it is open again with the first of its cases that still waits (`digest_lifecycle`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from routing.canonical import Json
from routing.change import SYSTEM, Actor, MessageKind, Refused
from routing.governance.digest import Digest, Listed
from routing.governance.digest_draft import BY_PAGERDUTY, DigestDraft, pages_of, send_anew
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.vocabulary import EventKind, PageRoute


def digest_acknowledged(digest_id: str, who: Actor, route: PageRoute, at: datetime | None = None) -> GovernStep:
    """Somebody acknowledged its incident: they have what it listed there, and nothing is added to it any more. It stops ringing by the
    other key too. The answer names the pages that are theirs, again also where it was known already, and those they could not know of.
    """

    def heard(work: DigestDraft, digest: Digest) -> Ruling:
        apart = _unknown_there(digest)
        handed_on = digest.acknowledged_by.startswith("pagerduty:") and digest.acknowledged_by != who.id
        theirs = [one for one in digest.stands_for if handed_on or not one.taken or one not in digest.listed]
        if handed_on or not digest.acknowledged_by:
            digest = digest.model_copy(update={"acknowledged_by": who.id, "next_at": None, "stale": False})
            event = work.record(EventKind.DIGEST_ACKNOWLEDGED, digest, {"listed": len(digest.stands_for) - len(apart)}, who)
            work.send(digest, MessageKind.PAGE_ACKNOWLEDGE, _others(digest, route), event)
        work.put(digest)
        return _told_of(work, digest, theirs, apart)

    return _of_its_incident(digest_id, route, at, heard)


def digest_unacknowledged(digest_id: str, who: Actor, route: PageRoute = PageRoute.PAGERDUTY, at: datetime | None = None) -> GovernStep:
    """Nobody has its incident any more, which rings again there: what it lists waits for somebody as before. Each case that was taken here
    says so anew when it hears of this; once all have, it is acknowledged once more. The answer as above.
    """

    def heard(work: DigestDraft, digest: Digest) -> Ruling:
        if digest.acknowledged_by:
            digest = _given_back(work, digest, EventKind.DIGEST_UNACKNOWLEDGED, who)
        work.put(digest)
        return _told_of(work, digest, digest.stands_for)

    return _of_its_incident(digest_id, route, at, heard)


def digest_reopened(digest_id: str, who: Actor, route: PageRoute, at: datetime | None = None) -> GovernStep:
    """Somebody opened its incident again: what it listed when it was resolved there, and still waits, is listed again. Where nothing is
    left to wait for, the incident is theirs alone. The answer as above.
    """

    def heard(work: DigestDraft, digest: Digest) -> Ruling:
        return _told_of(work, digest, digest.stands_for)

    return _of_its_incident(digest_id, route, at, heard, reopened=who)


def digest_resolved(digest_id: str, who: Actor, route: PageRoute, at: datetime | None = None) -> GovernStep:
    """Somebody resolved its incident although cases wait: it is over, and each of them pages anew at its time; at once where they could not
    know of it. The answer as above.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or _late(digest, at):
            return refuse("unknown_alert")
        known = digest.model_copy(update={"heard_at": at or digest.heard_at})
        if not digest.over:
            over = known.model_copy(update={"over_at": now, "next_at": None, "stale": False, "left": digest.stands_for})
            event = work.record(EventKind.DIGEST_CLOSED, over, {"listed": len(over.listed), "count": over.count}, who)
            work.send(over, MessageKind.PAGE_RESOLVE, _others(over, route), event)
            work.put(over)
        elif _closed_there(digest, at) and who.kind == "human":  # and not what we resolved by the other key
            work.put(known)
        return _told_of(work, digest, digest.stands_for, _unknown_there(digest))

    return step


def digest_listed(digest_id: str) -> GovernStep:
    """The pages that a digest lists now, as an answer; nothing changes."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        digest = governed.governance.digest(digest_id)
        return refuse("unknown_alert") if digest is None else _told_of(DigestDraft(governed.governance, now), digest, digest.listed)

    return step


def _of_its_incident(
    digest_id: str, route: PageRoute, at: datetime | None, heard: Callable[[DigestDraft, Digest], Ruling], *, reopened: Actor | None = None
) -> GovernStep:
    """The step of news that come in time, of an incident that is open or was opened again: they say by whom it was `reopened`, or happened
    after its end, and then who did it is not known.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        digest = governed.governance.digest(digest_id)
        if digest is None or _late(digest, at) or (digest.over and not (_closed_there(digest, at) or (reopened and digest.left))):
            return refuse("unknown_alert")
        work, known = DigestDraft(governed.governance, now), digest.model_copy(update={"heard_at": at or digest.heard_at})
        if digest.over:
            alone = {"routes": (route,), "accepted": (route,), "failed": (), "under_way": (), "sent_at": now}
            over_at = digest.over_at if not digest.listed else None  # those that have not heard of its end are still listed
            known = known.model_copy(update={**alone, "over_at": over_at})
        if digest.over or reopened is not None:
            known = _given_back(work, known, EventKind.DIGEST_REOPENED, reopened or SYSTEM)
        return heard(work, known)

    return step


def _late(digest: Digest, at: datetime | None) -> bool:
    """Whether something that happened later is known."""
    return at is not None and digest.heard_at is not None and at < digest.heard_at


def _closed_there(digest: Digest, at: datetime | None) -> bool:
    """Whether somebody resolved it there, and these news happened later."""
    return bool(digest.left) and at is not None and digest.heard_at is not None and at > digest.heard_at


def _given_back(work: DigestDraft, digest: Digest, kind: EventKind, who: Actor) -> Digest:
    listed = tuple(one.model_copy(update={"taken": False}) for one in digest.listed)
    again = digest.model_copy(update={"acknowledged_by": "", "listed": listed, "under_way": ()})
    work.record(kind, again, {"listed": len(again.stands_for)}, who)
    work.put(again)
    send_anew(work, again)  # what came and went meanwhile was not said: nothing was under way that would still go out
    return work.governance.digest(again.id) or again


def _others(digest: Digest, route: PageRoute) -> list[PageRoute]:
    return [one for one in digest.routes if one in BY_PAGERDUTY and one is not route]


def _unknown_there(digest: Digest) -> tuple[Listed, ...]:
    """What joined it since a route took it last; or since it was opened, where we do not know yet that one has."""
    return tuple(one for one in digest.untold if not one.taken)


def _told_of(work: DigestDraft, digest: Digest, listed: Iterable[Listed], apart: Sequence[Listed] = ()) -> Ruling:
    pages = pages_of(one for one in listed if one not in apart)
    answer: Mapping[str, Json] = {"digest": digest.id, "pages": pages, "untold": pages_of(apart)}
    return replace(work.ruling() or Ruling(work.governance, ()), answer=answer)
