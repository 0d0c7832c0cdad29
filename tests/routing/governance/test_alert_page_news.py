"""News of the incident of an alert may come late, twice or in another order than they happened: what holds is what happened last."""

from datetime import timedelta

import pytest

from routing.authority import AlertLevel, Automation
from routing.governance.alert import Alert
from routing.governance.alert_page_news import (
    AlertNews,
    alert_acknowledged,
    alert_reassigned,
    alert_reopened,
    alert_resolved,
    alert_unacknowledged,
)
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, Ruling
from tests.routing.factory import NOON, POLICY
from tests.routing.page_histories import heard, histories

STEPS = {
    "acknowledged": alert_acknowledged,
    "unacknowledged": alert_unacknowledged,
    "escalated": alert_reassigned,
    "resolved": alert_resolved,
    "reopened": alert_reopened,
}


def an_alert(**changes: object) -> Alert:
    """One whose page is out."""
    alert = Alert(
        id="a_1",
        rule="overrides",
        workflow="refunds",
        level=AlertLevel.INCIDENT,
        at=NOON,
        why="Too many.",
        action=Automation.ON,
        page_round=1,
        page_open=True,
    )
    return alert.model_copy(update=changes)


def hear(alert: Alert, happened: list[tuple[int, str]]) -> Alert:
    """The alert after news that come in this order, each with the minute at which it happened."""
    governance = Governance().with_alert(alert)
    for turn, (minute, what) in enumerate(happened):
        rings = what in ("escalated", "unacknowledged", "reopened")
        news = AlertNews(alert.id, 1, who=f"P{minute}", rings=rings, at=NOON + timedelta(minutes=minute))
        ruling = STEPS[what](news)(Governed(governance, POLICY, "0" * 26), NOON + timedelta(minutes=10, seconds=turn))
        governance = ruling.governance if isinstance(ruling, Ruling) else governance
    after = governance.alert(alert.id)
    assert after is not None
    return after


@pytest.mark.parametrize("by", ["", "U0GRACE0001"], ids=["nobody here", "somebody here"])
def test_the_order_in_which_news_come_changes_nothing(by: str) -> None:
    """Whatever can happen there, in every order, and with each of them twice. Who took it here has it all along."""
    for history in histories():
        true = hear(an_alert(acknowledged_by=by), list(enumerate(history)))
        assert true.page_open == (history[-1] != "resolved")
        last = "" if history[-1] in ("unacknowledged", "escalated", "reopened") else f"pagerduty:P{len(history) - 1}"
        assert true.acknowledged_by == (by or last), history
        for order in heard(history):
            assert hear(an_alert(acknowledged_by=by), order) == true, order


def test_what_was_closed_by_us_is_not_open_again_by_old_news() -> None:
    """The workflow went on, so that nobody is rung any more; that somebody had it there is heard only then."""
    closed = an_alert(page_open=False)
    assert hear(closed, [(1, "acknowledged")]) == closed
    assert hear(closed, [(2, "resolved")]) == closed
