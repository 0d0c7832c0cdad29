"""The documented decision logic, row by row: where such a case goes, and the explanation that people read, word for word."""

from typing import Any

import pytest

from routing.case.facts import Facts
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.simulation.explain import explain
from routing.vocabulary import Lane, Mode, Risk
from tests.routing.low_risk import NOW, a_submission, golden

POLICY = load_policy(
    b"""
version: "9"
changes: "the documented decision logic"
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}, duty: {users: [U0DUTY]}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, ack: 15m, decide: 4h}
      - {channel: review-tier2, group: experts, ack: 15m, decide: 30m}
      - {channel: review-tier3, group: duty, decide: 30m, pagerduty: {routing_key: k}}
workflows:
  tickets: {ladder: standard, template: auto, requester: optional, required_evidence: {record: 1}}
""",
    {},
)
SOURCE: dict[str, Any] = {"id": "crm-17", "kind": "record", "updated_at": "2026-11-20T11:00:00Z"}
MEDIUM = {"impact": "medium", "likelihood": 0.3, "recoverability": "hard"}
HIGH = {"impact": "high", "likelihood": 0.3, "recoverability": "hard"}

ROWS: list[tuple[str, dict[str, Any], tuple[Lane, Risk, Mode, tuple[str, ...]]]] = [
    ("0.95-low-reversible", {}, (Lane.AUTO, Risk.LOW, Mode.ASYNC, ())),
    ("0.95-low-irreversible", {"action": {"reversible": False}}, (Lane.REVIEW, Risk.LOW, Mode.ASYNC, ())),
    ("0.95-financial", {"risk": {"flags": ["financial"]}}, (Lane.SPECIALIST, Risk.LOW, Mode.ASYNC, ())),
    ("no-confidence", {"model": {"confidence": None}}, (Lane.EXPERT, Risk.LOW, Mode.ASYNC, ())),
    ("0.80-medium", {"model": {"confidence": 0.8}, "risk": MEDIUM}, (Lane.REVIEW, Risk.MEDIUM, Mode.ASYNC, ())),
    ("0.80-high", {"model": {"confidence": 0.8}, "risk": HIGH}, (Lane.EXPERT, Risk.HIGH, Mode.SYNC, ())),
    ("0.5-low", {"model": {"confidence": 0.5}}, (Lane.EXPERT, Risk.LOW, Mode.ASYNC, ())),
    ("missing-source", {"evidence": []}, (Lane.REVIEW, Risk.LOW, Mode.ASYNC, ("evidence.record",))),
    ("prohibited", {"risk": {"flags": ["prohibited_content"]}}, (Lane.STOP, Risk.LOW, Mode.SYNC, ())),
]


@pytest.mark.parametrize(("name", "parts", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_the_documented_decision_logic_holds_and_explains_itself(
    name: str, parts: dict[str, Any], expected: tuple[Lane, Risk, Mode, tuple[str, ...]]
) -> None:
    """One case for each row of the documented logic, and the tree that says why."""
    submission = a_submission(**({"workflow": "tickets", "evidence": [SOURCE]} | parts))
    chosen = route(POLICY, submission, Facts(lot=0.5), NOW)
    assert (chosen.lane, chosen.risk, chosen.mode, chosen.missing) == expected
    golden(f"logic/{name}.txt", explain(POLICY, submission, Facts(lot=0.5), NOW).text())


BY_SCORE = load_policy(
    b"""
version: "10"
changes: "the second router"
groups: {frontline: {users: [U0FRONT]}}
ladders: {standard: {tiers: [{channel: review-tier1, group: frontline}]}}
workflows:
  tickets: {ladder: standard, template: auto, requester: optional, router: by-risk-score}
  stricter: {ladder: standard, template: auto, requester: optional, router: by-risk-score, thresholds: {auto: 0.95}}
  waits: {ladder: standard, template: auto, requester: optional, router: by-risk-score, mode: sync}
""",
    {},
)


@pytest.mark.parametrize(
    ("parts", "lane", "mode"),
    [
        ({"model": {"confidence": 0.85}, "risk": {"score": 0.59}}, Lane.AUTO, Mode.ASYNC),
        ({"model": {"confidence": 0.99}, "risk": {"score": 0.0} | MEDIUM}, Lane.AUTO, Mode.ASYNC),
        ({"model": {"confidence": 0.8499}, "risk": {"score": 0.1}}, Lane.REVIEW, Mode.ASYNC),
        ({"model": {"confidence": 0.6}, "risk": {"score": 0.1}}, Lane.REVIEW, Mode.ASYNC),
        ({"model": {"confidence": 0.99}, "risk": {"score": 0.6}}, Lane.REVIEW, Mode.ASYNC),
        ({"model": {"confidence": 0.99}, "risk": {"score": 0.8999}}, Lane.REVIEW, Mode.ASYNC),
        ({"model": {"confidence": 0.99}, "risk": {"score": 0.9}}, Lane.EXPERT, Mode.SYNC),
        ({"model": {"confidence": 0.5999}, "risk": {"score": 0.1}}, Lane.EXPERT, Mode.SYNC),
        ({"model": {"confidence": None}, "risk": {"score": 0.1}}, Lane.EXPERT, Mode.SYNC),
        ({"model": {"confidence": 0.99}, "risk": {"score": None}}, Lane.REVIEW, Mode.ASYNC),
        ({"risk": {"score": 0.1, "flags": ["medical"]}}, Lane.REVIEW, Mode.ASYNC),
        ({"risk": {"score": 0.1, "flags": ["financial"]}}, Lane.SPECIALIST, Mode.ASYNC),
        ({"risk": {"score": 0.1, "amount": "5.00"}}, Lane.REVIEW, Mode.ASYNC),
        ({"risk": {"score": 0.1}, "action": {"reversible": False}}, Lane.REVIEW, Mode.ASYNC),
        ({"risk": {"score": 0.1} | HIGH}, Lane.EXPERT, Mode.SYNC),
        ({"risk": {"score": 0.1, "flags": ["data_exposure"]}}, Lane.STOP, Mode.SYNC),
        ({"workflow": "stricter", "model": {"confidence": 0.94}, "risk": {"score": 0.1}}, Lane.REVIEW, Mode.ASYNC),
        ({"workflow": "waits", "risk": {"score": 0.1}}, Lane.AUTO, Mode.SYNC),
    ],
)
def test_the_router_by_score_follows_its_table(parts: dict[str, Any], lane: Lane, mode: Mode) -> None:
    """Score and confidence decide, the class of risk only where it is high; flags, money and what cannot be undone win over both."""
    chosen = route(BY_SCORE, a_submission(**({"workflow": "tickets"} | parts)), Facts(), NOW)
    assert (chosen.lane, chosen.mode) == (lane, mode)


def test_a_router_fills_only_what_the_policy_does_not_write() -> None:
    """Its figures stand in for the defaults, key by key; the card's mark is the one in force."""
    tickets, stricter = (BY_SCORE.workflows[name].thresholds for name in ("tickets", "stricter"))
    assert (tickets.auto, tickets.review, stricter.auto, stricter.review) == (0.85, 0.6, 0.95, 0.6)
    assert route(BY_SCORE, a_submission(workflow="tickets"), Facts(), NOW).threshold == 0.85
