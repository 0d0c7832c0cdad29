"""The work templates as steps, and which automatic approvals are checked afterwards."""

from typing import Any

import pytest

from routing.case.case import Route
from routing.case.facts import Facts
from routing.evaluation.draw import lot, second_lot
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.vocabulary import ClockName, Lane, Template
from tests.routing.low_risk import NOW, a_submission

POLICY = load_policy(
    b"""
version: "13"
changes: "for tests of work"
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}, sorters: {users: [U0SORT]}}
ladders: {standard: {tiers: [{channel: tier1, group: frontline}, {channel: tier2, group: experts}]}}
defaults: {checklist: {items: {facts: "The facts are right."}, steps: [triage, verify]}}
workflows:
  auto: {ladder: standard, template: auto, sampling: {rate: 0.1, uncertain: 0.01, novelty: 0.7}}
  after: {ladder: standard, template: verify_after}
  sorted: {ladder: standard, template: triage, triage: {group: sorters}}
  unsorted: {ladder: standard, template: triage}
  dual: {ladder: standard, template: dual, dual: {approve: experts}}
  ruled:
    ladder: standard
    template: triage
    triage: {group: sorters}
    expert: {people: 2}
    rules:
      - {name: one, when: "'one' in labels", template: approval, reason: "Somebody approves what was sorted."}
      - {name: two, when: "'two' in labels", template: dual, reason: "Two people approve what was sorted."}
      - {name: wise, when: "'wise' in labels", template: expert, reason: "Experts approve what was sorted."}
""",
    {},
)
STOP = {"risk": {"flags": ["data_exposure"]}}


def routed(workflow: str, facts: Facts | None = None, **parts: Any) -> Route:
    """The route of a case with nothing against it but these parts."""
    return route(POLICY, a_submission(workflow=workflow, **parts), facts or Facts(), NOW)


@pytest.mark.parametrize(
    ("workflow", "parts", "steps"),
    [
        ("auto", {}, []),
        ("after", {}, []),
        ("after", {"model": {"confidence": 0.8}}, [("approve", None, 1)]),
        ("sorted", {}, [("triage", "sorters", 1)]),
        ("unsorted", {}, [("triage", None, 1)]),
        ("sorted", {"model": {"confidence": 0.1}}, [("triage", None, 1)]),
        ("sorted", STOP, [("triage", None, 2)]),
        ("dual", {}, [("verify", None, 1), ("approve", "experts", 1)]),
        ("ruled", {"labels": {"one": "y"}}, [("triage", "sorters", 1), ("approve", None, 1)]),
        ("ruled", {"labels": {"two": "y"}}, [("triage", "sorters", 1), ("verify", None, 1), ("approve", None, 1)]),
        ("ruled", {"labels": {"wise": "y"}}, [("triage", None, 1), ("approve", None, 2)]),
        ("ruled", {"labels": {"one": "y"}} | STOP, [("triage", None, 1), ("approve", None, 2)]),
    ],
)
def test_a_template_is_its_steps(workflow: str, parts: dict[str, Any], steps: list[tuple[str, str | None, int]]) -> None:
    """Triage comes first and by itself; what a rule asks for comes after it; above the review lane the tier's own group does it."""
    assert [(step.name, step.group, step.people) for step in routed(workflow, **parts).steps] == steps


def test_a_step_carries_the_checklist_that_the_policy_asks_there() -> None:
    """Item by item, as the policy has it; the other steps have none."""
    verify, approve = routed("dual").steps
    assert [(item.id, item.text) for item in verify.checklist] == [("facts", "The facts are right.")]
    assert approve.checklist == ()
    assert routed("sorted").steps[0].checklist == verify.checklist


def test_triage_has_the_clock_of_its_tier() -> None:
    """A row for verify or approve says nothing about it, and one for checks nothing about either."""
    text = POLICY.text + b"clocks: [{clock: verify, lasts: 1h}, {clock: approve, lasts: 2h}, {clock: check, lasts: 3h}]\n"
    policy = load_policy(text, {})
    chosen = route(policy, a_submission(workflow="ruled", labels={"two": "y"}), Facts(), NOW)
    assert [step.decide_s for step in chosen.steps] == [None, 3_600, 7_200]
    assert ClockName.CHECK not in chosen.business


@pytest.mark.parametrize(
    ("workflow", "facts", "parts", "sampled"),
    [
        ("auto", Facts(), {}, ""),
        ("auto", Facts(lot=0.0999), {}, "lot"),
        ("auto", Facts(lot=0.1), {}, ""),
        ("auto", Facts(lot=0.1, sampling=2.0), {}, "lot"),
        ("auto", Facts(lot=0.999, sampling=50.0), {}, "lot"),
        ("auto", Facts(lot=0.9), {"model": {"confidence": 0.9299}}, "uncertain"),
        ("auto", Facts(lot=0.9), {"model": {"confidence": 0.93}}, ""),
        ("auto", Facts(lot=0.9), {"risk": {"novelty": 0.69}}, ""),
        ("auto", Facts(lot=0.9), {"risk": {"novelty": 0.7}}, "unusual"),
        ("auto", Facts(lot=0.9), {"risk": {"novelty": 0.9}}, "unusual"),
        ("auto", Facts(lot=0.9, segments=("vip",)), {"risk": {"segment": "vip"}}, "segment"),
        ("auto", Facts(lot=0.9, segments=("vip",)), {"risk": {"segment": "mass"}}, ""),
        ("after", Facts(), {}, "verify_after"),
        ("auto", Facts(lot=0.0), {"model": {"confidence": 0.8}}, ""),
    ],
)
def test_what_is_checked_afterwards_and_why(workflow: str, facts: Facts, parts: dict[str, Any], sampled: str) -> None:
    """By lot, or because the case is uncertain, unusual or of a segment with disagreement; never what people decide anyway."""
    chosen = routed(workflow, facts, **parts)
    assert chosen.sampled == sampled
    assert (chosen.sampling_rate > 0) is (chosen.lane is Lane.AUTO)


def test_lots_are_fair_stable_and_keep_earlier_picks() -> None:
    """Within four standard deviations of the rate, the same on every machine, and whoever is picked at 5 % is picked at 10 %."""
    lots = {f"c_{number}": lot(f"c_{number}", "a" * 64) for number in range(10_000)}
    assert lot("c_1", "a" * 64) == 0.05360184031666815
    for rate in (0.05, 0.1, 0.5):
        spread = 4 * (10_000 * rate * (1 - rate)) ** 0.5
        assert abs(sum(drawn < rate for drawn in lots.values()) - 10_000 * rate) < spread
    assert {case for case, drawn in lots.items() if drawn < 0.05} < {case for case, drawn in lots.items() if drawn < 0.1}
    assert lot("c_1", "a" * 64) != lot("c_1", "b" * 64)


def test_the_second_lot_does_not_follow_the_first() -> None:
    """Of the cases drawn for a check half are below the median of the other draw."""
    drawn = [lot(f"c_{number}", "sha") for number in range(10_000)]
    low = [second_lot(first, "model") < 0.5 for first in drawn if first < 0.2]
    assert abs(sum(low) / len(low) - 0.5) < 0.05


def test_the_strictest_template_of_a_case_is_told() -> None:
    """Cards and figures name it."""
    assert routed("ruled", labels={"two": "y"}).template is Template.DUAL
    assert routed("ruled").template is Template.TRIAGE
