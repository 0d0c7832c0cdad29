"""Hours at which nobody is there although the policy hands cases over: found by walking through a year of calendars. Forbids nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from routing.clock import Calendar, between, closes, opens
from routing.policy.policy import Policy

_FROM = datetime(2026, 1, 1, tzinfo=UTC)
_TO = _FROM + timedelta(days=366)


def unattended(policy: Policy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each `closed` that leads to a tier which is closed at the same time and hands nothing over, or that never applies."""
    for name, tiers in policy.tiers.items():
        for index, tier in enumerate(tiers):
            if tier.closed is None or tier.calendar is None:
                continue
            place, to = ("ladders", name, "tiers", index, "closed"), tiers[tier.closed.to]
            if closes(tier.calendar, _FROM) is None:
                yield place, f"tier {index + 1} never closes, so this never applies"
            elif to.calendar is not None and to.closed is None and (at := _both_closed(tier.calendar, to.calendar)) is not None:
                said = f"tier {tier.closed.to + 1} is closed too at times, on {at:%a %H:%M} UTC for example, and names nobody further"
                yield (*place, "to"), f"{said}: cases wait there until it opens"


def _both_closed(one: Calendar, other: Calendar) -> datetime | None:
    """The first moment of the year at which neither is there; None where the second is there whenever the first is not."""
    at = closes(one, _FROM)
    while at is not None and at < _TO:
        again = opens(one, at)
        if between(other, at, again) < (again - at).total_seconds():
            return closes(other, at)
        at = closes(one, again)
    return None
