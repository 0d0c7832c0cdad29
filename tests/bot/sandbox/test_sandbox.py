"""The whole sandbox: three peers and the page up together, each where its real counterpart's client looks for it."""

from __future__ import annotations

import asyncio
import errno
import socket
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.sandbox.sandbox import HOST, Sandbox, SandboxConfig, on_first_free
from tests.bot.sandbox.slack.northwind import TIER1, Clock


async def test_everything_answers_at_its_address() -> None:
    """Slack, PagerDuty, the service and the page answer, and the page is on a port of its own."""
    async with Sandbox(Clock()) as sandbox, aiohttp.ClientSession() as session:
        config = sandbox.config
        async with session.post(
            f"{sandbox.slack_api_url}chat.postMessage", json={"channel": TIER1, "text": "x", "token": config.slack.app.bot_token}
        ) as response:
            assert (await response.json())["ok"] is True
        event = {
            "routing_key": config.pagerduty.services[0].routing_key,
            "event_action": "trigger",
            "payload": {"summary": "s", "source": "x", "severity": "critical"},
        }
        async with session.post(f"{sandbox.pagerduty_events_url}/v2/enqueue", json=event) as response:
            assert response.status == 202
        headers = {"Authorization": f"Token token={config.pagerduty.api_token}"}
        async with session.get(f"{sandbox.pagerduty_api_url}/incidents", headers=headers) as response:
            assert len((await response.json())["incidents"]) == 1
        async with session.post(sandbox.customer_callback_url, json={}) as response:
            assert response.status == 401
        async with session.get(sandbox.page_url) as response:
            assert "Northwind" in await response.text()
        assert sandbox.page_url != sandbox.url
        assert [len(peer.record) > 0 for peer in (sandbox.slack, sandbox.pagerduty, sandbox.customer)] == [True, True, True]


async def test_two_sandboxes_do_not_share_anything() -> None:
    """Each has its own ports, clock and state; a taken port is an error and leaves nothing running."""
    async with Sandbox(Clock()) as first, Sandbox(Clock()) as second:
        assert first.url != second.url
        first.slack.workspace.change_user("anna", deleted=True)
        assert second.slack.workspace.user("anna").deleted is False
        third = Sandbox(Clock(), SandboxConfig())
        with pytest.raises(OSError, match="in use"):
            await third.start(int(first.url.rsplit(":", 1)[1]))


async def test_a_port_is_found_by_taking_it() -> None:
    """Of several the first that nobody has, whoever starts just then; an error that is not about a taken port is not passed over."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        starting = Sandbox(Clock()), Sandbox(Clock())
        try:
            await asyncio.gather(*(sandbox.start(page_ports=(port, 0)) for sandbox in starting))
            assert len({urlsplit(sandbox.page_url).port for sandbox in starting} | {port}) == 3
        finally:
            await asyncio.gather(*(sandbox.stop() for sandbox in starting))
    tried = list[int]()

    async def listen(port: int) -> int:
        tried.append(port)
        raise OSError(errno.EADDRINUSE if port < 3 else errno.EACCES, "no")

    with pytest.raises(OSError, match="no") as refused:
        await on_first_free((1, 2, 3, 4), listen)
    assert (refused.value.errno, tried) == (errno.EACCES, [1, 2, 3])
