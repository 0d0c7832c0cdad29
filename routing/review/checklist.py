"""The checklist of a step (V5): whether it was answered, and what follows when an item failed. Then a case never goes on."""

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import Case
from routing.case.people import Press
from routing.change import Actor, Refused
from routing.review.draft import Draft
from routing.review.event_fields import pressed, words
from routing.review.ladder import hold, move_up, tier_clocks
from routing.vocabulary import EventKind

ANSWERS = frozenset({"pass", "fail", "na"})


def unanswered(press: Press, case: Case) -> Refused | None:
    """What refuses a press at a step whose checklist it does not answer, item by item."""
    wanted = {item.id for item in case.route.steps[case.step].checklist}
    given = press.checklist or {}
    complete = wanted == given.keys() and set(given.values()) <= ANSWERS
    return None if not wanted or complete else refuse("checklist_required")


def failed_items(press: Press, case: Case) -> list[str]:
    """Ids of the items of the step that failed, in the order of the checklist."""
    given = press.checklist or {}
    return [item.id for item in case.route.steps[case.step].checklist if given.get(item.id) == "fail"]


def send_back(draft: Draft, press: Press, actor: Actor, failed: list[str]) -> None:
    """Back to the triage step where there is one before, else up; at the top the case is held. The votes of the step are void."""
    case = draft.case
    items: list[Json] = [*failed]
    fields = pressed(press, case) | {"items": items, "checklist": dict(press.checklist or {})}
    event = draft.record(EventKind.VERIFICATION_FAILED, actor, fields, sealed=words(press))
    back = next((place for place in range(case.step - 1, -1, -1) if case.route.steps[place].name == "triage"), None)
    first_void = case.step if back is None else back
    draft.put(votes=tuple(vote for vote in case.votes if vote.step < first_void), step=first_void)
    if back is not None:
        draft.put(claimed_by="", acknowledged_by="")
        draft.put(clocks=tier_clocks(draft.case, draft.now))
        draft.update_cards()
        draft.note(event)
    elif case.tier + 1 < len(case.route.tiers):
        move_up(draft, case.tier + 1, event)
    else:
        hold(draft, "verification_failed")
