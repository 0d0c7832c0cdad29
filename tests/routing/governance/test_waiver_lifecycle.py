"""Exceptions: asked for by one, approved by another, over by themselves, and never about what may not be waived."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.authority import GovernanceVerb
from routing.change import MessageKind
from routing.governance.ruling import Governed, GovernStep
from routing.governance.waiver import LONGEST
from routing.governance.waiver_lifecycle import Wish, approve, end, expire, list_weekly, request, week_of
from routing.signals import Trigger
from tests.routing.governed import DUTY, LEAD, NOBODY, NOON, OTHER_OWNER, OWNER, after, governed, kinds, press, refused, ruled, sent

X = "x_" + "0" * 26


def asking(who: str = LEAD, reason: str = "The retriever is slow this week.", subject: str = "w_refunds", **changes: Any) -> GovernStep:
    """A request for thirty days."""
    values: dict[str, Any] = {"waives": (Trigger.RETRIEVAL_WEAK.value,), "lasts": timedelta(days=30)}
    return request(press(GovernanceVerb.REQUEST_EXCEPTION, subject, who, reason), Wish(**(values | changes)))


def approving(who: str = OWNER) -> GovernStep:
    """An approval."""
    return approve(press(GovernanceVerb.APPROVE_EXCEPTION, X, who))


def in_force(**changes: Any) -> Governed:
    """An exception in force, asked for by the lead."""
    return after(ruled(approving(), after(ruled(asking(**changes)))))


def test_an_exception_takes_two_people() -> None:
    """The owners' channel gets it with buttons; whoever asked does not approve."""
    ruling = ruled(asking(OWNER))
    (bulletin,) = sent(ruling, MessageKind.BULLETIN)
    assert (bulletin.destination, bulletin.subject) == ("policy-owners", X)
    state = after(ruling)
    assert state.governance.waivers[0].state == "requested"
    assert refused(approving(OWNER), state) == "own_request"
    assert refused(approving(LEAD), state) == "not_in_role"
    done = ruled(approving(OTHER_OWNER), state)
    (waiver,) = done.governance.waivers
    assert (waiver.state, waiver.approved_by, waiver.until) == ("in_force", OTHER_OWNER, NOON + timedelta(days=30))
    assert kinds(done) == ["exception_approved"]
    assert refused(approving(OTHER_OWNER), after(done)) == "exception_in_force"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"waives": ()}, "not_waivable"),
        ({"waives": (Trigger.MONEY.value,)}, "not_waivable"),
        ({"waives": (Trigger.RETRIEVAL_WEAK.value, Trigger.CHECK_FAILED.value)}, "not_waivable"),
        ({"waives": (Trigger.PROHIBITED.value,)}, "not_waivable"),
        ({"lasts": LONGEST + timedelta(seconds=1)}, "bad_end"),
        ({"lasts": timedelta(0)}, "bad_end"),
        ({"most": 0}, "bad_limit"),
        ({"reason": " "}, "reason_required"),
        ({"subject": "w_unknown"}, "unknown_workflow"),
        ({"who": NOBODY}, "not_in_role"),
    ],
)
def test_what_may_not_be_asked_for(changes: dict[str, Any], code: str) -> None:
    """Hard rules, more than 90 days, no reason."""
    assert refused(asking(**changes)) == code


def test_ninety_days_are_the_most() -> None:
    """To the second."""
    assert ruled(asking(lasts=LONGEST)).governance.waivers[0].until == NOON + timedelta(days=90)


def test_it_stops_by_itself() -> None:
    """At its end, not before; approving it after that is too late."""
    state = in_force()
    assert refused(expire, state, NOON + timedelta(days=29)) == "not_due"
    done = ruled(expire, state, NOON + timedelta(days=30))
    assert (done.governance.waivers[0].state, done.governance.waivers[0].ended) == ("ended", "expired")
    assert [one.subject for one in sent(done, MessageKind.BULLETIN_UPDATE)] == [X]
    asked = after(ruled(asking()))
    assert refused(approving(), asked, NOON + timedelta(days=31)) == "exception_ended"


def test_it_stops_when_it_is_used_up() -> None:
    """The uses are counted by the store."""
    state = in_force(most=2)
    used = state.governance.waivers[0].model_copy(update={"uses": 2})
    done = ruled(expire, governed(state.governance.with_waiver(used)))
    assert done.governance.waivers[0].ended == "used_up"
    assert dict(done.events[0].fields)["uses"] == 2


def test_it_is_ended_declined_or_taken_back_with_a_reason() -> None:
    """Anybody who may brake ends it; whoever asked may take it back."""
    ending = press(GovernanceVerb.END_EXCEPTION, X, DUTY)
    assert ruled(end(ending), in_force()).governance.waivers[0].ended == DUTY
    assert ruled(end(ending), after(ruled(asking()))).governance.waivers[0].ended == "declined"
    mine = press(GovernanceVerb.END_EXCEPTION, X, LEAD)
    over = ruled(end(mine), after(ruled(asking())))
    assert over.governance.waivers[0].ended == LEAD
    assert refused(end(mine), after(over)) == "exception_ended"
    assert refused(end(press(GovernanceVerb.END_EXCEPTION, X, NOBODY)), in_force()) == "not_in_role"
    assert refused(end(press(GovernanceVerb.END_EXCEPTION, X, reason="")), in_force()) == "reason_required"


def test_the_owners_get_the_list_once_a_week() -> None:
    """From Monday morning on; without exceptions there is nothing to list."""
    assert refused(list_weekly("2026-W47")) == "not_due"
    ruling = ruled(list_weekly("2026-W47"), in_force())
    (bulletin,) = sent(ruling, MessageKind.BULLETIN)
    assert (bulletin.destination, bulletin.subject) == ("policy-owners", "x_week_2026-W47")
    assert dict(ruling.events[0].fields)["exceptions"] == [X]
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    assert [week_of(monday + timedelta(hours=hours)) for hours in (8, 9)] == ["2026-W46", "2026-W47"]
