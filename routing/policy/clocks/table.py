"""Which clocks a case gets: the table of the policy, applied to a route. Owns the choice between rows; never asks the time.

A workflow's own rows come first; the policy's are asked where none of them fits. Of the rows that fit, the one with the most
conditions wins, of equals the last in the file. Where no row fits, the tier keeps its own `ack` and `decide`, the service has a
day for information, a held case is asked about every four hours, and there is no total.

The clocks of a tier and of a step count business time where the tier has a calendar; information, hold and total count day and
night. A row's `time` says otherwise. What happens when a clock runs out is `routing.policy.clocks.row.EXPIRY`.
"""

from dataclasses import dataclass

from routing.case.case import Route, Step, Tier
from routing.policy.clocks.row import EXPIRY, ClockRow, written
from routing.vocabulary import ClockName

Tables = tuple[tuple[ClockRow, ...], ...]
"""The rows of the workflow, then those of the policy."""

_BY_THEMSELVES = (ClockName.INFORMATION, ClockName.HOLD, ClockName.TOTAL)
"""Clocks that belong to no tier."""


@dataclass(frozen=True, slots=True)
class Told:
    """One clock of a case, for people: how long, in which time, what then, and where in the policy that stands."""

    clock: ClockName
    lasts: str
    then: str
    origin: str


def row_for(tables: Tables, clock: ClockName, route: Route) -> ClockRow | None:
    """The row that says how long `clock` lasts for a case of this lane, mode and risk; None where no row fits."""
    for rows in tables:
        fitting = [(row.conditions, place, row) for place, row in enumerate(rows) if row.clock is clock and _fits(row, route)]
        if fitting:
            return max(fitting, key=lambda found: found[:2])[2]
    return None


def clocked(route: Route, tables: Tables) -> Route:
    """The route with the durations that the table gives it, in place of those of its ladder."""
    found = {clock: row_for(tables, clock, route) for clock in ClockName}
    if not any(found.values()):
        return route
    total, hold, information = found[ClockName.TOTAL], found[ClockName.HOLD], found[ClockName.INFORMATION]
    above = found[ClockName.ESCALATE] or found[ClockName.DECIDE]
    return route.model_copy(
        update={
            "tiers": tuple(
                _timed(tier, found[ClockName.ACKNOWLEDGE], above if place > route.start else found[ClockName.DECIDE])
                for place, tier in enumerate(route.tiers)
            ),
            "steps": tuple(_own_clock(step, found, alone=len(route.steps) == 1) for step in route.steps),
            "total_s": total.lasts_s if total else route.total_s,
            "hold_s": hold.lasts_s if hold else route.hold_s,
            "information_s": information.lasts_s if information else route.information_s,
            "business": tuple(clock for clock in _BY_THEMSELVES if (row := found[clock]) and row.time == "business"),
        },
    )


def told(route: Route, tables: Tables) -> tuple[Told, ...]:
    """The clocks of a case that people look at, from the tier it opens at upwards; none where no person is asked."""
    if not route.steps:
        return ()
    found = []
    rungs = [(f"tier {place + 1}", tier) for place, tier in enumerate(route.tiers) if place >= route.start]
    for clock, at in ((ClockName.ACKNOWLEDGE, rungs), (ClockName.DECIDE, rungs[:1]), (ClockName.ESCALATE, rungs[1:])):
        lengths = [f"{where} {lasts}" for where, tier in at if (lasts := _lasts(tier, clock))]
        if lengths:
            row = row_for(tables, clock, route) or (row_for(tables, ClockName.DECIDE, route) if clock is ClockName.ESCALATE else None)
            found.append(Told(clock, ", ".join(lengths), EXPIRY[clock], row.origin if row else "the ladder"))
    first = route.tiers[route.start]
    for step in route.steps:
        if step.decide_s is not None:
            clock = ClockName(step.name)
            row = row_for(tables, clock, route)
            length = _counted(step.decide_s, business=first.calendar is not None and not step.elapsed)
            found.append(Told(clock, f"{length} instead, at every tier", EXPIRY[clock], row.origin if row else ""))
    alone = ((ClockName.INFORMATION, route.information_s), (ClockName.HOLD, route.hold_s), (ClockName.TOTAL, route.total_s))
    for clock, length_s in alone:
        if length_s is not None:
            row = row_for(tables, clock, route)
            length = _counted(length_s, business=first.calendar is not None and clock in route.business)
            found.append(Told(clock, length, EXPIRY[clock], row.origin if row else "the default"))
    return tuple(found)


def _fits(row: ClockRow, route: Route) -> bool:
    return row.risk in (None, route.risk) and row.mode in (None, route.mode) and row.lane in (None, route.lane)


def _timed(tier: Tier, acknowledge: ClockRow | None, decide: ClockRow | None) -> Tier:
    update: dict[str, object] = {}
    if acknowledge is not None and tier.repeat is None:
        update |= {"ack_s": acknowledge.lasts_s, "ack_elapsed": acknowledge.time == "elapsed"}
    if decide is not None:
        update |= {"decide_s": decide.lasts_s, "decide_elapsed": decide.time == "elapsed"}
    return tier.model_copy(update=update) if update else tier


def _own_clock(step: Step, found: dict[ClockName, ClockRow | None], *, alone: bool) -> Step:
    """Verify and approve have clocks of their own where they are steps of several, a check always has; triage has the tier's."""
    clock = {"check": ClockName.CHECK} if alone else {"verify": ClockName.VERIFY, "approve": ClockName.APPROVE}
    row = found[clock[step.name]] if step.name in clock else None
    return step.model_copy(update={"decide_s": row.lasts_s, "elapsed": row.time == "elapsed"}) if row else step


def _lasts(tier: Tier, clock: ClockName) -> str:
    """How long a tier has; empty where the clock does not run there."""
    length_s, elapsed = (tier.ack_s, tier.ack_elapsed) if clock is ClockName.ACKNOWLEDGE else (tier.decide_s, tier.decide_elapsed)
    return _counted(length_s, business=tier.calendar is not None and not elapsed) if length_s is not None else ""


def _counted(length_s: int, *, business: bool) -> str:
    return f"{written(length_s)} of business time" if business else written(length_s)
