"""The machine's clock held against others': Slack's, PostgreSQL's, the newest event's. Owns how far they may part; sets none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.launch.finding import Finding, missing, ok, warn

OFF_S, FAR_OFF_S = 5.0, 60.0
"""From where somebody should know (the ledger follows so much an hour, `store.ledger.timekeeper`), and from where signatures of Slack and
of services, which hold for five minutes, are no longer safe."""

SET = "Set this machine's clock by NTP (timedatectl set-ntp true), then run this again."


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody else's time and ours of the same moment; `unsure_s`: by how much that moment is not known."""

    whose: str
    theirs: datetime
    ours: datetime
    unsure_s: float


def clock(readings: Sequence[Reading]) -> Sequence[Finding]:
    """A line for each clock that parts from ours, one for all that agree."""
    found = [finding for one in readings if (finding := _held_against(one)) is not None]
    if found or not readings:
        return found or [warn("clock", "Nobody could be asked for the time.", "Mend what keeps Slack from answering, then run this again.")]
    return [ok("clock", f"It agrees with {' and '.join(one.whose for one in readings)}.")]


def behind(last: datetime | None, now: datetime) -> Finding | None:
    """The line for a clock that is behind the newest event: it was set back, or this is another machine."""
    if last is None or (late_s := (last - now).total_seconds()) <= OFF_S:
        return None
    return missing("clock", f"It is {_length(late_s)} behind the newest event in the database.", SET)


def _held_against(reading: Reading) -> Finding | None:
    off_s = (reading.ours - reading.theirs).total_seconds()
    surely_s = abs(off_s) - reading.unsure_s
    if surely_s <= OFF_S:
        return None
    judged = missing if surely_s > FAR_OFF_S else warn
    return judged("clock", f"It is {_length(abs(off_s))} {'ahead of' if off_s > 0 else 'behind'} {reading.whose}.", SET)


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"
