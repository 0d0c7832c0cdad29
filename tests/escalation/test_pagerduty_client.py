"""The client of PagerDuty's events: one for each integration, closed when we stop."""

import asyncio
import time
from typing import Any

import pagerduty
import pytest
from aiohttp import web

from bot.delivery.rate_limits import MOST_AT_ONCE
from escalation.pagerduty_client import EventsClient

pytestmark = pytest.mark.outside


async def test_pages_that_leave_at_once_share_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another takes the place of would be closed by nobody."""
    made = list[object]()
    make = pagerduty.EventsApiV2Client.__init__

    def slowly(client: pagerduty.EventsApiV2Client, *given: Any, **named: Any) -> None:
        time.sleep(0.02)  # threads change
        make(client, *given, **named)
        made.append(client)

    monkeypatch.setattr(pagerduty.EventsApiV2Client, "__init__", slowly)

    async def accept(_request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "dedup_key": "k"}, status=202)

    app = web.Application()
    app.add_routes([web.post("/v2/enqueue", accept)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = EventsClient(f"http://127.0.0.1:{port}")
    try:
        event = {"event_action": "trigger", "dedup_key": "k", "payload": {"summary": "s", "source": "s", "severity": "info"}}
        await asyncio.gather(*(client.send("0" * 32, event) for _ in range(3)))
    finally:
        client.close()
        await runner.cleanup()
    assert len(made) == 1


async def test_no_page_waits_for_the_answer_to_another() -> None:
    """As many as the courier has under way to one destination are all at PagerDuty before it has answered any."""
    most, arrived, everybody = MOST_AT_ONCE["pagerduty"], 0, asyncio.Event()

    async def accept(_request: web.Request) -> web.Response:
        nonlocal arrived
        arrived += 1
        if arrived == most:
            everybody.set()
        await everybody.wait()
        return web.json_response({"status": "success", "dedup_key": "k"}, status=202)

    app = web.Application()
    app.add_routes([web.post("/v2/enqueue", accept)])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = EventsClient(f"http://127.0.0.1:{runner.addresses[0][1]}")
    event = {"event_action": "trigger", "dedup_key": "k", "payload": {"summary": "s", "source": "s", "severity": "info"}}
    try:
        await asyncio.gather(*(client.send("0" * 32, event) for _ in range(most)))
    finally:
        everybody.set()
        client.close()
        await runner.cleanup()
    assert arrived == most
