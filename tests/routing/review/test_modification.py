"""What a reviewer may make of an action: without a schema the proposal's own form binds, ids are locked, facts stay readable."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.authorize import refuse
from routing.case.submission import Submission
from routing.change import Change, Refused, Subject
from routing.policy.form.checks import Checks
from routing.policy.form.form import Workflow
from routing.review.modification import locked_paths, wrong_changes
from routing.review.verbs import step_of
from tests.examples_drawn import examples
from tests.routing.evaluation.test_derived_risk import LATER, a_policy, opened
from tests.routing.factory import a_press, a_submission

FREE = Workflow(ladder="standard")


def a_proposal(**params: Any) -> Submission:
    """A case that proposes these parameters."""
    return a_submission(action={"type": "price.change", "params": params, "reversible": True})


def wrong(old: object, new: object, workflow: Workflow | None = FREE) -> str:
    """What is said of one value in the place of another, "" where it fits."""
    found = wrong_changes(workflow, a_proposal(v=old), {"v": new})
    assert {one.name for one in found} <= {"v"}
    return found[0].text if found else ""


FITS: list[tuple[Any, Any]] = [
    ("129.00", "11.90"),
    ("129.00", "0.00"),
    ("-5.00", "5.00"),
    ("-5.00", "-6.00"),
    ("8841", "17"),
    ("2026-12-01", "2027-02-28"),
    ("abc", "anything at all"),
    ("abc", ""),
    ("", "x"),
    (3, 4),
    (3.5, 4),
    (3.5, 4.25),
    (-3, 4),
    (True, False),
    (None, "x"),
    (None, 3),
    (["a"], ["b", "c"]),
    (["a"], []),
    ([], [1, "x"]),
    ([1, "a"], ["b", 2]),
    ({"a": "1.00"}, {"a": "2.00"}),
    ([{"p": "1.00"}], [{"p": "2.00"}, {"p": "3.00"}]),
]


MISFITS: list[tuple[Any, Any]] = [
    *[
        ("129.00", new)
        for new in ("abc", "", "129", "129.0", "129.000", "1,29.00", "-1.00", "1e2", "\u0663.\u0660\u0660", " 1.00", 129, 129.0, None, True)
    ],
    ("129.00", ["1.00"]),
    ("129.00", {"a": "1.00"}),
    *[("8841", new) for new in ("x", "88.41", "-1", 8841)],
    *[("2026-12-01", new) for new in ("soon", "01.12.2026", "2026-13-01", "20261201", "2026-W49-2", "")],
    ("abc", 1),
    ("abc", True),
    ("abc", None),
    ("abc", []),
    ("abc", {}),
    *[(3, new) for new in (3.5, "3", True, None, -1, [3])],
    *[(3.5, new) for new in ("3.5", True, -0.5, None)],
    *[(True, new) for new in (1, "true", None)],
    (None, []),
    (None, {}),
    *[(["a"], new) for new in ("a", [1], ["b", None], {"0": "a"})],
    *[({"a": "1.00"}, new) for new in ({}, {"a": "1.00", "b": 1}, {"a": "x"}, ["1.00"], None)],
    ([{"p": "1.00"}], [{"p": "x"}]),
    ([{"p": "1.00"}], [{}]),
]


@pytest.mark.parametrize(("old", "new"), FITS)
def test_what_keeps_type_and_form_can_be_changed(old: object, new: object) -> None:
    """Another amount with the same decimals, another day, another text, more or fewer items of the same kind."""
    assert wrong(old, new) == ""


@pytest.mark.parametrize(("old", "new"), MISFITS)
def test_without_a_schema_the_proposal_binds(old: object, new: object) -> None:
    """`abc` is no price; the sentence says what was expected, in words."""
    assert wrong(old, new).endswith(".")
    assert wrong(old, new, None) == wrong(old, new)


def test_parameters_are_neither_added_nor_left_out() -> None:
    """What is executed has the parts that were proposed."""
    content = a_proposal(price="1.00", sku="L-1")
    assert [one.name for one in wrong_changes(FREE, content, {"price": "1.00", "shop": "all"})] == ["shop", "sku"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-10, 10) | st.sampled_from(["", "abc", "12.50", "7", "2026-01-02"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON)
@settings(max_examples=examples(200), deadline=None)
def test_what_was_proposed_always_fits_and_whatever_fits_has_its_type(old: object, new: object) -> None:
    """Leaving a value alone is never wrong; what takes its place is of the same JSON type, but where there was none."""
    assert wrong(old, old) == ""
    if wrong(old, new) == "" and old is not None:
        kinds = {int: "n", float: "n"}
        assert kinds.get(type(old), type(old)) == kinds.get(type(new), type(new))


SCHEMA = {"type": "object", "required": ["price"], "properties": {"price": {"type": "string", "pattern": "^[0-9]+$"}, "n": {"maximum": 5}}}


def test_where_there_is_a_schema_it_binds_and_only_what_is_new_is_wrong() -> None:
    """A form of its own may change, what breaks the schema may not; what was broken before is nobody's change."""
    workflow = Workflow(ladder="standard", action_schemas={"price.change": SCHEMA})
    assert wrong_changes(workflow, a_proposal(price="1", n=1), {"price": "17", "n": 2.5}) == ()
    assert [one.name for one in wrong_changes(workflow, a_proposal(price="1", n=1), {"price": "x", "n": 9})] == ["n", "price"]
    assert wrong_changes(workflow, a_proposal(price="broken", n=1), {"price": "broken", "n": 2}) == ()
    assert [one.name for one in wrong_changes(workflow, a_proposal(price="1", n=1), {"n": 1})] == ["price"]


def test_ids_that_the_policy_names_are_locked() -> None:
    """Those it locks, and those by which it knows whom the action is about, deep down too."""
    locked = Workflow(
        ladder="standard",
        locked=("action.params.iban", "action.params.payee.id", "action.params.items.*.sku"),
        checks=Checks(entity=("action.params.customer", "subject.id")),
    )
    content = a_proposal(iban="DE1", customer="c-1", payee={"id": "p-1", "name": "A"}, items=[{"sku": "s", "n": 1}])
    assert locked_paths(locked) == {("iban",), ("customer",), ("payee", "id"), ("items", "*", "sku")}
    same = dict(content.action.params or {})
    assert wrong_changes(locked, content, same | {"payee": {"id": "p-1", "name": "B"}, "items": [{"sku": "s", "n": 2}]}) == ()
    for change in (
        {"iban": "DE2"},
        {"customer": "c-2"},
        {"payee": {"id": "p-2", "name": "A"}},
        {"items": [{"sku": "t", "n": 1}]},
        {"items": [{"sku": "s", "n": 1}, {"sku": "t", "n": 1}]},
    ):
        assert [one.name for one in wrong_changes(locked, content, same | change)] == list(change)


@pytest.mark.parametrize("new", ["abc", "", None, "1,000.00"])
def test_the_step_itself_refuses_whatever_the_form_let_through(new: object) -> None:
    """Nothing reaches the log that is no form of the action: the press is refused and the case stays as it is."""
    policy, content = a_policy("risk_from: {amount: action.params.amount}"), a_submission()
    case = opened(policy, content)
    press = a_press(case, "modify", params={**(content.action.params or {}), "amount": new})
    assert step_of(press)(Subject(case, policy, content), LATER) == refuse("form_broken")


SCHEMA_OF_TEXT = 'action_schemas: {refund.create: {"properties": {"currency": {"type": "string"}}}}'


@pytest.mark.parametrize("keys", [(), (SCHEMA_OF_TEXT,)])
@pytest.mark.parametrize(
    "new", ["usd", "Usd", "usD", " USD", "USD ", "U", "$", "", "US-D", "u\u017fd", "\uff35\uff33\uff24", "BITCOINCASHX", None, 840]
)
def test_a_currency_is_spelled_as_it_is_published(new: object, keys: tuple[str, ...]) -> None:
    """An untidy one is refused at its field, with or without a schema, and by the step itself."""
    policy = a_policy("risk_from: {amount: action.params.amount, currency: action.params.currency}", *keys)
    params = {"amount": "80.00", "currency": "USD"}
    content = a_submission(action={"type": "refund.create", "params": params, "reversible": True})
    case, changed = opened(policy, content), params | {"currency": new}
    assert [one.name for one in wrong_changes(policy.workflow("refunds"), content, changed)] == ["currency"]
    assert step_of(a_press(case, "modify", params=changed))(Subject(case, policy, content), LATER) == refuse("form_broken")


def test_a_fact_that_the_policy_reads_stays_readable() -> None:
    """Also where a schema would let it through."""
    schema = json.dumps({"properties": {"amount": {"type": "string"}}})
    policy = a_policy("risk_from: {amount: action.params.amount}", f"action_schemas: {{refund.create: {schema}}}")
    content = a_submission()
    case = opened(policy, content)
    for new, expected in (("many", Refused), ("60", Change)):
        press = a_press(case, "modify", params={**(content.action.params or {}), "amount": new})
        assert isinstance(step_of(press)(Subject(case, policy, content), LATER), expected)
