"""Never silence, never a storm: past the policy's limit the pages for one routing key are listed in one digest, an incident of its own.

Owns which page rings by itself and which is listed, and when a digest is taken or over with what it lists. It takes pages only while it
rings, so that nothing is listed silently: once somebody has acknowledged it, or it has rung for a while, or for less risk, the next page
opens another.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from routing.canonical import Json
from routing.case.case import Case, OpenPage, Page
from routing.change import SYSTEM, Change, Message, MessageKind
from routing.governance.digest import Digest, Listed
from routing.governance.digest_draft import BY_PAGERDUTY, HURRY, DigestDraft, names_of, send_anew
from routing.governance.governance import Governance
from routing.governance.ruling import DIGEST, Ruling
from routing.policy.form.ladders import Storm
from routing.vocabulary import DrillKind, EventKind, PageRoute

FRESH = timedelta(seconds=30)
"""So long after it was opened a digest rings for whatever is listed in it, also for more risk."""

BY_MAIL = Page(severity="error")
"""In place of the pager of a tier that is written to only."""

LOUDNESS = ("info", "warning", "error", "critical")
_PAGES = (MessageKind.PAGE, MessageKind.EMAIL)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the pages of a tier go: digests of its routing key, and of everything by which it may be reached."""

    key: str
    whole: str

    @classmethod
    def of(cls, routing_key: str | None, second_key: str | None, addresses: Iterable[str]) -> "Desk | None":
        """The desk behind a routing key, or where there is none behind addresses; None where there are none either. Neither key nor address
        can be read from it.
        """
        written = sorted(addresses)
        if routing_key is None and not written:
            return None
        whole = "\n".join((routing_key or "", second_key or "", *written))
        return cls(_digest(routing_key or whole), _digest(whole))

    def in_drill(self, drill: str) -> "Desk":
        """The same desk for the pages of a drill, which are counted and listed by themselves."""
        return Desk(_digest(f"{self.key}\n{drill}"), _digest(f"{self.whole}\n{drill}"))


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
    return any(message.kind in _PAGES for message in change.messages) or any(page.digest for page in (*_pages(before), *change.case.pages))


def grouped(governance: Governance, before: Case | None, change: Change, paging: Paging, now: datetime) -> tuple[Change, Ruling | None]:
    """The change with its pages listed where there are too many, and what becomes of digests with it; None where nothing does.

    A page that leaves a digest is settled there: closed, or somebody has it. One that is listed has no incident of its own.
    """
    work = DigestDraft(governance, now)
    _settled(work, before, change.case)
    _came_back(work, before, change.case)
    alone = change.case.drill is not None and change.case.drill.kind is not DrillKind.VOLUME_SPIKE  # whether a phone rings is what it asks
    for message in change.messages if not alone else ():
        page = next((one for one in change.case.pages if one.round == message.round and message.kind in _PAGES), None)
        if page is None or page.digest or page in _pages(before) or not _is_first(message, page) or message.subject:
            continue
        change = _placed(work, change, page, paging, _replaced(before, change.case, page))
    return change, work.ruling()


def _is_first(message: Message, page: OpenPage) -> bool:
    """Whether it takes the page the first of its ways, of which there is one message: by PagerDuty, or by e-mail where that is the only."""
    by_mail = message.kind is MessageKind.EMAIL
    return page.routes[:1] == ((PageRoute.EMAIL if by_mail else PageRoute.PAGERDUTY),) and not message.destination.endswith("/second_key")


def _replaced(before: Case | None, after: Case, page: OpenPage) -> OpenPage | None:
    """The page that a new one takes the place of."""
    rounds = {one.round for one in after.pages}
    return next((one for one in _pages(before) if one.tier == page.tier and one.round not in rounds), None)


def _placed(work: DigestDraft, change: Change, page: OpenPage, paging: Paging, replaced: OpenPage | None) -> Change:
    """A new page: it rings by itself, or is listed; in place of another only where it rings since that one."""
    case, now, storm = change.case, work.now, paging.storm
    desk = paging.desk(case, page.tier) if storm is not None else None
    if storm is None or desk is None:
        return change
    desk = desk.in_drill(case.parent) if case.drill is not None else desk
    since = now - timedelta(seconds=storm.within)
    lately = tuple(at for at in work.governance.rung.get(desk.key, ()) if at > since)
    if len(lately) < storm.most:
        work.governance = work.governance.with_rung(desk.key, (*lately, now), since)
        return change
    there = [one for one in reversed(work.governance.digests) if one.desk == desk.whole]
    if replaced is not None:
        there = [one for one in there if one.id != replaced.digest and (replaced.since is None or one.at >= replaced.since)]
    digest = next((one for one in there if _takes(one, case, page, since, now)), None)
    if digest is None:
        digest = _opened(work, case, _going_on(work.before, page, replaced, now), paging.draw(), desk)
    first = digest.at == now  # what it is opened with stands in whatever of it arrives first
    listed = Listed(case=case.id, tier=page.tier, round=page.round, risk=case.route.risk, shown=first)
    risk = max(digest.risk, case.route.risk, key=lambda one: one.level)
    digest = digest.model_copy(update={"listed": (*digest.listed, listed), "count": digest.count + 1, "risk": risk})
    work.put(digest)
    send_anew(work, digest)
    return _listed(change, page, digest.id)


def _takes(digest: Digest, case: Case, page: OpenPage, since: datetime, now: datetime) -> bool:
    """Whether this digest rings for the page too: nobody has taken it, it is young enough, and it is as loud as the page is worth."""
    own = case.route.tiers[page.tier].page
    loud = own is None or LOUDNESS.index(digest.page.severity) >= LOUDNESS.index(own.severity)
    worth = digest.risk.level >= case.route.risk.level or digest.at > now - FRESH
    ways = set(page.routes) <= set(digest.routes)  # a page that is written to people too is not listed where none of them is
    return digest.wanted and digest.at > since and loud and worth and ways


def _going_on(before: Governance, page: OpenPage, replaced: OpenPage | None, now: datetime) -> OpenPage:
    """The page as the first of a digest: by all routes of the digest that it leaves, and with what is left of its patience, where the first
    routes had not taken that. Paged again and again it would else never come to the second.
    """
    left = before.digest(replaced.digest) if replaced is not None and replaced.digest else None
    if left is None or not left.wanted or set(page.routes) <= set(left.accepted):
        return page
    page = page.model_copy(update={name: getattr(left, name) for name in ("routes", "failed", "since")})
    return page.model_copy(update={"next_at": (left.next_at or now + HURRY) if page.waiting else None})


def _opened(work: DigestDraft, case: Case, page: OpenPage, draw: str, desk: Desk) -> Digest:
    tier, now = case.route.tiers[page.tier], work.now
    digest = Digest(
        id=DIGEST + draw,
        desk=desk.whole,
        policy_sha256=case.route.policy_sha256,
        ladder=case.route.ladder,
        tier=page.tier,
        page=tier.page or BY_MAIL,
        email=tier.email,
        drill=case.parent if case.drill is not None else "",
        risk=case.route.risk,
        at=now,
        routes=page.routes,
        failed=page.failed,
        since=page.since,
        next_at=page.next_at,
        under_way=page.routes,
        sent_at=now,
    )
    opened: dict[str, Json] = {"ladder": digest.ladder, "tier": digest.tier + 1, "risk": digest.risk.value, "routes": names_of(page.routes)}
    event = work.record(EventKind.DIGEST_OPENED, digest, opened)
    work.send(digest, MessageKind.PAGE, page.routes, event)
    return digest


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


def _settled(work: DigestDraft, before: Case | None, after: Case) -> None:
    """Take from their digests the pages that are closed, and note of the others who has them."""
    now_open = {page.round: page for page in after.pages}
    for page in _pages(before):
        digest = work.governance.digest(page.digest) if page.digest else None
        if digest is None:
            continue
        stays = now_open.get(page.round)
        mine = next((one for one in digest.listed if (one.case, one.round) == (after.id, page.round)), None)
        if mine is None:
            continue
        if stays is None:
            _changed(work, digest, tuple(one for one in digest.listed if one is not mine), anew=True)
        elif (bool(stays.acknowledged_by), bool(stays.accepted)) != (mine.taken, mine.told):
            news = mine.model_copy(update={"taken": bool(stays.acknowledged_by), "told": bool(stays.accepted)})
            _changed(work, digest, tuple(news if one is mine else one for one in digest.listed), anew=news.taken != mine.taken)


def _came_back(work: DigestDraft, before: Case | None, after: Case) -> None:
    """List again the pages of a digest whose incident was reopened: with the first of them it is open here too."""
    known = {page.round for page in _pages(before)}
    for page in after.pages:
        digest = work.governance.digest(page.digest) if page.digest and page.round not in known else None
        if digest is not None:
            risk, taken = after.route.risk, bool(page.acknowledged_by)
            again = Listed(case=after.id, tier=page.tier, round=page.round, risk=risk, taken=taken, shown=True, told=True)
            _changed(work, digest.model_copy(update={"over_at": None}), (*digest.listed, again), anew=True)


def _changed(work: DigestDraft, digest: Digest, listed: tuple[Listed, ...], *, anew: bool) -> None:
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
            send_anew(work, digest)


def _pages(case: Case | None) -> tuple[OpenPage, ...]:
    return case.pages if case is not None else ()


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
