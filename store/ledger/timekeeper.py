"""What time it is for the ledger: never earlier than the last leaf, and running on when the wall clock is set, stands or runs away.

Owns the comparison of two clocks, the wall's and the steady one, and the notice when they part. It never reads a clock by itself: both
are handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import copysign

JUMP = timedelta(seconds=5)
"""How far the wall clock is followed, in sum, within `FORGOTTEN_S`."""

FORGOTTEN_S = 3600.0

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock was set: what it says and what the time is by steady counting. Both about the same: it was set right again."""

    wall: datetime
    steady: datetime

    @property
    def seconds(self) -> float:
        """How far the wall clock went, negative for back."""
        return (self.wall - self.steady).total_seconds()


class Timekeeper:
    """Tells the time of a transaction.

    `wall` gives aware UTC times, `steady` seconds that only ever grow at one second a second. `by_database` lets PostgreSQL say what the
    wall's time is, so that replicas agree; SQLite has no clock of its own.
    """

    def __init__(self, wall: Callable[[], datetime], steady: Callable[[], float], *, by_database: bool = False) -> None:
        self.wall = wall
        self.by_database = by_database
        self.steady = steady
        self._known = _LONG_AGO
        self._at: float | None = None
        self._followed_s = 0.0  # what was followed lately: so much is forgotten with time
        self._off_s = 0.0  # by how much the wall clock was off when it was last read
        self._reported_s = 0.0  # …and when it was last reported

    @classmethod
    def of(cls, wall: Callable[[], datetime]) -> "Timekeeper":
        """One clock for both, as tests have it that move it at will: it never jumps."""

        def steady() -> float:
            return (wall() - _LONG_AGO).total_seconds()

        return cls(wall, steady)

    @property
    def off_s(self) -> float:
        """By how many seconds the wall clock was off the time when it was last told, negative for behind; 0.0 while it is followed."""
        return self._off_s

    def now(self) -> datetime:
        """The time as the next transaction would have it, about; asking changes nothing and reports no jump."""
        if self._at is None:
            return self.wall()
        return self._known + timedelta(seconds=self.steady() - self._at)

    def tell(self, wall: datetime, last: datetime, old_s: float = 0.0) -> tuple[datetime, Jump | None]:
        """The time, given the wall's and the last leaf's, and the jump if there is a new one. `old_s`: how old `wall` may be by now.

        Small corrections of the wall clock are followed, 5 s an hour in sum. Beyond that time goes on by the steady clock, so that
        deadlines neither all expire at once nor stand still for hours. Each step of the wall clock is reported once, also the one that
        sets it right; one that stands, or runs too fast or slow, whenever it is off by twice as much as before.
        """
        steady = self.steady()
        if self._at is None:
            self._known, self._at = max(wall, last), steady
        passed_s = steady - self._at
        counted = max(self._known + timedelta(seconds=passed_s), last)
        off_s = (wall - counted).total_seconds()
        off_s = max(off_s, min(off_s + old_s, 0.0))  # a reading that took its time is no clock that was set back
        self._followed_s = _nearer_to_zero(self._followed_s, JUMP.total_seconds() * passed_s / FORGOTTEN_S)
        followed = max(abs(off_s), abs(self._followed_s + off_s)) <= JUMP.total_seconds()
        if followed:
            self._followed_s += off_s
        self._known, self._at = max(counted + timedelta(seconds=off_s), last) if followed else counted, steady
        return self._known, Jump(wall, self._known) if self._is_news(off_s, followed=followed) else None

    def _is_news(self, off_s: float, *, followed: bool) -> bool:
        before_s, self._off_s = self._off_s, 0.0 if followed else off_s
        stepped = abs(self._off_s - before_s) > JUMP.total_seconds()
        drifted = abs(self._off_s) > 2 * abs(self._reported_s) + JUMP.total_seconds()
        right_again = followed and self._reported_s != 0.0
        if stepped or drifted or right_again:
            self._reported_s = self._off_s
            return True
        return False


def _nearer_to_zero(seconds: float, by_s: float) -> float:
    return copysign(max(0.0, abs(seconds) - by_s), seconds)
