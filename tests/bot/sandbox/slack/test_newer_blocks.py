"""Tables, context actions, number, date and time inputs: held to what Slack publishes, pressed and filled in as by a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.slack.errors import ClientError, SlackError
from bot.sandbox.slack.limits import check_message, check_view
from tests.bot.sandbox.slack.northwind import ANNA, TIER1, Json, Northwind, http_app, northwind
from tests.bot.sandbox.slack.test_modals import MODAL, field, plain

CELL = {"type": "raw_text", "text": "x"}


def table(rows: object, **more: object) -> Json:
    """A table block."""
    return {"type": "table", "rows": rows, **more}


def context_actions(*elements: Json) -> Json:
    """A context actions block."""
    return {"type": "context_actions", "elements": list(elements)}


def icon(**more: Any) -> Json:
    """An icon button."""
    return {"type": "icon_button", "action_id": "drop", "icon": "trash", "text": plain("Drop"), "value": "case-1", **more}


def feedback(**more: Any) -> Json:
    """Two feedback buttons."""
    good, bad = ({"text": plain(text), "value": text} for text in ("right", "wrong"))
    return {"type": "feedback_buttons", "action_id": "judge", "positive_button": good, "negative_button": bad, **more}


RICH = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}
NUMBER = {"type": "raw_number", "value": 3, "text": "three"}
TABLES: dict[str, tuple[Json, Json, str]] = {
    "rows": (table([[CELL]] * 100), table([[CELL]] * 101), "must be an array of 1 to 100 items [json-pointer:/blocks/0/rows]"),
    "no row": (table([[CELL]]), table([]), "must be an array of 1 to 100 items [json-pointer:/blocks/0/rows]"),
    "cells": (table([[CELL] * 20]), table([[CELL] * 21]), "must be an array of 1 to 20 items [json-pointer:/blocks/0/rows/0]"),
    "kinds of cell": (
        table([[CELL, RICH, NUMBER]]),
        table([[{"type": "mrkdwn", "text": "x"}]]),
        "unsupported type: mrkdwn [json-pointer:/blocks/0/rows/0/0/type]",
    ),
    "an empty cell": (
        table([[CELL]]),
        table([[CELL | {"text": ""}]]),
        "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]",
    ),
    "a number without its value": (
        table([[NUMBER]]),
        table([[{"type": "raw_number", "text": "3"}]]),
        "missing required field: value [json-pointer:/blocks/0/rows/0/0]",
    ),
    "columns": (
        table([[CELL]], column_settings=[{"align": "right", "is_wrapped": True}] * 20),
        table([[CELL]], column_settings=[{}] * 21),
        "no more than 20 items allowed [json-pointer:/blocks/0/column_settings]",
    ),
    "alignment": (
        table([[CELL]], column_settings=[{"align": "center"}]),
        table([[CELL]], column_settings=[{"align": "justify"}]),
        "must be one of left, center, right [json-pointer:/blocks/0/column_settings/0/align]",
    ),
    "a field of its own": (
        table([[CELL]], block_id="t"),
        table([[CELL]], caption="t"),
        "invalid additional property: caption [json-pointer:/blocks/0]",
    ),
    "five context actions": (
        context_actions(*(icon(action_id=str(i)) for i in range(5))),
        context_actions(*(icon(action_id=str(i)) for i in range(6))),
        "no more than 5 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "a button is none": (
        context_actions(icon()),
        context_actions({"type": "button", "text": plain("x"), "action_id": "x"}),
        "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
    ),
    "icons": (context_actions(icon()), context_actions(icon(icon="eyes")), "must be one of trash [json-pointer:/blocks/0/elements/0/icon]"),
    "feedback needs both": (
        context_actions(feedback()),
        context_actions({name: value for name, value in feedback().items() if name != "negative_button"}),
        "missing required field: negative_button [json-pointer:/blocks/0/elements/0]",
    ),
    "feedback needs a value": (
        context_actions(feedback()),
        context_actions(feedback(positive_button={"text": plain("right")})),
        "missing required field: value [json-pointer:/blocks/0/elements/0/positive_button]",
    ),
}


@pytest.mark.parametrize(("taken", "refused_block", "message"), TABLES.values(), ids=TABLES.keys())
def test_each_rule_of_the_newer_blocks(taken: Json, refused_block: Json, message: str) -> None:
    """What is allowed is taken, one thing wrong is refused with its place; no view takes either."""
    check_message({"text": "x", "blocks": [taken]}, 40_000)
    with pytest.raises(SlackError) as caught:
        check_message({"text": "x", "blocks": [refused_block]}, 40_000)
    assert (caught.value.error, caught.value.messages) == ("invalid_blocks", (message,))
    for kind, view in (("modal", MODAL), ("home", {"type": "home"})):
        with pytest.raises(SlackError) as caught:
            check_view(view | {"blocks": [taken]}, kind)
        assert caught.value.messages == (f"unsupported type: {taken['type']} [json-pointer:/view/blocks/0/type]",)


def test_a_message_has_one_table() -> None:
    """Also where the other one stands in an attachment."""
    one = [table([[CELL]])]
    for two in ({"blocks": one * 2}, {"blocks": one, "attachments": [{"blocks": one}]}):
        with pytest.raises(SlackError) as caught:
            check_message({"text": "x", **two}, 40_000)
        assert (caught.value.error, caught.value.messages) == ("invalid_attachments", ("only_one_table_allowed",))


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


async def test_context_actions_are_pressed(company: Northwind) -> None:
    """Feedback carries the value and text of what was chosen, an icon its value; one shown to others only is not there."""
    async with http_app(company) as app:
        blocks = [context_actions(feedback(), icon(visible_to_user_ids=[ANNA]))]
        ts = await company.post(blocks=blocks)
        await company.slack.click("ben", TIER1, ts, "judge", "wrong")
        await company.slack.click("anna", TIER1, ts, "drop")
        with pytest.raises(ClientError):
            await company.slack.click("ben", TIER1, ts, "judge", "perhaps")
        with pytest.raises(ClientError):
            await company.slack.click("ben", TIER1, ts, "drop")
        judged, dropped = [body["actions"][0] for body in app.seen]
    assert (judged["type"], judged["value"], judged["text"]["text"]) == ("feedback_buttons", "wrong", "wrong")
    assert "positive_button" not in judged
    assert (dropped["type"], dropped["value"], dropped["icon"]) == ("icon_button", "case-1", "trash")


INPUTS: dict[str, tuple[Json, str]] = {
    "a number says whether it may be decimal": (
        {"type": "number_input", "action_id": "it"},
        "missing required field: is_decimal_allowed [json-pointer:/view/blocks/0/element]",
    ),
    "bounds are numbers in strings": (
        {"type": "number_input", "action_id": "it", "is_decimal_allowed": True, "min_value": 1},
        "must be a number in a string [json-pointer:/view/blocks/0/element/min_value]",
    ),
    "a date": (
        {"type": "datepicker", "action_id": "it", "initial_date": "1.12.2026"},
        "must be in the format YYYY-MM-DD [json-pointer:/view/blocks/0/element/initial_date]",
    ),
    "a time": (
        {"type": "timepicker", "action_id": "it", "initial_time": "24:00"},
        "must be in the format HH:mm [json-pointer:/view/blocks/0/element/initial_time]",
    ),
}


@pytest.mark.parametrize(("element", "message"), INPUTS.values(), ids=INPUTS.keys())
def test_each_rule_of_numbers_dates_and_times(element: Json, message: str) -> None:
    """One thing wrong is refused with its place."""
    with pytest.raises(SlackError) as caught:
        check_view(MODAL | {"blocks": [field("a", element)]}, "modal")
    assert caught.value.messages == (message,)


@pytest.mark.parametrize(
    ("given", "is_taken"), [("10", True), ("12.5", False), ("9", False), ("101", False), ("ten", False), ("-10", False), ("1e1", False)]
)
async def test_a_number_is_checked_before_it_is_sent(company: Northwind, given: str, is_taken: bool) -> None:
    """As the client does: a whole number from 10 to 100, and nothing else reaches the app."""
    element = {"type": "number_input", "action_id": "it", "is_decimal_allowed": False, "min_value": "10", "max_value": "100"}
    async with http_app(company) as app:
        ts = await company.post(blocks=[context_actions(icon())])
        ack = await company.slack.click("anna", TIER1, ts, "drop")
        assert ack.payload is not None
        await company.client().views_open(trigger_id=ack.payload["trigger_id"], view=MODAL | {"blocks": [field("n", element)]})
        view = company.slack.open_view("anna")
        assert view is not None
        if is_taken:
            await company.slack.submit("anna", view["id"], {"n": given})
            assert app.seen[-1]["view"]["state"]["values"]["n"]["it"] == {"type": "number_input", "value": given}
        else:
            with pytest.raises(ClientError):
                await company.slack.submit("anna", view["id"], {"n": given})
            assert len(app.seen) == 1
