"""Never silence, never a storm: past the policy's limit the pages for one routing key are listed in one digest, an incident of its own.

Owns which page rings by itself and which is listed, and what becomes of a digest: its routes, its news from PagerDuty, its end. A digest
takes pages only while it rings, so that nothing is listed silently: once somebody has acknowledged it, or it has rung for a while, or for
less risk, the next page opens another.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from routing.canonical import Json
from routing.case.case import Case, OpenPage, Tier
from routing.change import SYSTEM, Actor, Change, Event, Message, MessageKind, Refused
from routing.governance.digest import Digest, Listed
from routing.governance.governance import Governance
from routing.governance.paging_alarm_lifecycle import told
from routing.governance.permissions import refuse
from routing.governance.ruling import DIGEST, Governed, GovernStep, Ruling
from routing.policy.form.ladders import Storm
from routing.vocabulary import EventKind, PageRoute

PATIENCE, HURRY = timedelta(minutes=5), timedelta(seconds=30)
"""How long the first routes of a digest have at most, and every further one: as any page (`routing.review.pages`)."""

FRESH = timedelta(seconds=30)
"""So long after it was opened a digest rings for whatever is listed in it, also for more risk."""

PACE = {PageRoute.PAGERDUTY: timedelta(seconds=10), PageRoute.SECOND_KEY: timedelta(seconds=10), PageRoute.EMAIL: timedelta(seconds=30)}
"""How soon after the last time a digest that has changed is sent anew."""

ROUND = 1
"""A digest has one incident at each service; what has to ring again is another digest."""

LOUDNESS = ("info", "warning", "error", "critical")
BY_PAGERDUTY = (PageRoute.PAGERDUTY, PageRoute.SECOND_KEY)
_PAGES = (MessageKind.PAGE, MessageKind.EMAIL)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the pages of a tier go: digests of its routing key, and of everything by which it may be reached."""

    key: str
    whole: str

    @classmethod
    def of(cls, routing_key: str, second_key: str | None, addresses: Iterable[str]) -> "Desk":
        """The desk behind a routing key; neither key nor address can be read from it."""
        return cls(_digest(routing_key), _digest("\n".join((routing_key, second_key or "", *sorted(addresses)))))


@dataclass(frozen=True, slots=True)
class Paging:
    """What is known besides when a change pages: the limit of the policy in force (None: every page rings by itself), the desk of a tier
    (0-based; None where it has no routing key any more), and a new id for a digest.
    """

    storm: Storm | None
    desk: Callable[[Case, int], Desk | None]
    draw: Callable[[], str]


def concerns(before: Case | None, change: Change) -> bool:
    """Whether a change has anything to do with digests, or might have."""
    return any(message.kind in _PAGES for message in change.messages) or any(page.digest for page in _pages(before))


def grouped(governance: Governance, before: Case | None, change: Change, paging: Paging, now: datetime) -> tuple[Change, Ruling | None]:
    """The change with its pages listed where there are too many, and what becomes of digests with it; None where nothing does.

    A page that leaves a digest is settled there: closed, or somebody has it. One that is listed has no incident of its own.
    """
    work = _Work(governance, now)
    left = _settled(work, before, change.case)
    for message in change.messages if change.case.drill is None else ():  # whether a phone rings is what a drill asks
        page = next((one for one in change.case.pages if one.round == message.round and message.kind is MessageKind.PAGE), None)
        if page is None or page.digest or page in _pages(before) or message.destination.endswith("/second_key") or message.subject:
            continue
        change = _placed(work, change, page, paging, left)
    return change, work.ruling()


class _Work:
    """A ruling about digests being put together."""

    def __init__(self, governance: Governance, now: datetime) -> None:
        self.before = self.governance = governance
        self.now = now
        self.events: list[Event] = []
        self.messages: list[Message] = []

    def put(self, digest: Digest) -> None:
        self.governance = self.governance.with_digest(digest)

    def record(self, kind: EventKind, digest: Digest, fields: Mapping[str, Json], actor: Actor = SYSTEM) -> int:
        self.events.append(Event(kind, actor, {"subject": digest.id, **fields}))
        return len(self.events) - 1

    def send(self, digest: Digest, kind: MessageKind, routes: Iterable[PageRoute], event: int = 0) -> None:
        for route in routes:
            by = MessageKind.EMAIL if route is PageRoute.EMAIL else MessageKind.PAGE
            self.messages.append(_message(digest, by if kind is MessageKind.PAGE else kind, route, event))

    def ruling(self) -> Ruling | None:
        changed = self.governance != self.before or self.events or self.messages
        return Ruling(self.governance, tuple(self.events), tuple(self.messages)) if changed else None


def _placed(work: _Work, change: Change, page: OpenPage, paging: Paging, left: frozenset[str]) -> Change:
    """A new page: it rings by itself, or is listed."""
    case, now, storm = change.case, work.now, paging.storm
    desk = paging.desk(case, page.tier) if storm is not None else None
    if storm is None or desk is None:
        return change
    since = now - timedelta(seconds=storm.within)
    lately = tuple(at for at in work.governance.rung.get(desk.key, ()) if at > since)
    if len(lately) < storm.most:
        work.governance = work.governance.with_rung(desk.key, (*lately, now), since)
        return change
    there = (one for one in reversed(work.governance.digests) if one.desk == desk.whole and one.id not in left)
    digest = next((one for one in there if _takes(one, case, page, since, now)), None)
    if digest is None:
        digest = _opened(work, case, page, paging.draw(), desk)
    listed = Listed(case=case.id, tier=page.tier, round=page.round, risk=case.route.risk)
    risk = max(digest.risk, case.route.risk, key=lambda one: one.level)
    digest = digest.model_copy(update={"listed": (*digest.listed, listed), "count": digest.count + 1, "risk": risk})
    work.put(digest)
    _send_anew(work, digest)
    return _listed(change, page, digest.id)


def _takes(digest: Digest, case: Case, page: OpenPage, since: datetime, now: datetime) -> bool:
    """Whether this digest rings for the page too: nobody has taken it, it is young enough, and it is as loud as the page is worth."""
    own = case.route.tiers[page.tier].page
    loud = own is None or LOUDNESS.index(digest.page.severity) >= LOUDNESS.index(own.severity)
    worth = digest.risk.level >= case.route.risk.level or digest.at > now - FRESH
    return digest.wanted and digest.at > since and loud and worth


def _opened(work: _Work, case: Case, page: OpenPage, draw: str, desk: Desk) -> Digest:
    tier, now = case.route.tiers[page.tier], work.now
    if tier.page is None:
        raise AssertionError("a page without a pager was to be listed")
    digest = Digest(
        id=DIGEST + draw,
        desk=desk.whole,
        policy_sha256=case.route.policy_sha256,
        ladder=case.route.ladder,
        tier=page.tier,
        page=tier.page,
        email=tier.email,
        risk=case.route.risk,
        at=now,
        routes=page.routes,
        since=now,
        next_at=now + _patience(tier),
        under_way=page.routes,
        sent_at=now,
    )
    opened: dict[str, Json] = {"ladder": digest.ladder, "tier": digest.tier + 1, "risk": digest.risk.value, "routes": _names(page.routes)}
    event = work.record(EventKind.DIGEST_OPENED, digest, opened)
    work.send(digest, MessageKind.PAGE, page.routes, event)
    return digest


def _patience(tier: Tier) -> timedelta:
    return PATIENCE if tier.ack_s is None else min(PATIENCE, max(HURRY, timedelta(seconds=tier.ack_s / 2)))


def _listed(change: Change, page: OpenPage, digest_id: str) -> Change:
    """The change without the messages of a page of its own, and with its event saying where it is listed."""
    case = change.case
    without = page.model_copy(update={"digest": digest_id, "routes": (), "next_at": None})
    pages = tuple(without if one.round == page.round else one for one in case.pages)
    events = tuple(
        replace(one, fields={**one.fields, "digest": digest_id})
        if one.kind is EventKind.PAGED and one.fields.get("round") == page.round
        else one
        for one in change.events
    )
    messages = tuple(one for one in change.messages if not (one.kind in _PAGES and one.round == page.round and not one.subject))
    return replace(change, case=case.model_copy(update={"pages": pages}), events=events, messages=messages)


def _settled(work: _Work, before: Case | None, after: Case) -> frozenset[str]:
    """Take from their digests the pages that are closed, and note of the others who has them. Gives the digests that were left."""
    now_open = {page.round: page for page in after.pages}
    left = set[str]()
    for page in _pages(before):
        digest = work.governance.digest(page.digest) if page.digest else None
        if digest is None:
            continue
        stays = now_open.get(page.round)
        mine = next((one for one in digest.listed if (one.case, one.round) == (after.id, page.round)), None)
        if mine is None:
            continue
        if stays is None:
            left.add(digest.id)
            _changed(work, digest, tuple(one for one in digest.listed if one is not mine), anew=True)
        elif (bool(stays.acknowledged_by), bool(stays.accepted)) != (mine.taken, mine.told):
            news = mine.model_copy(update={"taken": bool(stays.acknowledged_by), "told": bool(stays.accepted)})
            _changed(work, digest, tuple(news if one is mine else one for one in digest.listed), anew=news.taken != mine.taken)
    return frozenset(left)


def _changed(work: _Work, digest: Digest, listed: tuple[Listed, ...], *, anew: bool) -> None:
    """What a digest stands for has changed: it is taken with the last that is taken, over with the last that is settled, and else said
    `anew` where people would read something else.
    """
    digest = digest.model_copy(update={"listed": listed})
    if not listed and not digest.over:
        digest = digest.model_copy(update={"over_at": work.now, "next_at": None, "stale": False})
        event = work.record(EventKind.DIGEST_CLOSED, digest, {"listed": 0, "count": digest.count})
        work.send(digest, MessageKind.PAGE_RESOLVE, [one for one in digest.routes if one in BY_PAGERDUTY], event)
        work.put(digest)
    elif digest.wanted and all(one.taken for one in listed):
        digest = digest.model_copy(update={"acknowledged_by": SYSTEM.id, "next_at": None, "stale": False})
        event = work.record(EventKind.DIGEST_ACKNOWLEDGED, digest, {"listed": len(listed)})
        work.send(digest, MessageKind.PAGE_ACKNOWLEDGE, [one for one in digest.routes if one in BY_PAGERDUTY], event)
        work.put(digest)
    else:
        work.put(digest)
        if anew:
            _send_anew(work, digest)


def _send_anew(work: _Work, digest: Digest) -> None:
    """Send what has changed, if it is time; else, or while it is on its way, that it changed is kept for when it is."""
    if not digest.wanted:
        return
    ringing = tuple(one for one in digest.accepted if one in BY_PAGERDUTY)
    routes = tuple(one for one in ringing or digest.accepted if one not in digest.under_way)
    due = tuple(one for one in routes if work.now >= digest.sent_at + PACE[one])
    if PageRoute.EMAIL in due and all(one.told for one in digest.listed):
        due = tuple(one for one in due if one is not PageRoute.EMAIL)  # nobody is written to about what is over
    if due:
        digest = digest.model_copy(update={"under_way": (*digest.under_way, *due), "sent_at": work.now, "stale": False})
        work.send(digest, MessageKind.PAGE, due)
    else:
        digest = digest.model_copy(update={"stale": True})
    work.put(digest)


def _pages(case: Case | None) -> tuple[OpenPage, ...]:
    return case.pages if case is not None else ()


def _names(routes: Iterable[PageRoute]) -> list[Json]:
    return [route.value for route in routes]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _message(digest: Digest, kind: MessageKind, route: PageRoute, event: int = 0) -> Message:
    destination = f"{digest.ladder}/{digest.tier + 1}{'/second_key' if route is PageRoute.SECOND_KEY else ''}"
    return Message(kind, destination, tier=digest.tier, round=ROUND, event=event, urgent=True, subject=digest.id)


# What comes of it on its way


def digest_accepted(
    digest_id: str, route: PageRoute, drawn: frozenset[tuple[str, int]], *, told_of: int = 0, refused: int = 0
) -> GovernStep:
    """A route took the digest, which listed these pages (case and round) when it was drawn: what has changed since is sent anew. `told_of`
    and `refused`: how many addresses an e-mail reached, and did not.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = _Work(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None:
            return refuse("unknown_alert")
        first = route not in digest.accepted
        taken = digest.model_copy(
            update={
                "accepted": (*digest.accepted, route) if first else digest.accepted,
                "under_way": tuple(one for one in digest.under_way if one is not route),
            }
        )
        taken = taken.model_copy(update={"next_at": taken.next_at if taken.waiting and taken.wanted else None})
        work.put(taken)
        if first:
            counts: dict[str, Json] = {"addresses": told_of, "refused": refused} if route is PageRoute.EMAIL else {}
            work.record(EventKind.PAGE_ACCEPTED, taken, {"tier": taken.tier + 1, "round": ROUND, "route": route.value, **counts})
        if drawn == {(one.case, one.round) for one in taken.listed}:
            work.put(taken.model_copy(update={"stale": False}))
        else:
            _send_anew(work, taken)
        return _with_alarm(work, governed, "taken" if first and taken.failed else "")

    return step


def digest_failed(digest_id: str, route: PageRoute, cause: str, tries: int, *, final: bool) -> GovernStep:
    """A try to send the digest this way failed; `final`: it was refused. As for any page, the first routes get their time unless they
    refuse, every other one fails with its first try.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = _Work(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or not digest.wanted or route not in digest.waiting:
            return refuse("unknown_alert")
        if not final and route in digest.routes[:1]:
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
    anew = [digest.sent_at + PACE[one] for one in digest.accepted if one not in digest.under_way] if digest.stale else []
    return min([*anew, *([digest.next_at] if digest.next_at is not None else [])], default=None)


def digest_due(digest_id: str) -> GovernStep:
    """What time does to a digest: routes that waited long enough have failed, and what changed is sent anew."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = _Work(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or digest_id not in digests_due(governed.governance, now):
            return refuse("not_due")
        if digest.next_at is not None and digest.next_at <= now:
            had = HURRY if digest.failed or digest.since is None else now - digest.since
            _hand_on(work, digest, digest.waiting, f"not accepted within {had.total_seconds():.0f} s", None)
            return _with_alarm(work, governed, "failed")
        _send_anew(work, digest)
        return _with_alarm(work, governed, "")

    return step


def _hand_on(work: _Work, digest: Digest, failed: tuple[PageRoute, ...], cause: str, tries: int | None) -> None:
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
    told_of: dict[str, Json] = {"tier": digest.tier + 1, "round": ROUND, "routes": _names(failed), "cause": cause, "tries": tries}
    event = work.record(EventKind.PAGE_NOT_ACCEPTED, after, {**told_of, "next": to})
    if following is not None:
        work.send(after, MessageKind.PAGE, (following,), event)


def _with_alarm(work: _Work, governed: Governed, news: str) -> Ruling | Refused:
    """The ruling, and what operations are told of it."""
    ruling = work.ruling() or Ruling(work.governance, ())
    if news not in ("failed", "taken"):
        return ruling
    alarm = told(replace(governed, governance=ruling.governance), "failed" if news == "failed" else "taken", work.now)
    if alarm is None:
        return ruling
    shift = len(ruling.events) if alarm.events else 0  # what is only redrawn speaks of no event of its own
    more = tuple(replace(one, event=one.event + shift) for one in alarm.messages)
    return Ruling(alarm.governance, (*ruling.events, *alarm.events), (*ruling.messages, *more))


# What PagerDuty tells of it


def digest_acknowledged(digest_id: str, who: Actor, route: PageRoute) -> GovernStep:
    """Somebody acknowledged its incident: they have what it lists at this moment, and nothing is added to it any more. It stops ringing by
    the other key too. The answer names the pages that are theirs, again also where it was known already.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = _Work(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or digest.over:
            return refuse("unknown_alert")
        if digest.wanted:
            taken = digest.model_copy(update={"acknowledged_by": who.id, "next_at": None, "stale": False})
            event = work.record(EventKind.DIGEST_ACKNOWLEDGED, taken, {"listed": len(taken.listed)}, who)
            work.send(taken, MessageKind.PAGE_ACKNOWLEDGE, _others(taken, route), event)
            work.put(taken)
        return _told_of(work, digest, [one for one in digest.listed if not one.taken])

    return step


def digest_unacknowledged(digest_id: str, who: Actor) -> GovernStep:
    """Nobody has its incident any more, which rings again there: what it lists waits for somebody as before. Where each of its cases was
    taken here, it is acknowledged once more. The answer as above.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = _Work(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None or digest.over:
            return refuse("unknown_alert")
        if digest.acknowledged_by == SYSTEM.id:
            work.send(digest, MessageKind.PAGE_ACKNOWLEDGE, [one for one in digest.routes if one in BY_PAGERDUTY])
            return _told_of(work, digest, ())
        if digest.acknowledged_by:
            again = digest.model_copy(update={"acknowledged_by": ""})
            work.record(EventKind.DIGEST_UNACKNOWLEDGED, again, {"listed": len(again.listed)}, who)
            work.put(again)
        return _told_of(work, digest, digest.listed)

    return step


def digest_resolved(digest_id: str, who: Actor, route: PageRoute) -> GovernStep:
    """Somebody resolved its incident although cases wait: it is over, and each of them pages anew at its time. The answer as above."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        work, digest = _Work(governed.governance, now), governed.governance.digest(digest_id)
        if digest is None:
            return refuse("unknown_alert")
        if not digest.over:
            over = digest.model_copy(update={"over_at": now, "next_at": None, "stale": False})
            event = work.record(EventKind.DIGEST_CLOSED, over, {"listed": len(over.listed), "count": over.count}, who)
            work.send(over, MessageKind.PAGE_RESOLVE, _others(over, route), event)
            work.put(over)
        return _told_of(work, digest, digest.listed)

    return step


def digest_listed(digest_id: str) -> GovernStep:
    """The pages that a digest lists now, as an answer; nothing changes."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        digest = governed.governance.digest(digest_id)
        return refuse("unknown_alert") if digest is None else _told_of(_Work(governed.governance, now), digest, digest.listed)

    return step


def _others(digest: Digest, route: PageRoute) -> list[PageRoute]:
    return [one for one in digest.routes if one in BY_PAGERDUTY and one is not route]


def _told_of(work: _Work, digest: Digest, listed: Iterable[Listed]) -> Ruling:
    pages: list[Json] = [{"case": one.case, "tier": one.tier, "round": one.round} for one in listed]
    answer: Mapping[str, Json] = {"digest": digest.id, "pages": pages}
    return replace(work.ruling() or Ruling(work.governance, ()), answer=answer)
