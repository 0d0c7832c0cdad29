"""Circuit breakers: which figure each of them reads, when it trips, and that it does not flutter."""

import itertools
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.authority import AlertLevel, Automation, Autonomy
from routing.case.facts import Facts
from routing.evaluation.route import route
from routing.governance.breakers import BUILT_IN, Reading, Sample, in_force, in_workflow, judge, psi, read, said, scopes
from routing.policy.file import load_policy
from routing.policy.form.form import Workflow
from routing.policy.form.guardrails import Breaker, Measured
from routing.vocabulary import Lane, Risk, Template
from tests.routing.factory import NOON, POLICY, POLICY_TEXT, a_submission

BY_NAME = {breaker.name: breaker for breaker in BUILT_IN}
EVEN = (10,) * 10
USUAL = Sample(
    confidences=(0.9,) * 100,
    latencies_ms=(200.0,) * 100,
    reviews_s=(100.0,) * 100,
    decided=100,
    approved=80,
    bins=EVEN,
)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("override-rate", Sample(decided=100, overridden=15), Sample(decided=100, overridden=16)),
        ("false-positives", Sample(found_wrong=2), Sample(found_wrong=3)),
        ("critical-confidence", Sample(critical=(0.6, 0.9)), Sample(critical=(0.59, 0.9))),
        ("confidence-drop", Sample(confidences=(0.75,) * 20), Sample(confidences=(0.7,) * 20)),
        ("review-latency", Sample(sla_parts=(1.5,) * 20), Sample(sla_parts=(1.51,) * 20)),
        ("drift", Sample(bins=(22, 18) * 5), Sample(bins=(0,) * 9 + (200,))),
        ("stale-data", Sample(cases=20, stale=4), Sample(cases=20, stale=5)),
        ("violations", Sample(violations=2), Sample(violations=3)),
        ("model-latency", Sample(latencies_ms=(400.0,) * 20), Sample(latencies_ms=(401.0,) * 20)),
        ("audit-completeness", Sample(events=1_000, complete=990), Sample(events=1_000, complete=989)),
        ("queue-growth", Sample(open_now=40, open_before=20), Sample(open_now=41, open_before=20)),
        ("unowned", Sample(unowned=5), Sample(unowned=6)),
        ("review-time", Sample(reviews_s=(25.0,) * 20), Sample(reviews_s=(24.0,) * 20)),
        ("approval-rate", Sample(decided=20, approved=8), Sample(decided=20, approved=7)),
        ("budget", Sample(sla_parts=(0.5,) * 14 + (1.1,) * 6), Sample(sla_parts=(0.5,) * 13 + (1.1,) * 7)),
    ],
)
def test_each_built_in_trips_beyond_its_limit_and_not_at_it(name: str, good: Sample, bad: Sample) -> None:
    """A figure at the limit is still good; the next worse one trips, and the alert says the figure."""
    breaker = BY_NAME[name]
    assert judge(breaker, read(breaker.measure, good, USUAL), tripped=False) == "neither"
    reading = read(breaker.measure, bad, USUAL)
    assert judge(breaker, reading, tripped=False) == "trip"
    assert f"{reading.figure:.3g}" in said(breaker, reading)


def test_every_measure_has_a_built_in_breaker() -> None:
    """Nothing that can be measured is left unwatched unless a policy says so."""
    assert {breaker.measure for breaker in BUILT_IN} == set(get_args(Measured))


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_nothing_trips_on_nothing(name: str) -> None:
    """A workflow without cases, and one without a past, trips nothing."""
    breaker = BY_NAME[name]
    assert judge(breaker, read(breaker.measure, Sample(), Sample()), tripped=False) == "neither"
    assert judge(breaker, read(breaker.measure, Sample(), USUAL), tripped=False) == "neither"


def test_too_few_cases_are_not_judged() -> None:
    """Nineteen decisions, all overridden, are too few to judge by."""
    breaker = BY_NAME["override-rate"]
    assert judge(breaker, read("override_rate", Sample(decided=19, overridden=19), USUAL), tripped=False) == "neither"
    assert judge(breaker, read("override_rate", Sample(decided=20, overridden=20), USUAL), tripped=False) == "trip"


@given(st.floats(0, 2), st.sampled_from([breaker for breaker in BUILT_IN if breaker.minimum > 1]))
def test_hysteresis_keeps_it_from_fluttering(figure: float, breaker: Breaker) -> None:
    """No figure both trips a breaker and clears it."""
    reading = Reading(figure, 1_000)
    assert (judge(breaker, reading, tripped=False), judge(breaker, reading, tripped=True)) != ("trip", "clear")


def test_between_limit_and_reset_it_stays_tripped() -> None:
    """An override rate of 13 % does not trip, and does not clear what has tripped; 12 % does."""
    breaker = BY_NAME["override-rate"]
    assert judge(breaker, Reading(0.13, 100), tripped=False) == "neither"
    assert judge(breaker, Reading(0.13, 100), tripped=True) == "neither"
    assert judge(breaker, Reading(0.12, 100), tripped=True) == "clear"


def test_the_stability_index_is_the_published_formula() -> None:
    """Two bins, 50/50 against 60/40: (0.1 ln 1.2) + (-0.1 ln 0.8) = 0.0405."""
    assert psi((50, 50), (60, 40)) == pytest.approx(0.040547, abs=1e-6)
    assert psi(EVEN, EVEN) == 0
    assert psi((0,) * 10, EVEN) is None


def test_a_policy_replaces_switches_off_and_adds() -> None:
    """A breaker of the same name takes the place of the built-in; off leaves it out; another name is one more."""
    tight = Breaker(name="override-rate", measure="override_rate", above=0.05, level=AlertLevel.INCIDENT, action=Automation.FROZEN)
    gone = Breaker(name="drift", measure="drift", off=True)
    mine = Breaker(name="vip", measure="override_rate", above=0.0, impact=Risk.CRITICAL, by_model=True)
    breakers = in_force(POLICY.form.model_copy(update={"breakers": (tight, gone, mine)}))
    assert tight in breakers
    assert mine in breakers
    assert "drift" not in {breaker.name for breaker in breakers}
    assert len(breakers) == len(BUILT_IN)
    assert scopes(mine, ["m 1", "m 2"]) == ((Risk.CRITICAL, "m 1"), (Risk.CRITICAL, "m 2"))
    assert scopes(tight, ["m 1"]) == ((None, ""),)


def test_a_quiet_workflow_is_not_left_with_an_alert_for_ever() -> None:
    """Below its minimum it clears once all that tripped it is out of the window; else it could never trip again."""
    breaker = BY_NAME["override-rate"]
    few = Reading(1.0, breaker.minimum - 1)
    assert judge(breaker, few, tripped=True) == "neither"
    assert judge(breaker, few, tripped=True, aged=True) == "clear"
    assert judge(breaker, Reading(1.0, breaker.minimum), tripped=True, aged=True) == "neither"


def test_a_limit_above_the_usual_has_room_to_settle_too() -> None:
    """A ratio that trips below 1.2 does not clear at 1.2, or it would flutter."""
    breaker = Breaker(name="reads-too-fast", measure="review_time", below=1.2)
    assert judge(breaker, Reading(1.19, 50), tripped=False) == "trip"
    assert judge(breaker, Reading(1.21, 50), tripped=True) == "neither"
    assert judge(breaker, Reading(1.51, 50), tripped=True) == "clear"


def test_a_queue_that_grows_out_of_nothing_grows() -> None:
    """An hour ago nothing waited; now five hundred cases do."""
    breaker = BY_NAME["queue-growth"]
    assert judge(breaker, read("queue_growth", Sample(open_now=500, open_before=0), Sample()), tripped=False) == "trip"


WORKFLOWS = {
    f"{template} {autonomy} {confidence}": Workflow.model_validate(
        {"ladder": "standard", "template": template, "autonomy": autonomy, "confidence": confidence}
    )
    for template, autonomy, confidence in itertools.product(Template, Autonomy, ("required", "ignore"))
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_breaker_acts_on_what_the_model_may_do_alone_and_informs_elsewhere(name: str) -> None:
    """One case of low confidence that people decide anyway pages nobody; where routing would let the model act it works as written."""
    workflow = WORKFLOWS[name]
    text = POLICY_TEXT.replace(
        b"{ladder: standard, template: approval, requester: optional}",
        f"{{ladder: standard, requester: optional, template: {workflow.template}, autonomy: {workflow.autonomy}, "
        f"confidence: {workflow.confidence}}}".encode(),
    )
    alone = route(load_policy(text, {}), a_submission(risk={"impact": "low", "likelihood": 0}), Facts(), NOON).lane is Lane.AUTO
    for breaker in BUILT_IN:
        here = in_workflow(breaker, workflow)
        if alone or breaker.measure in ("violations", "audit_completeness"):
            assert here is breaker
        else:
            assert (here.level, here.action, here.name, here.above, here.below) == (
                AlertLevel.INFO,
                Automation.ON,
                breaker.name,
                breaker.above,
                breaker.below,
            )


def test_what_the_policy_writes_for_a_breaker_holds_everywhere() -> None:
    """An owner who wants a brake on, or a page for, what people decide writes the breaker."""
    people = Workflow(ladder="standard", template=Template.APPROVAL)
    wanted: list[dict[str, Any]] = [{}, {"action": Automation.REVIEW_ALL}, {"level": AlertLevel.INCIDENT}]
    for written in wanted:
        breaker = Breaker(name="critical-confidence", measure="critical_confidence", below=0.5, **written)
        assert in_workflow(breaker, people) is breaker


@given(st.floats(0, 1), st.sampled_from([0.05, 0.1, 0.95]))
def test_a_figure_never_looks_like_the_limit_it_missed(figure: float, limit: float) -> None:
    """0.9504 is not "0.95, above 0.95", and 0.9996 is not all of them."""
    breaker = Breaker(name="rate", measure="approval_rate", above=limit)
    told = said(breaker, Reading(figure, 10)).partition(" is ")[2].partition(",")[0]
    assert (float(told) == limit) == (figure == limit)
    assert (float(told) in (0, 1)) == (figure in (0, 1))
