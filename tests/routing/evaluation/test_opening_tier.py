"""At which tier and at whose desk a case opens: senior people for good reason only, and those who know the matter."""

from typing import Any

import pytest

from routing.case.case import Route
from routing.case.facts import Facts
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.vocabulary import Lane
from tests.routing.low_risk import NOW, a_submission

POLICY = load_policy(
    b"""
version: "12"
changes: "for tests of where cases open"
groups:
  frontline: {users: [U0FRONT]}
  lawyers: {users: [U0LAW], skills: [contracts]}
  polyglots: {users: [U0POLY], skills: [contracts, tax, french]}
  accountants: {users: [U0TAX], skills: [tax]}
  duty: {users: [U0DUTY], skills: [tax, contracts, french]}
ladders:
  standard:
    tiers:
      - {channel: tier1, group: frontline, queues: [{channel: law, group: lawyers}, {channel: poly, group: polyglots}]}
      - {channel: tier2, group: frontline, queues: [{channel: tax, group: accountants}]}
      - {channel: tier3, group: duty, pagerduty: {routing_key: k}}
  low: {tiers: [{channel: l1, group: frontline}, {channel: l2, group: accountants}]}
workflows:
  senior:
    ladder: standard
    template: auto
    requester: optional
    start: {review: 1, specialist: 3, expert: 3}
    flags: {never_auto: [odd]}
    rules:
      - {name: huge, when: "has(risk.amount) && double(risk.amount) > 1000.0", lane: expert, reason: "The amount is over 1,000."}
  contracts: {ladder: standard, skills: [contracts]}
  french: {ladder: standard, skills: [french]}
  mixed:
    ladder: standard
    template: auto
    rules:
      - {name: taxed, when: "'tax' in labels", skills: [tax], reason: "It is about tax."}
      - {name: both, when: "'both' in labels", skills: [tax, french], lane: review, reason: "It is about French tax."}
  nobody: {ladder: low, skills: [french]}
""",
    {},
)
HIGH = {"impact": "high", "likelihood": 0.5}


def routed(workflow: str, **parts: Any) -> Route:
    """The route of a case with nothing against it but these parts."""
    return route(POLICY, a_submission(workflow=workflow, **parts), Facts(), NOW)


@pytest.mark.parametrize(
    ("parts", "lane", "start"),
    [
        ({"risk": HIGH}, Lane.EXPERT, 1),
        ({"model": {"confidence": 0.1}}, Lane.EXPERT, 1),
        ({"risk": {"flags": ["regulated"]}}, Lane.SPECIALIST, 1),
        ({"risk": {"amount": "2000.00"}}, Lane.EXPERT, 1),
        ({"risk": {"flags": ["regulated", "access"]}}, Lane.SPECIALIST, 1),
        ({"risk": HIGH, "model": {"confidence": 0.85}}, Lane.EXPERT, 1),
        ({"risk": HIGH, "model": {"confidence": 0.1}}, Lane.EXPERT, 2),
        ({"risk": HIGH | {"flags": ["regulated"]}}, Lane.EXPERT, 2),
        ({"risk": {"amount": "2000.00", "flags": ["odd"]}}, Lane.EXPERT, 2),
        ({"risk": {"amount": "2000.00"}, "action": {"reversible": False}}, Lane.EXPERT, 2),
        ({"risk": {"impact": "critical", "likelihood": 0.5, "recoverability": "none"}}, Lane.EXPERT, 2),
        ({"risk": {"flags": ["data_exposure"]}}, Lane.STOP, 2),
    ],
)
def test_one_risk_signal_alone_asks_no_senior(parts: dict[str, Any], lane: Lane, start: int) -> None:
    """Above tier 2 a case opens with two independent risk signals, or one critical; else it starts at tier 2 and keeps its lane."""
    chosen = routed("senior", **parts)
    assert (chosen.lane, chosen.start) == (lane, start)
    assert chosen.held_lower is (start == 1)
    assert ("opens_lower" in {reason.code for reason in chosen.reasons}) is chosen.held_lower


def test_only_the_stop_lane_pages_at_opening() -> None:
    """Two signals bring a case to a tier with a pager; the page comes with its clock, not at once."""
    assert routed("senior", risk={"flags": ["data_exposure"]}).page_at_start
    assert not routed("senior", risk=HIGH, model={"confidence": 0.1}).page_at_start


@pytest.mark.parametrize(
    ("workflow", "parts", "start", "desk", "skills"),
    [
        ("contracts", {}, 0, "law", ("contracts",)),
        ("french", {}, 0, "poly", ("french",)),
        ("mixed", {"labels": {"tax": "yes"}, "model": {"confidence": 0.8}}, 0, "poly", ("tax",)),
        ("mixed", {"labels": {"tax": "yes"}, "model": {"confidence": 0.1}}, 1, "tax", ("tax",)),
        ("mixed", {"labels": {"both": "yes"}}, 0, "poly", ("french", "tax")),
        ("french", {"model": {"confidence": 0.1}}, 2, "tier3", ("french",)),
        ("senior", {"model": {"confidence": 0.8}}, 0, "tier1", ()),
    ],
)
def test_a_case_goes_to_the_smallest_group_that_knows_the_matter(
    workflow: str, parts: dict[str, Any], start: int, desk: str, skills: tuple[str, ...]
) -> None:
    """Among the desks of the tier; the next tier where none there has the skills, with the reason."""
    chosen = routed(workflow, **parts)
    assert (chosen.start, chosen.tiers[chosen.start].channel, chosen.skills) == (start, desk, skills)
    assert chosen.tiers[chosen.start].group in chosen.groups
    assert ("skills_elsewhere" in {reason.code for reason in chosen.reasons}) is (workflow == "french" and start == 2)


def test_where_nobody_knows_the_matter_an_expert_decides() -> None:
    """The ladder stays as it is, and the card says what is lacking."""
    chosen = routed("nobody")
    assert (chosen.lane, chosen.start, [tier.channel for tier in chosen.tiers]) == (Lane.EXPERT, 1, ["l1", "l2"])
    assert chosen.reasons[0].text == "No group of the ladder has the skills it takes (french), so an expert decides."


def test_a_rule_that_asks_for_skills_only_makes_nothing_stricter() -> None:
    """Where nobody is asked nobody has to know anything; whoever checks it afterwards does."""
    chosen = routed("mixed", labels={"tax": "yes"})
    assert (chosen.lane, chosen.rule, chosen.lost) == (Lane.AUTO, "", ())
    assert chosen.tiers[chosen.start].channel == "poly"
