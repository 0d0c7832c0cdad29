"""What time does to a case when nobody does anything: `on_time`, the one place where clocks act. It cannot approve."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from routing.authorize import refuse
from routing.change import SYSTEM, Change, Refused, Subject
from routing.review.claiming import give_back
from routing.review.departure import announce_where_dark
from routing.review.draft import Draft
from routing.review.ladder import climb, exhaust, expire, hand_over, hold, hold_clock, resumed_clocks, stay
from routing.review.outlook import Upcoming, clocks_once_paged, due, goes_to
from routing.review.page_routes import hand_on_overdue
from routing.review.pages import close_pages, open_page
from routing.review.placement import place
from routing.review.playbook import begin
from routing.review.related.near_duplicates import untie
from routing.review.related.parent_case import settle
from routing.review.verdict import release
from routing.vocabulary import Consequence, EventKind, Exhausted, State

INTERIM_PERCENT = 50
FINAL_PERCENT = 90
DAILY = timedelta(days=1)


def on_time(subject: Subject, now: datetime) -> Change | Refused:
    """Apply the weightiest clock that is due, as `routing.review.outlook` has announced it; what is still due afterwards is applied by the
    next call.
    """
    move = due(subject.case, now)
    if move is None:
        return refuse("not_due")
    draft = Draft(subject, now)
    if move.clock in ("deadline", "total"):
        untie(draft, move.clock)
    _apply(draft, move)
    settle(draft)
    return draft.change()


def _apply(draft: Draft, move: Upcoming) -> None:  # noqa: C901, PLR0912 - one line for each thing that comes
    match move.consequence:
        case Consequence.REROUTED:
            hand_on_overdue(draft)
        case Consequence.EXPIRED | Consequence.HELD | Consequence.QUARANTINED if move.clock in ("decide", "acknowledge"):
            exhaust(draft, move.clock)
        case Consequence.EXPIRED:
            expire(draft, move.clock)
        case Consequence.HELD | Consequence.QUARANTINED | Consequence.NOTED:
            _run_out(draft)
        case Consequence.ESCALATED:
            _escalate(draft, move)
        case Consequence.PAGED:
            _page(draft, move)
        case Consequence.REVIEWED | Consequence.DECIDED if move.clock == "total":
            _run_out(draft)
        case Consequence.REVIEWED | Consequence.DECIDED:
            _uninformed(draft)
        case Consequence.ASKED_AGAIN:
            _ask_again(draft)
        case Consequence.REMINDED:
            _remind(draft)
        case Consequence.RELEASED:
            release(draft)
        case Consequence.RETURNED:
            give_back(draft, "idle")
        case unknown:
            assert_never(unknown)


def _escalate(draft: Draft, move: Upcoming) -> None:
    if move.clock == "closed":
        hand_over(draft, goes_to(draft.case, move))
    else:
        climb(draft, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": move.clock, "tier": draft.case.tier + 1}))


def _page(draft: Draft, move: Upcoming) -> None:
    """A tier with a pager that has not been paged yet is paged before the case climbs; and again when an incident was resolved there."""
    clocks = clocks_once_paged(draft.case, replace(move, at=draft.now))
    open_page(draft)
    draft.put(clocks=clocks)
    draft.update_cards()


def _uninformed(draft: Draft) -> None:
    """The information did not come: people decide with what there is."""
    case = draft.case
    event = draft.record(EventKind.EXPIRED, SYSTEM, {"clock": "information"})
    if case.tier_since is None:
        _show(draft)
        return
    somebody_again = {"acknowledged_by": "", "claimed_by": ""}  # has to take it up
    draft.put(state=State.PENDING, clocks=resumed_clocks(case, draft.now), **somebody_again)
    announce_where_dark(draft, posted=True)
    draft.update_cards()
    draft.note(event)
    stay(draft)


def _run_out(draft: Draft) -> None:
    """The total time is over: the ladder's safe state now, at whatever tier, whatever else the case waits for.

    What a freeze or a quarantine holds stays where it is.
    """
    case = draft.case
    if case.route.exhausted is Exhausted.REJECT:
        expire(draft, "total")
        begin(draft, exhausted=True)
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
        begin(draft, exhausted=True)


def _show(draft: Draft) -> None:
    """People get a case that waited for information before anybody saw it."""
    draft.put_clocks(information=None)
    draft.put(route=draft.case.route.model_copy(update={"missing": ()}))
    place(draft)


def _ask_again(draft: Draft) -> None:
    """What is held is never forgotten: its top tier is reminded and paged again until somebody takes it up. So is an overdue review of
    break-glass, every day, until somebody answers.
    """
    if draft.case.state is State.HELD:
        told = "hold"
        draft.put_clocks(hold=hold_clock(draft.case, draft.now))
    else:
        told = "decide"
        draft.put_clocks(decide=draft.now + DAILY, reminders=())
        draft.update_cards()
    draft.note(draft.record(EventKind.REMINDED, SYSTEM, {"clock": told, "tier": draft.case.tier + 1}))
    close_pages(draft)  # else a case held for a month would have an incident for every time it asked
    open_page(draft)


def _remind(draft: Draft) -> None:
    case = draft.case
    left = tuple(at for at in case.clocks.reminders if at > draft.now)
    percent = FINAL_PERCENT if not left else INTERIM_PERCENT
    draft.put_clocks(reminders=left)
    draft.note(draft.record(EventKind.REMINDED, SYSTEM, {"clock": "decide", "percent": percent, "tier": case.tier + 1}))
