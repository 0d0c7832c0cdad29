"""What becomes of a page on its way: a route took it, refused it, or did not take it in time, and then it goes out another way beside.

The first routes go on being tried by the outbox until they take it or nobody needs it any more. Never silence: where no route is left, the
alarm in Slack is what remains, and it is raised with the first route that fails.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import OpenPage
from routing.change import SYSTEM, Change, Refused, Subject
from routing.review.draft import Draft
from routing.review.pages import HURRY, first_routes, further_route, open_page, page_message, patience, put_page
from routing.review.playbook import page_renumbered, page_taken
from routing.vocabulary import EventKind, PageRoute

RouteStep = Callable[[Subject, datetime], Change | Refused]

OPERATIONS = "operations"
"""Who is told where no route is left: the operations channel in Slack."""


def page_accepted(number: int, route: PageRoute, told: Sequence[str] = (), refused: int = 0) -> RouteStep:
    """A route took the page of round `number`. `told` are the addresses that an e-mail reached, `refused` how many it did not."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        page = next((one for one in subject.case.pages if one.round == number), None)
        if page is None or route in page.accepted:
            return refuse("unknown_page")
        draft = Draft(subject, now)
        taken = page.model_copy(update={"accepted": (*page.accepted, route)})
        put_page(draft, taken.model_copy(update={"next_at": page.next_at if taken.waiting else None}))
        fields: dict[str, Json] = {"tier": page.tier + 1, "round": number, "route": route.value}
        counts: dict[str, Json] = {"addresses": len(told), "refused": refused} if route is PageRoute.EMAIL else {}
        event = draft.record(EventKind.PAGE_ACCEPTED, SYSTEM, {**fields, **counts}, sealed={"to": list(told)} if told else None)
        page_taken(draft, number)
        if page.failed or route is PageRoute.EMAIL:
            draft.tell_operations("taken")
            draft.update_cards()
            draft.note(event)
        return draft.change()

    return step


def page_untold(number: int) -> RouteStep:
    """The digest that lists the page of round `number` is taken, over or does not get through, and nobody was told of this page by it: it
    rings anew, with what is left of its patience.
    """

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        page = next((one for one in case.pages if one.round == number), None)
        if page is None or not page.digest or page.accepted or page.acknowledged_by or page.tier != case.tier:
            return refuse("unknown_page")
        draft = Draft(subject, now)
        open_page(draft, page)
        draft.put(clocks=case.clocks)  # nobody has more time for it
        began = page.since or now
        again = draft.case.pages[-1].model_copy(update={"since": began, "next_at": max(now, began + patience(case.rung))})
        put_page(draft, again)
        page_renumbered(draft, number)
        draft.update_cards()
        return draft.change()

    return step


def page_failed(number: int, route: PageRoute, cause: str, tries: int, *, final: bool) -> RouteStep:
    """A try to send the page of round `number` this way failed; `final`: it was refused. The first routes get their time unless they
    refuse, any other fails with its first try. `cause` holds no content.
    """

    def step(subject: Subject, now: datetime) -> Change | Refused:
        page = next((one for one in subject.case.pages if one.round == number), None)
        if page is None or route not in page.waiting:
            return refuse("unknown_page")
        if not final and route in first_routes(subject.case.route.tiers[page.tier]):
            return refuse("not_due")
        draft = Draft(subject, now)
        hand_on(draft, page, (route,), cause, tries)
        return draft.change()

    return step


def hand_on_overdue(draft: Draft) -> None:
    """Pages that waited long enough take another route."""
    for page in draft.case.pages:
        if page.next_at is not None and page.next_at <= draft.now:
            had = HURRY if page.failed or page.since is None else draft.now - page.since
            hand_on(draft, page, page.waiting, f"not accepted within {had.total_seconds():.0f} s", None)


def hand_on(draft: Draft, page: OpenPage, failed: tuple[PageRoute, ...], cause: str, tries: int | None) -> None:
    """These routes of the page failed: take the next, if somebody is still to be found, and tell operations."""
    tier = draft.case.route.tiers[page.tier]
    taken = bool(page.acknowledged_by) or (draft.case.tier == page.tier and bool(draft.case.acknowledged_by))
    following = None if taken else further_route(tier, page)
    after = page.model_copy(update={"failed": (*page.failed, *failed)})
    if following is not None:
        after = after.model_copy(update={"routes": (*page.routes, following), "next_at": draft.now + HURRY})
    elif not after.waiting or taken:
        after = after.model_copy(update={"next_at": None})
    put_page(draft, after)
    to = following.value if following is not None else OPERATIONS
    fields: dict[str, Json] = {"tier": page.tier + 1, "round": page.round, "routes": [route.value for route in failed]}
    event = draft.record(EventKind.PAGE_NOT_ACCEPTED, SYSTEM, {**fields, "cause": cause, "tries": tries, "next": to})
    if following is not None:
        draft.send(page_message(draft.case, after, following, event))
    draft.update_cards()
    draft.note(event)
    draft.tell_operations("failed")
