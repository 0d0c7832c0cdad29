"""All conditions of a workflow asked at once say what each says alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.case.submission import Submission, read_submission
from routing.policy.expressions import ExpressionError, compile_condition, together, variables
from routing.policy.file import load_policy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "examples"
LEAST: dict[str, Any] = {"workflow": "refunds", "task_id": "t", "title": "t", "action": {"type": "refund.create"}}
FULL: dict[str, Any] = LEAST | {
    "action": {"type": "refund.create", "params": {"amount": 12, "iban": "DE89", "items": [{"risk": 1}]}},
    "risk": {"amount": "1200.00", "flags": ["financial"], "impact": "high"},
    "subject": {"id": "8841", "tier": "gold"},
    "labels": {"region": "eu"},
    "checks": [{"name": "rules", "result": "pass"}],
    "evidence": [{"id": "e", "kind": "url", "text": "yes", "updated_at": "2026-11-01T00:00:00Z"}],
}
CASES = [read_submission(LEAST), read_submission(FULL)]
CONDITIONS = [
    "true",
    "true // and risk.impact == 'high'",
    "false //",
    "double(risk.amount) > 1000.0",
    "has(risk.amount) && double(risk.amount) > 1000.0",
    "action.params.amount == 12",
    "action.params.items.exists(e, e.risk == 1)",
    "checks.exists(risk, risk.result == 'pass')",
    'labels.region == "eu" && "subject.tier" != \'evidence\'',
    'has(subject.tier) && subject.tier.matches(r"^go\\w+$")',
    "evidence.all(e, timestamp(e.updated_at) < now)",
    "size(signals) == 1 && workflow == 'refunds'",
    "labels.size() == 1",
    "action.params.iban",
    "[1, 2].exists(i, i == 2)",
]
"""Among them some that fail on one of the cases, or give no boolean there."""


def alone(texts: tuple[str, ...], case: Submission) -> list[object]:
    """What each says by itself; None where it has no answer."""
    bound = variables(case, ["money"], NOW)
    answers = [compile_condition(text).evaluate(bound) for text in texts]
    return [answer if isinstance(answer, bool) else None for answer in answers]


def at_once(texts: tuple[str, ...], case: Submission) -> list[object] | None:
    """What all say together."""
    program = together(texts)
    assert program is not None
    answers = program.evaluate(case, ["money"], NOW)
    return None if answers is None else list(answers)


@pytest.mark.parametrize("case", CASES, ids=["least", "full"])
@pytest.mark.parametrize("text", CONDITIONS)
def test_each_says_the_same_in_company(text: str, case: Submission) -> None:
    """Beside others it gives the answer that it gives alone, and where it has none, nobody's answer is taken."""
    texts = ("true", text, "action.type == 'refund.create'")
    expected = alone(texts, case)
    assert at_once(texts, case) == (None if None in expected else expected)


@given(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=6).map(tuple), st.sampled_from(CASES))
def test_however_they_are_mixed(texts: tuple[str, ...], case: Submission) -> None:
    """Neither order nor company changes an answer."""
    expected = alone(texts, case)
    assert at_once(texts, case) == (None if None in expected else expected)


@pytest.mark.parametrize("file", ["airline", "policy"])
def test_the_rules_of_the_examples_are_asked_at_once(file: str) -> None:
    """None of them falls back to being asked one by one for want of compiling."""
    policy = load_policy((EXAMPLES / f"{file}.yml").read_bytes(), {"PAGERDUTY_ROUTING_KEY": "R" * 32})
    for rules in policy.expressions.values():
        assert together(tuple(expression.text for _, expression in rules)) is not None


@pytest.mark.parametrize("case", CASES, ids=["least", "full"])
@pytest.mark.parametrize(
    "rest", [*CONDITIONS, "'a || b' == labels.region", "(false || true)", "true ? true : false", "1 + 1", "has(action.params)"]
)
@pytest.mark.parametrize("named", ['action.type == "other"', "action.type=='other'", ' action.type == "other" '])
def test_a_condition_for_another_type_of_action_is_false_and_not_asked(named: str, rest: str, case: Submission) -> None:
    """Where it says that it is for one type only, it is false for any other, also where the rest of it would fail."""
    for text in (
        named,
        f"{named} && {rest}",
        f"{named} && {rest} && true",
        f"{named} && ({rest} || true)",
        f"{named} && ({rest} ? true : !({rest}))",
        f"{named} && ({rest} || true) || false",
        f"{named} || {rest}",
        f"!({named}) && {rest}",
        f"{rest} && {named}",
    ):
        try:
            condition = compile_condition(text)
        except ExpressionError:
            continue
        if condition.action_type is not None:
            assert condition.action_type == "other"
            assert condition.evaluate(variables(case, [], NOW)) is False
    assert compile_condition(named).action_type == "other"
    assert compile_condition(f"{named} || true").action_type is None
    assert compile_condition(f"!({named})").action_type is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("action.type == 'a' && has(risk.amount)", "a"),
        ("action.type == 'a' && labels.x == 'b || c?'", "a"),
        ("action.type == 'a' // || anything", None),
        ("action.type == 'a' ? true : false", None),
        ("action.type == 'a' && (has(risk.amount) || true)", "a"),
        ("action.type == 'a' && evidence.exists(e, e.id == ')' || [1, 2].exists(n, n > 1 || n < 0))", "a"),
        ("action.type == 'a' && (has(risk.amount) ? true : false) && labels['x || y'] == '('", "a"),
        ("action.type == 'a' && (has(risk.amount)) || (true)", None),
        ("action.type == 'a' && labels.x == '(' || labels.y == ')'", None),
        ("action.type != 'a' && true", None),
        ("action.type == 'a' + 'b' && true", None),
        ("action.type == labels.x && true", None),
        ("'a' == action.type && true", None),
        ('action.type == "a\\n" && true', None),
    ],
)
def test_the_type_a_condition_is_for(text: str, expected: str | None) -> None:
    """Read from what it begins with, and only where the rest cannot make it true for another."""
    assert compile_condition(text).action_type == expected
