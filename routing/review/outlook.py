"""What will happen to a case by itself, and when: the one answer for the engine, which does it, and for every surface that says it.

`routing.review.timing` applies what `due` gives; cards, pages, answers to services and to people say what `upcoming` and `outlook` give. So
nothing is said of a clock that the engine would not do, and nothing comes earlier than what was said. Pure; it knows the case alone, so a
person's press or a brake may always come first, and then the surfaces are drawn anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.case.case import Case, Clocks, OpenPage
from routing.clock import after
from routing.review.closed_hours import landing
from routing.vocabulary import CaseKind, ClockName, Consequence, Exhausted, Lane, State

Running = Literal[
    "deadline",
    "total",
    "decide",
    "closed",
    "acknowledge",
    "information",
    "hold",
    "page",
    "unseen",
    "reminder",
    "route",
    "claim",
    "undo",
]
"""The clocks of `routing.case.case.Clocks` and that of a page on its way, the weightiest first: of several that ran out, that one acts."""

SAFE: dict[Exhausted, Consequence] = {
    Exhausted.HOLD: Consequence.HELD,
    Exhausted.QUARANTINE: Consequence.QUARANTINED,
    Exhausted.REJECT: Consequence.EXPIRED,
}
"""What a ladder without a further tier comes to."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What happens at `at` (aware UTC) if nobody acts before, and whose clock it is."""

    at: datetime
    clock: Running
    consequence: Consequence


_QUIET = (Consequence.REMINDED, Consequence.NOTED, Consequence.REROUTED, Consequence.RETURNED, Consequence.RELEASED)


def due(case: Case, now: datetime) -> Upcoming | None:
    """What is to be done at `now`: that of the weightiest clock that has run out; None when none has. That a case leaves a channel which
    does not show its card is done by `routing.review.unseen`, which knows where it can go.
    """
    return next((one for one in _running(case) if one.at <= now and one.clock != "unseen"), None)


def upcoming(case: Case) -> Upcoming | None:
    """The earliest thing that happens to the case if nobody acts; None when nothing ever does. A reminder is none: it asks, and changes
    nothing. Nor is another route of a page.
    """
    told = [one for one in _running(case) if one.consequence not in _QUIET]
    return min(told, key=lambda one: one.at, default=None)  # of equals the first, which is the weightiest


def outlook(case: Case) -> tuple[Upcoming, ...]:
    """Everything that happens from here if nobody acts, in order: the pages before, and last what takes the case away from here."""
    first = upcoming(case)
    if first is None or first.consequence is not Consequence.PAGED:
        return (first,) if first is not None else ()
    paged = case.model_copy(update={"pages": (*case.pages, OpenPage(tier=case.tier, round=case.page_rounds + 1))})
    return (first, *outlook(paged.model_copy(update={"clocks": clocks_once_paged(case, first)})))


def if_taken(case: Case) -> Upcoming | None:
    """The earliest thing that still happens once somebody has taken the case, so that only its decision is owed."""
    return upcoming(case.model_copy(update={"clocks": case.clocks.model_copy(update={"acknowledge": None, "page": None})}))


def goes_to(case: Case, move: Upcoming) -> int:
    """The tier (0-based) that has the case once that move has escalated it. Where `unseen` leads, `routing.review.unseen` knows."""
    return landing(case, case.tier if move.clock == "closed" else case.tier + 1, move.at)


def clocks_once_paged(case: Case, page: Upcoming) -> Clocks:
    """The clocks after that page went out at its time: whoever is on call has the tier's time to acknowledge, once."""
    if case.rung.repeat is not None and case.state is State.PENDING:
        again = repeated_at(case, page.at)
        last = again is None or (case.clocks.acknowledge is not None and again >= case.clocks.acknowledge)
        return case.clocks.model_copy(update={"page": None if last else again})
    if page.clock != "acknowledge" or case.rung.ack_s is None:
        return case.clocks.model_copy(update={"page": None})
    again = after(case.calendar(ClockName.ACKNOWLEDGE), page.at, case.rung.ack_s)
    return case.clocks.model_copy(update={"page": None, "acknowledge": again})


def repeated_at(case: Case, now: datetime) -> datetime | None:
    """When the tier is paged once more after a page at `now`, None where its policy has it paged once."""
    repeat = case.rung.repeat
    return None if repeat is None else after(case.calendar(ClockName.ACKNOWLEDGE), now, repeat.every_s)


def _running(case: Case) -> Iterator[Upcoming]:
    """Every clock that runs with what it comes to, the weightiest first."""
    if case.undo is not None:
        yield Upcoming(case.undo.until, "undo", Consequence.RELEASED)
    elif case.open:
        yield from _of_an_open_case(case)


def _of_an_open_case(case: Case) -> Iterator[Upcoming]:
    clocks = case.clocks
    if clocks.deadline is not None:
        yield Upcoming(clocks.deadline, "deadline", Consequence.EXPIRED)
    if clocks.total is not None:
        yield Upcoming(clocks.total, "total", _run_out(case))
    if clocks.decide is not None:
        yield Upcoming(clocks.decide, "decide", _climbed(case))
    if clocks.closed is not None:
        yield Upcoming(clocks.closed, "closed", Consequence.ESCALATED)
    if clocks.acknowledge is not None:
        yield Upcoming(clocks.acknowledge, "acknowledge", _climbed(case) if _rung_already(case) else Consequence.PAGED)
    others: tuple[tuple[datetime | None, Running, Consequence], ...] = (
        (clocks.information, "information", _unseen(case) or Consequence.REVIEWED),
        (clocks.hold, "hold", Consequence.ASKED_AGAIN),
        (clocks.page, "page", Consequence.PAGED),
        (clocks.unseen, "unseen", Consequence.ESCALATED),
    )
    yield from (Upcoming(at, clock, consequence) for at, clock, consequence in others if at is not None)
    if clocks.reminders:
        yield Upcoming(clocks.reminders[0], "reminder", Consequence.REMINDED)
    if routes := [page.next_at for page in case.pages if page.next_at is not None]:
        yield Upcoming(min(routes), "route", Consequence.REROUTED)
    if clocks.claim is not None:
        yield Upcoming(clocks.claim, "claim", Consequence.RETURNED)


def _climbed(case: Case) -> Consequence:
    if case.kind is CaseKind.REVIEW:
        return Consequence.ASKED_AGAIN  # what was decided by break-glass is asked about until somebody has answered
    return Consequence.ESCALATED if case.tier + 1 < len(case.route.tiers) else SAFE[case.route.exhausted]


def _rung_already(case: Case) -> bool:
    """Whether there is nobody left to page at this tier: it has no pager, or its page is out."""
    rung = case.rung
    return not rung.can_page or rung.repeat is not None or any(page.tier == case.tier for page in case.pages)


def _run_out(case: Case) -> Consequence:
    """What the total comes to; what a freeze holds stays where it is."""
    if case.route.exhausted is Exhausted.REJECT:
        return Consequence.EXPIRED
    if case.state is State.HELD and case.held_by == "frozen":
        return Consequence.NOTED
    return _unseen(case) or SAFE[case.route.exhausted]


def _unseen(case: Case) -> Consequence | None:
    """A case that nobody was shown and whose route asks nobody is decided by the policy once it waits no longer."""
    by_itself = case.tier_since is None and not case.tied_to and case.route.lane in (Lane.AUTO, Lane.REJECT)
    return Consequence.DECIDED if by_itself else None
