"""Socket Mode in the sandbox: connections as Slack keeps them, opened by Bolt's own handler and by bare websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.slack.northwind import TIER1, Northwind, buttons, northwind, socket_app


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind as it begins."""
    async with northwind() as company:
        yield company


async def _url(company: Northwind) -> str:
    answer = await company.client().apps_connections_open(app_token=SLACK.app.app_token)
    return str(answer["url"])


async def test_two_processes_take_turns(company: Northwind) -> None:
    """Each envelope goes to one connection, the next to the other."""
    ts = await company.post(blocks=buttons("approve"))
    async with socket_app(company) as first, socket_app(company) as second:
        for _ in range(4):
            assert (await company.slack.click("anna", TIER1, ts, "approve")).ok
        assert (len(first.seen), len(second.seen)) == (2, 2)
    assert (await company.slack.click("anna", TIER1, ts, "approve")).status == "no_connection"


async def test_a_refresh_is_followed_by_a_new_connection(company: Northwind) -> None:
    """Asked to reconnect, the app does, and presses reach it again."""
    ts = await company.post(blocks=buttons("approve"))
    async with socket_app(company) as app:
        await company.slack.socket_mode.refresh()
        assert company.slack.socket_mode.connected == 0
        await company.slack.socket_mode.until_connected()
        assert (await company.slack.click("anna", TIER1, ts, "approve")).ok
        assert len(app.seen) == 1


async def test_the_wire_is_slacks(company: Northwind) -> None:
    """Hello first, envelopes with an id, an acknowledgement by that id; a ticket opens one connection."""
    ts = await company.post(blocks=buttons("approve"))
    url = await _url(company)
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"], hello["connection_info"]) == ("hello", 1, {"app_id": SLACK.app.app_id})
        press = asyncio.create_task(company.slack.click("anna", TIER1, ts, "approve"))
        envelope = await socket.receive_json()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("interactive", True)
        assert envelope["payload"]["type"] == "block_actions"
        await socket.send_str("not json")
        await socket.send_json({"envelope_id": "another"})
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "noted"}})
        assert (await press).body == {"text": "noted"}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
    assert [seen.data["event"] for seen in company.slack.record.find("socket")][:3] == ["connected", "ignored", "late_ack"]


async def test_a_socket_lost_before_the_acknowledgement(company: Northwind) -> None:
    """The press is unanswered and the person sees a failure."""
    ts = await company.post(blocks=buttons("approve"))
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(await _url(company))
        await socket.receive_json()
        press = asyncio.create_task(company.slack.click("anna", TIER1, ts, "approve"))
        await socket.receive_json()
        await socket.close()
        ack = await press
    assert (ack.status, ack.ok, ack.timed_out) == ("connection_lost", False, False)


async def test_ten_connections_and_no_more(company: Northwind) -> None:
    """The eleventh is told to go."""
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await _url(company)) for _ in range(11)]
        hellos = [(await socket.receive_json())["type"] for socket in sockets]
        assert hellos == ["hello"] * 10 + ["disconnect"]
        for socket in sockets:
            await socket.close()
