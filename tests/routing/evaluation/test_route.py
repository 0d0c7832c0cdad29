"""Where a case goes, why, and that nothing worse ever sends it somewhere safer for the machine."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from routing.case.case import Route
from routing.case.facts import Facts
from routing.evaluation.risk import waiting_priority
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.signals import SENTENCES, Trigger
from routing.simulation.explain import explain
from routing.vocabulary import Lane, Mode, Risk, Template
from tests.checkout import GOLDEN
from tests.routing.low_risk import NOW, a_submission, golden

FACTS = Facts()
POLICY_TEXT = b"""
version: "7"
changes: "for tests of routing"
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}, duty: {users: [U0DUTY]}}
ladders:
  standard:
    tiers:
      - {channel: tier1, group: frontline, ack: 15m, decide: 4h}
      - {channel: tier2, group: experts, decide: 30m}
      - {channel: tier3, group: duty, decide: 30m, pagerduty: {routing_key: k}}
  short: {tiers: [{channel: only, group: frontline}]}
workflows:
  summaries: {ladder: standard, template: auto, action_types: [ticket.summarize, ticket.close]}
  unsure: {ladder: standard, template: auto, confidence: ignore}
  replies: {ladder: short, requester: optional, required: [request, model.confidence, action.params.to]}
  payouts: {ladder: standard, template: dual, dual: {verify: frontline, approve: experts}}
  contracts: {ladder: standard, template: expert, expert: {people: 2}}
  ruled:
    ladder: standard
    template: auto
    rules:
      - {name: huge, when: "has(risk.amount) && double(risk.amount) > 1000.0", lane: expert, reason: "The amount is over 1,000."}
      - {name: some, when: "has(risk.amount) && double(risk.amount) > 100.0", template: dual, reason: "The amount is over 100."}
      - {name: banned, when: "'banned' in labels", lane: reject, reason: "The label says no."}
      - {name: region, when: "labels.region == 'eu'", lane: review, reason: "Europe looks itself."}
"""
POLICY = load_policy(POLICY_TEXT, {})


def routed(**parts: Any) -> Route:
    """The route of such a case."""
    return route(POLICY, a_submission(**parts), FACTS, NOW)


def codes(chosen: Route) -> set[str]:
    """The codes of its reasons."""
    return {reason.code for reason in chosen.reasons}


def test_a_sure_harmless_reversible_case_needs_nobody() -> None:
    """Confidence 0.92 and low risk, and nothing against it: automatic, with a sentence that says so."""
    chosen = routed(model={"confidence": 0.92})
    assert (chosen.lane, chosen.steps, chosen.risk, chosen.mode) == (Lane.AUTO, (), Risk.LOW, Mode.ASYNC)
    assert [reason.code for reason in chosen.reasons] == ["all_clear"]
    assert chosen.gates == {"confidence": "pass", "context": "pass", "impact": "pass"}


@pytest.mark.parametrize(
    ("parts", "lane", "code"),
    [
        ({"model": {"confidence": 0.9199}}, Lane.REVIEW, "confidence_low"),
        ({"model": {"confidence": 0.7499}}, Lane.EXPERT, "confidence_very_low"),
        ({"model": {"confidence": None}}, Lane.EXPERT, "confidence_missing"),
        ({"model": {"confidence": 1.01}}, Lane.EXPERT, "confidence_invalid"),
        ({"model": {"confidence": -0.5}}, Lane.EXPERT, "confidence_invalid"),
        ({"model": {"retrieval_quality": 0.59}}, Lane.REVIEW, "retrieval_weak"),
        ({"model": {"retrieval_quality": 7.0}}, Lane.EXPERT, "retrieval_weak"),
        ({"risk": {"score": 0.6}}, Lane.REVIEW, "risk_score_raised"),
        ({"risk": {"score": 0.9}}, Lane.EXPERT, "risk_score_high"),
        ({"risk": {"blast_radius": 0.31}}, Lane.REVIEW, "blast_radius_wide"),
        ({"risk": {"blast_radius": 0.61}}, Lane.EXPERT, "blast_radius_extreme"),
        ({"checks": [{"name": "second-model", "result": "fail"}]}, Lane.REVIEW, "check_failed"),
        ({"checks": [{"name": "second-model", "result": "warn"}]}, Lane.REVIEW, "check_warned"),
        ({"context": {"missing": ["order"]}}, Lane.REVIEW, "context_missing"),
        ({"context": {"conflicts": ["two prices"]}}, Lane.EXPERT, "context_conflict"),
        ({"context": {"stale": ["stock"]}}, Lane.REVIEW, "context_stale"),
        ({"risk": {"impact": None}}, Lane.REVIEW, "risk_medium"),
        ({"risk": {"impact": "high", "likelihood": 0.5}}, Lane.EXPERT, "risk_high"),
        ({"risk": {"impact": "critical", "likelihood": 0.5, "recoverability": "none"}}, Lane.EXPERT, "risk_critical"),
        ({"action": {"reversible": False}}, Lane.REVIEW, "not_reversible"),
        ({"action": {"reversible": None}}, Lane.REVIEW, "reversibility_unknown"),
        ({"risk": {"amount": "0.01"}}, Lane.REVIEW, "money"),
        ({"risk": {"amount": "-5"}}, Lane.REVIEW, "money"),
        ({"risk": {"flags": ["medical"]}}, Lane.REVIEW, "never_automatic"),
        ({"risk": {"flags": ["Money Movement"]}}, Lane.REVIEW, "money"),
        ({"risk": {"flags": ["finacial"]}}, Lane.REVIEW, "flag_unknown"),
        ({"risk": {"flags": ["regulated"]}}, Lane.SPECIALIST, "specialist_needed"),
        ({"risk": {"flags": ["data_exposure"]}}, Lane.STOP, "prohibited"),
        ({"action": {"type": "ticket.delete"}}, Lane.REJECT, "action_not_allowed"),
        ({"action": {"type": "ticket.delete"}, "risk": {"flags": ["policy_conflict"]}}, Lane.STOP, "prohibited"),
        ({"workflow": "unsure"}, Lane.REVIEW, "confidence_not_used"),
        ({"workflow": "replies"}, Lane.REVIEW, "template_people"),
        ({"workflow": "contracts"}, Lane.EXPERT, "template_expert"),
        ({"workflow": "ruled", "labels": {"region": "eu"}}, Lane.REVIEW, "policy_rule"),
        ({"workflow": "ruled"}, Lane.EXPERT, "rule_error"),
    ],
)
def test_one_thing_against_a_case_is_enough(parts: dict[str, Any], lane: Lane, code: str) -> None:
    """Every signal alone moves a case out of automation, to its lane, with its code."""
    chosen = routed(**parts)
    assert chosen.lane is lane
    assert code in codes(chosen)


def test_an_amount_of_nothing_is_no_money() -> None:
    """0.00 moves nothing."""
    assert routed(risk={"amount": "0.00"}).lane is Lane.AUTO


def test_the_strictest_demand_wins_and_the_others_are_told() -> None:
    """Rules fire: the lane comes from one, the second pair of eyes from another, the third loses."""
    chosen = routed(workflow="ruled", labels={"region": "eu"}, risk={"amount": "2000.00"})
    assert (chosen.lane, chosen.template, chosen.rule, chosen.lost) == (Lane.EXPERT, Template.DUAL, "huge", ("region",))
    assert [step.name for step in chosen.steps] == ["verify", "approve"]
    assert chosen.reasons[0].text == "The amount is over 1,000."


def test_a_rule_never_lowers_what_a_built_in_demands() -> None:
    """A rule that asks for review changes nothing where an expert is needed."""
    chosen = routed(workflow="ruled", labels={"region": "eu"}, model={"confidence": 0.1})
    assert (chosen.lane, chosen.rule, chosen.lost) == (Lane.EXPERT, "", ("region",))


@pytest.mark.parametrize(
    ("workflow", "parts", "steps", "start"),
    [
        ("replies", {}, [("approve", None, 1)], 0),
        ("replies", {"model": {"confidence": 0.1}}, [("approve", None, 1)], 0),
        ("summaries", {"model": {"confidence": 0.1}}, [("approve", None, 1)], 1),
        ("summaries", {"risk": {"flags": ["data_exposure"]}}, [("approve", None, 2)], 2),
        ("summaries", {"action": {"type": "x"}}, [], 0),
        ("payouts", {}, [("verify", "frontline", 1), ("approve", "experts", 1)], 0),
        ("contracts", {}, [("approve", None, 2)], 1),
    ],
)
def test_the_work_follows_the_template_and_the_lane(workflow: str, parts: dict[str, Any], steps: list[Any], start: int) -> None:
    """Who has to do what, and at which tier it begins; a short ladder gives its last tier."""
    chosen = routed(workflow=workflow, **parts)
    assert [(step.name, step.group, step.people) for step in chosen.steps] == steps
    assert chosen.start == start
    assert chosen.page_at_start is (chosen.lane is Lane.STOP)


def test_the_service_waits_where_it_matters() -> None:
    """High risk and the stop lane are synchronous, the rest is not."""
    assert routed(risk={"impact": "high", "likelihood": 0.5}).mode is Mode.SYNC
    assert routed(risk={"flags": ["data_exposure"]}).mode is Mode.SYNC
    assert routed(risk={"impact": "medium"}).mode is Mode.ASYNC


def test_what_is_required_and_missing_is_listed() -> None:
    """Fields by their paths, and the requester wherever somebody must be kept from deciding their own case."""
    chosen = routed(workflow="replies", model={"confidence": None}, request="")
    assert chosen.missing == ("request", "model.confidence", "action.params.to")
    assert routed(workflow="replies", request="x", action={"params": {"to": "a@b.example"}}).missing == ()
    assert routed(workflow="payouts").missing == ("requester",)
    assert routed(workflow="payouts", requester={"email": "a@b.example"}).missing == ()
    assert routed(risk={"flags": ["financial"]}).missing == ("requester",)
    assert routed(workflow="replies", request="x", action={"params": {"to": "x"}}, risk={"amount": "5"}).requester == "optional"


def test_priority_follows_its_printed_formula() -> None:
    """100 for low risk, half of 200 at half of 72 hours, 25 for each of three digits, 50 for gold."""
    soon = (NOW + timedelta(hours=36)).isoformat()
    assert routed(deadline=soon, risk={"amount": "123.45"}, subject={"id": "c", "tier": "Gold"}).priority == 100 + 100 + 75 + 50
    assert routed(deadline=(NOW - timedelta(days=1)).isoformat()).priority == 300
    assert routed(deadline=(NOW + timedelta(days=9)).isoformat()).priority == 100
    assert routed(risk={"flags": ["data_exposure"]}).priority == 600


@pytest.mark.parametrize(
    ("impact", "likelihood", "points"),
    [("low", 1.0, 100), ("medium", 0.1, 100 + 10), ("medium", 0.29, 100 + 29), ("high", None, 300 + 2 * 20), ("critical", 0.5, 600 + 150)],
)
def test_priority_counts_what_a_mistake_would_cost(impact: str, likelihood: float | None, points: int) -> None:
    """100 for the class of risk, and 100 times impact times likelihood; an unknown likelihood is the least possible one."""
    assert routed(risk={"impact": impact, "likelihood": likelihood}).priority == points


def test_waiting_counts_up_to_a_bound() -> None:
    """Ten points for each full hour, never more than 400: a case of low risk passes fresh ones of medium, never one of critical risk."""
    waited = {hours: waiting_priority(100, NOW - timedelta(hours=hours), NOW) for hours in (-1, 0.9, 1, 21, 40, 1_000)}
    assert waited == {-1: 100, 0.9: 100, 1: 110, 21: 310, 40: 500, 1_000: 500}


def test_an_error_while_routing_sends_the_case_to_an_expert() -> None:
    """Whatever breaks, a person looks at it; an unknown workflow is such an error."""
    broken = replace(POLICY, expressions={})
    for policy, submission in ((broken, a_submission()), (POLICY, a_submission(workflow="nobody-knows"))):
        chosen = route(policy, submission, FACTS, NOW)
        assert (chosen.lane, codes(chosen), chosen.mode) == (Lane.EXPERT, {"routing_error"}, Mode.SYNC)
        assert [step.name for step in chosen.steps] == ["approve"]
        explanation = explain(policy, submission, FACTS, NOW)
        assert explanation.route == chosen
        assert "LookupError" in explanation.text() or "KeyError" in explanation.text()


def test_every_trigger_has_a_sentence() -> None:
    """The closed list and its sentences go together."""
    assert set(SENTENCES) == set(Trigger)


def test_what_a_service_wrote_stays_out_of_the_reasons() -> None:
    """Reasons are kept in the clear; free text and unknown flags are counted, not quoted."""
    marked = routed(
        workflow="ruled",
        labels={"region": "SECRET"},
        request="SECRET",
        context={"missing": ["SECRET"], "conflicts": ["SECRET"], "stale": ["SECRET"]},
        risk={"flags": ["SECRET"]},
        checks=[{"name": "SECRET", "result": "fail", "detail": "SECRET"}],
        evidence=[{"id": "SECRET", "kind": "quote", "text": "SECRET"}],
    )
    assert "secret" not in marked.model_dump_json().lower()


LARGE = {
    "workflow": "ruled",
    "labels": {"region": "us"},
    "action": {"type": "refund.create", "reversible": False},
    "model": {"confidence": 0.83},
    "risk": {"amount": "1240.00", "flags": ["financial"], "impact": "medium", "likelihood": None},
    "deadline": "2026-11-21T12:00:00Z",
}


def test_a_route_is_kept_in_this_form() -> None:
    """Cases live by this snapshot across upgrades: its form is frozen. What came later is left out where it says nothing."""
    told = json.loads(routed(**LARGE).model_dump_json())
    assert told.pop("undo_s") == 10
    golden("route-v1.json", json.dumps(told, indent=2) + "\n")
    assert Route.model_validate_json((GOLDEN / "route-v1.json").read_bytes()) == routed(**LARGE).model_copy(update={"undo_s": 0})


def test_a_route_of_the_first_version_is_still_read() -> None:
    """Cases that were opened before an upgrade live on: what the snapshot did not hold yet is as if nobody had asked for it."""
    first = Route.model_validate_json((GOLDEN / "route-v1-first.json").read_bytes())
    assert (first.lane, first.sampled, first.exceptions, first.duplicates_s) == (Lane.EXPERT, "", (), None)
    assert [step.checklist for step in first.steps] == [(), ()]


def test_an_explanation_reads_like_this() -> None:
    """Every gate, signal and rule with its value, won or lost, and why."""
    explanation = explain(POLICY, a_submission(**LARGE), FACTS, NOW)
    golden("explanation.txt", explanation.text())
    names = [child["name"] for child in explanation.json()["children"]]  # type: ignore[union-attr, index, call-overload]
    gates = ["confidence gate", "context gate", "impact gate", "checks"]
    assert names == [*gates, "workflow", "rules", "required", "risk", "mode", "work", "clocks"]


def test_a_policy_is_all_that_changes_a_route() -> None:
    """The same case under another threshold is automatic no more."""
    stricter: Policy = load_policy(POLICY_TEXT + b"defaults: {thresholds: {auto: 0.99}}\n", {})
    assert route(stricter, a_submission(), FACTS, NOW).lane is Lane.REVIEW
