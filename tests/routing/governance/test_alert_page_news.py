"""News of the incident of an alert may come late, twice or in another order than they happened: what holds is what happened last."""

from datetime import timedelta

import pytest

from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.change import MessageKind
from routing.governance.alert import Alert
from routing.governance.alert_page_news import (
    AlertNews,
    alert_acknowledged,
    alert_reassigned,
    alert_reopened,
    alert_resolved,
    alert_unacknowledged,
)
from routing.governance.automation import resume, tighten
from routing.governance.governance import Governance
from routing.governance.ruling import Ruling
from routing.vocabulary import EventKind
from tests.routing.governed import DUTY, NOON, after, governed, press, ruled
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


def hear(alert: Alert, happened: list[tuple[int, str]], who: str = "P") -> Alert:
    """The alert after news that come in this order, each with the minute at which it happened; `who` did it there, "" for nobody."""
    governance = Governance().with_alert(alert)
    for turn, (minute, what) in enumerate(happened):
        rings = what in ("escalated", "unacknowledged", "reopened")
        news = AlertNews(alert.id, 1, who=f"{who}{minute}" if who else "", rings=rings, at=NOON + timedelta(minutes=minute))
        ruling = STEPS[what](news)(governed(governance), NOON + timedelta(minutes=10, seconds=turn))
        if isinstance(ruling, Ruling):
            says_so(governance.alert(alert.id), ruling, alert.id)
            governance = ruling.governance
    heard_all = governance.alert(alert.id)
    assert heard_all is not None
    return heard_all


def says_so(before: Alert | None, ruling: Ruling, alert_id: str) -> None:
    """Whoever reads the log or the alert's message learns of it when its incident is open again, or closed."""
    now, kinds = ruling.governance.alert(alert_id), {one.kind for one in ruling.events}
    assert before is not None
    assert now is not None
    assert (EventKind.ALERT_PAGE_REOPENED in kinds) >= (now.page_open and not before.page_open)
    assert (EventKind.ALERT_PAGE_RESOLVED in kinds) >= (before.page_open and not now.page_open)
    if (before.page_open, before.acknowledged_by) != (now.page_open, now.acknowledged_by):
        assert MessageKind.BULLETIN_UPDATE in {one.kind for one in ruling.messages}


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
    """The workflow went on, so that nobody is rung any more, and what somebody did before that is heard only then; and that it was closed,
    by us. Opened again after that, it is the page of what is still so.
    """
    before = governed(Governance().with_alert(an_alert(heard_at=NOON - timedelta(minutes=9))))
    paused = after(ruled(tighten(press(GovernanceVerb.PAUSE)), before))
    resumed = after(ruled(resume(press(GovernanceVerb.RESUME, who=DUTY)), paused)).governance.alert("a_1")
    assert resumed is not None
    assert not resumed.page_open
    for what in ("acknowledged", "escalated", "resolved", "reopened"):
        assert hear(resumed, [(-1, what)]) == resumed
    assert not hear(resumed, [(1, "resolved")], who="").page_open
    assert hear(resumed, [(1, "reopened")]).page_open
