"""The incidents of a case: opening one, and settling all of them once the case is held, decided or elsewhere. Never when: that is for the
clocks and the verbs to say.
"""

from routing.case.case import Case, OpenPage
from routing.change import SYSTEM, Message, MessageKind
from routing.review.draft import Draft
from routing.vocabulary import EventKind


def open_page(draft: Draft) -> bool:
    """Page the tier the case is at, in a new round; False where the tier has no pager."""
    case = draft.case
    if case.rung.page is None:
        return False
    number = case.page_rounds + 1
    draft.put(pages=(*case.pages, OpenPage(tier=case.tier, round=number)), page_rounds=number)
    draft.put_clocks(page=None)
    event = draft.record(EventKind.PAGED, SYSTEM, {"tier": case.tier + 1, "round": number, "severity": case.rung.page.severity})
    destination = page_destination(case, case.tier)
    draft.send(Message(MessageKind.PAGE, destination, tier=case.tier, round=number, event=event, urgent=True))
    return True


def page_destination(case: Case, tier: int) -> str:
    """Where a page of this tier goes: `<ladder>/<tier counted from 1>`; the routing key is looked up when sending."""
    return f"{case.route.ladder}/{tier + 1}"


def close_pages(draft: Draft) -> None:
    """Resolve every open incident of the case."""
    for page in draft.case.pages:
        destination = page_destination(draft.case, page.tier)
        draft.send(Message(MessageKind.PAGE_RESOLVE, destination, tier=page.tier, round=page.round, urgent=True))
    draft.put(pages=())
