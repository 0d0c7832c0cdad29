"""Refused presses beyond those recorded one by one: counted until the count is on record."""

from datetime import timedelta

from store.ledger.refusals import REFUSALS_A_MINUTE, Refusals
from tests.store.a_store import NOON


def test_a_count_that_could_not_be_recorded_is_not_lost() -> None:
    """The database was away when the minute was over: the same count is offered again until it is recorded."""
    refusals = Refusals()
    admitted = [refusals.admit("U0FRONT", NOON) for _ in range(REFUSALS_A_MINUTE + 5)]
    assert admitted.count(True) == REFUSALS_A_MINUTE
    later = NOON + timedelta(minutes=1)
    assert refusals.over(later) == [("U0FRONT", 5)]
    assert refusals.over(later) == [("U0FRONT", 5)]
    refusals.forget("U0FRONT", 5)
    assert refusals.over(later) == []
