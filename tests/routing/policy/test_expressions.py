"""Conditions are checked when a policy is loaded, and an error while evaluating is never taken for yes."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from routing.case.submission import read_submission
from routing.policy.expressions import ExpressionError, Failure, compile_condition, variables

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def evaluated(condition: str, **case: Any) -> bool | Failure:
    """The answer of a condition for a case with these parts."""
    least: dict[str, Any] = {"workflow": "refunds", "task_id": "t", "title": "t", "action": {"type": "refund.create"}}
    return compile_condition(condition).evaluate(variables(read_submission(least | case), ["confidence_low"], NOW))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("rsk.amount == '1'", 'did you mean "risk.amount"'),
        ("risk.amout == '1'", 'did you mean "risk.amount"'),
        ("has(risk.amout)", 'did you mean "risk.amount"'),
        ('risk.amount > "x" + 1', "no matching overload"),
        ("risk.amount > 1000.0", "no matching overload"),
        ("model.confidence > 1", "no matching overload"),
        ("risk.amount", "true or false"),
        ("risk['amount'] == '1'", "write risk.NAME"),
        ("evidence.exists(e, e.knd == 'url')", 'did you mean "kind"'),
        ("checks.all(c, c.result == 'pass' && c.resutl == 'x')", 'did you mean "result"'),
        ("workflow == ", "Syntax error"),
        ("('a' in risk.flags", "Syntax error"),
        ("(" * 500 + "true" + ")" * 500, "recursion limit"),
        ("subject == null", "write subject.NAME"),
        ("unknown", "there is no"),
    ],
)
def test_a_mistake_is_found_before_it_decides_anything(condition: str, said: str) -> None:
    """Misspelt fields and comparisons that can never hold are errors when the policy is loaded."""
    with pytest.raises(ExpressionError, match=re.escape(said)):
        compile_condition(condition)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("has(risk.amount) && double(risk.amount) > 1000.0", True),
        ("'financial' in risk.flags && risk.flags.exists(f, f.startsWith('fin'))", True),
        ("has(model.confidence) && model.confidence < 0.5", False),
        ("has(action.params.iban) || action.params.amount == 12", True),
        ("action.params.note == null", True),
        ("has(labels.region) && labels.region == 'eu'", True),
        ("has(subject.tier)", False),
        ("'confidence_low' in signals && !('money' in signals)", True),
        ("evidence.exists(e, e.kind == 'url' && now - timestamp(e.updated_at) > duration('24h'))", True),
        ("model.features.exists(f, f.weight > 0.5)", True),
        ("risk.impact == 'high' && workflow == 'refunds' && now > timestamp('2026-01-01T00:00:00Z')", True),
        ("labels.region == 'has(risk.amout)'", False),
    ],
)
def test_conditions_see_the_case(condition: str, expected: bool) -> None:
    """Every part of a case is there under the name the contract gives it."""
    assert (
        evaluated(
            condition,
            action={"type": "refund.create", "params": {"amount": 12, "note": None}},
            risk={"amount": "1240.00", "flags": ["financial"], "impact": "high"},
            labels={"region": "eu"},
            evidence=[{"id": "1", "kind": "url", "updated_at": "2026-11-01T00:00:00Z"}],
            model={"features": [{"name": "x", "weight": 0.7}]},
        )
        is expected
    )


@pytest.mark.parametrize(
    "condition",
    [
        "double(risk.amount) > 1000.0",
        "model.confidence < 0.5",
        "action.params.iban == 'x'",
        "1 / (size(risk.flags)) == 1",
        "labels.region",
        "[1,2,3,4,5,6,7,8,9,10].all(a, " * 7 + "true" + ")" * 7,
    ],
)
def test_no_answer_is_a_failure_and_never_true(condition: str) -> None:
    """The library's errors are values, and true as a condition; ours say what happened."""
    try:
        answer = evaluated(condition)
    except ExpressionError:
        assert condition == "labels.region"  # a text is no condition, found at load
        return
    assert isinstance(answer, Failure)
    assert answer.text
