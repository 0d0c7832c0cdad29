"""The line that Socket Mode dials: one connection out to Slack, dialed again whenever it breaks. Owns dialing and saying why it fails; it
never looks into what comes over it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.readiness import Obstacle
from bot.slack.calls import error_code
from bot.slack.tokens import APP_TOKEN, REFUSED, refusal, shape_problem

TRIES = 3
"""Dials of one address before a fresh one is asked for."""

LONGEST_PAUSE_S = 300.0
"""What Slack may ask for with Retry-After before we dial again."""

SILENT_S = 15.0
"""How long the line may be down before that is said: Slack itself hangs up now and then, and we dial again."""

_LOG = structlog.get_logger("tierline.slack")


class SocketLine(SocketModeClient):
    """The SDK's connection, which dials one address for ever, though its ticket is good once and soon void, and counts by the wall
    clock for how long nothing was heard: with that set back, a dead connection would pass for a live one (slack_sdk 3.47).

    `steady` gives seconds that nobody can set; `redial_s` lie between two tries.
    """

    def __init__(self, app_token: str, web_client: AsyncWebClient, steady: Callable[[], float], redial_s: float) -> None:
        self._heard_s: float | None = None
        super().__init__(app_token, web_client.logger, web_client, ping_interval=redial_s)
        self._steady = steady
        self._up_at = steady()
        self._why_down = ""

    @property
    def last_ping_pong_time(self) -> float | None:
        """When the line was last known to be alive, by the steady clock."""
        return self._heard_s

    @last_ping_pong_time.setter
    def last_ping_pong_time(self, time: float | None) -> None:
        self._heard_s = None if time is None else self._steady()

    async def is_ping_pong_failing(self) -> bool:
        """Whether no four pings were answered."""
        return self._heard_s is not None and self._steady() - self._heard_s >= 4 * self.ping_interval

    async def connect(self) -> None:
        """Dial until there is a connection, after a few tries with a fresh address."""
        while not self.closed:
            try:
                async with asyncio.timeout(TRIES * self.ping_interval):
                    if self.wss_uri is None:
                        self.wss_uri = await self.issue_new_wss_url()
                    await super().connect()  # type: ignore[no-untyped-call]
            except TimeoutError:
                self.wss_uri = None
            except SlackApiError as error:
                wait = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
                await asyncio.sleep(
                    max(self.ping_interval, min(float(wait), LONGEST_PAUSE_S) if wait.isascii() and wait.isdigit() else 0.0)
                )
            except (SlackRequestError, aiohttp.ClientError, OSError):
                await asyncio.sleep(self.ping_interval)
            else:
                return

    async def issue_new_wss_url(self) -> str:
        """A fresh address to dial. What keeps us from one is said once in the log, in words. Raises what the call raises."""
        try:
            answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        except (SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError, OSError) as error:
            self._down(error_code(error))
            raise
        self._why_down = ""
        return str(answer["url"])

    async def check(self) -> Sequence[Obstacle]:
        """Whether presses reach us over this line."""
        if await self.is_connected():
            self._up_at = self._steady()
            return ()
        if self._why_down in REFUSED:
            return (Obstacle("socket_mode", shape_problem(APP_TOKEN, self.app_token) or refusal(APP_TOKEN, self._why_down)),)
        down_s = self._steady() - self._up_at
        if down_s <= SILENT_S:
            return ()
        cause = f" ({self._why_down})" if self._why_down else ""
        said = f"Socket Mode has had no connection for {down_s:.0f} s{cause}: no press and no command arrives."
        return (Obstacle("socket_mode", said, for_s=down_s),)

    def _down(self, why: str) -> None:
        if why == self._why_down:
            return
        self._why_down = why
        said: dict[str, Any] = {"because": refusal(APP_TOKEN, why)} if why in REFUSED else {}
        _LOG.error("Slack gives no address for Socket Mode; dialing goes on", cause=why, **said)
