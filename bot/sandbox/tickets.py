"""Somebody's ticket system: takes signed POSTs, opens one ticket for each webhook-id, and refuses whatever it cannot verify."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.customer import is_signed
from bot.sandbox.faults import Faults
from bot.sandbox.record import Record

PATH = "/tickets"

Json = dict[str, Any]


class Tickets:
    """`secrets` verify what comes in; `opened` holds what each ticket says, by webhook-id; `tries` every webhook-id that came.

    Faults are those of peer `tickets`, method `open`.
    """

    def __init__(self, secret: str, clock: Callable[[], float], faults: Faults) -> None:
        self.secrets: tuple[str, ...] = (secret,)
        self.record = Record("tickets", clock)
        self.opened: dict[str, Json] = {}
        self.tries: list[str] = []
        self._clock = clock
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Where tickets come in."""
        return [web.post(PATH, self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower().startswith("webhook-")}
        self.tries.append(headers.get("webhook-id", ""))
        return await self._faults.carry_out("tickets", "open", request, lambda: self._take(body, headers))

    def _take(self, body: bytes, headers: dict[str, str]) -> web.Response:
        if not is_signed(self.secrets, body, headers, self._clock()):
            self.record.add("refused", webhook_id=headers.get("webhook-id"))
            return web.json_response({"error": "bad signature"}, status=401)
        webhook_id, said = headers["webhook-id"], json.loads(body)
        if self.opened.setdefault(webhook_id, said) != said:
            self.record.add("contradicted", webhook_id=webhook_id, said=said)
            return web.json_response({"error": "something else under the same webhook-id"}, status=409)
        self.record.add("opened", webhook_id=webhook_id, ticket=said)
        return web.json_response({"status": "opened"}, status=202)
