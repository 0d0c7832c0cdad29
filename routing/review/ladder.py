"""How a case moves on its ladder: arriving at a tier, acknowledging, climbing, the safe state at the top.

Owns the clocks of a tier. It gives no verdict except that nobody answered.
"""

from datetime import datetime
from typing import Literal

from routing.authority import IncidentKind
from routing.canonical import Json
from routing.case.case import Case, Clocks
from routing.change import SYSTEM, Actor, Message, MessageKind
from routing.clock import after, after_each, between
from routing.review.closed_hours import closes_at, landing
from routing.review.departure import announce_where_dark
from routing.review.draft import Draft
from routing.review.outlook import repeated_at
from routing.review.pages import close_pages, follow_up, open_page
from routing.review.playbook import begin, page_whoever_is_asked
from routing.review.verdict import conclude
from routing.vocabulary import CallbackKind, CaseKind, ClockName, EventKind, Exhausted, State, Verdict

REMINDERS = (0.5, 0.9)
"""Parts of the decide clock at which the tier is reminded (requirement E4)."""


def tier_clocks(case: Case, now: datetime) -> Clocks:
    """Fresh clocks of the tier and step the case is at, counted from `now`; the service's deadline stays, and the total if it runs."""
    ack_s, decide_s = case.rung.ack_s, case.decide_s
    *reminders, decide = after_each(case.calendar(ClockName.DECIDE), now, [*(decide_s * part for part in REMINDERS), decide_s])
    return Clocks(
        deadline=case.clocks.deadline,
        total=case.clocks.total or total_clock(case, now),
        acknowledge=after(case.calendar(ClockName.ACKNOWLEDGE), now, ack_s) if ack_s is not None else None,
        decide=decide,
        reminders=tuple(reminders),
        closed=closes_at(case, now),
        page=repeated_at(case, now),
        claim=case.clocks.claim if case.claimed_by else None,  # whoever has it keeps it, and no longer than that
    )


def resumed_clocks(case: Case, now: datetime) -> Clocks:
    """The clocks after a question: the decide clock goes on with what was left when it paused, and so do its reminders."""
    fresh, left_s, paused_at = tier_clocks(case, now), case.clocks.left_s, case.clocks.paused_at
    if left_s is None:
        return fresh
    calendar, used_s = case.calendar(ClockName.DECIDE), case.decide_s - left_s
    ahead = [case.decide_s * part - used_s for part in REMINDERS]
    reminders = tuple(after(calendar, now, wait_s) for wait_s in ahead if wait_s > 0)
    paused_s = case.clocks.paused_s + (between(calendar, paused_at, now) if paused_at is not None else 0.0)
    return fresh.model_copy(update={"decide": after(calendar, now, left_s), "reminders": reminders, "paused_s": paused_s})


def total_clock(case: Case, now: datetime) -> datetime | None:
    """When the case must be decided or safe: as it runs already, or sooner if its route has become stricter; never later."""
    if case.route.total_s is None:
        return case.clocks.total
    fresh = after(case.calendar(ClockName.TOTAL), now, case.route.total_s)
    return min(fresh, case.clocks.total or fresh)


def arrive(draft: Draft, tier: int, *, page: bool) -> int | None:
    """Put the case at `tier` (0-based), or at the one that has its cases while that is closed: fresh clocks, a card in its channel and, if
    wanted and the tier has one, a page. The answer is the event that says it was closed, for the caller to note; None where it is open.
    """
    asked, tier = tier, landing(draft.case, tier, draft.now)
    handed = _closed(draft, asked, tier) if tier != asked else None
    page = page or handed is not None
    stands = draft.case.tier_since is not None and tier <= draft.case.tier
    first = tier if draft.case.tier_since is None else draft.case.first_tier
    moved = {"state": State.PENDING, "held_by": "", "tier": tier, "tier_since": draft.now, "first_tier": first}
    draft.put(**moved, acknowledged_by="", claimed_by="", unseen=False)
    draft.put(clocks=tier_clocks(draft.case, draft.now))
    announce_where_dark(draft, posted=stands)
    if stands:
        draft.update_cards()
    else:
        draft.send(Message(MessageKind.CARD, draft.case.rung.channel, tier=tier, urgent=page or tier > draft.case.first_tier))
    if page or draft.case.rung.repeat is not None:
        open_page(draft)
    page_whoever_is_asked(draft)
    return handed


def stay(draft: Draft) -> None:
    """A case goes on at the tier where people have it already: until that closes; where it is closed, the case does not wait there."""
    case = draft.case
    if case.state is not State.PENDING or case.tier_since is None or case.tied_to:
        return
    if (tier := landing(case, case.tier, draft.now)) != case.tier:
        hand_over(draft, tier)
    else:
        draft.put_clocks(closed=closes_at(case, draft.now))


def hand_over(draft: Draft, tier: int) -> None:
    """To the tier (0-based) that has the case while its own is closed, with everything known. It does not come back in the morning."""
    move_up(draft, tier, _closed(draft, draft.case.tier, tier))


def _closed(draft: Draft, tier: int, to: int) -> int:
    return draft.record(EventKind.ESCALATED, SYSTEM, {"clock": "closed", "tier": tier + 1, "to_tier": to + 1})


def acknowledge(draft: Draft, actor: Actor) -> None:
    """Somebody of the tier is on it: the acknowledge clock stops, every open incident of the tier is acknowledged too. Who has it here
    takes over from whoever had it in PagerDuty, where an acknowledgement may run out.
    """
    case = draft.case
    if case.state is not State.PENDING:
        return
    if case.acknowledged_by:
        if in_pagerduty(case.acknowledged_by) and not in_pagerduty(actor.id):
            draft.put(acknowledged_by=actor.id)
        return
    waiting = [page for page in case.pages if page.tier == case.tier and not page.acknowledged_by]
    seen = {"acknowledged_by": actor.id, "next_at": None}  # whoever else the page would have reached can sleep on
    pages = tuple(page.model_copy(update=seen) if page in waiting else page for page in case.pages)
    draft.put(acknowledged_by=actor.id, pages=pages)
    draft.put_clocks(acknowledge=None, page=None)
    draft.record(EventKind.ACKNOWLEDGED, actor, {"tier": case.tier + 1})
    for page in waiting:
        follow_up(draft, page, MessageKind.PAGE_ACKNOWLEDGE)


def in_pagerduty(person: str) -> bool:
    """Whether it is an acknowledgement in PagerDuty that names this person."""
    return person.startswith("pagerduty:")


def climb(draft: Draft, event: int) -> None:
    """To the next tier, which there must be, with everything known. `event` says why."""
    move_up(draft, draft.case.tier + 1, event)


def move_up(draft: Draft, tier: int, event: int) -> None:
    """Leave the present tier for a higher one: its incidents are resolved, its card points to the new one."""
    left = draft.case
    close_pages(draft)
    handed = arrive(draft, tier, page=True)
    for lower in range(left.first_tier, left.tier + 1):
        draft.send(Message(MessageKind.CARD_UPDATE, left.route.tiers[lower].channel, tier=lower, urgent=True))
    draft.note(event)
    if handed is not None:
        draft.note(handed)


def hold_clock(case: Case, now: datetime) -> datetime:
    """When people are asked about a held case again."""
    return after(case.calendar(ClockName.HOLD), now, case.route.hold_s)


def hold(
    draft: Draft, reason: str, by: Literal["ladder", "quarantine", "frozen"] = "ladder", *, clock: Literal["", "acknowledge", "decide"] = ""
) -> None:
    """Nobody can decide until the case is taken up again; the service is told, the total ends, its own review clock runs, its incidents are
    settled. `clock` is the one of the top tier that ran out, where that is why.

    In a frozen workflow nothing moves and nobody is asked again: only the deadline and the total run on.
    """
    case, frozen = draft.case, by == "frozen"
    close_pages(draft)
    again, total = (None, case.clocks.total) if frozen else (hold_clock(case, draft.now), None)
    clocks = Clocks(deadline=case.clocks.deadline, total=total, hold=again)
    draft.put(state=State.HELD, held_by=by, clocks=clocks, acknowledged_by="", claimed_by="")
    told: dict[str, Json] = {"ran_out": clock} if clock else {}
    event = draft.record(EventKind.HELD, SYSTEM, {"reason": reason, "tier": case.tier + 1, **told})
    draft.update_cards()
    draft.note(event)
    draft.call_back(CallbackKind.HELD, event)


def expire(draft: Draft, clock: str, *, ran_out: Literal["", "acknowledge", "decide"] = "") -> None:
    """Nobody answered in time: the verdict is `expired`, never an approval. `ran_out`: which clock of the top tier, where that is why."""
    told: dict[str, Json] = {"ran_out": ran_out} if ran_out else {}
    draft.record(EventKind.EXPIRED, SYSTEM, {"clock": clock, **told})
    conclude(draft, Verdict.EXPIRED, SYSTEM, reason_code=f"{clock}_passed")


def exhaust(draft: Draft, clock: Literal["acknowledge", "decide"]) -> None:
    """From the top tier, whose clock ran out, into the safe state of the policy."""
    if draft.case.kind is CaseKind.CASE:
        draft.call_for_postmortem(
            IncidentKind.EXHAUSTED, f"No tier of the ladder was left for the case {draft.case.id}: nobody decided in time."
        )
    if draft.case.rung.repeat is not None and draft.case.kind is not CaseKind.DRILL:
        draft.exhaust(draft.case.route.exhausted)
    match draft.case.route.exhausted:
        case Exhausted.HOLD:
            hold(draft, "ladder_exhausted_hold", clock=clock)
        case Exhausted.QUARANTINE:
            hold(draft, "ladder_exhausted_quarantine", "quarantine", clock=clock)
        case Exhausted.REJECT:
            expire(draft, "ladder", ran_out=clock)
    begin(draft, exhausted=True)
