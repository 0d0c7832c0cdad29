"""How far a model may act alone: the brake, the autonomy, the register of versions, caps, exceptions. None of it speaks for automation."""

from typing import Any

import pytest

from routing.authority import Automation
from routing.case.case import Route
from routing.case.facts import Facts, Waived
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.signals import WAIVABLE, Trigger
from routing.simulation.explain import explain
from routing.vocabulary import Lane
from tests.routing.low_risk import NOW, a_submission

POLICY = load_policy(
    b"""
version: "11"
changes: "for tests of what a model may do alone"
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}, supervisors: {users: [U0BOSS]}, privacy: {users: [U0DPO]}}
roles: {supervisor: [supervisors]}
ladders: {standard: {tiers: [{channel: tier1, group: frontline}, {channel: tier2, group: experts}]}}
defaults: {sensitive: {reveal: [privacy]}}
workflows:
  free: {ladder: standard, template: auto}
  text: {ladder: standard, template: auto, autonomy: informational}
  approved: {ladder: standard, template: auto, autonomy: human_approved}
  executed: {ladder: standard, template: auto, autonomy: human_executed}
  capped: {ladder: standard, template: auto, caps: {per_hour: 20, amount_per_day: "100.00"}}
  known:
    ladder: standard
    template: auto
    models: [{name: m, version: "1"}, {name: m, version: "2", share: 0.3}, {name: m, version: "2", prompt_version: p9, share: 0}]
  ruled:
    ladder: standard
    template: auto
    rules: [{name: doubt, when: "'confidence_low' in signals", lane: review, reason: "The owners want to see what the model doubts."}]
""",
    {},
)
DOUBTFUL = {"confidence": 0.9}


def routed(facts: Facts, **parts: Any) -> Route:
    """The route of a case of the workflow `free` with nothing against it, but for these parts, under these facts."""
    return route(POLICY, a_submission(**({"workflow": "free"} | parts)), facts, NOW)


def codes(chosen: Route) -> set[str]:
    """The codes of its reasons."""
    return {reason.code for reason in chosen.reasons}


@pytest.mark.parametrize(
    ("automation", "lane"),
    [
        (Automation.ON, Lane.AUTO),
        (Automation.SAMPLING_RAISED, Lane.AUTO),
        (Automation.REVIEW_ALL, Lane.REVIEW),
        (Automation.PAUSED, Lane.REVIEW),
        (Automation.FROZEN, Lane.REVIEW),
    ],
)
def test_with_the_brake_on_nothing_is_automatic(automation: Automation, lane: Lane) -> None:
    """From `review_all` on, people decide, and the reason names the level."""
    chosen = routed(Facts(automation=automation))
    assert chosen.lane is lane
    assert ("automation_off" in codes(chosen)) is (lane is Lane.REVIEW)


@pytest.mark.parametrize(
    ("workflow", "lane"), [("free", Lane.AUTO), ("text", Lane.AUTO), ("approved", Lane.REVIEW), ("executed", Lane.EXPERT)]
)
def test_the_autonomy_of_a_workflow_is_a_ceiling(workflow: str, lane: Lane) -> None:
    """Whatever the gates say, a person approves or an expert decides where the policy says so."""
    chosen = routed(Facts(), workflow=workflow)
    assert (chosen.lane, chosen.autonomy) == (lane, POLICY.workflows[workflow].autonomy)


@pytest.mark.parametrize(
    ("facts", "parts", "lane"),
    [
        ({"autos_hour": 19}, {}, Lane.AUTO),
        ({"autos_hour": 20}, {}, Lane.REVIEW),
        ({"autos_hour": 21}, {}, Lane.REVIEW),
        ({"amount_day": "100.00"}, {}, Lane.AUTO),
        ({"amount_day": "100.01"}, {}, Lane.REVIEW),
        ({"autos_hour": 20}, {"model": {"confidence": 0.1}}, Lane.EXPERT),
    ],
)
def test_what_is_over_a_cap_goes_to_review(facts: dict[str, Any], parts: dict[str, Any], lane: Lane) -> None:
    """A cap holds back automatic approvals; it is not asked where the case is for people anyway."""
    chosen = routed(Facts(**facts), workflow="capped", **parts)
    assert chosen.lane is lane
    assert ("cap_reached" in codes(chosen)) is (lane is Lane.REVIEW)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ({"name": "m", "version": "1"}, "all_clear"),
        ({"name": "m", "version": "1", "prompt_version": "p1"}, "all_clear"),
        ({"name": "m", "version": "3"}, "model_unknown"),
        ({"name": "n", "version": "1"}, "model_unknown"),
        ({"name": "m"}, "model_unknown"),
        ({}, "model_unknown"),
        ({"name": "m", "version": "2"}, "model_share"),
    ],
)
def test_only_a_known_version_is_automatic(model: dict[str, Any], code: str) -> None:
    """Where versions are registered an unknown one is reviewed in full; without a lot so is one that has a share only."""
    assert code in codes(routed(Facts(), workflow="known", model=model))


def test_a_version_gets_the_share_it_was_given() -> None:
    """About 30 % of its cases, always the same ones; an entry for its prompt goes before the one for any prompt."""
    lots = [number / 1_000 for number in range(1_000)]
    version = {"name": "m", "version": "2"}
    free = [lot for lot in lots if routed(Facts(lot=lot), workflow="known", model=version).lane is Lane.AUTO]
    assert 250 < len(free) < 350
    assert free == [lot for lot in lots if routed(Facts(lot=lot), workflow="known", model=version).lane is Lane.AUTO]
    assert all(routed(Facts(lot=lot), workflow="known", model=version | {"prompt_version": "p9"}).lane is Lane.REVIEW for lot in lots[:50])


def test_an_exception_waives_what_may_be_waived_and_says_so() -> None:
    """The signal passes, with the exception's id; the route names it, and so does the reason people read."""
    facts = Facts(waived=(Waived(id="x_1", waives=("confidence_low",)),))
    chosen = routed(facts, model=DOUBTFUL)
    assert (chosen.lane, chosen.exceptions) == (Lane.AUTO, ("x_1",))
    assert chosen.reasons[0].code == "exception_used"
    assert "x_1" in chosen.reasons[0].text
    told = explain(POLICY, a_submission(workflow="free", model=DOUBTFUL), facts, NOW).text()
    assert "confidence: 0.9 (limit 0.92) <pass> - waived by the exception x_1: The model's confidence 0.9 is below" in told


@pytest.mark.parametrize(
    ("waiver", "parts"),
    [
        ({"waives": ("confidence_low",), "action_types": ("ticket.close",)}, {"model": DOUBTFUL}),
        ({"waives": ("retrieval_weak",)}, {"model": DOUBTFUL}),
        ({"waives": ("confidence_low",)}, {"model": DOUBTFUL, "workflow": "ruled"}),
        ({"waives": ("money",)}, {"risk": {"amount": "5.00"}}),
        ({"waives": ("never_automatic",)}, {"risk": {"flags": ["medical"]}}),
        ({"waives": ("check_failed",)}, {"checks": [{"name": "c", "result": "fail"}]}),
        ({"waives": ("not_reversible",)}, {"action": {"reversible": False}}),
        ({"waives": ("automation_off", "template_people", "autonomy")}, {"workflow": "approved"}),
    ],
)
def test_an_exception_never_reaches_further(waiver: dict[str, Any], parts: dict[str, Any]) -> None:
    """Other actions, other signals, the policy's rules and everything that is absolute stay, whatever is written into it."""
    chosen = routed(Facts(waived=(Waived(id="x_1", **waiver),)), **parts)
    assert chosen.lane is not Lane.AUTO
    assert chosen.exceptions == ()


def test_an_exception_that_changes_nothing_is_not_used() -> None:
    """It is used only where the lane would be stricter without it."""
    facts = Facts(waived=(Waived(id="x_1", waives=("confidence_low",)), Waived(id="x_2", waives=("risk_medium",))))
    assert routed(facts).exceptions == ()
    assert routed(facts, model=DOUBTFUL, risk={"amount": "5.00"}).exceptions == ()
    assert routed(facts, model=DOUBTFUL).exceptions == ("x_1",)
    assert routed(facts, model=DOUBTFUL, risk={"impact": None}).exceptions == ("x_1", "x_2")


def test_nothing_absolute_may_be_waived() -> None:
    """The list of what exceptions may waive and the list of what never is automatic do not meet."""
    flagged = {Trigger.PROHIBITED, Trigger.NEVER_AUTOMATIC, Trigger.SPECIALIST_NEEDED, Trigger.MONEY}
    ruled = {Trigger.POLICY_RULE, Trigger.RULE_ERROR, Trigger.CHECK_FAILED, Trigger.ACTION_NOT_ALLOWED}
    assert not WAIVABLE & (flagged | ruled | {Trigger.AUTOMATION_OFF, Trigger.CAP_REACHED, Trigger.AUTONOMY})


def test_a_route_carries_whoever_may_do_something_about_the_case() -> None:
    """Groups of roles and of those who may see what is masked are looked up together with those who decide."""
    chosen = routed(Facts())
    assert {role.value: groups for role, groups in chosen.roles.items()} == {"supervisor": ("supervisors",)}
    assert chosen.reveal == ("privacy",)
    assert set(chosen.groups) == {"frontline", "experts", "supervisors", "privacy"}
    assert chosen.duplicates_s == 86_400
