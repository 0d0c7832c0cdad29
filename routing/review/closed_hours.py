"""Where a case goes that must not wait for its tier to open, and when: what the policy says under a tier's `closed`. Owns both answers, for
the engine and for whoever announces it. It moves no case, and none comes back when the tier opens: whoever has it by then has read it.
"""

from datetime import datetime

from routing.case.case import Case
from routing.clock import Calendar, closes, opens


def landing(case: Case, tier: int, at: datetime) -> int:
    """The tier (0-based) that has a case which comes to `tier` at `at`, or is there then: this one, or the first above it, as the policy
    names them for closed hours, that is open or hands nothing over.
    """
    while (handing := _handing(case, tier)) is not None and opens(handing[0], at) > at:
        tier = handing[1]
    return tier


def closes_at(case: Case, now: datetime) -> datetime | None:
    """When the tier of the case closes, so that it goes elsewhere: `now` where it is closed; None where the case waits for it to open."""
    handing = _handing(case, case.tier)
    return closes(handing[0], now) if handing is not None else None


def _handing(case: Case, tier: int) -> tuple[Calendar, int] | None:
    """The hours of a tier and the higher one that has this case outside of them; None where the case waits."""
    rung, closed = case.route.tiers[tier], case.route.tiers[tier].closed
    if closed is None or rung.calendar is None or case.route.risk.level < closed.risk.level:
        return None
    return rung.calendar, closed.to
