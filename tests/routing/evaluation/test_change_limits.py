"""How far an action may move a value before people are told: drawn pairs against plain arithmetic, and what cannot be told."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case.action import Action
from routing.evaluation.change_limits import large_changes
from tests.examples_drawn import examples

CENTS = st.integers(-1_000_000, 1_000_000)


def written(cents: int, form: str) -> Any:  # noqa: ANN401 - any JSON number or text
    """The same value as services write it."""
    return {"text": f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}", "number": cents / 100, "whole": cents}[form]


@settings(max_examples=examples(200))
@given(before=CENTS, after=CENTS, percent=st.integers(0, 300), limit=CENTS.map(abs), form=st.sampled_from(["text", "number", "whole"]))
def test_a_change_beyond_its_limit_is_found(*, before: int, after: int, percent: int, limit: int, form: str) -> None:
    """Up and down, through zero, in every form a number has; at the limit it passes."""
    action = Action(type="price.set", params={"a": {"b": written(after, form)}}, before={"a": {"b": written(before, form)}})
    unit = 1 if form == "whole" else 100
    moved = abs(Fraction(after) - before)
    assert bool(large_changes({"a.b": percent}, {}, action)) == (moved > abs(Fraction(before)) * percent / 100)
    assert bool(large_changes({}, {"a.b": written(limit, "text") if unit == 100 else f"{limit}"}, action)) == (moved > limit)


@pytest.mark.parametrize(
    ("params", "before", "large"),
    [
        ({"price": "11.90"}, {"price": "129.00"}, True),
        ({"price": "11.90"}, None, True),
        ({"price": "11.90"}, {}, True),
        ({"price": "11.90"}, {"price": "unknown"}, True),
        ({"price": None}, {"price": "129.00"}, True),
        ({"price": "NaN"}, {"price": "129.00"}, True),
        ({"price": True}, {"price": 1}, True),
        ({"price": [1]}, {"price": 1}, True),
        ({"other": 1}, {"price": "129.00"}, False),
        (None, None, False),
        ({"price": "0.00"}, {"price": 0}, False),
        ({"price": "0.01"}, {"price": 0}, True),
    ],
)
def test_a_change_that_cannot_be_told_counts_as_large(params: Any, before: Any, large: bool) -> None:  # noqa: ANN401
    """Unknown is not small; what the action does not set is not changed."""
    assert bool(large_changes({"price": 20}, {}, Action(type="price.set", params=params, before=before))) == large
