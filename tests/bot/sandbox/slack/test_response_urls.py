"""response_urls in the sandbox: what they do and how they wear out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.bot.sandbox.slack.northwind import ANNA, TIER1, Northwind, buttons, http_app, northwind


@pytest.fixture
async def town() -> AsyncIterator[Northwind]:
    """Northwind with an app that acknowledges every press."""
    async with northwind() as town, http_app(town):
        yield town


async def pressed(town: Northwind, ts: str) -> AsyncWebhookClient:
    """Anna presses; the webhook client of that press."""
    payload = (await town.slack.click("anna", TIER1, ts, "approve")).payload
    assert payload is not None
    return AsyncWebhookClient(payload["response_url"], retry_handlers=[])


async def test_by_default_only_the_person_sees_it(town: Northwind) -> None:
    """Ephemeral unless in_channel; replacing changes the card itself."""
    ts = await town.post(text="open", blocks=buttons("approve"))
    url = await pressed(town, ts)
    assert (await url.send(text="recorded")).status_code == 200
    assert [message["text"] for message in town.slack.ephemerals(ANNA)] == ["recorded"]
    await url.send(text="Anna approved", response_type="in_channel")
    await url.send(text="decided", blocks=buttons(), replace_original=True)
    assert [message["text"] for message in town.slack.messages(TIER1)] == ["decided", "Anna approved"]
    await url.send(delete_original=True)
    assert [message["text"] for message in town.slack.messages(TIER1)] == ["Anna approved"]


async def test_five_uses_and_no_more(town: Northwind) -> None:
    """The sixth is refused."""
    url = await pressed(town, await town.post(blocks=buttons("approve")))
    answers = [(await url.send(text=f"{i}")).status_code for i in range(6)]
    assert answers == [200] * 5 + [404]
    assert "used_url" in (await url.send(text="x")).body
    assert len(town.slack.ephemerals(ANNA)) == 5


async def test_half_an_hour_and_no_longer(town: Northwind) -> None:
    """Good at thirty minutes, dead a second later."""
    url = await pressed(town, await town.post(blocks=buttons("approve")))
    town.clock.now += 1800
    assert (await url.send(text="x")).status_code == 200
    town.clock.now += 1
    late = await url.send(text="x")
    assert (late.status_code, "expired_url" in late.body) == (404, True)
