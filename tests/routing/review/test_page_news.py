"""What PagerDuty tells may come late, twice or in another order than it happened: what holds is what happened last."""

from datetime import datetime, timedelta

import pytest

from routing.case.case import Case
from routing.change import Change, Subject
from routing.review.page_news import PagerNews, page_acknowledged, page_reassigned, page_reopened, page_resolved, page_unacknowledged
from routing.review.timing import on_time
from tests.routing.factory import NOON, POLICY, a_case
from tests.routing.page_histories import heard, histories

PAGED = NOON + timedelta(minutes=15)
STEPS = {
    "acknowledged": page_acknowledged,
    "unacknowledged": page_unacknowledged,
    "escalated": page_reassigned,
    "resolved": page_resolved,
    "reopened": page_reopened,
}


@pytest.fixture
def paged() -> Case:
    """A case that climbed to a tier that pages."""
    change = on_time(Subject(a_case(), POLICY), PAGED)
    assert isinstance(change, Change)
    return change.case


def hear(case: Case, happened: list[tuple[int, str]]) -> Case:
    """The case after news that come in this order, each with the minute at which it happened."""
    for turn, (minute, what) in enumerate(happened):
        at = PAGED + timedelta(minutes=minute)
        news = PagerNews(1, 1, who=f"P{minute}", how=what, rings=what in ("escalated", "unacknowledged", "reopened"), at=at)
        answer = STEPS[what](news)(Subject(case, POLICY), PAGED + timedelta(minutes=10, seconds=turn))
        case = answer.case if isinstance(answer, Change) else case
    return case


def standing(case: Case) -> list[tuple[int, str, datetime | None]]:
    """Which pages are open and who has them."""
    return [(page.round, page.acknowledged_by, page.heard_at) for page in case.pages]


def test_the_order_in_which_news_come_changes_nothing(paged: Case) -> None:
    """Whatever can happen there, in every order, and with each of them twice."""
    for history in histories():
        true = hear(paged, list(enumerate(history)))
        for order in heard(history):
            told = hear(paged, order)
            assert standing(told) == standing(true), order
            assert told.acknowledged_by == true.acknowledged_by, order


def test_a_snapshot_keeps_when_an_incident_was_closed_there(paged: Case) -> None:
    """What is heard later is held against it."""
    case = hear(paged, [(3, "resolved")])
    kept = Case.model_validate_json(case.model_dump_json())
    assert kept == case
    assert hear(kept, [(2, "reopened")]) == kept
    assert '"closed_there"' not in paged.model_dump_json()


def test_who_has_it_there_is_who_acknowledged_last(paged: Case) -> None:
    """Handed on, the one before has it no longer; the clock that asks for somebody runs anew."""
    case = hear(paged, [(0, "acknowledged"), (1, "escalated")])
    assert case.acknowledged_by == ""
    assert case.clocks.acknowledge == PAGED + timedelta(minutes=25, seconds=1)
    assert hear(case, [(2, "acknowledged")]).acknowledged_by == "pagerduty:P2"


def test_news_of_a_round_that_never_was_are_refused(paged: Case) -> None:
    """A key of ours that nobody sent."""
    for step in STEPS.values():
        assert not isinstance(step(PagerNews(1, 2, who="P1", at=PAGED))(Subject(paged, POLICY), PAGED), Change)
