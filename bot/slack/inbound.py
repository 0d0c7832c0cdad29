"""Where Slack reaches us: the signature checked on the raw bytes before anything is parsed, then Bolt; or Socket Mode, which dials out.

Owns the check and the two ways in. It never looks into a payload. The stock verifiers are not used: they raise on hostile headers, and
one writes the whole body to the log (slack_bolt 1.30).
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from ssl import SSLContext
from typing import Any

import structlog
from aiohttp import ClientSession, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import steady
from bot.http.bodies import Bodies, Unread
from bot.http.connections import vouch
from bot.readiness import Obstacle
from bot.slack.socket_line import SocketLine
from bot.slack.tokens import SIGNING_SECRET, shape_problem

TOLERANCE_S = 300
"""How far Slack's timestamp may be from ours. Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

REDIAL_S = 5.0
"""Between two tries to reach Slack, and between two pings; a connection that answers no four of them is given up (slack_sdk 3.47)."""

BODY_MOST = 1024 * 1024
PATH = "/slack/events"
MISSHAPEN = 400

_LOG = structlog.get_logger("tierline.slack")
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


def is_genuine(secrets: Sequence[str], timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """Whether Slack signed these bytes, with one of our secrets, within five minutes of `now`. Never raises, whatever it is given."""
    if _TIMESTAMP.fullmatch(timestamp) is None or abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    given = signature.encode("utf-8", "replace")
    valid = ["v0=" + hmac.new(secret.encode(), signed, "sha256").hexdigest() for secret in secrets if secret]
    return any(hmac.compare_digest(given, one.encode()) for one in valid)


def make_client(session: ClientSession, base_url: str, token: str | None, tls: SSLContext | None = None) -> AsyncWebClient:
    """A Web API client that tries once: what is tried again is for the outbox to say (the stock one posts twice when a reply is lost)."""
    return AsyncWebClient(
        token=token,
        base_url=base_url.rstrip("/") + "/",
        session=session,
        retry_handlers=[],
        trust_env_in_session=False,
        logger=_quiet(),
        ssl=tls,
    )


def make_bolt(session: ClientSession, base_url: str) -> AsyncApp:
    """An empty Bolt app. It holds no token and calls nobody: requests are checked before it, and its listeners use our own client.

    It answers Slack when a listener comes back, instead of looking for an acknowledgement every 10 ms, for 3 s at most (slack_bolt 1.30):
    ours come back as soon as they have acknowledged, and say themselves when that takes long.
    """

    async def authorize(**_ignored: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None)

    return AsyncApp(
        name="tierline",
        logger=_quiet(),
        client=make_client(session, base_url, None),
        authorize=authorize,
        signing_secret="checked before Bolt",  # noqa: S106 - never read: Bolt's own check is off
        request_verification_enabled=False,
        process_before_response=True,
    )


class Inbound:
    """Takes what Slack sends. With `app_token` over Socket Mode, otherwise over HTTP, signed with one of `secrets`."""

    def __init__(
        self,
        bolt: AsyncApp,
        secrets: Sequence[str],
        clock: Callable[[], datetime],
        client: AsyncWebClient,
        app_token: str = "",
        *,
        steady: Callable[[], datetime] | None = None,
        bodies: Bodies | None = None,
        redial_s: float = REDIAL_S,
    ) -> None:
        """A timestamp counts that is right by `clock`, the wall's, or by `steady`, which nobody sets."""
        self._bolt = bolt
        self._secrets = tuple(secrets)
        self._clocks = (clock, steady or clock)
        self._bodies = bodies or Bodies()
        self._client = client
        self._app_token = app_token
        self._redial_s = redial_s
        self._socket: SocketLine | None = None
        self._dialing: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        """The HTTP way in; none with Socket Mode."""
        return [] if self._app_token else [web.post(PATH, self.take)]

    async def start(self) -> None:
        """Begin to dial out with Socket Mode, without waiting for Slack: clocks and pages go on while it is down."""
        if self._app_token:
            self._socket = SocketLine(self._app_token, self._client, steady, self._redial_s)
            self._socket.socket_mode_request_listeners.append(self._hear)
            self._dialing = asyncio.create_task(self._socket.connect())  # tries until Slack answers

    async def stop(self) -> None:
        """Hang up, or stop dialing."""
        if self._dialing is not None:
            self._dialing.cancel()
        if self._socket is not None:
            await self._socket.close()  # type: ignore[no-untyped-call]

    async def check(self) -> Sequence[Obstacle]:
        """Whether what people press can reach us, as far as can be told from here."""
        if self._socket is not None:
            return await self._socket.check()
        problems = (shape_problem(SIGNING_SECRET, secret) for secret in self._secrets)
        return [Obstacle("slack_signing_secret", problem) for problem in problems if problem]

    async def take(self, request: web.Request) -> web.Response:
        """One request: 401 unless Slack signed it, otherwise what our listener answers."""
        body = await self._bodies.read(request, BODY_MOST)
        if isinstance(body, Unread):
            return web.Response(status=body.value)
        headers = request.headers
        timestamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        if not any(is_genuine(self._secrets, timestamp, signature, body, clock()) for clock in self._clocks):
            _LOG.warning("forged or stale request refused", path=PATH)
            return web.Response(status=401)
        vouch(request)
        answer = await self._heard(lambda: AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=dict(headers)))
        return await to_aiohttp_response(answer)

    async def _hear(self, line: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """One request over the socket, which Slack knows to be ours: what our listener answers goes back. What cannot be read is
        acknowledged, or Slack would send it again.
        """
        answer = await self._heard(lambda: AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=build_headers(request)))
        await send_async_response(line, request, BoltResponse(status=200) if answer.status == MISSHAPEN else answer, 0.0)

    async def _heard(self, read: Callable[[], AsyncBoltRequest]) -> BoltResponse:
        """What our listener answers. Each of them answers whatever happens to it; so where Bolt fails, it was as it looked for the one that
        is meant, in what has no shape of Slack's: no UTF-8, no JSON, nothing where Bolt reads something.
        """
        try:
            answer = await self._bolt.async_dispatch(read())
        except Exception as error:  # noqa: BLE001 - Bolt raises whatever it runs into
            _LOG.warning("a request that Slack signed is misshapen", cause=type(error).__name__)
            return BoltResponse(status=MISSHAPEN)
        return answer if answer.status != 500 else BoltResponse(status=MISSHAPEN)


def _quiet() -> logging.Logger:
    """A logger for the SDK at warning: below that it writes requests and answers, which hold the content of cases."""
    logger = logging.getLogger("slack_sdk.tierline")
    logger.setLevel(logging.WARNING)
    return logger
