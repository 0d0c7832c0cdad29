"""The brake of a workflow: taken by people and breakers, released by people only, told to everybody concerned."""

from datetime import timedelta

import pytest

from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.change import MessageKind, Stop
from routing.governance.alert_lifecycle import acknowledge
from routing.governance.automation import AGAIN, cleared, exhausted, resume, stopped, tighten, trip
from routing.governance.brake import bulletin_tier
from routing.governance.governance import Governance
from routing.governance.proposal import Proposal, Rollout
from routing.governance.ruling import Governed, Ruling
from routing.vocabulary import EventKind, Exhausted
from tests.routing.governed import (
    DUTY,
    LEAD,
    NOBODY,
    NOON,
    OWNER,
    after,
    found,
    governed,
    kinds,
    press,
    refused,
    ruled,
    sent,
)

PAUSE, FREEZE, REVIEW_ALL, RESUME = GovernanceVerb.PAUSE, GovernanceVerb.FREEZE, GovernanceVerb.REVIEW_ALL, GovernanceVerb.RESUME


def paused() -> Governed:
    """Refunds, paused by the lead."""
    return after(ruled(tighten(press(PAUSE))))


def line_stopped(**changes: str) -> Governed:
    """Refunds, stopped by a case."""
    return after(stopped(governed(), Stop("refunds", "Prohibited content."), changes.get("case", "c_1"), NOON))


def test_a_pause_is_recorded_and_told() -> None:
    """Who, why, from what to what; operations, the first channel and each service hear of it, the services with a number that grows."""
    ruling = ruled(tighten(press(PAUSE)), governed(Governance(revision=6)))
    control = ruling.governance.control("refunds")
    assert (control.automation, control.by, control.reason, control.since) == (Automation.PAUSED, LEAD, "Wrong totals.", NOON)
    (event,) = ruling.events
    assert event.actor.id == LEAD
    assert {"subject": "w_refunds", "before": "on", "after": "paused", "reason": "Wrong totals."}.items() <= dict(event.fields).items()
    assert [message.destination for message in sent(ruling, MessageKind.BULLETIN)] == ["operations", "review-tier1"]
    told = [(message.destination, message.callback, message.sequence) for message in sent(ruling, MessageKind.CALLBACK)]
    assert told == [("refund-agent", "workflow.paused", 7), ("crm", "workflow.paused", 7)]
    assert all(message.subject == "w_refunds" for message in ruling.messages)


def test_one_workflow_is_braked_not_the_others() -> None:
    """The blast radius of a pause is the workflow it names."""
    assert paused().governance.control("payouts").automation is Automation.ON


@pytest.mark.parametrize(("verb", "second"), [(PAUSE, PAUSE), (FREEZE, PAUSE), (PAUSE, REVIEW_ALL), (FREEZE, FREEZE)])
def test_a_brake_never_loosens(verb: GovernanceVerb, second: GovernanceVerb) -> None:
    """Who wants less has to resume."""
    assert refused(tighten(press(second)), after(ruled(tighten(press(verb))))) == "safer_already"


def test_a_brake_takes_a_reason_a_role_and_a_workflow() -> None:
    """A reason too long for one sentence counts as none."""
    assert refused(tighten(press(PAUSE, reason="  "))) == "reason_required"
    assert refused(tighten(press(PAUSE, reason="x" * 301))) == "reason_required"
    assert refused(tighten(press(PAUSE, who=NOBODY))) == "not_in_role"
    assert refused(tighten(press(FREEZE, who=OWNER))) == "not_in_role"
    assert refused(tighten(press(PAUSE, "w_unknown"))) == "unknown_workflow"


def test_resuming_takes_the_old_bulletins_buttons_away_and_posts_anew() -> None:
    """Nobody presses Resume on last week's pause: it is redrawn, and its number is stale."""
    before = paused()
    number = before.governance.control("refunds").posted
    ruling = ruled(resume(press(RESUME), seen=number), before)
    assert ruling.governance.control("refunds").automation is Automation.ON
    assert [one.tier for one in sent(ruling, MessageKind.BULLETIN_UPDATE)] == [bulletin_tier(number, 0), bulletin_tier(number, 1)]
    posted = {one.tier for one in sent(ruling, MessageKind.BULLETIN)}
    assert posted.isdisjoint({bulletin_tier(number, 0), bulletin_tier(number, 1)})
    assert {one.callback for one in sent(ruling, MessageKind.CALLBACK)} == {"workflow.resumed"}
    again = after(ruled(tighten(press(PAUSE)), after(ruling)))
    assert refused(resume(press(RESUME), seen=number), again) == "stale"


def test_resuming_takes_a_reason_and_something_to_resume() -> None:
    """Giving authority back is a decision like any other."""
    assert refused(resume(press(RESUME, reason="")), paused()) == "reason_required"
    assert refused(resume(press(RESUME))) == "not_braked"
    assert refused(resume(press(RESUME, who=NOBODY)), paused()) == "not_in_role"


def test_what_was_frozen_is_resumed_by_who_may_freeze() -> None:
    """A policy owner may pause and resume, but neither freeze nor thaw."""
    frozen = after(ruled(tighten(press(FREEZE))))
    assert refused(resume(press(RESUME, who=OWNER)), frozen) == "not_in_role"
    assert ruled(resume(press(RESUME, who=DUTY)), frozen).governance.control("refunds").automation is Automation.ON


def test_a_case_stops_the_line_at_once() -> None:
    """The workflow is paused, an incident opened and paged, and everybody told, in one ruling."""
    ruling = stopped(governed(), Stop("refunds", "Prohibited content."), "c_1", NOON)
    control = ruling.governance.control("refunds")
    assert (control.automation, control.cause, control.stop_cases) == (Automation.PAUSED, "stop", ("c_1",))
    assert kinds(ruling) == ["breaker_tripped", "automation_changed"]
    (page,) = sent(ruling, MessageKind.PAGE)
    assert (page.destination, page.subject, page.round) == ("incidents", "a_" + "0" * 26, 1)
    bulletins = [(one.destination, one.subject[:2]) for one in sent(ruling, MessageKind.BULLETIN)]
    assert bulletins == [("operations", "a_"), ("policy-owners", "a_"), ("review-tier1", "w_")]


def test_many_cases_that_stop_the_line_are_one_incident() -> None:
    """Nobody is paged again for what is paused already; all of them have to be decided before it goes on."""
    ruling = stopped(line_stopped(), Stop("refunds", "Prohibited content."), "c_2", NOON)
    assert not sent(ruling, MessageKind.PAGE)
    assert len(ruling.governance.alerts) == 1
    assert ruling.governance.control("refunds").stop_cases == ("c_1", "c_2")
    assert kinds(ruling) == ["automation_changed"]
    again = after(ruling)
    assert refused(resume(press(RESUME, who=DUTY), closed={"c_1"}), again) == "stop_case_open"
    assert ruled(resume(press(RESUME, who=DUTY), closed={"c_1", "c_2"}), again).governance.control("refunds").stop_cases == ()


def test_a_stopped_line_goes_on_by_duty_officer_or_policy_owner_only() -> None:
    """The alert is over then, and its page stops ringing."""
    before = line_stopped()
    assert refused(resume(press(RESUME, who=LEAD), closed={"c_1"}), before) == "not_in_role"
    ruling = ruled(resume(press(RESUME, who=OWNER), closed={"c_1"}), before)
    (alert,) = ruling.governance.alerts
    assert alert.over
    assert not alert.page_open
    assert [one.round for one in sent(ruling, MessageKind.PAGE_RESOLVE)] == [1]
    assert kinds(ruling) == ["automation_changed", "breaker_cleared"]


def test_a_stop_after_a_pause_by_hand_still_demands_its_case() -> None:
    """The line was paused already; the case that stops it counts all the same."""
    ruling = stopped(paused(), Stop("refunds", "Prohibited content."), "c_1", NOON)
    assert ruling.governance.control("refunds").cause == "stop"
    assert refused(resume(press(RESUME, who=DUTY)), after(ruling)) == "stop_case_open"


def test_breakers_climb_one_level_at_a_time_and_freeze_nothing() -> None:
    """More checks, then review of everything, then a pause."""
    state, levels = governed(), []
    for number in range(4):
        ruling = trip(state, found(rule=f"rule-{number}"), NOON)
        levels.append(ruling.governance.control("refunds").automation)
        state = after(ruling, str(number) * 26)
    assert levels == [Automation.SAMPLING_RAISED, Automation.REVIEW_ALL, Automation.PAUSED, Automation.PAUSED]
    assert state.governance.control("refunds").sampling == 2.0


@pytest.mark.parametrize("to", [None, *Automation])
@pytest.mark.parametrize("before", [REVIEW_ALL, PAUSE, FREEZE])
def test_a_breaker_never_makes_a_workflow_freer(before: GovernanceVerb, to: Automation | None) -> None:
    """Whatever level it names."""
    state = after(ruled(tighten(press(before))))
    level = state.governance.control("refunds").automation.level
    assert trip(state, found(), NOON, to=to).governance.control("refunds").automation.level >= level


def test_a_breaker_takes_the_level_it_names() -> None:
    """Straight to the pause, or, with `on`, only an alert."""
    assert trip(governed(), found(), NOON, to=Automation.PAUSED).governance.control("refunds").automation is Automation.PAUSED
    only = trip(governed(), found(), NOON, to=Automation.ON)
    assert kinds(only) == ["breaker_tripped"]
    assert only.governance.alerts[0].changed is False
    assert not sent(only, MessageKind.CALLBACK)


def test_an_alert_that_is_open_is_not_raised_again() -> None:
    """It is measured every minute."""
    state = after(trip(governed(), found(), NOON))
    again = trip(state, found(), NOON)
    assert again == Ruling(state.governance, ())


@pytest.mark.parametrize(
    ("level", "channels", "pages"),
    [(AlertLevel.INFO, [], 0), (AlertLevel.ACTION, ["operations"], 0), (AlertLevel.INCIDENT, ["operations", "policy-owners"], 1)],
)
def test_the_level_says_who_hears_of_an_alert(level: AlertLevel, channels: list[str], pages: int) -> None:
    """Information is recorded, action goes to operations, an incident pages and goes to the owners."""
    ruling = trip(governed(), found(level=level), NOON, to=Automation.ON)
    assert [one.destination for one in sent(ruling, MessageKind.BULLETIN)] == channels
    assert len(sent(ruling, MessageKind.PAGE)) == pages


def test_an_alert_that_clears_gives_no_authority_back() -> None:
    """The page is resolved and the bulletin redrawn; the workflow stays braked until somebody resumes it."""
    state = after(trip(governed(), found(level=AlertLevel.INCIDENT), NOON, to=Automation.PAUSED))
    (alert,) = state.governance.alerts
    ruling = ruled(lambda one, now: cleared(one, alert.id, now, {"figure": 0.1}), state)
    assert ruling.governance.control("refunds").automation is Automation.PAUSED
    assert ruling.governance.alerts[0].figures["figure"] == 0.1
    assert len(sent(ruling, MessageKind.PAGE_RESOLVE)) == 1
    assert refused(lambda one, now: cleared(one, alert.id, now), after(ruling)) == "alert_over"


def test_an_alert_is_acknowledged_once() -> None:
    """Its page is acknowledged with it."""
    state = after(trip(governed(), found(level=AlertLevel.INCIDENT), NOON))
    alert_id = state.governance.alerts[0].id
    asked = acknowledge(press(GovernanceVerb.ACKNOWLEDGE_ALERT, alert_id))
    ruling = ruled(asked, state)
    assert ruling.governance.alerts[0].acknowledged_by == LEAD
    assert [one.kind for one in ruling.messages if one.kind is MessageKind.PAGE_ACKNOWLEDGE] == [MessageKind.PAGE_ACKNOWLEDGE]
    assert refused(asked, after(ruling)) == "already_acknowledged"
    assert refused(acknowledge(press(GovernanceVerb.ACKNOWLEDGE_ALERT, "a_none")), state) == "unknown_alert"


def test_beyond_the_pause_a_breaker_stops_the_roll_out() -> None:
    """A policy that a share of the cases follows goes back to the shadow."""
    proposal = Proposal(
        id="p_1", sha256="f" * 64, version="2", changes="more", base_sha256="0" * 64, by=OWNER, at=NOON, state="accepted", stage="share"
    )
    rollout = Rollout(sha256="f" * 64, version="2", percent=20, since=NOON, proposal="p_1")
    state = paused()
    state = governed(state.governance.with_proposal(proposal).model_copy(update={"rollout": rollout}))
    ruling = trip(state, found(), NOON)
    assert ruling.governance.rollout is not None
    assert ruling.governance.rollout.percent == 0
    assert kinds(ruling)[-1] == "policy_staged"


def test_a_further_brake_redraws_the_alerts_that_are_open() -> None:
    """Their Resume button carries the number of the level it would resume from."""
    state = after(trip(governed(), found(), NOON))
    ruling = trip(state, found(rule="drift"), NOON, to=Automation.PAUSED)
    assert state.governance.alerts[0].id in {one.subject for one in sent(ruling, MessageKind.BULLETIN_UPDATE)}


def test_a_last_tier_that_nobody_answers_again_is_still_so() -> None:
    """Counted within the hour, said once more after it, and never over before somebody has acknowledged it."""
    at, seen = NOON, exhausted(governed(), "refunds", "c_1", Exhausted.HOLD, NOON)
    places = {(one.subject, one.tier) for one in seen.messages if one.kind is MessageKind.BULLETIN}
    for number, pause in enumerate([AGAIN / 2, AGAIN / 2, AGAIN, timedelta(days=1)], 2):
        at += pause
        before = after(seen)
        seen = exhausted(before, "refunds", f"c_{number}", Exhausted.HOLD, at)
        posted = {(one.subject, one.tier) for one in seen.messages if one.kind is MessageKind.BULLETIN}
        assert bool(posted) is (number != 2)
        assert not posted & places
        places |= posted
        assert EventKind.BREAKER_CLEARED not in kinds(seen)
        [alert] = seen.governance.alerts
        assert (alert.over, alert.figures["cases"], alert.figures["newest"]) == (False, number, f"c_{number}")
    done = ruled(acknowledge(press(GovernanceVerb.ACKNOWLEDGE_ALERT, seen.governance.alerts[0].id, OWNER)), after(seen))
    assert done.governance.alerts[0].over
    redrawn = {(one.subject, one.tier) for one in done.messages if one.kind is MessageKind.BULLETIN_UPDATE}
    assert redrawn == places
