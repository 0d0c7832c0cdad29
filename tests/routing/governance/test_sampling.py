"""Sampling rises with every sign of trouble and falls only slowly."""

from datetime import timedelta

import pytest

from routing.authority import Automation, GovernanceVerb
from routing.change import MessageKind
from routing.governance.automation import resume, tighten
from routing.governance.governance import Governance
from routing.governance.ruling import Governed
from routing.governance.sampling import MOST, calmed, caught, seen
from tests.routing.governed import NOON, after, governed, press, refused, ruled, sent

DAY = timedelta(days=1)


def times(state: Governed) -> float:
    """The factor."""
    return state.governance.control("refunds").sampling


def test_an_error_doubles_the_checks_and_marks_its_segment() -> None:
    """Everybody can see the level; services are told."""
    ruling = caught(governed(), "refunds", "gold", NOON)
    control = ruling.governance.control("refunds")
    assert (control.sampling, control.segments, control.automation) == (2.0, ("gold",), Automation.SAMPLING_RAISED)
    assert {one.callback for one in sent(ruling, MessageKind.CALLBACK)} == {"workflow.changed"}
    assert dict(ruling.events[0].fields)["sampling"] == 2.0


def test_further_errors_double_further_without_telling_the_channels_again() -> None:
    """The level stays; the log has every figure."""
    state = after(caught(governed(), "refunds", "", NOON))
    ruling = caught(state, "refunds", "", NOON)
    assert ruling.governance.control("refunds").sampling == 4.0
    assert len(ruling.events) == 1
    assert not ruling.messages


def test_the_factor_has_a_limit() -> None:
    """However many errors."""
    state = governed()
    for _ in range(20):
        state = after(caught(state, "refunds", "", NOON))
    assert times(state) == MOST


def test_seven_clean_days_halve_and_the_last_half_ends_it() -> None:
    """Four, two, one; then the segments are forgotten and the workflow is as usual."""
    state = after(caught(after(caught(governed(), "refunds", "gold", NOON)), "refunds", "", NOON))
    assert refused(calmed, state, NOON + 6.9 * DAY) == "not_due"
    state = after(ruled(calmed, state, NOON + 7 * DAY))
    assert (times(state), state.governance.control("refunds").segments) == (2.0, ("gold",))
    assert refused(calmed, state, NOON + 13 * DAY) == "not_due"
    state = after(ruled(calmed, state, NOON + 14 * DAY))
    control = state.governance.control("refunds")
    assert (control.sampling, control.segments, control.automation) == (1.0, (), Automation.ON)
    assert refused(calmed, state, NOON + 50 * DAY) == "not_due"


def test_an_error_starts_the_seven_days_afresh() -> None:
    """Day six is too early to forget."""
    state = after(caught(governed(), "refunds", "", NOON))
    state = after(caught(state, "refunds", "", NOON + 6 * DAY))
    assert refused(calmed, state, NOON + 8 * DAY) == "not_due"


def test_the_first_version_is_the_measure_and_every_other_is_new() -> None:
    """So is a policy's."""
    first = seen(governed(), "refunds", "m 1 p", NOON)
    assert first is not None
    assert not first.events
    policy = seen(after(first), "refunds", "policy abc", NOON)
    assert policy is not None
    assert times(after(policy)) == 1.0
    state = after(policy)
    assert seen(state, "refunds", "m 1 p", NOON) is None
    assert seen(state, "refunds", "", NOON) is None
    for version in ("m 2 p", "policy def"):
        ruling = seen(state, "refunds", version, NOON)
        assert ruling is not None
        assert ruling.governance.control("refunds").sampling == 2.0
        assert version in str(dict(ruling.events[0].fields)["reason"])


@pytest.mark.parametrize("verb", [GovernanceVerb.REVIEW_ALL, GovernanceVerb.PAUSE, GovernanceVerb.FREEZE])
def test_sampling_never_loosens_a_brake(verb: GovernanceVerb) -> None:
    """Neither its rise nor its fall; once resumed, the level shows the factor."""
    state = after(caught(after(ruled(tighten(press(verb)))), "refunds", "", NOON))
    held = state.governance.control("refunds").automation
    assert held.level > Automation.SAMPLING_RAISED.level
    assert ruled(calmed, state, NOON + 8 * DAY).governance.control("refunds").automation is held
    goes_on = ruled(resume(press(GovernanceVerb.RESUME)), state)
    assert goes_on.governance.control("refunds").automation is Automation.SAMPLING_RAISED


def test_workflows_calm_each_by_itself() -> None:
    """Both in one ruling where both are due, each message with its own event."""
    state = after(caught(after(caught(governed(), "refunds", "", NOON)), "payouts", "", NOON))
    ruling = ruled(calmed, state, NOON + 7 * DAY)
    assert [dict(event.fields)["workflow"] for event in ruling.events] == ["refunds", "payouts"]
    subjects = {(message.subject, dict(ruling.events[message.event].fields)["subject"]) for message in ruling.messages}
    assert subjects == {("w_refunds", "w_refunds"), ("w_payouts", "w_payouts")}
    assert refused(calmed, governed(Governance())) == "not_due"
