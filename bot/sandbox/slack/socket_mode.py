"""Slack's end of Socket Mode: hands out single-use tickets, holds the websockets, sends envelopes in turn and matches acknowledgements. It
never looks into a payload.

Protocol: docs.slack.dev/apis/events-api/using-socket-mode.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import WSMsgType, web

from bot.sandbox.record import Record
from bot.sandbox.slack.ack import CONNECTION_LOST, NO_CONNECTION, TIMED_OUT, Ack
from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.errors import Json, SlackError

CONNECTIONS = 10  # "up to 10 open WebSocket connections at the same time"


@dataclass(slots=True, eq=False)
class _Connection:
    socket: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    leaving: bool = False


class SocketMode:
    """The app's connections. `base_url` (http://…) is known once the server is up."""

    def __init__(self, config: SlackConfig, record: Record) -> None:
        self.base_url = ""
        self._config = config
        self._record = record
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._changed = asyncio.Condition()

    @property
    def connected(self) -> int:
        """How many connections take envelopes now."""
        return len(self._ready())

    async def until_connected(self, count: int = 1) -> None:
        """Wait until `count` connections are there."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected >= count)

    def methods(self) -> dict[str, Callable[[Json], Json]]:
        """apps.connections.open."""
        return {"apps.connections.open": self._open}

    def routes(self) -> list[web.RouteDef]:
        """Where the websockets are opened."""
        return [web.get("/link/", self._serve)]

    async def send(self, kind: str, payload: Json, *, accepts_response_payload: bool = True) -> Ack:
        """Send one envelope (`kind`: interactive, slash_commands, events_api) on the next connection and await its acknowledgement."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        ready = self._ready()
        if not ready:
            return Ack(NO_CONNECTION, {}, 0.0, "dispatch_failed")
        connection = ready[0]
        self._connections.remove(connection)  # to the end of the line
        self._connections.append(connection)
        envelope: Json = {
            "envelope_id": str(uuid4()),
            "type": kind,
            "accepts_response_payload": accepts_response_payload,
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": 0, "retry_reason": ""}
        answer: asyncio.Future[Json] = loop.create_future()
        connection.waiting[envelope["envelope_id"]] = answer
        try:
            await connection.socket.send_str(json.dumps(envelope))
            async with asyncio.timeout(self._config.ack_timeout_s):
                body = await answer
        except TimeoutError:
            return Ack(TIMED_OUT, {}, loop.time() - began, TIMED_OUT)
        except ConnectionError:
            return Ack(CONNECTION_LOST, {}, loop.time() - began, TIMED_OUT)
        finally:
            connection.waiting.pop(envelope["envelope_id"], None)
        return Ack(200, body, loop.time() - began)

    async def refresh(self) -> None:
        """Ask every connection to be replaced, as Slack does every few hours; nothing more is sent on them."""
        for connection in self._ready():
            connection.leaving = True
            await connection.socket.send_json(_disconnect("refresh_requested"))

    async def stop(self) -> None:
        """Close every connection."""
        for connection in tuple(self._connections):
            await connection.socket.close()

    def _ready(self) -> list[_Connection]:
        return [connection for connection in self._connections if not connection.leaving and not connection.socket.closed]

    def _open(self, args: Json) -> Json:
        del args
        ticket = str(uuid4())
        self._tickets.add(ticket)
        return {"url": f"{self.base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._config.app.app_id}"}

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPUnauthorized(text=json.dumps(SlackError("invalid_ticket").body()), content_type="application/json")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self._ready()) >= CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = _Connection(socket)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._ready()) + 1,
                "connection_info": {"app_id": self._config.app.app_id},
                "debug_info": {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060},
            }
        )
        await self._hold(connection)
        return socket

    async def _hold(self, connection: _Connection) -> None:
        async with self._changed:
            self._connections.append(connection)
            self._changed.notify_all()
        self._record.add("socket", event="connected", connections=self.connected)
        try:
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(connection, message.data)
        finally:
            self._connections.remove(connection)
            for answer in connection.waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the app's websocket closed before it acknowledged"))
            self._record.add("socket", event="closed", connections=self.connected)

    def _acknowledge(self, connection: _Connection, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict) or "envelope_id" not in message:
            self._record.add("socket", event="ignored", text=text)
            return
        answer = connection.waiting.get(message["envelope_id"])
        if answer is not None and not answer.done():
            answer.set_result(message.get("payload") or {})
        else:
            self._record.add("socket", event="late_ack", envelope_id=message["envelope_id"])


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}}
