"""The pages of a case: opening one, the routes it takes until somebody has it, and settling all of them once the case is held, decided or
elsewhere. Never when a tier is paged: that is for the clocks and the verbs to say.
"""

from datetime import timedelta

from routing.canonical import Json
from routing.case.case import Case, OpenPage, Tier
from routing.change import SYSTEM, Message, MessageKind
from routing.review.draft import Draft
from routing.vocabulary import EventKind, PageRoute

PATIENCE = timedelta(minutes=5)
"""How long the first routes of a page have at most; then it takes another beside them (promise P3)."""

HURRY = timedelta(seconds=30)
"""How long every further route has."""

RUNG_BY_PAGERDUTY = (PageRoute.PAGERDUTY, PageRoute.SECOND_KEY)


def open_page(draft: Draft, instead_of: OpenPage | None = None) -> bool:
    """Page the tier the case is at, in a new round; False where there is no way to. Of a tier that is paged again and again the new page
    goes on from where one before was that its first routes had not taken: to all routes of that one, and with what is left of its patience.
    `instead_of`: the page of that tier which it takes the place of, of any tier.
    """
    case, tier = draft.case, draft.case.rung
    if not tier.can_page:
        return False
    number = case.page_rounds + 1
    repeated = next((page for page in case.pages if page.tier == case.tier), None) if tier.repeat is not None else None
    before = instead_of or repeated
    if before is not None:
        close_page(draft, before)
    page = OpenPage(tier=case.tier, round=number, routes=first_routes(tier), since=draft.now, next_at=draft.now + patience(tier))
    own = before is not None and not before.digest  # a digest has its own routes, and its own patience
    if before is not None and own and not before.acknowledged_by and not set(page.routes) <= set(before.accepted):
        page = page.model_copy(update={name: getattr(before, name) for name in ("routes", "failed", "since")})
        page = page.model_copy(update={"next_at": before.next_at if page.waiting else None})
    draft.put(pages=(*draft.case.pages, page), page_rounds=number)
    if tier.repeat is None:
        draft.put_clocks(page=None)
    severity = tier.page.severity if tier.page is not None else "error"
    again: dict[str, Json] = {"instead_of": before.round} if before is not None else {}
    fields = {"tier": case.tier + 1, "round": number, "severity": severity, **again, **_by(page)}
    event = draft.record(EventKind.PAGED, SYSTEM, fields)
    for route in page.routes:
        draft.send(page_message(case, page, route, event))
    return True


def patience(tier: Tier) -> timedelta:
    """How long the first routes have: half of the time to acknowledge where that is short, or nobody would be told before it is over."""
    return PATIENCE if tier.ack_s is None else min(PATIENCE, max(HURRY, timedelta(seconds=tier.ack_s / 2)))


def first_routes(tier: Tier) -> tuple[PageRoute, ...]:
    """What a page of this tier is given to at once: PagerDuty, e-mail where there is no other way, both where it is repeated."""
    by_mail = tier.email and (tier.page is None or tier.repeat is not None)
    return (PageRoute.PAGERDUTY,) * (tier.page is not None) + (PageRoute.EMAIL,) * by_mail


def further_route(tier: Tier, page: OpenPage) -> PageRoute | None:
    """The next route of a page, None when it has taken all there are."""
    there = (PageRoute.SECOND_KEY,) * (tier.page is not None and tier.page.second_key) + (PageRoute.EMAIL,) * tier.email
    return next((route for route in there if route not in page.routes), None)


def page_destination(case: Case, tier: int, route: PageRoute = PageRoute.PAGERDUTY) -> str:
    """Where a page of this tier goes: `<ladder>/<tier counted from 1>`, for the second key with `/second_key` behind it; the key and the
    addresses are looked up when sending.
    """
    return f"{case.route.ladder}/{tier + 1}{'/second_key' if route is PageRoute.SECOND_KEY else ''}"


def route_of(message: Message) -> PageRoute:
    """The route that a message about a page takes."""
    if message.kind is MessageKind.EMAIL:
        return PageRoute.EMAIL
    return PageRoute.SECOND_KEY if message.destination.endswith("/second_key") else PageRoute.PAGERDUTY


def page_message(case: Case, page: OpenPage, route: PageRoute, event: int) -> Message:
    """What takes a page this way. `event` is the position of the event it speaks of."""
    kind = MessageKind.EMAIL if route is PageRoute.EMAIL else MessageKind.PAGE
    return Message(kind, page_destination(case, page.tier, route), tier=page.tier, round=page.round, event=event, urgent=True)


def follow_up(draft: Draft, page: OpenPage, kind: MessageKind, *, but: PageRoute | None = None) -> None:
    """Acknowledge or resolve the incidents of a page, but that of the route `but`, where it came from; what went out by e-mail stays."""
    for route in page.routes:
        if route in RUNG_BY_PAGERDUTY and route is not but:
            destination = page_destination(draft.case, page.tier, route)
            draft.send(Message(kind, destination, tier=page.tier, round=page.round, urgent=True))


def close_page(draft: Draft, page: OpenPage) -> None:
    """Resolve one page of the case."""
    follow_up(draft, page, MessageKind.PAGE_RESOLVE)
    draft.put(pages=tuple(one for one in draft.case.pages if one.round != page.round))


def close_pages(draft: Draft) -> None:
    """Resolve every open page of the case."""
    for page in draft.case.pages:
        close_page(draft, page)


def put_page(draft: Draft, page: OpenPage) -> None:
    """Put `page` in the place of the one with its round."""
    draft.put(pages=tuple(page if one.round == page.round else one for one in draft.case.pages))


def _by(page: OpenPage) -> dict[str, Json]:
    """The routes, where they are not PagerDuty alone."""
    return {} if page.routes == (PageRoute.PAGERDUTY,) else {"routes": [route.value for route in page.routes]}
