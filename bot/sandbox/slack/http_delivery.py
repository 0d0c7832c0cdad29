"""Slack's requests to the app over HTTP, signed with the app's secret (v0). Sends and times; it never looks into a payload.

Signing: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.ack import CONNECTION_LOST, TIMED_OUT, Ack
from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.errors import Json


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The `X-Slack-Signature` of a raw body."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


class HttpDelivery:
    """One request URL for interactions, commands and events alike. `url` is None until the app is known to listen."""

    def __init__(self, config: SlackConfig, clock: Callable[[], float]) -> None:
        self.url: str | None = None
        self._config = config
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: str, payload: Json) -> Ack:
        """Send one payload (`kind`: interactive, slash_commands, events_api) and await the answer."""
        if kind == "events_api":
            body, content_type = json.dumps(payload).encode(), "application/json"
        else:
            form = {"payload": json.dumps(payload)} if kind == "interactive" else payload
            body, content_type = urlencode(form).encode(), "application/x-www-form-urlencoded"
        timestamp = str(int(self._clock()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._config.app.signing_secret, timestamp, body),
        }
        return await self._post(body, headers)

    async def stop(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes, headers: dict[str, str]) -> Ack:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), trust_env=False)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with (
                asyncio.timeout(self._config.ack_timeout_s),
                self._session.post(str(self.url), data=body, headers=headers) as response,
            ):
                text = await response.text()
        except TimeoutError:
            return Ack(TIMED_OUT, {}, loop.time() - began, TIMED_OUT)
        except aiohttp.ClientError:
            return Ack(CONNECTION_LOST, {}, loop.time() - began, "dispatch_failed")
        problem = None if response.status == 200 else "dispatch_failed"
        return Ack(response.status, _decoded(text), loop.time() - began, problem)


def _decoded(text: str) -> Json | str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text
