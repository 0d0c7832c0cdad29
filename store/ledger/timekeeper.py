"""What time it is for the ledger: never earlier than the last leaf, and running on when the wall clock is set.

Owns the comparison of two clocks, the wall's and the steady one, and the notice when they part. It never reads a clock by itself: both
are handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

JUMP = timedelta(seconds=5)

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock was set: what it says and what the time is by steady counting."""

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
        self._steady = steady
        self._known = _LONG_AGO
        self._at: float | None = None
        self._off = timedelta()

    @classmethod
    def of(cls, wall: Callable[[], datetime]) -> "Timekeeper":
        """One clock for both, as tests have it that move it at will: it never jumps."""

        def steady() -> float:
            return (wall() - _LONG_AGO).total_seconds()

        return cls(wall, steady)

    def now(self) -> datetime:
        """The time as the next transaction would have it, about; asking changes nothing and reports no jump."""
        if self._at is None:
            return self.wall()
        return self._known + timedelta(seconds=self._steady() - self._at)

    def tell(self, wall: datetime, last: datetime) -> tuple[datetime, Jump | None]:
        """The time, given the wall's and the last leaf's, and the jump if there is a new one.

        Small corrections of the wall clock are followed. After a jump of more than 5 s time goes on by the steady clock, so that deadlines
        neither all expire at once nor stand still for hours; the difference is reported once.
        """
        steady = self._steady()
        if self._at is None:
            self._known, self._at = max(wall, last), steady
        counted = max(self._known + timedelta(seconds=steady - self._at), last)
        off = wall - counted
        if abs(off) <= JUMP:
            self._known, self._at, self._off = max(wall, last), steady, timedelta()
            return self._known, None
        self._known, self._at = counted, steady
        jump = Jump(wall, counted) if abs(off - self._off) > JUMP else None
        self._off = off if jump is not None else self._off
        return counted, jump
