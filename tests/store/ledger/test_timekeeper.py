"""The ledger's time beside a wall clock that somebody sets, that stands, or that runs at another pace."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.ledger.timekeeper import Jump, Timekeeper
from tests.examples_drawn import examples

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AT_MOST_S = 5.0
"""What all that happens to the wall clock may cost a page within an hour."""


class Clocks:
    """A wall clock anybody may set, and a steady one."""

    def __init__(self) -> None:
        self.set_by_s = self.steady_s = 0.0
        self.keeper = Timekeeper(lambda: self.wall, lambda: self.steady_s)
        self.jumps = list[Jump]()
        self.tell()

    @property
    def wall(self) -> datetime:
        """What the wall clock says."""
        return NOON + timedelta(seconds=self.steady_s + self.set_by_s)

    def tell(self, *, old_s: float = 0.0, last: datetime = LONG_AGO) -> datetime:
        """The ledger's time; what it reports is kept."""
        now, jump = self.keeper.tell(self.wall - timedelta(seconds=old_s), last, old_s)
        self.jumps += [jump] if jump is not None else []
        return now

    @property
    def cost_s(self) -> float:
        """By how much the ledger's time is off steady counting."""
        return (self.tell() - NOON).total_seconds() - self.steady_s


STEPS = st.lists(
    st.tuples(st.floats(0.0, 30.0), st.one_of(st.floats(-8.0, 8.0), st.floats(-9e4, 9e4), st.just(0.0)), st.floats(0.0, 3.0)), max_size=40
)


@settings(max_examples=examples(200))
@given(STEPS)
def test_however_the_wall_clock_is_set_time_goes_on(steps: list[tuple[float, float, float]]) -> None:
    """Any steps in any order: within an hour never more than 5 s off steady counting, and never before the last leaf."""
    clocks, last = Clocks(), LONG_AGO
    for passed_s, set_by_s, old_s in steps:
        clocks.steady_s += passed_s / 2
        clocks.set_by_s += set_by_s
        clocks.steady_s += passed_s / 2
        told = clocks.tell(old_s=old_s, last=last)
        assert told >= last
        last = told
        assert abs(clocks.cost_s) <= AT_MOST_S + AT_MOST_S * clocks.steady_s / 3600 + 1e-3


@pytest.mark.parametrize("by_s", [-7200.0, -5.001, 5.001, 7200.0])
def test_each_step_is_reported_once_also_the_one_that_sets_it_right(by_s: float) -> None:
    """Set, and a minute of ticks later set right: two reports, the second of which says that the clocks agree."""
    clocks = Clocks()
    for set_by_s in (by_s, 0.0):
        clocks.set_by_s = set_by_s
        for _ in range(60):
            clocks.steady_s += 1
            assert clocks.cost_s == pytest.approx(0.0)
    assert [round(jump.seconds, 3) for jump in clocks.jumps] == [by_s, 0.0]


@pytest.mark.parametrize("pace", [0.0, 0.5, 2.0, 4.0])
def test_a_clock_that_stands_or_runs_stops_nothing_and_fills_no_log(pace: float) -> None:
    """Two hours of it, looked at every second: time goes on at its own pace, and the log gets a handful of reports."""
    clocks = Clocks()
    for _ in range(7_200):
        clocks.steady_s += 1
        clocks.set_by_s += pace - 1
        clocks.tell()
    assert abs(clocks.cost_s) <= 3 * AT_MOST_S
    assert 1 <= len(clocks.jumps) <= 20


def test_a_reading_that_took_its_time_is_no_clock_that_was_set_back() -> None:
    """A database that answers after 20 s has told the time of then."""
    clocks = Clocks()
    clocks.steady_s += 30
    assert clocks.tell(old_s=20.0) == NOON + timedelta(seconds=30)
    assert not clocks.jumps
