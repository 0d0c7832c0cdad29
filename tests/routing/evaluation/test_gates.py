"""The three gates: what is looked at, how it is read, and what is held against what."""

from typing import Any

import pytest

from routing.case.case import Route
from routing.case.facts import Facts
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.simulation.explain import explain
from routing.vocabulary import Lane
from tests.routing import low_risk
from tests.routing.factory import NOON, POLICY_TEXT, a_submission


@pytest.mark.parametrize("spelled", ["pii-leak", "PII Leak", "pii_leak"])
def test_a_flag_of_the_policy_stops_the_line_however_it_is_spelled(spelled: str) -> None:
    """Flags of a case are read in one spelling; those of the policy have to be read in the same."""
    flags = f'requester: optional, flags: {{prohibited: ["{spelled}"]}}}}'
    policy = load_policy(POLICY_TEXT.replace(b"requester: optional}", flags.encode()), {})
    chosen = route(policy, a_submission(risk={"impact": "low", "flags": ["pii-leak"]}), Facts(), NOON)
    assert chosen.lane is Lane.STOP


FRESH = load_policy(
    b"""
version: "14"
changes: "for tests of gates"
groups: {frontline: {users: [U0FRONT]}}
ladders: {standard: {tiers: [{channel: tier1, group: frontline}]}}
defaults: {freshness: {record: 1d, log: 1h}}
workflows:
  tickets: {ladder: standard, template: auto, requester: optional}
  looked: {ladder: standard, template: auto, requester: optional, context_missing: review}
""",
    {},
)


def routed(**parts: Any) -> Route:
    """The route of a case with nothing against it but these parts."""
    return route(FRESH, low_risk.a_submission(**({"workflow": "tickets"} | parts)), Facts(), low_risk.NOW)


@pytest.mark.parametrize(
    ("source", "lane"),
    [
        ({"kind": "record", "updated_at": "2026-11-19T12:00:00Z"}, Lane.AUTO),
        ({"kind": "record", "updated_at": "2026-11-19T11:59:59Z"}, Lane.REVIEW),
        ({"kind": "record", "retrieved_at": "2026-11-20T11:00:00Z"}, Lane.AUTO),
        ({"kind": "record", "updated_at": "2026-11-01T12:00:00Z", "retrieved_at": "2026-11-20T11:59:00Z"}, Lane.REVIEW),
        ({"kind": "record"}, Lane.REVIEW),
        ({"kind": "record", "updated_at": "2026-11-20T12:05:00Z"}, Lane.AUTO),
        ({"kind": "record", "updated_at": "2026-11-20T12:05:01Z"}, Lane.REVIEW),
        ({"kind": "log", "updated_at": "2026-11-20T10:59:00Z"}, Lane.REVIEW),
        ({"kind": "quote"}, Lane.AUTO),
    ],
)
def test_a_source_has_an_age_or_counts_as_old(source: dict[str, Any], lane: Lane) -> None:
    """By kind; what was fetched a minute ago and last changed a month ago is a month old; a time to come is no age."""
    chosen = routed(evidence=[{"id": "s-1", **source}])
    assert chosen.lane is lane
    assert ("source_stale" in {reason.code for reason in chosen.reasons}) is (lane is Lane.REVIEW)


def test_what_the_service_knows_to_be_missing_is_asked_for() -> None:
    """It is the service that can find it; where the policy says so people look instead."""
    assert routed(context={"missing": ["the order"]}).missing == ("context.missing",)
    looked = routed(workflow="looked", context={"missing": ["the order"]})
    assert (looked.lane, looked.missing) == (Lane.REVIEW, ())
    assert [reason.code for reason in looked.reasons].count("context_missing") == 1


@pytest.mark.parametrize(
    ("confidence", "quality", "score", "lane", "told"),
    [
        (0.92, None, None, Lane.AUTO, "0.92"),
        (0.92, 0.95, 0.05, Lane.AUTO, "0.92"),
        (0.95, 0.83, None, Lane.AUTO, "0.92 (0.6 × 0.95 + 0.25 × 0.83 + 0.15 × 0.95)"),
        (0.95, 0.82, None, Lane.REVIEW, "0.9175 (0.6 × 0.95 + 0.25 × 0.82 + 0.15 × 0.95)"),
        (0.95, None, 0.25, Lane.AUTO, "0.92 (0.6 × 0.95 + 0.25 × 0.95 + 0.15 × 0.75)"),
        (0.95, None, 0.26, Lane.REVIEW, "0.9185 (0.6 × 0.95 + 0.25 × 0.95 + 0.15 × 0.74)"),
        (0.8, 0.6, 0.5, Lane.EXPERT, "0.705 (0.6 × 0.8 + 0.25 × 0.6 + 0.15 × 0.5)"),
        (0.9, 1.0, 0.0, Lane.REVIEW, "0.9"),
        (None, 1.0, 0.0, Lane.EXPERT, "none"),
    ],
)
def test_confidence_is_a_blend_that_nothing_lifts(
    confidence: float | None, quality: float | None, score: float | None, lane: Lane, told: str
) -> None:
    """Weak retrieval and risk pull the model's score down; good ones never make up for it. The explanation prints the sum."""
    submission = low_risk.a_submission(
        workflow="tickets", model={"confidence": confidence, "retrieval_quality": quality}, risk={"score": score}
    )
    explanation = explain(FRESH, submission, Facts(), low_risk.NOW)
    assert explanation.route.lane is lane
    assert f"    confidence: {told} (limit" in explanation.text()
