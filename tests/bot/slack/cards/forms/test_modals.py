"""Forms: what they ask, what they give back, and that a modification is seen before it counts."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import given, settings

from bot.sandbox.slack.form import state_of
from bot.sandbox.slack.stored_blocks import store_blocks
from bot.slack.cards.forms.details import details_modal
from bot.slack.cards.forms.fields import Field
from bot.slack.cards.forms.form_input import read_modification, read_words
from bot.slack.cards.forms.modals import Seat, read_metadata, verb_modal
from bot.slack.cards.forms.modify import change_digest, modify_modal, preview_modal
from bot.slack.cards.forms.shapes import initial
from routing.authorize import RULES
from routing.canonical import canonical
from routing.vocabulary import ReasonCode, Verb
from tests.bot.slack.cards.factory import REFUND, a_view, every_detail
from tests.bot.slack.cards.test_card import words_of
from tests.bot.slack.cards.test_hostile import documents
from tests.examples_drawn import examples

SEAT = Seat("C0T1", "1.2")


def untouched(modal: dict[str, Any]) -> dict[str, Any]:
    """The state values of a form in which nobody changed anything, as Slack sends them."""
    return state_of(store_blocks(deepcopy(modal["blocks"])), {})


def with_text(modal: dict[str, Any], **texts: str) -> dict[str, Any]:
    """The same with some inputs typed anew."""
    return untouched(modal) | {f"param:/{name}": {"value": {"type": "plain_text_input", "value": text}} for name, text in texts.items()}


def test_a_form_asks_for_what_the_rules_demand() -> None:
    """Reason and text are asked for exactly where they are mandatory, and the list of reasons is the case's."""
    for verb in (Verb.REJECT, Verb.ESCALATE, Verb.COMMENT, Verb.ROLL_BACK):
        modal = verb_modal(a_view(), verb, SEAT)
        inputs = {block["block_id"]: block for block in modal["blocks"] if block["type"] == "input"}
        assert ("reason" in inputs) == RULES[verb].reason
        assert inputs["text"].get("optional", False) != RULES[verb].text
        assert modal["callback_id"] == f"tierline:{verb.value}"
    options = next(block for block in verb_modal(a_view(), Verb.REJECT, SEAT)["blocks"] if block.get("block_id") == "reason")["element"][
        "options"
    ]
    assert [option["value"] for option in options] == list(ReasonCode)
    assert options[0]["text"]["text"] == "Wrong category"


def test_a_modal_knows_its_case_and_the_message_it_came_from() -> None:
    """The private metadata is the button's value with channel and message."""
    view = a_view()
    found = read_metadata(verb_modal(view, Verb.REJECT, Seat("C0T1", "1.2", cut=True))["private_metadata"])
    assert found == {"c": view.case.id, "f": view.case.face, "t": 0, "cut": 1, "ch": "C0T1", "ts": "1.2"}


@settings(max_examples=examples(80))
@given(documents)
def test_an_untouched_form_changes_nothing(document: dict[str, Any]) -> None:
    """Whatever the parameters hold, opening the form and sending it back gives the same action, byte for byte."""
    view = a_view(document)
    params = view.submission.action.params or {}
    typed = read_modification(view, untouched(modify_modal(view, SEAT)))
    assert not typed.errors
    assert canonical(typed.params) == canonical(params)
    assert typed.prefill == view.submission.prefilled


def test_what_the_action_changes_is_the_first_thing_to_correct() -> None:
    """First the values that differ from the state before, then amounts, then the rest, what the model pre-filled last."""
    action = {
        "type": "price.change",
        "params": {"currency": "EUR", "fee": "1.50", "price": "11.90", "sku": "L-1"},
        "before": {"currency": "EUR", "fee": "1.50", "price": "129.00", "sku": "L-1"},
    }
    modal = modify_modal(a_view(REFUND | {"action": action, "prefill": {"category": "lamps"}}), SEAT)
    inputs = [block["block_id"] for block in modal["blocks"] if block["type"] == "input"]
    assert inputs[:5] == ["param:/price", "param:/fee", "param:/currency", "param:/sku", "prefill:category"]


def test_a_changed_amount_is_seen_before_it_counts() -> None:
    """The preview shows old → new and names what it showed, so that a later change is previewed again."""
    view = a_view()
    values = with_text(modify_modal(view, SEAT), amount="1000.00")
    typed = read_modification(view, values)
    preview = preview_modal(view, SEAT, typed.changes, values)
    assert '~ amount: "0.00" → "1000.00"' in words_of(preview["blocks"])
    assert 'amount: now "0.00", proposed "1240.00", yours "1000.00"' in words_of(preview["blocks"])
    assert read_metadata(preview["private_metadata"])["d"] == change_digest(typed.changes)
    assert read_modification(view, untouched(preview)).params == typed.params
    again = read_modification(view, with_text(preview, amount="1.00"))
    assert change_digest(again.changes) != change_digest(typed.changes)


def test_types_stay_what_they_were() -> None:
    """A number stays a number, a text of digits a text, a list of texts is edited line by line."""
    view = a_view(REFUND | {"action": {"type": "x", "params": {"count": 2, "id": "8841", "tags": ["a"], "on": True}}})
    typed = read_modification(view, with_text(modify_modal(view, SEAT), count="12.50", id="9", tags="b\n\n c "))
    assert typed.params == {"count": 12.5, "id": "9", "tags": ["b", "c"], "on": True}


PREFILLED = REFUND | {"prefill": {"category": "billing", "priority": None, "summary": " two\u202espaces"}}


def typed_over(modal: dict[str, Any], **texts: str) -> dict[str, Any]:
    """The state values with some pre-filled fields typed anew."""
    return untouched(modal) | {f"prefill:{name}": {"value": {"type": "plain_text_input", "value": text}} for name, text in texts.items()}


def test_what_the_model_filled_in_can_be_corrected_and_is_previewed() -> None:
    """Category and summary have inputs of their own, an empty one has none; their difference is shown, and the preview names it."""
    view = a_view(PREFILLED)
    params, prefill = view.submission.action.params or {}, view.submission.prefilled
    form = modify_modal(view, SEAT)
    assert {"prefill:category", "prefill:summary"} == {one for one in untouched(form) if one.startswith("prefill:")}
    values = typed_over(form, category="delivery")
    typed = read_modification(view, values)
    assert typed.prefill == prefill | {"category": "delivery"}
    assert typed.params == params
    preview = preview_modal(view, SEAT, typed.changes, values)
    assert '~ category: "billing" → "delivery"' in words_of(preview["blocks"])
    assert "Now → yours" not in words_of(preview["blocks"])
    assert read_metadata(preview["private_metadata"])["d"] == change_digest(typed.changes) != change_digest(())
    assert read_modification(view, untouched(preview)).prefill == typed.prefill


def test_a_pre_filled_field_stays_text_of_its_length() -> None:
    """Where a field is edited as JSON it still has to be text, and a longer text than a submission may hold is said beside it."""
    view = a_view(PREFILLED)
    values = typed_over(modify_modal(view, SEAT), summary="17", category="x" * 2_001)
    assert set(read_modification(view, values).errors) == {"prefill:summary", "prefill:category"}


def test_letting_a_failed_check_pass_asks_for_reason_and_words() -> None:
    """Approving and modifying then name the check and demand words; without a failed check approving asks for nothing."""
    failed, fine = a_view(), a_view(REFUND | {"checks": []})
    for form in (verb_modal(failed, Verb.APPROVE, SEAT), modify_modal(failed, SEAT)):
        inputs = {block["block_id"]: block for block in form["blocks"] if block["type"] == "input"}
        assert "reason" in inputs
        assert "optional" not in inputs["text"]
        assert "second-model (judge-1): The amounts differ." in words_of(form["blocks"])
    inputs = {block["block_id"]: block for block in verb_modal(fine, Verb.APPROVE, SEAT)["blocks"] if block["type"] == "input"}
    assert set(inputs) == {"text"}
    assert inputs["text"]["optional"]
    assert "check failed" not in words_of(modify_modal(fine, SEAT)["blocks"])


def test_what_cannot_be_read_is_said_beside_its_field() -> None:
    """Words for a number and broken or smuggled JSON are errors of that input."""
    params = {"count": 2, "tags": [["a"]], "more": {}}
    view = a_view(REFUND | {"action": {"type": "x", "params": params}})
    typed = read_modification(view, with_text(modify_modal(view, SEAT), count="two", tags="[", more='1, "x": 2'))
    assert set(typed.errors) == {"param:/count", "param:/tags", "param:/more"}


def test_hidden_characters_stand_spelled_out_in_a_form() -> None:
    """A field shows what a reader would not see."""
    assert initial(Field("params", ("x",), "a\u202eb")) == '"a\\u202eb"'


def test_a_question_is_the_text_of_asking() -> None:
    """The ask form has one field, and it comes back as the words of the press."""
    assert read_words({"question": {"value": {"value": "Which parcel?"}}}).text == "Which parcel?"


def test_the_full_evidence_leaves_nothing_out() -> None:
    """A text of 60,000 characters is spread over pages, every character of it on exactly one, and one can turn them."""
    output = "".join(f"{number:05d}," for number in range(10_000))
    view = a_view(REFUND | {"output": output})
    pages = [page for page in every_detail(view, SEAT) if json.loads(page["private_metadata"])["tab"] == "action"]
    assert len(pages) > 5
    assert output in words_of([block for page in pages for block in page["blocks"] if block["type"] == "rich_text"]).replace(
        "\nThe model wrote (continued)\n", ""
    )
    turns = [json.loads(block["accessory"]["value"])["p"] for block in pages[1]["blocks"] if "accessory" in block]
    assert turns == [0, 2]
    assert details_modal(view, SEAT, 10_000, "action") in pages


def test_a_form_says_what_stands_now_as_it_is() -> None:
    """Its letters as they are, and of two long values the place where they differ."""
    long = "The quick brown fox jumps over the lazy dog. " * 9
    before, params = {"code": "USD-Ab", "text": f"{long}100 EUR"}, {"code": "EUR-Cd", "text": f"{long}900 EUR"}
    modal = modify_modal(a_view(REFUND | {"action": {"type": "x", "params": params, "before": before}}), SEAT)
    hints = {block["block_id"]: block["hint"]["text"] for block in modal["blocks"] if "hint" in block}
    assert hints["param:/code"].startswith('Now "USD-Ab"')
    assert "100 EUR" in hints["param:/text"]
    view = a_view(REFUND | {"action": {"type": "x", "params": params, "before": before}})
    values = with_text(modify_modal(view, SEAT), code="EUR-Xy")
    again = preview_modal(view, SEAT, read_modification(view, values).changes, values)
    assert 'code: now "USD-Ab", proposed "EUR-Cd", yours "EUR-Xy"' in words_of(again["blocks"])
