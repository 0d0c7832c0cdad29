"""Which way a moved limit moves a rule: told where it is sure, and sure only where the condition itself agrees."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case.submission import read_submission
from routing.policy.condition_change import change_of
from routing.policy.expressions import compile_condition, variables
from tests.examples_drawn import examples

TOLD = [
    ("double(risk.amount) > 10000.0", "double(risk.amount) > 5000.0", "more"),
    ("has(risk.amount) && double(risk.amount) > 5000.0", "has(risk.amount) && double(risk.amount) >= 10000.0", "unknown"),
    ("has(risk.amount) && double(risk.amount) > 5000.0", "has(risk.amount) && double(risk.amount) > 10000.0", "fewer"),
    ("model.confidence < 0.9", "model.confidence < 0.8", "fewer"),
    ("0.9 > model.confidence", "0.95 > model.confidence", "more"),
    ("evidence.exists(e, size(e.text) > 100)", "evidence.exists(e, size(e.text) > 50)", "more"),
    ("a > 5.0 && a < 9.0", "a > 4.0 && a < 10.0", "more"),
    ("a > 5.0 && a < 9.0", "a > 6.0 && a < 10.0", "unknown"),
    ("!(a > 5.0)", "!(a > 6.0)", "unknown"),
    ("(a > 5.0) == false", "(a > 6.0) == false", "unknown"),
    ("!evidence.exists(e, size(e.text) > 100)", "!evidence.exists(e, size(e.text) > 50)", "unknown"),
    ("size(evidence.filter(e, size(e.text) > 100)) < 3", "size(evidence.filter(e, size(e.text) > 50)) < 3", "unknown"),
    ("x == 1 ? a > 5.0 : a > 9.0", "x == 1 ? a > 4.0 : a > 9.0", "unknown"),
    ("a == 5", "a == 6", "unknown"),
    ("a[5] > 1", "a[4] > 1", "unknown"),
    ("a > 2.0 * 5.0", "a > 3.0 * 5.0", "unknown"),
    ("a - 5.0 > b", "a - 4.0 > b", "unknown"),
    ("a > 5.0", "b > 5.0", "unknown"),
    ("a > 100", "a > 50.0", "unknown"),
    ("a > 5.0", "a < 5.0", "unknown"),
]


@pytest.mark.parametrize(("before", "after", "holds"), TOLD)
def test_a_cut_limit_makes_a_rule_fire_more_often(before: str, after: str, holds: str) -> None:
    """And nothing is said of what cannot be told."""
    assert change_of(before, after) == holds
    assert change_of(after, before) == {"more": "fewer", "fewer": "more"}.get(holds, "unknown")


ATOMS = st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(["<", "<=", ">", ">=", "=="]), st.booleans())
SHAPES = st.recursive(
    st.just("{}"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(" ".join),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"!({one})"),
        inner.map(lambda one: f"({one}) == false"),
        inner.map(lambda one: f"(true == ({one}))"),
        inner.map(lambda one: f"(({one}) ? y > 1 : x > 1)"),
        inner.map(lambda one: f"[1, 2].exists(i, {one})"),
        inner.map(lambda one: f"[1, 2].all(i, i < 9 && {one})"),
        inner.map(lambda one: f"size([1, 2].filter(i, {one})) < 1"),
    ),
    max_leaves=4,
)


@settings(max_examples=examples(150), deadline=None)
@given(shape=SHAPES, data=st.data())
def test_what_is_told_of_a_condition_holds_for_every_case(shape: str, data: st.DataObject) -> None:
    """Whatever stands around it: told "more", no case that fired before does not fire now; told "fewer", none fires that did not."""
    one, other = list[str](), list[str]()
    for _ in range(shape.count("{}")):
        name, order, turned = data.draw(ATOMS)
        limits = data.draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
        for into, limit in zip((one, other), limits, strict=True):
            into.append(f"{limit} {order} action.params.{name}" if turned else f"action.params.{name} {order} {limit}")
    before, after = (
        shape.replace(" y >", " action.params.y >").replace(" x >", " action.params.x >").format(*texts) for texts in (one, other)
    )
    holds = change_of(before, after)
    if holds == "unknown":
        return
    old, new = compile_condition(before), compile_condition(after)
    for x, y in product(range(6), repeat=2):
        case = read_submission({"workflow": "w", "task_id": "t", "title": "t", "action": {"type": "a", "params": {"x": x, "y": y}}})
        bound = variables(case, [], datetime(2026, 1, 1, tzinfo=UTC))
        fired = (old.evaluate(bound), new.evaluate(bound))
        assert fired != ((True, False) if holds == "more" else (False, True))
