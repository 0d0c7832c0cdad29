"""The page with a small app behind it, at Anna's desk; a wide screen unless a test asks for another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from bot.sandbox.sandbox import Sandbox, SandboxConfig
from bot.sandbox.slack.config import Shortcut
from bot.sandbox.slack.seed import SLACK
from tests.bot.sandbox.page.desk import ANNA, SOON_S, TIER1, Desk
from tests.bot.sandbox.slack.northwind import LONG_S, serve

expect.set_options(timeout=SOON_S * 1000)


@pytest.fixture
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """A sandbox whose Slack takes messages as fast as they come; the parameter: how long it waits for an acknowledgement."""
    app = replace(SLACK.app, scopes=SLACK.app.scopes | {"files:write"})
    shortcuts = (Shortcut("Send to review", "send_to_review"),)
    slack = replace(SLACK, app=app, shortcuts=shortcuts, burst=100, trigger_s=LONG_S, ack_timeout_s=getattr(request, "param", None))
    config = SandboxConfig(slack=slack)
    async with Sandbox(time.time, config) as sandbox:
        made = Desk(sandbox)
        async with serve([web.post("/slack/events", made.take)]) as url:
            sandbox.connect(slack_events_url=url + "/slack/events")
            yield made


@pytest.fixture
async def at_page(desk: Desk, browser: Browser) -> AsyncIterator[Page]:
    """Anna at the page; an error in its script fails the test."""
    async with asyncio.timeout(SOON_S):
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    page.set_default_timeout(SOON_S * 1000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    await page.goto(f"{desk.sandbox.page_url}/?user={ANNA}&channel={TIER1}")
    yield page
    async with asyncio.timeout(SOON_S):
        await page.close()
    assert errors == []
