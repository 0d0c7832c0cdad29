"""What Slack refuses in blocks and views, refused in the sandbox too: on every way in, by the same rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.limits import check_message, check_view
from tests.bot.sandbox.slack.northwind import ANNA, TIER1, Json, Northwind, buttons, northwind, refused
from tests.bot.sandbox.slack.test_modals import MODAL, field, option, plain

DIVIDER = {"type": "divider"}


def mrkdwn(text: str) -> Json:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    """A section block."""
    return {"type": "section", **more}


def button(**more: Any) -> Json:
    """A button."""
    return {"type": "button", "action_id": "go", "text": plain("Go"), **more}


def row(*elements: Json) -> Json:
    """An actions block."""
    return {"type": "actions", "elements": list(elements)}


def menu(kind: str, count: int = 1, text: int = 1, value: int = 1) -> Json:
    """A menu of so many options with texts and values so long."""
    return {"type": kind, "action_id": "it", "options": [{"text": plain("t" * text), "value": f"{i:0{value}}"} for i in range(count)]}


CONFIRM = {"title": plain("t" * 100), "text": mrkdwn("x" * 300), "confirm": plain("c" * 30), "deny": plain("d" * 30)}

# As much as is allowed, and one more: (blocks that are taken, blocks that are refused, where)
EDGES: dict[str, tuple[list[Json], list[Json], str]] = {
    "50 blocks": ([DIVIDER] * 50, [DIVIDER] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "section text": (
        [section(text=mrkdwn("x" * 3000))],
        [section(text=mrkdwn("x" * 3001))],
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "empty text": (
        [section(text=mrkdwn("x"))],
        [section(text=mrkdwn(""))],
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "section of nothing": ([section(fields=[plain("x")])], [section()], "missing required field: text [json-pointer:/blocks/0]"),
    "field": (
        [section(fields=[plain("x" * 2000)])],
        [section(fields=[plain("x" * 2001)])],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    "10 fields": (
        [section(fields=[plain("x")] * 10)],
        [section(fields=[plain("x")] * 11)],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "header": (
        [{"type": "header", "text": plain("x" * 150)}],
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "header is plain": (
        [{"type": "header", "text": plain("x")}],
        [{"type": "header", "text": mrkdwn("x")}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "context": (
        [{"type": "context", "elements": [mrkdwn("x")] * 10}],
        [{"type": "context", "elements": [mrkdwn("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "no button in a context": (
        [{"type": "context", "elements": [plain("x")]}],
        [{"type": "context", "elements": [button()]}],
        "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
    ),
    "25 actions": (
        [row(*(button(action_id=f"a{i}") for i in range(25)))],
        [row(*(button(action_id=f"a{i}") for i in range(26)))],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "no actions": ([row(button())], [row()], "must be an array of at least 1 item [json-pointer:/blocks/0/elements]"),
    "action_id twice": (
        [row(button(), button(action_id="stop"))],
        [row(button(), button())],
        "`action_id` must be unique within a block [json-pointer:/blocks/0/elements]",
    ),
    "block_id twice": (
        [DIVIDER | {"block_id": "a"}, DIVIDER | {"block_id": "b"}],
        [DIVIDER | {"block_id": "a"}] * 2,
        "`block_id` must be unique [json-pointer:/blocks/1/block_id]",
    ),
    "block_id": (
        [DIVIDER | {"block_id": "b" * 255}],
        [DIVIDER | {"block_id": "b" * 256}],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "action_id": (
        [row(button(action_id="a" * 255))],
        [row(button(action_id="a" * 256))],
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "button text": (
        [row(button(text=plain("x" * 75)))],
        [row(button(text=plain("x" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "button value": (
        [row(button(value="x" * 2000))],
        [row(button(value="x" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "button style": (
        [row(button(style="danger"))],
        [row(button(style="default"))],
        "must be one of primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    "confirm": (
        [row(button(confirm=CONFIRM))],
        [row(button(confirm=CONFIRM | {"deny": plain("d" * 31)}))],
        "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]",
    ),
    "overflow": (
        [row(menu("overflow", 5))],
        [row(menu("overflow", 6))],
        "no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "option text": (
        [row(menu("static_select", text=75))],
        [row(menu("static_select", text=76))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]",
    ),
    "option value": (
        [row(menu("static_select", value=150))],
        [row(menu("static_select", value=151))],
        "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]",
    ),
    "100 options": (
        [row(menu("static_select", 100))],
        [row(menu("static_select", 101))],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "initial option": (
        [row(menu("static_select") | {"initial_option": {"text": plain("t"), "value": "0"}})],
        [row(menu("static_select") | {"initial_option": option("other")})],
        "initial option is none of the options [json-pointer:/blocks/0/elements/0]",
    ),
    "a text object of other fields": (
        [section(text=mrkdwn("x") | {"verbatim": True})],
        [section(text=mrkdwn("x") | {"emoji": True})],
        "invalid additional property: emoji [json-pointer:/blocks/0/text]",
    ),
    "an unknown field": (
        [row(button(url="https://northwind.example/case"))],
        [row(button(link="https://northwind.example/case"))],
        "invalid additional property: link [json-pointer:/blocks/0/elements/0]",
    ),
    "an option's url": (
        [row(menu("overflow") | {"options": [option("a") | {"url": "https://northwind.example/"}]})],
        [row(menu("static_select") | {"options": [option("a") | {"url": ""}]})],
        "invalid additional property: url [json-pointer:/blocks/0/elements/0/options/0]",
    ),
    "a flag": (
        [section(text=plain("x") | {"emoji": False})],
        [section(text=plain("x") | {"emoji": "no"})],
        "must be a boolean [json-pointer:/blocks/0/text/emoji]",
    ),
    "what is no type": ([DIVIDER], [{"type": ["divider"]}], "unsupported type: ['divider'] [json-pointer:/blocks/0/type]"),
    "an unknown block": ([DIVIDER], [{"type": "carousel_of_doom"}], "unsupported type: carousel_of_doom [json-pointer:/blocks/0/type]"),
}


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


@pytest.mark.parametrize(("taken", "refused_blocks", "message"), EDGES.values(), ids=EDGES.keys())
def test_each_limit_takes_its_most_and_refuses_one_more(taken: list[Json], refused_blocks: list[Json], message: str) -> None:
    """At the limit it is a message; past it the error names the place as Slack does; a view is held to the same."""
    check_message({"text": "x", "blocks": taken}, 40_000)
    with pytest.raises(SlackError) as caught:
        check_message({"text": "x", "blocks": refused_blocks}, 40_000)
    assert caught.value.error == "invalid_blocks"
    assert caught.value.messages == (message,)
    if len(taken) < 50:
        view = {"type": "home", "blocks": refused_blocks}
        with pytest.raises(SlackError) as caught:
            check_view(view, "home")
        assert caught.value.messages == (message.replace("/blocks", "/view/blocks"),)


VIEWS: dict[str, tuple[Json, str]] = {
    "title": ({"title": plain("x" * 25)}, "must be less than 25 characters [json-pointer:/view/title/text]"),
    "submit": ({"submit": plain("x" * 25)}, "must be less than 25 characters [json-pointer:/view/submit/text]"),
    "private_metadata": ({"private_metadata": "x" * 3001}, "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
    "callback_id": ({"callback_id": "x" * 256}, "must be less than 256 characters [json-pointer:/view/callback_id]"),
    "101 blocks": ({"blocks": [DIVIDER] * 101}, "no more than 100 items allowed [json-pointer:/view/blocks]"),
    "inputs need a submit": ({"submit": None}, "missing required field: submit [json-pointer:/view]"),
    "an unknown field": ({"submit_disabled": True}, "invalid additional property: submit_disabled [json-pointer:/view]"),
    "a button is no input": (
        {"blocks": [field("a", button())]},
        "unsupported type: button [json-pointer:/view/blocks/0/element/type]",
    ),
    "an input takes 3,000 characters": (
        {"blocks": [field("a", {"type": "plain_text_input", "max_length": 3001})]},
        "must be between 1 and 3000 [json-pointer:/view/blocks/0/element/max_length]",
    ),
}


@pytest.mark.parametrize(("change", "message"), VIEWS.values(), ids=VIEWS.keys())
def test_each_limit_of_a_view(change: Json, message: str) -> None:
    """The modal itself is taken; with one thing wrong it is refused, the place named."""
    check_view(MODAL, "modal")
    with pytest.raises(SlackError) as caught:
        check_view(MODAL | change, "modal")
    assert (caught.value.error, caught.value.messages) == ("invalid_arguments", (message,))


def test_a_view_of_over_250_kilobytes_is_too_large() -> None:
    """It has its own error."""
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(MODAL | {"blocks": [section(text=plain("x" * 3000))] * 90}, "modal")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "blocks": [section(text=mrkdwn("x" * 3000))] * 5}, "msg_blocks_too_long"),
        ({"text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a", "event_payload": {"b": "c" * 20_000}}}, "metadata_too_large"),
        ({"text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        ({"attachments": [{"blocks": [section()]}]}, "invalid_attachments"),
    ],
)
def test_a_message_as_a_whole(content: Json, error: str) -> None:
    """Nothing to say, too much to say, and what is no message at all."""
    check_message({"text": "x" * 40_000, "blocks": [section(text=mrkdwn("x" * 3000))] * 4}, 40_000)
    with pytest.raises(SlackError, match=error):
        check_message(content, 40_000)


async def test_every_way_in_is_held_to_the_same_rules(company: Northwind) -> None:
    """Post, update, ephemeral, response_url, modal and home refuse the same broken card, and nothing changes."""
    broken = [section(text=mrkdwn("x" * 3001))]
    ts = await company.post(text="open", blocks=buttons("approve"))
    before = company.slack.message(TIER1, ts)
    company.clock.now += 1
    client = company.client()
    pressed = (await company.slack.click("anna", TIER1, ts, "approve")).payload
    assert pressed is not None
    for call in (
        client.chat_postMessage(channel=TIER1, text="x", blocks=broken),
        client.chat_update(channel=TIER1, ts=ts, text="x", blocks=broken),
        client.chat_postEphemeral(channel=TIER1, user=ANNA, text="x", blocks=broken),
    ):
        body = await refused(call)
        assert body["error"] == "invalid_blocks"
        assert body["response_metadata"]["messages"] == ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
    for call in (
        client.views_open(trigger_id=pressed["trigger_id"], view=MODAL | {"blocks": broken}),
        client.views_publish(user_id=ANNA, view={"type": "home", "blocks": broken}),
    ):
        assert (await refused(call))["error"] == "invalid_arguments"
    async with aiohttp.ClientSession() as session, session.post(pressed["response_url"], json={"blocks": broken}) as response:
        assert (response.status, (await response.json())["error"]) == (400, "invalid_blocks")
    assert company.slack.messages(TIER1) == [before]
    assert company.slack.ephemerals("anna") == []
    assert company.slack.home("anna") is None


async def test_an_update_takes_less_text_than_a_post(company: Northwind) -> None:
    """40,000 characters can be posted, 4,000 updated."""
    ts = await company.post(text="x" * 40_000)
    assert (await refused(company.client().chat_update(channel=TIER1, ts=ts, text="x" * 4_001)))["error"] == "msg_too_long"
    await company.client().chat_update(channel=TIER1, ts=ts, text="x" * 4_000)
