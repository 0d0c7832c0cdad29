"""What becomes of a digest on its way: a route took it, refused it or did not take it in time; what changed since is sent anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from routing.canonical import Json
from routing.change import MessageKind, Refused
from routing.governance.digest import Digest, Listed
from routing.governance.digest_draft import HURRY, ROUND, DigestDraft, names_of, pages_of, send_anew, sent_anew_at
from routing.governance.governance import Governance
from routing.governance.paging_alarm_lifecycle import told
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.vocabulary import EventKind, PageRoute


def digest_accepted(digest_id: str, route: PageRoute, drawn: Sequence[Listed], *, told_of: int = 0, refused: int = 0) -> GovernStep:
    """A route took the digest, which listed these pages when it was drawn: what has changed since is sent anew. `told_of` and `refused`:
    how many addresses an e-mail reached, and did not.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None:
            return refuse("unknown_alert")
        first, there = route not in digest.accepted, {(one.case, one.round) for one in drawn}
        taken = digest.model_copy(
            update={
                "accepted": (*digest.accepted, route) if first else digest.accepted,
                "under_way": tuple(one for one in digest.under_way if one is not route),
                "listed": tuple(one.model_copy(update={"shown": True}) if (one.case, one.round) in there else one for one in digest.listed),
            }
        )
        taken = taken.model_copy(update={"next_at": taken.next_at if taken.waiting and taken.wanted else None})
        work.put(taken)
        if first:
            counts: dict[str, Json] = {"addresses": told_of, "refused": refused} if route is PageRoute.EMAIL else {}
            work.record(EventKind.PAGE_ACCEPTED, taken, {"tier": taken.tier + 1, "round": ROUND, "route": route.value, **counts})
        if _as_read(drawn) == _as_read(taken.listed):
            work.put(taken.model_copy(update={"stale": False}))
        else:
            send_anew(work, taken)
        return _with_alarm(work, governed, "taken" if first and taken.failed else "")

    return step


def digest_failed(digest_id: str, route: PageRoute, cause: str, tries: int, *, final: bool) -> GovernStep:
    """A try to send the digest this way failed; `final`: it was refused. As for any page, the first routes get their time unless they
    refuse, every other one fails with its first try. Where one that took the digest before does not take what has joined it, at once if it
    refuses, the answer names the pages that nobody knows of.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or not digest.wanted:
            return refuse("unknown_alert")
        if route in digest.accepted and digest.untold and (final or now >= digest.sent_at + HURRY):
            return Ruling(governed.governance, (), answer={"untold": pages_of(digest.untold)})
        if route not in digest.waiting:
            return refuse("unknown_alert")
        if not final and (route in digest.routes[:1] or not digest.failed):
            return refuse("not_due")
        _hand_on(work, digest, (route,), cause, tries)
        return _with_alarm(work, governed, "failed")

    return step


def digests_due(governance: Governance, now: datetime) -> tuple[str, ...]:
    """Ids of the digests of which something is due: another route, or to be sent anew."""
    return tuple(one.id for one in governance.digests if (at := due_at(one)) is not None and at <= now)


def due_at(digest: Digest) -> datetime | None:
    """When somebody has to look at it again."""
    if not digest.wanted:
        return None
    anew = sent_anew_at(digest).values() if digest.stale else ()
    return min([*anew, *([digest.next_at] if digest.next_at is not None else [])], default=None)


def digest_due(digest_id: str) -> GovernStep:
    """What time does to a digest: routes that waited long enough have failed, and what changed is sent anew."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = DigestDraft(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or digest_id not in digests_due(governed.governance, now):
            return refuse("not_due")
        if digest.next_at is not None and digest.next_at <= now:
            had = HURRY if digest.failed or digest.since is None else now - digest.since
            _hand_on(work, digest, digest.waiting, f"not accepted within {had.total_seconds():.0f} s", None)
            return _with_alarm(work, governed, "failed")
        send_anew(work, digest)
        return _with_alarm(work, governed, "")

    return step


def _as_read(listed: Sequence[Listed]) -> set[tuple[str, int]]:
    """Those of them that people read as waiting."""
    return {(one.case, one.round) for one in listed if not one.taken}


def _hand_on(work: DigestDraft, digest: Digest, failed: tuple[PageRoute, ...], cause: str, tries: int | None) -> None:
    there = (PageRoute.SECOND_KEY,) * digest.page.second_key + (PageRoute.EMAIL,) * digest.email
    following = next((one for one in there if one not in digest.routes), None)
    after = digest.model_copy(update={"failed": (*digest.failed, *failed)})
    if following is not None:
        more = {"routes": (*after.routes, following), "next_at": work.now + HURRY, "under_way": (*after.under_way, following)}
        after = after.model_copy(update=more)
    elif not after.waiting:
        after = after.model_copy(update={"next_at": None})
    work.put(after)
    to = following.value if following is not None else "operations"
    told_of: dict[str, Json] = {"tier": digest.tier + 1, "round": ROUND, "routes": names_of(failed), "cause": cause, "tries": tries}
    event = work.record(EventKind.PAGE_NOT_ACCEPTED, after, {**told_of, "next": to})
    if following is not None:
        work.send(after, MessageKind.PAGE, (following,), event)


def _with_alarm(work: DigestDraft, governed: Governed, news: str) -> Ruling | Refused:
    """The ruling, and what operations are told of it."""
    ruling = work.ruling() or Ruling(work.governance, ())
    if news not in ("failed", "taken"):
        return ruling
    alarm = told(replace(governed, governance=ruling.governance), "failed" if news == "failed" else "taken", work.now)
    return ruling if alarm is None else ruling.then(alarm)
