"""The example policies send cases where a sensible person would."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.simulation.replay import Replayed, replay
from routing.vocabulary import Lane
from tests.checkout import EXAMPLES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a JSONL file."""
    return [json.loads(line) for line in (EXAMPLES / name).read_text().splitlines()]


def example(name: str) -> Policy:
    """An example policy with a made-up routing key."""
    return load_policy((EXAMPLES / name).read_bytes(), {"PAGERDUTY_ROUTING_KEY": "key"}, name)


AIRLINE = example("airline.yml")
FIRST = example("policy.yml")
MONEY: dict[str, Any] = {"flags": ["financial"]}


@pytest.mark.parametrize(
    ("action", "params", "risk", "expected"),
    [
        ("update_reservation_passengers", {}, {"flags": []}, (Lane.REVIEW, "", ["approve"])),
        ("update_reservation_baggages", {}, MONEY, (Lane.REVIEW, "", ["approve"])),
        ("update_reservation_flights", {"cabin": "economy"}, MONEY, (Lane.REVIEW, "", ["approve"])),
        ("update_reservation_flights", {"cabin": "business"}, MONEY, (Lane.SPECIALIST, "business-cabin", ["approve"])),
        (
            "book_reservation",
            {"payment_methods": [{"payment_id": "credit_card_1000001", "amount": 305.00}]},
            MONEY,
            (Lane.SPECIALIST, "booking", ["approve"]),
        ),
        (
            "book_reservation",
            {"payment_methods": [{"payment_id": "credit_card_1000001", "amount": 500.00}]},
            MONEY,
            (Lane.EXPERT, "large-booking", ["approve"]),
        ),
        ("cancel_reservation", {}, MONEY, (Lane.SPECIALIST, "cancellation", ["approve"])),
        ("send_certificate", {"amount": 50}, MONEY | {"amount": "50"}, (Lane.SPECIALIST, "compensation", ["approve"])),
        ("send_certificate", {"amount": 51}, MONEY | {"amount": "51"}, (Lane.EXPERT, "large-compensation", ["verify", "approve"])),
        ("update_reservation_flights", {"payment_id": "certificate_1000001"}, MONEY, (Lane.REJECT, "change-by-certificate", [])),
        ("update_reservation_flights", {"payment_id": "credit_card_4711"}, MONEY, (Lane.REJECT, "unknown-payment", [])),
        ("update_reservation_flights", {"flights": [{}, {}, {}]}, MONEY, (Lane.SPECIALIST, "long-journey", ["approve"])),
        ("delete_account", {}, {}, (Lane.REJECT, "", [])),
    ],
)
def test_the_airline_agent_is_reviewed_by_what_it_does(
    action: str, params: dict[str, Any], risk: dict[str, Any], expected: tuple[Lane, str, list[str]]
) -> None:
    """Small changes go to the desk, bookings and cancellations to supervisors, large gifts to two people; what is never done, to nobody."""
    case = {
        "workflow": "airline-agent",
        "task_id": "air-1",
        "title": action,
        "request": "Please change my booking.",
        "action": {"type": action, "params": {"reservation_id": "A1B2C3", **params}, "reversible": action.startswith(("update", "book"))},
        "evidence": [{"id": "m-1", "kind": "quote", "text": "Yes, please."}],
        "risk": risk,
    }
    chosen = route(AIRLINE, read_submission(case), Facts(), NOW)
    assert (chosen.lane, chosen.rule, [step.name for step in chosen.steps]) == expected
    assert chosen.missing == ()


@pytest.mark.parametrize(
    ("workflow", "action", "risk", "lane", "people"),
    [
        ("ticket-summaries", "ticket.summarize", {"impact": "low"}, Lane.AUTO, 0),
        ("ticket-summaries", "ticket.summarize", {}, Lane.REVIEW, 1),
        ("refunds", "refund.create", {"impact": "low", "amount": "20.00", "flags": ["financial"]}, Lane.REVIEW, 1),
        ("refunds", "refund.create", {"impact": "low", "amount": "240.00", "flags": ["financial"]}, Lane.SPECIALIST, 1),
        ("refunds", "refund.create", {"impact": "low", "amount": "1240.00", "flags": ["financial"]}, Lane.EXPERT, 1),
        ("payouts", "payout.create", {"impact": "low", "amount": "9.00", "flags": ["financial"]}, Lane.SPECIALIST, 2),
        ("contract-changes", "clause.change", {"impact": "low"}, Lane.EXPERT, 2),
    ],
)
def test_the_first_policy_shows_every_way_of_working(workflow: str, action: str, risk: dict[str, Any], lane: Lane, people: int) -> None:
    """Automatic, one person, two different people, experts: each from a confident model with low impact."""
    case = {
        "workflow": workflow,
        "task_id": "t-1",
        "title": "A case",
        "action": {
            "type": action,
            "params": {name: value for name, value in risk.items() if name == "amount"} | {"currency": "EUR"},
            "reversible": True,
        },
        "output": "what the model wrote",
        "model": {"confidence": 0.96},
        "risk": risk,
    }
    chosen = route(FIRST, read_submission(case), Facts(), NOW)
    assert (chosen.lane, sum(step.people for step in chosen.steps)) == (lane, people)


def test_the_airline_policy_is_better_than_its_draft() -> None:
    """On the labelled examples fewer wrong actions pass a single person at the desk, with less work, and no right one is turned down."""
    labels = {line["task_id"]: line["correct"] for line in lines("airline-labels.jsonl")}
    cases = [
        Replayed(line["task_id"], read_submission(line), Facts(), NOW, labels[line["task_id"]]) for line in lines("airline-cases.jsonl")
    ]
    report = replay(AIRLINE, cases, example("airline-draft.yml"))
    before, after = report.before, report.after
    assert before is not None
    assert (before.reviews, after.reviews) == (14, 10)
    assert (before.wrong["review"], after.wrong["review"]) == (5, 1)
    assert (before.right["expert"], after.right["expert"]) == (2, 0)
    assert (after.wrong["reject"], after.false_rejections, after.false_approvals) == (3, 0, 0)
