"""Before anything is generated a service learns what its request could get at best, and what is missing."""

from typing import Any

import pytest

from routing.authority import Automation
from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.errors import SubmissionError
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.simulation.precheck import Prospect, prospect, read_inquiry
from routing.vocabulary import Lane
from tests.routing.factory import NOON

POLICY = load_policy(
    b"""
version: "1"
changes: "for tests of the pre-check"
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}}
ladders: {standard: {tiers: [{channel: tier1, group: frontline}, {channel: tier2, group: experts}]}}
workflows:
  notes:
    ladder: standard
    template: auto
    requester: required
    required: [title, action.params, output, model.confidence]
    required_evidence: {record: 1}
    action_types: [note.file]
    action_schemas: {note.file: {type: object, required: [text]}}
    checks: {required: [regards], citations: 1}
    models: [{name: m, version: "1", share: 0.1}]
    rules:
      - {name: long, when: "double(risk.amount) > 1.0 || size(action.params.text) > 10", lane: expert, reason: "It is long."}
  refunds: {ladder: standard, template: approval}
""",
    {},
)


def ask(facts: Facts | None = None, **known: Any) -> Prospect:
    """What a request could get, of which this much is known."""
    return prospect(POLICY, read_inquiry({"workflow": "notes", **known}), facts or Facts(), NOON)


def test_all_that_is_not_known_is_assumed_to_turn_out_well() -> None:
    """With nothing but the workflow the answer is its freest lane, and everything that it requires."""
    found = ask()
    assert found.allowed is Lane.AUTO
    assert found.missing == ("title", "action.params", "output", "model.confidence", "evidence.record", "output.citations", "requester")


@pytest.mark.parametrize(
    ("known", "lane", "code"),
    [
        ({"model": {"confidence": 0.8}}, Lane.REVIEW, "confidence_low"),
        ({"model": {"name": "m", "version": "2"}}, Lane.REVIEW, "model_unknown"),
        ({"risk": {"flags": ["financial"]}}, Lane.SPECIALIST, "specialist_needed"),
        ({"risk": {"impact": "high", "likelihood": 0.6, "recoverability": "hard"}}, Lane.EXPERT, "risk_critical"),
        ({"action": {"type": "note.burn"}}, Lane.REJECT, "action_not_allowed"),
        ({"action": {"params": {}}}, Lane.SPECIALIST, "schema_broken"),
        ({"action": {"params": {"text": "a long text"}}, "risk": {"amount": "0"}}, Lane.EXPERT, "policy_rule"),
        ({"output": "no greeting"}, Lane.REVIEW, "required_term_missing"),
        ({"risk": {"flags": ["data_exposure"]}}, Lane.STOP, "prohibited"),
    ],
)
def test_what_is_known_counts(known: dict[str, Any], lane: Lane, code: str) -> None:
    """Each thing that is said is held against the case as it will be; the reason is among those told."""
    found = ask(**known)
    assert found.allowed is lane
    assert code in {reason for reason, _ in found.reasons}


def test_a_workflow_that_is_paused_allows_nothing_automatic() -> None:
    """What people switched off is off for whoever asks, too."""
    assert ask(Facts(automation=Automation.PAUSED)).allowed is Lane.REVIEW


def test_the_case_gets_no_freer_lane_than_the_answer_said() -> None:
    """The answer is an upper bound: what comes later makes the lane stricter, never freer."""
    known: dict[str, Any] = {"risk": {"impact": "low", "flags": ["newsletter"]}, "model": {"name": "m", "version": "1"}}
    said = ask(**known)
    case = {**known, "workflow": "notes", "task_id": "t", "title": "t", "action": {"type": "note.file", "params": {"text": "x"}}}
    assert route(POLICY, read_submission(case), Facts(), NOON).lane.severity > said.allowed.severity


def test_who_asks_is_missing_where_it_must_be_known() -> None:
    """As for a case: money and two-person work need to know whom to keep from deciding."""
    found = prospect(POLICY, read_inquiry({"workflow": "refunds", "risk": {"amount": "80.00"}}), Facts(), NOON)
    assert (found.allowed, found.missing) == (Lane.REVIEW, ("requester",))


def test_a_wrong_inquiry_is_refused_with_every_field() -> None:
    """It is read as strictly as a case."""
    with pytest.raises(SubmissionError) as refused:
        read_inquiry({"titel": "x", "risk": {"impact": "huge"}})
    assert {problem.pointer for problem in refused.value.problems} == {"/titel", "/risk/impact", "/workflow"}
