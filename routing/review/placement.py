"""Where a case goes that nobody has seen yet: decided at once, waiting for information, on its ladder, or held. Never routes."""

from routing.authority import Automation
from routing.change import SYSTEM
from routing.clock import after
from routing.review.draft import Draft
from routing.review.ladder import arrive, expire, hold
from routing.review.verdict import conclude
from routing.vocabulary import ClockName, Lane, State, Verdict


def place(draft: Draft) -> None:
    """Put the case where its route says; in a frozen workflow it is held, whatever the route says."""
    case = draft.case
    if case.clocks.deadline is not None and case.clocks.deadline <= draft.now:
        expire(draft, "deadline")
        return
    if draft.subject.automation is Automation.FROZEN:
        hold(draft, "workflow_frozen", "frozen")
        return
    if case.route.missing and case.route.lane is not Lane.STOP:  # what stops the line is looked at whatever else is missing
        limit = after(case.calendar(ClockName.INFORMATION), draft.now, case.route.information_s)
        draft.put(state=State.NEEDS_INFO)
        draft.put_clocks(information=limit)
        return
    match case.route.lane:
        case Lane.AUTO:
            conclude(draft, Verdict.AUTO_APPROVED, SYSTEM)
        case Lane.REJECT:
            conclude(draft, Verdict.AUTO_REJECTED, SYSTEM, reason_code="policy")
        case Lane.REVIEW | Lane.SPECIALIST | Lane.EXPERT | Lane.STOP:
            handed = arrive(draft, case.route.start, page=case.route.page_at_start)
            if handed is not None:
                draft.note(handed)
