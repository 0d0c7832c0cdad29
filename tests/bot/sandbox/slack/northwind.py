"""Northwind's Slack on a port, and a Bolt app beside it that remembers what it was sent: what the sandbox's own stories stand on."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.faults import Faults
from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.seed import SLACK
from bot.sandbox.slack.slack import Slack

TIER1, TIER2, GENERAL, PRIVATE, ARCHIVED = "C0TIER10001", "C0TIER20001", "C0GENERAL01", "C0SECRET001", "C0ARCHIVED1"
ANNA, BEN = "U0ANNA00001", "U0BEN000001"
Json = dict[str, Any]


class Bolt(AsyncApp):
    """Bolt whose listeners may take minutes to acknowledge, on a machine that is busy."""

    def _register_listener(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - as Bolt has it
        return super()._register_listener(*args, **{**more, "ack_timeout": 240.0})


_ANY = re.compile(".*")
LONG_S = 3_600
"""As good as for ever, where a number is wanted."""


class Clock:
    """A clock that stands still until told; it begins now, because signatures are checked against the real time."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


class Northwind:
    """The workspace on a port and Slack's own client pointed at it."""

    def __init__(self, config: SlackConfig) -> None:
        self.clock = Clock()
        self.faults = Faults(self.clock)
        self.slack = Slack(config, self.clock, self.faults)
        self.url = ""

    def client(self, token: str = SLACK.app.bot_token) -> AsyncWebClient:
        """A client that tries once, as one that owns its retries must."""
        return AsyncWebClient(token=token, base_url=f"{self.url}/api/", retry_handlers=[], timeout=LONG_S)

    async def post(self, channel: str = TIER1, **content: Any) -> str:
        """Post as the app does, at a pace Slack allows; returns the timestamp."""
        self.clock.now += 1
        return str((await self.client().chat_postMessage(channel=channel, **{"text": "hello", **content}))["ts"])


@asynccontextmanager
async def serve(routes: list[web.RouteDef]) -> AsyncIterator[str]:
    """Those routes on a port of their own; gives the address."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def northwind(**changes: Any) -> AsyncIterator[Northwind]:
    """Northwind with its configuration changed here and there."""
    company = Northwind(replace(SLACK, **changes))
    async with serve(company.slack.routes()) as company.url:
        company.slack.serve_at(company.url)
        try:
            yield company
        finally:
            await company.slack.stop()


class App:
    """A Bolt app that acknowledges everything, with `answer` if given, and keeps every payload."""

    def __init__(self, company: Northwind, signing_secret: str) -> None:
        self.seen: list[Json] = []
        self.answer: Json = {}
        self.then: Callable[[AsyncWebClient, Json], Awaitable[object]] | None = None
        self.hold: asyncio.Event | None = None
        self._came = asyncio.Condition()
        client = company.client()
        self.bolt = Bolt(token=SLACK.app.bot_token, signing_secret=signing_secret, client=client, process_before_response=False)
        self.bolt.action(_ANY)(self._listen)
        self.bolt.view_submission(_ANY)(self._listen)
        self.bolt.view_closed(_ANY)(self._listen)
        self.bolt.command("/review")(self._listen)
        self.bolt.event("app_home_opened")(self._hear)

    async def until_seen(self, count: int) -> None:
        """Wait until so many payloads have come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.seen) >= count)

    async def _keep(self, body: Json) -> None:
        async with self._came:
            self.seen.append(body)
            self._came.notify_all()

    async def _listen(self, ack: Callable[..., Awaitable[object]], body: Json, client: AsyncWebClient) -> None:
        await self._keep(body)
        if self.hold is not None:
            await self.hold.wait()
        if self.then is not None:
            await self.then(client, body)
        await ack(**self.answer)

    async def _hear(self, body: Json) -> None:
        await self._keep(body)

    async def handle(self, request: web.Request) -> web.Response:
        """Bolt's own HTTP adapter."""
        return await to_aiohttp_response(await self.bolt.async_dispatch(await to_bolt_request(request)))


@asynccontextmanager
async def http_app(company: Northwind, signing_secret: str = SLACK.app.signing_secret) -> AsyncIterator[App]:
    """The app behind a signed request URL."""
    app = App(company, signing_secret)
    async with serve([web.post("/slack/events", app.handle)]) as url:
        company.slack.connect(f"{url}/slack/events")
        yield app


@asynccontextmanager
async def socket_app(company: Northwind) -> AsyncIterator[App]:
    """The app in Socket Mode, through Bolt's own handler."""
    app = App(company, SLACK.app.signing_secret)
    connected = company.slack.socket_mode.connected
    handler = AsyncSocketModeHandler(app.bolt, SLACK.app.app_token, web_client=company.client(SLACK.app.app_token))
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it unannotated
    await company.slack.socket_mode.until_connected(connected + 1)
    try:
        yield app
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it unannotated


async def refused(call: Awaitable[object]) -> Json:
    """The body of Slack's refusal of a call that must be refused."""
    try:
        await call
    except SlackApiError as error:
        return dict(error.response.data)
    raise AssertionError("Slack took it")


def buttons(*names: str) -> list[Json]:
    """A card with those buttons; a decided one has none."""
    elements = [
        {"type": "button", "action_id": name, "value": f"case-1:{name}", "text": {"type": "plain_text", "text": name.title()}}
        for name in names
    ]
    card: list[Json] = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Refund 120 EUR?*"}}]
    return [*card, {"type": "actions", "block_id": "verdict", "elements": elements}] if names else card
