"""Slack's way in: only what Slack signed, just now, over exactly these bytes; and the way out with Socket Mode."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from bot import clock
from bot.sandbox.faults import Fault, Mode
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.http_delivery import sign
from bot.slack.inbound import PATH, Inbound, is_genuine, make_bolt, make_client
from bot.slack.socket_line import SocketLine
from tests.bot.slack.northwind import ANNA, TIER1, Clock, a_company
from tests.set_clock import WallClock, wall_clock

__all__ = ["wall_clock"]

pytestmark = pytest.mark.outside

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STAMP = str(int(NOON.timestamp()))
BODY = b"payload=%7B%7D"


def test_what_slack_signed_is_genuine_with_either_secret() -> None:
    """Both secrets work while one is being replaced."""
    for secret in ("old", "new"):
        assert is_genuine(["new", "old"], STAMP, sign(secret, STAMP, BODY), BODY, NOON)


@pytest.mark.parametrize(
    ("timestamp", "signature", "body"),
    [
        (STAMP, sign("other", STAMP, BODY), BODY),
        (STAMP, sign("new", STAMP, BODY), BODY + b"&"),
        (STAMP, "", BODY),
        ("", sign("new", "", BODY), BODY),
        ("١٢٣", sign("new", STAMP, BODY), BODY),
        (str(int(STAMP) - 301), sign("new", str(int(STAMP) - 301), BODY), BODY),
    ],
)
def test_everything_else_is_not(timestamp: str, signature: str, body: bytes) -> None:
    """Another secret, another body, no signature, no time, digits that are no ASCII, too old."""
    assert not is_genuine(["new", ""], timestamp, signature, body, NOON)


@given(st.text(), st.text(), st.binary())
def test_the_check_never_raises(timestamp: str, signature: str, body: bytes) -> None:
    """Whatever stands in the headers."""
    assert not is_genuine(["secret"], timestamp, signature, body, NOON)


async def test_a_forged_press_is_turned_away(sqlite_url: str) -> None:
    """A captured press sent again after six minutes, and one signed by somebody else, get 401."""
    async with a_company(sqlite_url) as company, ClientSession() as session:
        await company.submit()
        await company.drain()
        base = company.sandbox.slack._http.url  # noqa: SLF001 - where the sandbox delivers to
        assert base is not None
        assert base.endswith(PATH)
        stamp = str(int((company.clock.now - timedelta(minutes=6)).timestamp()))
        secret = company.sandbox.config.slack.app.signing_secret
        for headers in (
            {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(secret, stamp, BODY)},
            {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=00"},
            {},
        ):
            async with session.post(base, data=BODY, headers=headers) as answer:
                assert answer.status == 401
        async with session.post(base, data=BytesIO(b"x" * (1024 * 1024 + 1))) as answer:
            assert answer.status == 413


async def test_signed_nonsense_is_no_error_of_ours(sqlite_url: str) -> None:
    """Bytes that are no text, a payload that is no JSON: 4xx."""
    async with a_company(sqlite_url) as company, ClientSession() as session:
        base = company.sandbox.slack._http.url  # noqa: SLF001 - where the sandbox delivers to
        stamp, secret = str(int(company.clock.unix())), company.sandbox.config.slack.app.signing_secret
        for body in (b"\xff\xfe", b"payload=%7Bnot+json", b"payload=%5B%5D", b"{}"):
            headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(secret, stamp, body)}
            async with session.post(str(base), data=body, headers=headers) as answer:
                assert 400 <= answer.status < 500, body


async def test_with_socket_mode_we_dial_out_and_open_no_door() -> None:
    """A command reaches its listener over the websocket."""
    clock = Clock()
    async with Sandbox(clock.unix) as sandbox, ClientSession() as session:
        app = sandbox.config.slack.app
        bolt = make_bolt(session, sandbox.slack_api_url)

        async def answer(ack: object) -> None:
            await ack(text="heard")  # type: ignore[operator]

        bolt.command("/review")(answer)
        client = make_client(session, sandbox.slack_api_url, app.bot_token)
        inbound = Inbound(bolt, [app.signing_secret], clock, client, app_token=app.app_token)
        assert inbound.routes() == []
        sandbox.connect()
        await inbound.start()
        await sandbox.slack.socket_mode.until_connected()
        ack = await sandbox.slack.command(ANNA, TIER1, "/review", "status")
        await inbound.stop()
        assert ack.body == {"text": "heard"}


async def test_slack_may_be_down_when_we_dial_out() -> None:
    """Starting waits for nobody, or no clock would run and no page go out; once Slack is back, so are we."""
    clock = Clock()
    async with Sandbox(clock.unix) as sandbox, ClientSession() as session:
        app = sandbox.config.slack.app
        outage = sandbox.faults.add(Fault("slack", "apps.connections.open", Mode.SERVER_ERROR, times=None))
        client = make_client(session, sandbox.slack_api_url, app.bot_token)
        inbound = Inbound(make_bolt(session, sandbox.slack_api_url), [], clock, client, app.app_token, redial_s=0.5)
        sandbox.connect()
        await inbound.start()
        assert sandbox.slack.socket_mode.connected == 0
        sandbox.faults.remove(outage)
        await sandbox.slack.socket_mode.until_connected()
        await inbound.stop()


async def test_dialing_can_be_stopped() -> None:
    """A process that is told to end while Slack is down ends."""
    clock = Clock()
    async with Sandbox(clock.unix) as sandbox, ClientSession() as session:
        app = sandbox.config.slack.app
        sandbox.faults.add(Fault("slack", "apps.connections.open", Mode.SERVER_ERROR, times=None))
        client = make_client(session, sandbox.slack_api_url, app.bot_token)
        inbound = Inbound(make_bolt(session, sandbox.slack_api_url), [], clock, client, app.app_token, redial_s=1_000.0)
        await inbound.start()
        async with asyncio.timeout(200):  # the next dial is far away
            await inbound.stop()


async def test_a_void_ticket_is_not_dialed_for_ever() -> None:
    """Slack took the ticket and then failed; with a fresh one the line stands."""
    clock = Clock()
    async with Sandbox(clock.unix) as sandbox, ClientSession() as session:
        app, sockets = sandbox.config.slack.app, sandbox.slack.socket_mode
        client = make_client(session, sandbox.slack_api_url, app.bot_token)
        inbound = Inbound(make_bolt(session, sandbox.slack_api_url), [], clock, client, app.app_token, redial_s=0.5)
        sandbox.connect()
        sockets._tickets = _FirstVoid()  # noqa: SLF001 - the sandbox has no fault for its websocket
        await inbound.start()
        await sockets.until_connected()
        await inbound.stop()


class _FirstVoid(set[str]):
    """Tickets of which the first is not kept."""

    void = True

    def add(self, ticket: str) -> None:
        """Keep one, but for the first."""
        if self.void:
            self.void = False
        else:
            super().add(ticket)


@pytest.mark.parametrize("by_s", [-7_200.0, 0.0, 7_200.0])
async def test_a_dead_line_is_noticed_whatever_the_wall_clock_says(wall_clock: WallClock, by_s: float) -> None:
    """Four unanswered pings end a connection, no sooner and no later, however the machine's clock was set in between."""
    line = SocketLine("xapp-1", AsyncWebClient(), clock.steady, 0.05)
    line.last_ping_pong_time = time.time()
    wall_clock.by_s = by_s
    assert not await line.is_ping_pong_failing()
    begun = asyncio.get_running_loop().time()
    while not await line.is_ping_pong_failing():  # noqa: ASYNC110 - what is waited for is that time passes
        await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - begun >= 4 * 0.05 - 0.02
    await line.close()  # type: ignore[no-untyped-call]
