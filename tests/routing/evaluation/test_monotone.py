"""Routing is deterministic, total, and no fact made worse ever sends a case somewhere safer for the machine."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.authority import Automation
from routing.case.case import Route
from routing.case.facts import Facts, Waived
from routing.case.submission import Submission
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.signals import WAIVABLE
from routing.simulation.explain import explain
from routing.vocabulary import Lane, Template
from tests.examples_drawn import examples
from tests.routing.low_risk import NOW, a_submission

POLICY_TEXT = b"""
version: "8"
changes: "for tests of what never happens"
groups:
  frontline: {users: [U0FRONT]}
  experts: {users: [U0SENIOR], skills: [tax]}
  duty: {users: [U0DUTY]}
ladders:
  standard:
    tiers:
      - {channel: tier1, group: frontline, ack: 15m, decide: 4h}
      - {channel: tier2, group: experts, decide: 30m, queues: [{channel: desk2, group: frontline}]}
      - {channel: tier3, group: duty, decide: 30m, pagerduty: {routing_key: k}}
  short: {tiers: [{channel: only, group: frontline}]}
defaults: {freshness: {record: 1d}}
workflows:
  summaries: {ladder: standard, template: auto, action_types: [ticket.summarize, ticket.close]}
  scored: {ladder: standard, template: auto, router: by-risk-score, start: {specialist: 2, expert: 3}}
  after: {ladder: standard, template: verify_after, caps: {per_hour: 10, amount_per_day: "100"}}
  sorted: {ladder: standard, template: triage, triage: {group: frontline}, skills: [tax]}
  known: {ladder: standard, template: auto, models: [{name: m, version: "1"}, {name: m, version: "2", share: 0.5}]}
  unsure: {ladder: standard, template: auto, confidence: ignore}
  replies: {ladder: short, requester: optional, required: [request], context_missing: review}
  payouts: {ladder: standard, template: dual, autonomy: human_approved, start: {expert: 3, specialist: 3}}
  contracts: {ladder: standard, template: expert, expert: {people: 2}, autonomy: human_executed}
  ruled:
    ladder: standard
    template: auto
    start: {expert: 3}
    rules:
      - {name: huge, when: "has(risk.amount) && double(risk.amount) > 1000.0", lane: expert, reason: "The amount is over 1,000."}
      - {name: some, when: "has(risk.amount) && double(risk.amount) > 100.0", template: dual, reason: "The amount is over 100."}
      - {name: skilled, when: "has(risk.novelty) && risk.novelty > 0.9", skills: [tax], reason: "It is new to everybody."}
"""
POLICY = load_policy(POLICY_TEXT, {})

RISING: dict[str, tuple[str, tuple[Any, ...]]] = {
    "impact": ("risk", ("low", "medium", "high", "critical")),
    "likelihood": ("risk", (0.0, 0.19, 0.2, 0.49, 0.5, 1.0)),
    "recoverability": ("risk", ("easy", "hard", "none")),
    "blast_radius": ("risk", (None, 0.0, 0.3, 0.31, 0.6, 0.61, 1.0)),
    "score": ("risk", (None, 0.0, 0.05, 0.3, 0.6, 0.9, 1.0)),
    "amount": ("risk", (None, "0", "5.00", "150.00", "1240.00")),
    "novelty": ("risk", (None, 0.0, 0.8, 1.0)),
    "flags": ("risk", ((), ("medical",), ("medical", "regulated"), ("medical", "regulated", "data_exposure"))),
    "confidence": ("model", (1.0, 0.96, 0.93, 0.92, 0.91, 0.85, 0.75, 0.74, 0.6, 0.0, -1.0, 9.0, None)),
    "retrieval_quality": ("model", (None, 1.0, 0.9, 0.6, 0.59, 0.0)),
    "reversible": ("action", (True, None, False)),
    "missing": ("context", ((), ("a",))),
    "conflicts": ("context", ((), ("a",), ("a", "b"))),
    "stale": ("context", ((), ("a",))),
    "checks": ("", ((), ("warn",), ("warn", "fail"))),
    "age": ("", (None, "2026-11-20T11:00:00Z", "2026-11-19T11:00:00Z", "2030-01-01T00:00:00Z")),
}
BY_SCORE = (0.0, 0.05, 0.3, 0.59, 0.6, 0.9, 1.0)
"""Where the router goes by the score, not to know it is no less than to know it."""

WORSE_FACTS: dict[str, tuple[Any, ...]] = {
    "automation": tuple(Automation),
    "autos_hour": (0, 9, 10, 11),
    "amount_day": ("0", "100", "100.01"),
    "sampling": (1.0, 2.0, 8.0, 30.0),
    "waived": tuple(tuple(Waived(id="x_1", waives=tuple(sorted(WAIVABLE)[:number])) for _ in "1") for number in (9, 5, 2, 0)),
}
SCALES = {name: len(scale) for name, (_, scale) in RISING.items()} | {name: len(scale) for name, scale in WORSE_FACTS.items()}
LEVELS = st.fixed_dictionaries({name: st.integers(0, size - 1) for name, size in SCALES.items()})
CALM = st.dictionaries(st.sampled_from(sorted(SCALES)), st.integers(0, 3), max_size=3).map(
    lambda few: {name: min(few.get(name, 0), size - 1) for name, size in SCALES.items()},
)
WORKFLOWS = st.sampled_from(sorted(POLICY.workflows))
LOTS = st.none() | st.floats(0.0, 1.0, exclude_max=True)
VERSIONS = st.sampled_from(["1", "2", "3"])


def at_levels(workflow: str, levels: dict[str, int], version: str = "1") -> Submission:
    """A case whose facts are as bad as these steps of their scales."""
    parts: dict[str, dict[str, Any]] = {"model": {"name": "m", "version": version}}
    for name, (part, scale) in RISING.items():
        steps = BY_SCORE if name == "score" and workflow == "scored" else scale
        if part:
            parts.setdefault(part, {})[name] = steps[levels[name]]
    checks = [{"name": "second", "result": result} for result in RISING["checks"][1][levels["checks"]]]
    aged = {"updated_at": age} if (age := RISING["age"][1][levels["age"]]) else {}
    evidence = [{"id": "e-1", "kind": "record" if levels["age"] else "quote", **aged}]
    return a_submission(workflow=workflow, checks=checks, evidence=evidence, **parts)


def facts_at(levels: dict[str, int], lot: float | None) -> Facts:
    """Facts as bad as these steps of their scales."""
    return Facts(lot=lot, **{name: scale[levels[name]] for name, scale in WORSE_FACTS.items()})


def assert_no_safer_for_the_machine(before: Route, after: Route) -> None:
    """Lane, risk, tier and people stay or rise, and no check of an automatic approval is lost."""
    assert after.lane.severity >= before.lane.severity
    assert after.risk.level >= before.risk.level
    assert after.start >= before.start or after.lane is Lane.REJECT
    if after.lane is not Lane.REJECT:
        assert sum(step.people for step in after.steps) >= sum(step.people for step in before.steps)
    if before.sampled and after.lane is Lane.AUTO:
        assert after.sampled


@pytest.mark.parametrize("workflow", sorted(POLICY.workflows))
@pytest.mark.parametrize(("lot", "waived"), [(None, 3), (0.0, 3), (0.99, 3), (0.99, 0)])
def test_each_fact_alone_only_ever_makes_it_stricter(workflow: str, lot: float | None, waived: int) -> None:
    """From a case with nothing against it, each fact is walked to its worst, step by step, with exceptions and without."""
    calm = dict.fromkeys(SCALES, 0) | {"waived": waived}
    for name, size in SCALES.items():
        walk = [calm | {name: level} for level in range(size)]
        routes = [route(POLICY, at_levels(workflow, levels), facts_at(levels, lot), NOW) for levels in walk]
        for before, after in pairwise(routes):
            assert_no_safer_for_the_machine(before, after)


@settings(max_examples=examples(150))
@given(WORKFLOWS, CALM | LEVELS, LOTS, VERSIONS)
def test_no_fact_made_worse_lowers_the_lane_or_the_risk(workflow: str, levels: dict[str, int], lot: float | None, version: str) -> None:
    """Raise each fact of any case, or of what is known beside it."""
    before = route(POLICY, at_levels(workflow, levels, version), facts_at(levels, lot), NOW)
    for worse in (name for name, size in SCALES.items() if levels[name] + 1 < size):
        raised = levels | {worse: levels[worse] + 1}
        assert_no_safer_for_the_machine(before, route(POLICY, at_levels(workflow, raised, version), facts_at(raised, lot), NOW))


@settings(max_examples=examples(150))
@given(WORKFLOWS, CALM | LEVELS, LOTS)
def test_routing_is_deterministic_and_survives_its_snapshot(workflow: str, levels: dict[str, int], lot: float | None) -> None:
    """The same case gives the same route, also from a policy loaded again, also after being stored."""
    submission, facts = at_levels(workflow, levels), facts_at(levels, lot)
    chosen = route(POLICY, submission, facts, NOW)
    again = route(load_policy(POLICY_TEXT, {}), submission, facts, NOW)
    assert (again, again.model_dump_json()) == (chosen, chosen.model_dump_json())
    assert Route.model_validate_json(chosen.model_dump_json()) == chosen
    assert explain(POLICY, submission, facts, NOW).route == chosen
    assert "routing_error" not in {reason.code for reason in chosen.reasons}
    if chosen.lane is Lane.AUTO:
        assert submission.action.reversible is not False
        assert not submission.risk.flags
        assert chosen.template in (Template.AUTO, Template.VERIFY_AFTER)
        assert facts.automation.level < Automation.REVIEW_ALL.level
