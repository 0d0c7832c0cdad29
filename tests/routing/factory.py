"""Cases, people and presses for tests of the review core: plausible values, each test overrides what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from routing.case.case import Case, Clocks, Page, Route, Step, Tier
from routing.case.people import Person, Press
from routing.case.submission import Submission, read_submission
from routing.policy.file import load_policy
from routing.vocabulary import Exhausted, Lane, Mode, ReasonCode, Risk, Template

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEAM = "T0HOME"
FRONT = "U0FRONT"
SENIOR = "U0SENIOR"
POLICY_TEXT = b"""
version: "1"
changes: "for tests of the review core"
defaults: {undo: 0s}
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U0OWNER, ack: 15m, decide: 4h}
      - {channel: review-tier2, group: experts, owner: U0LEAD, ack: 15m, decide: 30m, pagerduty: {routing_key: "R0KEY", severity: warning}}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional}
"""
POLICY = load_policy(POLICY_TEXT, {})


def a_route(**changes: Any) -> Route:
    """Two tiers, one approving step, the second tier pages."""
    values: dict[str, Any] = {
        "lane": Lane.REVIEW,
        "mode": Mode.ASYNC,
        "risk": Risk.MEDIUM,
        "priority": 40,
        "template": Template.APPROVAL,
        "steps": (Step(name="approve"),),
        "ladder": "standard",
        "tiers": (
            Tier(channel="review-tier1", group="frontline", owner="U0OWNER", ack_s=900, decide_s=14_400),
            Tier(channel="review-tier2", group="experts", owner="U0LEAD", ack_s=900, decide_s=1_800, page=Page(severity="warning")),
        ),
        "start": 0,
        "exhausted": Exhausted.HOLD,
        "reason_codes": tuple(code.value for code in ReasonCode),
        "policy_version": "1",
        "policy_sha256": "0" * 64,
    }
    return Route(**(values | changes))


def a_case(**changes: Any) -> Case:
    """A case pending at its first tier, shown in its channel, untouched."""
    values: dict[str, Any] = {
        "id": "c_01",
        "service": "refund-agent",
        "workflow": "refunds",
        "task_id": "t-17",
        "route": a_route(),
        "created_at": NOON,
        "action_sha256": "a" * 64,
        "action_type": "refund.create",
        "input_sha256": "b" * 64,
        "tier_since": NOON,
        "clocks": Clocks(
            acknowledge=NOON + timedelta(minutes=15),
            decide=NOON + timedelta(hours=4),
            reminders=(NOON + timedelta(hours=2), NOON + timedelta(hours=3.6)),
        ),
    }
    return Case(**(values | changes))


def a_person(**changes: Any) -> Person:
    """A full member of the workspace and of the first tier's group."""
    values: dict[str, Any] = {
        "id": FRONT,
        "team": TEAM,
        "name": "Fran Front",
        "email": "fran@example.com" if changes.get("id", FRONT) == FRONT else f"{changes['id'].lower()}@example.com",
        "groups": frozenset({"frontline"}),
    }
    return Person(**(values | changes))


def a_press(case: Case, verb: str = "approve", **changes: Any) -> Press:
    """A press on the card as the case is now, by `a_person`."""
    values: dict[str, Any] = {
        "verb": verb,
        "person": a_person(),
        "case_id": case.id,
        "face": case.face,
        "team": TEAM,
        "reason_code": "unsure",
        "text": "why",
    }
    return Press(**(values | changes))


def a_submission(**changes: Any) -> Submission:
    """A refund of 80 USD with enough confidence for one person's review."""
    document: dict[str, Any] = {
        "workflow": "refunds",
        "task_id": "t-17",
        "title": "Refund 80.00 USD to customer 8841",
        "request": "I was charged twice.",
        "action": {
            "type": "refund.create",
            "params": {"customer": "8841", "amount": "80.00", "note": {"text": "sorry"}},
            "reversible": True,
        },
        "model": {"name": "m", "version": "1", "confidence": 0.95},
        "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
    }
    return read_submission(document | changes)
