"""What time does to a case when nobody does anything: `on_time`, the one place where clocks act. It cannot approve."""

from datetime import datetime

from routing.authorize import refuse
from routing.change import SYSTEM, Change, Refused, Subject
from routing.clock import after
from routing.review.draft import Draft
from routing.review.ladder import climb, close_pages, expire, hold, hold_clock, open_page, resumed_clocks
from routing.review.placement import place
from routing.review.related.near_duplicates import untie
from routing.review.related.parent_case import settle
from routing.vocabulary import ClockName, EventKind, Exhausted, State

INTERIM_PERCENT = 50
FINAL_PERCENT = 90


def on_time(subject: Subject, now: datetime) -> Change | Refused:
    """Apply the weightiest clock that is due; what is still due afterwards is applied by the next call.

    Order: the service's deadline, the total, decide, acknowledge, information, hold, the next page, reminders.
    """
    case = subject.case
    due = case.due_at
    if due is None or due > now:
        return refuse("not_due")
    clocks = case.clocks
    draft = Draft(subject, now)
    if _past(clocks.deadline, now):
        untie(draft, "deadline")
        expire(draft, "deadline")
    elif _past(clocks.total, now):
        untie(draft, "total")
        _run_out(draft)
    elif _past(clocks.decide, now):
        climb(draft, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": "decide", "tier": case.tier + 1}))
    elif _past(clocks.acknowledge, now):
        _unacknowledged(draft)
    elif _past(clocks.information, now):
        _uninformed(draft)
    elif _past(clocks.hold, now):
        _ask_again(draft)
    elif _past(clocks.page, now):
        open_page(draft)
        draft.put_clocks(page=None)
    else:
        _remind(draft)
    settle(draft)
    return draft.change()


def _past(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _unacknowledged(draft: Draft) -> None:
    """A tier with a pager that has not been paged yet is paged first; otherwise the case climbs."""
    case = draft.case
    paged = any(page.tier == case.tier for page in case.pages)
    if case.rung.page is not None and not paged:
        open_page(draft)
        again = after(case.calendar(ClockName.ACKNOWLEDGE), draft.now, case.rung.ack_s) if case.rung.ack_s is not None else None
        draft.put_clocks(acknowledge=again)
        draft.update_cards()
        return
    climb(draft, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": "acknowledge", "tier": case.tier + 1}))


def _uninformed(draft: Draft) -> None:
    """The information did not come: people decide with what there is."""
    case = draft.case
    event = draft.record(EventKind.EXPIRED, SYSTEM, {"clock": "information"})
    if case.tier_since is None:
        _show(draft)
        return
    draft.put(state=State.PENDING, clocks=resumed_clocks(case, draft.now), acknowledged_by="")  # somebody has to take it up again
    draft.update_cards()
    draft.note(event)


def _run_out(draft: Draft) -> None:
    """The total time is over: the ladder's safe state now, at whatever tier, whatever else the case waits for.

    What a freeze or a quarantine holds stays where it is.
    """
    case = draft.case
    if case.route.exhausted is Exhausted.REJECT:
        expire(draft, "total")
        return
    event = draft.record(EventKind.EXPIRED, SYSTEM, {"clock": "total"})
    if case.held_by == "frozen":
        draft.put_clocks(total=None)
        draft.note(event)
        return
    if case.tier_since is None:
        _show(draft)
    if draft.case.open and draft.case.held_by != "frozen":
        hold(draft, "total_passed", "quarantine" if case.route.exhausted is Exhausted.QUARANTINE else "ladder")


def _show(draft: Draft) -> None:
    """People get a case that waited for information before anybody saw it."""
    draft.put_clocks(information=None)
    draft.put(route=draft.case.route.model_copy(update={"missing": ()}))
    place(draft)


def _ask_again(draft: Draft) -> None:
    """A held case is never forgotten: its top tier is reminded and paged again until somebody takes it up."""
    draft.put_clocks(hold=hold_clock(draft.case, draft.now))
    draft.note(draft.record(EventKind.REMINDED, SYSTEM, {"clock": "hold", "tier": draft.case.tier + 1}))
    close_pages(draft)  # else a case held for a month would have an incident for every time it asked
    open_page(draft)


def _remind(draft: Draft) -> None:
    case = draft.case
    left = tuple(at for at in case.clocks.reminders if at > draft.now)
    percent = FINAL_PERCENT if not left else INTERIM_PERCENT
    draft.put_clocks(reminders=left)
    draft.note(draft.record(EventKind.REMINDED, SYSTEM, {"clock": "decide", "percent": percent, "tier": case.tier + 1}))
