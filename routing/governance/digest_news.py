"""What PagerDuty tells of a digest: acknowledged, given back or resolved there. Each answer names the pages that it concerns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from routing.canonical import Json
from routing.change import Actor, MessageKind, Refused
from routing.governance.digest import Digest, Listed
from routing.governance.digest_draft import BY_PAGERDUTY, DigestDraft, pages_of, send_anew
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.vocabulary import EventKind, PageRoute


def digest_acknowledged(digest_id: str, who: Actor, route: PageRoute) -> GovernStep:
    """Somebody acknowledged its incident: they have what it listed there, and nothing is added to it any more. It stops ringing by the
    other key too. The answer names the pages that are theirs, again also where it was known already, and those they could not know of.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or digest.over:
            return refuse("unknown_alert")
        apart = _unknown_there(digest)
        if digest.wanted:
            taken = digest.model_copy(update={"acknowledged_by": who.id, "next_at": None, "stale": False})
            event = work.record(EventKind.DIGEST_ACKNOWLEDGED, taken, {"listed": len(taken.listed) - len(apart)}, who)
            work.send(taken, MessageKind.PAGE_ACKNOWLEDGE, _others(taken, route), event)
            work.put(taken)
        return _told_of(work, digest, [one for one in digest.listed if not one.taken], apart)

    return step


def digest_unacknowledged(digest_id: str, who: Actor) -> GovernStep:
    """Nobody has its incident any more, which rings again there: what it lists waits for somebody as before. Each case that was taken here
    says so anew when it hears of this; once all have, it is acknowledged once more. The answer as above.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or digest.over:
            return refuse("unknown_alert")
        if digest.acknowledged_by:
            listed = tuple(one.model_copy(update={"taken": False}) for one in digest.listed)
            again = digest.model_copy(update={"acknowledged_by": "", "listed": listed, "under_way": ()})
            work.record(EventKind.DIGEST_UNACKNOWLEDGED, again, {"listed": len(listed)}, who)
            work.put(again)
            send_anew(work, again)  # what came and went meanwhile was not said: nothing was under way that would still go out
        return _told_of(work, digest, digest.listed)

    return step


def digest_resolved(digest_id: str, who: Actor, route: PageRoute) -> GovernStep:
    """Somebody resolved its incident although cases wait: it is over, and each of them pages anew at its time; at once where they could not
    know of it. The answer as above.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None:
            return refuse("unknown_alert")
        if not digest.over:
            over = digest.model_copy(update={"over_at": now, "next_at": None, "stale": False})
            event = work.record(EventKind.DIGEST_CLOSED, over, {"listed": len(over.listed), "count": over.count}, who)
            work.send(over, MessageKind.PAGE_RESOLVE, _others(over, route), event)
            work.put(over)
        return _told_of(work, digest, digest.listed, _unknown_there(digest))

    return step


def digest_listed(digest_id: str) -> GovernStep:
    """The pages that a digest lists now, as an answer; nothing changes."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        digest = governed.governance.digest(digest_id)
        return refuse("unknown_alert") if digest is None else _told_of(DigestDraft(governed.governance, now), digest, digest.listed)

    return step


def _others(digest: Digest, route: PageRoute) -> list[PageRoute]:
    return [one for one in digest.routes if one in BY_PAGERDUTY and one is not route]


def _unknown_there(digest: Digest) -> tuple[Listed, ...]:
    """What joined it since a route took it last. Before one did, the news themselves are the proof that one has."""
    return tuple(one for one in digest.untold if not one.taken) if digest.accepted else ()


def _told_of(work: DigestDraft, digest: Digest, listed: Iterable[Listed], apart: Sequence[Listed] = ()) -> Ruling:
    pages = pages_of(one for one in listed if one not in apart)
    answer: Mapping[str, Json] = {"digest": digest.id, "pages": pages, "untold": pages_of(apart)}
    return replace(work.ruling() or Ruling(work.governance, ()), answer=answer)
