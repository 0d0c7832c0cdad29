"""A shortcut in the menu of a message: what the app is sent, and what it may do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from bot.sandbox.slack.errors import ClientError
from tests.bot.sandbox.slack.northwind import ANNA, TIER1, TIER2, App, Json, Northwind, http_app, northwind, socket_app
from tests.bot.sandbox.slack.test_modals import MODAL

PUBLISHED = {
    "type", "token", "action_ts", "team", "user", "channel", "is_enterprise_install", "enterprise", "callback_id", "trigger_id",
    "response_url", "message_ts", "message",
}  # fmt: skip
"""Fields of the payload. Source: docs.slack.dev, shortcuts interaction payload"""


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


@pytest.fixture(params=[http_app, socket_app])
async def app(request: pytest.FixtureRequest, company: Northwind) -> AsyncIterator[App]:
    """An app that opens a modal at the shortcut, on either way."""
    async with request.param(company) as app:

        async def take(ack: Callable[..., Awaitable[object]], body: Json) -> None:
            app.seen.append(body)
            await company.client().views_open(trigger_id=body["trigger_id"], view=MODAL)
            await ack()

        app.bolt.message_shortcut("send_to_review")(take)
        yield app


async def test_a_shortcut_carries_the_message_and_may_open_a_modal(company: Northwind, app: App) -> None:
    """Of a person's message and of the app's own; the answer to its URL is for that person alone and replaces nothing."""
    written = company.slack.workspace.say(company.slack.workspace.user("ben"), company.slack.workspace.any_channel(TIER1), "Refund 40 EUR?")
    for ts in (written["ts"], await company.post(text="a card")):
        ack = await company.slack.shortcut("anna", TIER1, ts, "send_to_review")
        assert ack.ok
        payload = app.seen[-1]
        assert set(payload) == PUBLISHED
        assert (payload["type"], payload["callback_id"], payload["user"]["id"]) == ("message_action", "send_to_review", ANNA)
        assert (payload["message_ts"], payload["channel"]["id"], payload["message"]) == (ts, TIER1, company.slack.message(TIER1, ts))
        assert company.slack.open_view("anna") is not None
        async with aiohttp.ClientSession() as session:
            answer = {"text": "Sent.", "replace_original": True}
            async with session.post(payload["response_url"], json=answer) as response:
                assert response.status == 200
    assert [message["text"] for message in company.slack.ephemerals("anna")] == ["Sent.", "Sent."]
    assert [message["text"] for message in company.slack.messages(TIER1)] == ["Refund 40 EUR?", "a card"]


async def test_only_what_a_person_sees_has_a_menu(company: Northwind) -> None:
    """Not in a channel they are not in, not at a message that is gone, not at one that only they were shown."""
    ts = await company.post(TIER2)
    await company.client().chat_postEphemeral(channel=TIER1, user=ANNA, text="for Anna alone")
    (whispered,) = company.slack.ephemerals("anna")
    company.slack.workspace.change_user("gil", is_restricted=True)
    for person, channel, at in (("gil", TIER2, ts), ("chiara", TIER2, "1.000000"), ("anna", TIER1, whispered["ts"])):
        with pytest.raises(ClientError):
            await company.slack.shortcut(person, channel, at, "send_to_review")


async def test_without_a_listener_the_person_is_told(company: Northwind) -> None:
    """Nobody there to answer: not acknowledged, and the record says so."""
    ts = await company.post()
    ack = await company.slack.shortcut("anna", TIER1, ts, "send_to_review")
    assert not ack.ok
    assert company.slack.record.count("message_action", ts=ts) == 1
