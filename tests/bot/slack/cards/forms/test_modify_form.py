"""The form to modify, made from an action's JSON Schema: whatever schema and parameters are, nothing is lost and everything is typed."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.form import require_complete
from bot.sandbox.slack.limits import check_view as slack_takes
from bot.slack.cards.forms.fields import ABSENT, Field, fields_of
from bot.slack.cards.forms.form_input import judged, read_modification
from bot.slack.cards.forms.inputs import NotReadable, read
from bot.slack.cards.forms.modals import read_metadata
from bot.slack.cards.forms.modify import changeable, modify_modal, preview_modal
from bot.slack.cards.forms.shapes import Entry, initial, shape_of
from bot.slack.cards.text.limits import check_view
from bot.slack.cards.view import View
from routing.canonical import canonical
from routing.policy.form.form import Workflow
from routing.policy.params_schema import malformed, problems_in
from tests.bot.slack.cards.factory import REFUND, a_view
from tests.bot.slack.cards.forms.test_modals import SEAT, untouched
from tests.bot.slack.cards.test_card import words_of
from tests.examples_drawn import examples

Pair = tuple[dict[str, Any], Any, Any]
"""A schema and two values that it allows."""


def a_case(schema: dict[str, Any] | None, params: dict[str, Any], before: dict[str, Any] | None = None) -> View:
    """A case whose action has this schema and these parameters."""
    action = {"type": "x.do", "params": params} | ({} if before is None else {"before": before})
    workflow = Workflow(ladder="standard", action_schemas={} if schema is None else {"x.do": schema})
    return replace(a_view(REFUND | {"action": action, "checks": []}, failed_checks=0), workflow=workflow)


def two(schema: dict[str, Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Pair]:
    """A schema with two of its values."""
    return st.tuples(st.just(schema), values, values)


WORDS = st.text("abc äß€&<*_`@#.0", max_size=12) | st.sampled_from(["", " edge ", "two\nlines", "x" * 90, "a\u202eb", "null", "1"])
NAMES = st.text("abcXYZ_-/~ 1", min_size=1, max_size=8)
NUMBERS = st.integers(-999, 999) | st.decimals(-99, 99, places=2).map(float).map(lambda one: int(one) if one.is_integer() else one)
DAYS = st.dates().map(lambda day: day.isoformat())
MOMENTS = st.sampled_from(["2026-12-01T09:30:15Z", "2027-01-02T03:04:05.250+05:30", "2026-12-01T09:30:00-08:00", "1969-07-20T20:17:40Z"])
CHOICES = [{"const": "low", "title": "Low, can wait"}, {"const": 2, "title": "Two"}, {"const": True}]
SCALARS: list[st.SearchStrategy[Pair]] = [
    two({"type": "string"}, WORDS),
    two({"type": "string", "maxLength": 2_000}, WORDS),
    two({"type": "number"}, NUMBERS),
    two({"type": "integer", "minimum": -999, "exclusiveMaximum": 1_000}, st.integers(-999, 999)),
    two({"type": "boolean"}, st.booleans()),
    two({"type": "string", "format": "date"}, DAYS),
    two({"type": "string", "format": "date-time"}, MOMENTS),
    two({"enum": ["EUR", "USD", "", 1, "1", None, True]}, st.sampled_from(["EUR", "USD", "", 1, "1", None, True])),
    two({"enum": [f"value {number}" for number in range(300)]}, st.integers(0, 299).map("value {}".format)),
    two({"oneOf": CHOICES}, st.sampled_from(["low", 2, True])),
    two({"type": ["string", "null"]}, WORDS | st.none()),
    two({"anyOf": [{"type": "number"}, {"type": "null"}]}, NUMBERS | st.none()),
    two({"$ref": "#/$defs/amount"}, st.decimals(0, 99, places=2).map(str)),
    two({"type": "array", "items": {"enum": ["a", "b", 3]}}, st.lists(st.sampled_from(["a", "b", 3]), max_size=4)),
    two({"type": "array", "items": {"type": "string"}}, st.lists(WORDS, max_size=4)),
    two({"type": "array", "items": {"type": "integer"}}, st.lists(st.integers(-9, 9), max_size=4)),
    two({"type": "array", "items": {"type": "object"}}, st.lists(st.dictionaries(NAMES, WORDS, max_size=2), max_size=2)),
    two({"type": ["string", "number"]}, WORDS | NUMBERS),
    two({}, st.none() | WORDS | NUMBERS | st.lists(WORDS | NUMBERS, max_size=3)),
]


@st.composite
def objects(draw: Callable[[Any], Any], inner: st.SearchStrategy[Pair]) -> Pair:
    """An object of such values, each there or not, needed or not, named or not."""
    schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    values: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name in draw(st.lists(NAMES, max_size=6, unique=True)):
        inside, one, other = draw(inner)
        named = {key: draw(WORDS) for key in ("title", "description") if draw(st.booleans())}
        schema["properties"][name] = inside if "$ref" in inside else inside | named
        needed = draw(st.booleans())
        schema["required"] += [name] if needed else []
        for holder, value in zip(values, (one, other), strict=True):
            if needed or draw(st.booleans()):
                holder[name] = value
    return schema, *values


PAIRS = st.recursive(reduce(or_, SCALARS), objects, max_leaves=12)
DEFS = {"$defs": {"amount": {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$", "title": "Amount"}}}


def every_page(view: View) -> list[dict[str, Any]]:
    """The form, page by page, each of which Slack takes."""
    pages = [modify_modal(view, SEAT)]
    while any(block.get("block_id") == "tierline:pages" for block in pages[-1]["blocks"]):
        page = modify_modal(view, SEAT, page=len(pages))
        if read_metadata(page["private_metadata"])["p"] != len(pages):
            break
        pages.append(page)
    for page in pages:
        taken(page)
    return pages


def taken(modal: dict[str, Any]) -> None:
    """Both validators let it pass, and so would a client that sends it as it is, but for what has to be answered anew."""
    check_view(modal)
    slack_takes(modal, "modal")


@settings(max_examples=examples(60), deadline=None)
@given(objects(PAIRS))
def test_whatever_the_schema_an_untouched_form_changes_nothing_and_what_is_typed_arrives_typed(drawn: Pair) -> None:
    """Every field of the form, on whatever page: left as it is it stays to the letter; with another allowed value typed it becomes that."""
    schema, params, other = drawn[0] | DEFS, drawn[1], drawn[2]
    assert malformed(schema) == ""
    view = a_case(schema, params)
    asked = dict[str, Any]()
    for page in every_page(view):
        state = untouched(page)
        answerable = [block for block in page["blocks"] if str(block.get("block_id", "")).startswith("param:") and _was_filled(view, block)]
        require_complete(answerable, state)
        asked |= state
    typed = read_modification(view, asked)
    assert not typed.errors
    assert canonical(typed.params) == canonical(params)
    fields = changeable(fields_of(view))
    assert {field.block_id for field in fields} <= asked.keys()
    for field in fields:
        _typed(field, other)


def _was_filled(view: View, block: dict[str, Any]) -> bool:
    """But for what the schema needs and nobody gave: that has to be filled in, which is the point."""
    return next(field.value for field in fields_of(view).open if field.block_id == block["block_id"]) is not ABSENT


def _typed(field: Field, other: dict[str, Any]) -> None:
    """Another allowed value, put into the input as a person would, is read as that value."""
    found: Any = other
    for name in field.path:
        found = found.get(name, ABSENT) if isinstance(found, dict) else ABSENT
    wanted = replace(field, value=found)
    if found is ABSENT or found is None or shape_of(wanted) != shape_of(field) or not initial(wanted):
        return
    shown = initial(wanted)
    if shape_of(field) == "moment":
        assert str(read(field, shown))[-1:].isdigit() or str(read(field, shown)).endswith("Z")
    elif shape_of(field) == "choices":
        assert sorted(map(str, read(field, shown))) == sorted(map(str, found))
    else:
        assert canonical([read(field, shown)]) == canonical([found])


@settings(max_examples=examples(30), deadline=None)
@given(objects(PAIRS), st.data())
def test_what_was_typed_survives_the_second_step_and_the_way_back(drawn: Pair, data: st.DataObject) -> None:
    """Changed on any page, it stands in the second step, on the other pages, and back on its own: the case becomes the same each time."""
    view = a_case(drawn[0] | DEFS, drawn[1])
    first, *_ = pages = every_page(view)
    texts = [field for field in changeable(fields_of(view)) if field.part == "params" and shape_of(field) == "text" and _on(first, field)]
    if not texts:
        return
    changed = data.draw(st.lists(st.sampled_from(texts), min_size=1, max_size=5))
    values = untouched(first) | {one.block_id: {"value": {"type": "plain_text_input", "value": "typed anew"}} for one in changed}
    values |= {"text": {"value": {"type": "plain_text_input", "value": "my words"}}}
    typed = read_modification(view, values)
    assert typed.params is not None
    second = preview_modal(view, SEAT, typed.changes, values)
    taken(second)
    for modal in (second, modify_modal(view, SEAT, untouched(second)), modify_modal(view, SEAT, values, len(pages) - 1)):
        taken(modal)
        again = read_modification(view, untouched(modal))
        assert canonical([again.params, again.text]) == canonical([typed.params, "my words"])


def _on(modal: dict[str, Any], field: Field) -> bool:
    return any(block.get("block_id") == field.block_id for block in modal["blocks"])


def test_three_hundred_fields_are_asked_on_pages_and_all_of_them_can_be_changed() -> None:
    """Slack takes 100 blocks: pages turn both ways, what was changed elsewhere stays in sight, and too much at once is said."""
    params: dict[str, Any] = {f"field_{number:03d}": f"value {number}" for number in range(300)}
    view = a_case(None, params)
    pages = every_page(view)
    asked = [block["block_id"] for page in pages for block in page["blocks"] if block.get("block_id", "").startswith("param:")]
    assert sorted(asked) == sorted(f"param:/{name}" for name in params)
    values: dict[str, Any] = {}
    for number, page in enumerate(pages):
        values = untouched(modify_modal(view, SEAT, values, number))
        some = [block["block_id"] for block in page["blocks"] if block.get("block_id", "").startswith("param:")][:3]
        values |= {name: {"value": {"type": "plain_text_input", "value": "new"}} for name in some}
    typed = read_modification(view, values)
    assert len(typed.changes) == 3 * len(pages)
    taken(preview_modal(view, SEAT, typed.changes, values))
    many = untouched(pages[0]) | {name: {"value": {"type": "plain_text_input", "value": "new"}} for name in asked[:60]}
    full = modify_modal(view, SEAT, many, 5)
    taken(full)
    assert "Send it first" in words_of(full["blocks"])
    assert len(read_modification(view, untouched(full)).changes) == 60


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "currency", "ship"],
    "properties": {
        "amount": {"type": "integer", "minimum": 5, "maximum": 100, "title": "Amount in euros", "description": "What the customer gets."},
        "currency": {"oneOf": [{"const": "EUR", "title": "Euro"}, {"const": "USD", "title": "US dollar"}], "title": "Currency"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$", "title": "Code"},
        "note": {"type": "string", "maxLength": 500, "title": "Note to the customer"},
        "urgent": {"type": "boolean", "title": "Urgent"},
        "on": {"type": "string", "format": "date", "title": "Day"},
        "at": {"type": "string", "format": "date-time", "title": "Moment"},
        "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "title": "Tags"},
        "to": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "title": "Recipients"},
        "ship": {
            "type": "object",
            "title": "Shipping",
            "required": ["street"],
            "properties": {"street": {"type": "string", "title": "Street", "minLength": 3}, "floor": {"type": "integer", "title": "Floor"}},
        },
        "rows": {"type": "array", "items": {"type": "object"}, "title": "Rows"},
    },
}
PARAMS: dict[str, Any] = {
    "amount": 40,
    "currency": "EUR",
    "code": "ABC",
    "note": "",
    "urgent": False,
    "on": "2026-12-24",
    "at": "2026-12-01T09:30:15+01:00",
    "tags": ["b"],
    "to": ["x@example.com"],
    "ship": {"street": "Main 1"},
    "rows": [{"a": 1}],
}


def test_each_kind_has_its_element_its_name_and_no_optional_where_the_schema_needs_it() -> None:
    """Names are the schema's, an object is a section of its own, only what may be left out is called optional."""
    form = modify_modal(a_case(SCHEMA, PARAMS), SEAT)
    inputs = {block["block_id"]: block for block in form["blocks"] if block["type"] == "input"}
    kinds = {name.removeprefix("param:"): block["element"]["type"] for name, block in inputs.items() if name.startswith("param:")}
    assert kinds == {
        "/amount": "number_input",
        "/currency": "radio_buttons",
        "/code": "plain_text_input",
        "/note": "plain_text_input",
        "/urgent": "radio_buttons",
        "/on": "datepicker",
        "/at": "datetimepicker",
        "/tags": "multi_static_select",
        "/to": "plain_text_input",
        "/ship/street": "plain_text_input",
        "/ship/floor": "number_input",
        "/rows": "plain_text_input",
    }
    needed = {name for name, block in inputs.items() if name.startswith("param:") and not block.get("optional")}
    assert needed == {"param:/amount", "param:/currency", "param:/ship/street"}
    amount = inputs["param:/amount"]
    assert (amount["label"]["text"], amount["hint"]["text"]) == ("Amount in euros", "What the customer gets.")
    assert (amount["element"]["min_value"], amount["element"]["max_value"], amount["element"]["is_decimal_allowed"]) == ("5", "100", False)
    assert "Shipping" in words_of(form["blocks"])
    assert [one["text"]["text"] for one in inputs["param:/currency"]["element"]["options"]] == ["Euro", "US dollar"]
    assert inputs["param:/note"]["element"]["multiline"]


@pytest.mark.parametrize(
    ("name", "entry", "becomes"),
    [
        ("/amount", "99", 99),
        ("/currency", "USD", "USD"),
        ("/note", "Sorry.", "Sorry."),
        ("/urgent", "true", True),
        ("/on", "2027-01-31", "2027-01-31"),
        ("/at", "1796119200", "2026-12-01T11:00:00+01:00"),
        ("/at", "1796113800", "2026-12-01T09:30:15+01:00"),
        ("/tags", ("c", "b"), ["b", "c"]),
        ("/to", "a@example.com\n\n b@example.com ", ["a@example.com", "b@example.com"]),
        ("/ship/floor", "3", 3),
        ("/rows", '[{"a": 2}]', [{"a": 2}]),
        ("/code", "", ABSENT),
        ("/urgent", "#none", ABSENT),
        ("/tags", (), ABSENT),
    ],
)
def test_what_is_typed_has_the_schemas_type(name: str, entry: Entry, becomes: object) -> None:
    """A whole number is a number, a day a text, an emptied value that may be missing is left out; the same minute is the same moment."""
    field = next(one for one in fields_of(a_case(SCHEMA, PARAMS)).open if one.block_id == f"param:{name}")
    assert read(field, entry) == becomes


@pytest.mark.parametrize(
    ("name", "typed", "beside", "said"),
    [
        ("/code", "ab", "param:/code", "Please type text of the form ^[A-Z]{3}$"),
        ("/ship/street", "x", "param:/ship/street", "Please type at least 3 characters."),
        ("/to", "a\nb\nc", "param:/to", "Please give at most 2 entries."),
        ("/rows", "[1]", "param:/rows", "Please type an object."),
        ("/rows", "[", "param:/rows", "This is not valid JSON."),
        ("/amount", "x", "param:/amount", "Please type a whole number, such as 12."),
        ("/amount", "1000", "param:/amount", "Please type 100 or less."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_with_what_is_allowed(name: str, typed: str, beside: str, said: str) -> None:
    """Also deep inside of an object, or of what is typed as JSON."""
    view = a_case(SCHEMA, PARAMS)
    values = untouched(modify_modal(view, SEAT)) | {f"param:{name}": {"value": {"type": "plain_text_input", "value": typed}}}
    assert judged(view, read_modification(view, values), values).errors == {beside: said}


def test_the_second_step_holds_yours_against_what_is_now_and_what_was_proposed() -> None:
    """The difference is to the state before; each changed value is told by its name, three times."""
    view = a_case(SCHEMA, PARAMS, {"amount": 129, "ship": {"street": "Old 7"}})
    values = untouched(modify_modal(view, SEAT)) | {
        "param:/amount": {"value": {"type": "number_input", "value": "60"}},
        "param:/ship/street": {"value": {"type": "plain_text_input", "value": "New 2"}},
        "param:/code": {"value": {"type": "plain_text_input", "value": ""}},
    }
    second = preview_modal(view, SEAT, read_modification(view, values).changes, values, page=2)
    shown = words_of(second["blocks"])
    assert "~ amount: 129 → 60" in shown
    assert "Amount in euros: now 129, proposed 40, yours 60" in shown
    assert 'Shipping, Street: now "Old 7", proposed "Main 1", yours "New 2"' in shown
    assert 'Code: proposed "ABC", yours left out' in shown
    assert [block["block_id"] for block in second["blocks"] if str(block.get("block_id", "")).startswith("param:")] == [
        "param:/amount",
        "param:/code",
        "param:/ship/street",
    ]
    euro = {"param:/currency": {"value": {"type": "radio_buttons", "selected_option": {"value": "USD"}}}}
    named = preview_modal(view, SEAT, read_modification(view, euro).changes, euro)
    assert "Currency: proposed Euro, yours US dollar" in words_of(named["blocks"])
    back = next(block for block in second["blocks"] if block.get("block_id") == "tierline:back")["elements"][0]
    assert json.loads(back["value"])["p"] == 2
    assert len(second["private_metadata"]) < 400
    assert "New 2" not in second["private_metadata"] + back["value"]


def test_without_a_schema_the_values_say_how_they_are_asked_for() -> None:
    """Objects are taken apart to three levels, what is deeper is JSON, and everything proposed has to stay."""
    params = {"a": {"b": {"c": {"d": {"e": 1}}, "when": "2026-12-01"}}, "n": 1.5, "on": True, "none": None}
    view = a_case(None, params)
    kinds = {field.block_id: shape_of(field) for field in changeable(fields_of(view)) if field.part == "params"}
    assert kinds == {
        "param:/a/b/c/d": "json",
        "param:/a/b/when": "date",
        "param:/n": "number",
        "param:/on": "choice",
        "param:/none": "json",
    }
    assert all(field.required for field in fields_of(view).open)


def test_of_an_object_that_is_masked_in_part_the_rest_can_be_changed() -> None:
    """The masked value has no input and stays; its neighbour is changed, and the whole comes back with what is masked in it."""
    whole = a_case(None, {"payee": {"iban": "DE02120300000000202051", "name": "Anna"}})
    shown = a_case(None, {"payee": {"iban": "••••", "name": "Anna"}})
    view = replace(shown, original=whole.submission, masked=("action.params.payee.iban",))
    form = modify_modal(view, SEAT)
    assert "Masked, they stay as they are: payee, iban" in words_of(form["blocks"])
    values = untouched(form) | {"param:/payee/name": {"value": {"type": "plain_text_input", "value": "Ben"}}}
    typed = read_modification(view, values)
    assert typed.params == {"payee": {"iban": "DE02120300000000202051", "name": "Ben"}}
    assert "DE02" not in json.dumps([form, preview_modal(view, SEAT, typed.changes, values)])


def test_an_option_that_nobody_was_offered_is_refused() -> None:
    """Whatever a client sends."""
    field = next(one for one in fields_of(a_case(SCHEMA, PARAMS)).open if one.block_id == "param:/currency")
    with pytest.raises(NotReadable):
        read(field, "DOGE")
    assert problems_in(SCHEMA, PARAMS) == ()
