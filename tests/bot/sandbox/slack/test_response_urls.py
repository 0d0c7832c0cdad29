"""response_urls in the sandbox: what they do and how they wear out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.bot.sandbox.slack.northwind import ANNA, TIER1, Northwind, buttons, http_app, northwind


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind with an app that acknowledges every press."""
    async with northwind() as company, http_app(company):
        yield company


async def pressed(company: Northwind, ts: str) -> AsyncWebhookClient:
    """Anna presses; the webhook client of that press."""
    payload = (await company.slack.click("anna", TIER1, ts, "approve")).payload
    assert payload is not None
    return AsyncWebhookClient(payload["response_url"], retry_handlers=[])


async def test_by_default_only_the_person_sees_it(company: Northwind) -> None:
    """Ephemeral unless in_channel; replacing changes the card itself."""
    ts = await company.post(text="open", blocks=buttons("approve"))
    url = await pressed(company, ts)
    assert (await url.send(text="recorded")).status_code == 200
    assert [message["text"] for message in company.slack.ephemerals(ANNA)] == ["recorded"]
    await url.send(text="Anna approved", response_type="in_channel")
    await url.send(text="decided", blocks=buttons(), replace_original=True)
    assert [message["text"] for message in company.slack.messages(TIER1)] == ["decided", "Anna approved"]
    await url.send(delete_original=True)
    assert [message["text"] for message in company.slack.messages(TIER1)] == ["Anna approved"]


async def test_five_uses_and_no_more(company: Northwind) -> None:
    """The sixth is refused."""
    url = await pressed(company, await company.post(blocks=buttons("approve")))
    answers = [(await url.send(text=f"{i}")).status_code for i in range(6)]
    assert answers == [200] * 5 + [404]
    assert "used_url" in (await url.send(text="x")).body
    assert len(company.slack.ephemerals(ANNA)) == 5


async def test_half_an_hour_and_no_longer(company: Northwind) -> None:
    """Good at thirty minutes, dead a second later."""
    url = await pressed(company, await company.post(blocks=buttons("approve")))
    company.clock.now += 1800
    assert (await url.send(text="x")).status_code == 200
    company.clock.now += 1
    late = await url.send(text="x")
    assert (late.status_code, "expired_url" in late.body) == (404, True)
