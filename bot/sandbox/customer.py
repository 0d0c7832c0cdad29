"""A customer's service: posts cases signed as Standard Webhooks ask, takes callbacks and executes what was approved, once.

It trusts nothing it cannot verify, and never asks the bot what a callback meant.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook

from bot.sandbox.faults import Faults
from bot.sandbox.record import Record

TOLERANCE_S = 300  # Standard Webhooks: a timestamp further off is a replay
EXECUTES = frozenset({"approved", "modified", "auto_approved"})

Json = dict[str, Any]
Verify = Callable[[bytes, Mapping[str, str]], object]


@dataclass(frozen=True, slots=True)
class CustomerConfig:
    """One service. `secret` (whsec_…) signs what it posts; `callback_secrets` verify what it gets, several during a rotation."""

    name: str
    secret: str
    callback_secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback as it came in. `outcome`: executed, noted, stale (a lower sequence than one already seen)."""

    at: float
    webhook_id: str
    type: str
    outcome: str
    payload: Json
    headers: Mapping[str, str]

    @property
    def data(self) -> Json:
        """The callback's `data`."""
        found = self.payload.get("data")
        return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class Posted:
    """One case it posted and how it was answered. `sequence`: the highest callback sequence seen for it."""

    at: float
    webhook_id: str
    case: Json
    status: int = 0
    answer: Json = field(default_factory=dict)


class Customer:
    """The service. `inbox` holds what came in by signed callback, in order, without duplicates; `executed` what it carried out.

    `verify(body, headers)` adds the service's own check (receipt, action hash); it refuses by raising ValueError.
    Faults are those of peer `customer`, method `callback`.
    """

    def __init__(self, config: CustomerConfig, clock: Callable[[], float], faults: Faults, verify: Verify | None = None) -> None:
        self.config = config
        self.record = Record("customer", clock)
        self.inbox: list[Callback] = []
        self.executed: list[Callback] = []
        self.posted: list[Posted] = []
        self.duplicates = 0
        self.refused = 0
        self.verify = verify
        self._cases_url = ""
        self._clock = clock
        self._faults = faults
        self._seen: set[str] = set()
        self._sequences: dict[str, int] = {}
        self._session: aiohttp.ClientSession | None = None

    def connect(self, cases_url: str) -> None:
        """Where cases are posted: the bot's address, without a path."""
        self._cases_url = cases_url.rstrip("/")

    def routes(self) -> list[web.RouteDef]:
        """Where callbacks come in."""
        return [web.post("/callbacks", self._receive)]

    async def start(self) -> None:
        """Open the connections it posts through."""
        self._session = aiohttp.ClientSession(trust_env=False)

    async def stop(self) -> None:
        """Close them."""
        if self._session is not None:
            await self._session.close()

    # What it sends

    async def post(self, body: Json, webhook_id: str | None = None, path: str = "/v1/cases") -> tuple[int, Json]:
        """Send `body`, signed; returns status and decoded answer. The same `webhook_id` twice is a retry. Raises aiohttp.ClientError."""
        webhook_id = webhook_id or f"msg_{uuid4().hex}"
        posted = Posted(self._clock(), webhook_id, body)
        if path == "/v1/cases":
            self.posted.append(posted)
        posted.status, posted.answer = await self._send("POST", path, json.dumps(body), webhook_id)
        self.record.add("posted", path=path, webhook_id=webhook_id, status=posted.status, body=body, answer=posted.answer)
        return posted.status, posted.answer

    async def get(self, path: str) -> tuple[int, Json]:
        """Read `path` (with its query); a GET signs its request target in place of a body."""
        status, answer = await self._send("GET", path, path, f"msg_{uuid4().hex}")
        self.record.add("read", path=path, status=status, answer=answer)
        return status, answer

    async def report_outcome(self, case_id: str, result: str, **more: object) -> tuple[int, Json]:
        """Tell what became of a case: executed, failed, rolled_back, found_wrong, found_right."""
        return await self._about(case_id, "outcome", {"result": result, **more})

    async def supply_information(self, case_id: str, **more: object) -> tuple[int, Json]:
        """Answer what was asked or missing."""
        return await self._about(case_id, "information", more)

    async def withdraw(self, case_id: str, reason: str) -> tuple[int, Json]:
        """Take a case back."""
        return await self._about(case_id, "withdraw", {"reason": reason})

    async def _about(self, case_id: str, what: str, body: Json) -> tuple[int, Json]:
        return await self.post({"type": f"case.{what}", "case_id": case_id, **body}, path=f"/v1/cases/{case_id}/{what}")

    async def _send(self, method: str, path: str, signed: str, webhook_id: str) -> tuple[int, Json]:
        if self._session is None:
            raise RuntimeError("the customer's service is not started")
        now = datetime.fromtimestamp(self._clock(), UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.config.secret).sign(webhook_id, now, signed),
        }
        body = signed.encode() if method == "POST" else None
        async with self._session.request(method, self._cases_url + path, data=body, headers=headers) as answer:
            text = await answer.text()
        return answer.status, _object(text)

    # What it receives

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower().startswith("webhook-")}
        return await self._faults.carry_out("customer", "callback", request, lambda: self._take(body, headers))

    def _take(self, body: bytes, headers: Mapping[str, str]) -> web.Response:
        if not is_signed(self.config.callback_secrets, body, headers, self._clock()):
            return self._refuse(401, "bad signature", headers)
        webhook_id = headers["webhook-id"]
        if webhook_id in self._seen:
            self.duplicates += 1
            self.record.add("duplicate", webhook_id=webhook_id)
            return web.json_response({"status": "already received"})
        payload = _object(body)
        if self.verify is not None:
            try:
                self.verify(body, headers)
            except ValueError as error:
                return self._refuse(422, str(error), headers)
        self._seen.add(webhook_id)
        callback = Callback(self._clock(), webhook_id, str(payload.get("type", "")), self._outcome(payload), payload, headers)
        self.inbox.append(callback)
        if callback.outcome == "executed":
            self.executed.append(callback)
        self.record.add("callback", webhook_id=webhook_id, type=callback.type, outcome=callback.outcome, payload=payload)
        return web.json_response({"status": callback.outcome})

    def _outcome(self, payload: Json) -> str:
        data = payload.get("data")
        data = data if isinstance(data, dict) else {}
        case_id, sequence = data.get("case_id"), data.get("sequence")
        if isinstance(case_id, str) and isinstance(sequence, int):
            if sequence <= self._sequences.get(case_id, 0):
                return "stale"
            self._sequences[case_id] = sequence
        return "executed" if payload.get("type") == "case.decided" and data.get("verdict") in EXECUTES else "noted"

    def _refuse(self, status: int, reason: str, headers: Mapping[str, str]) -> web.Response:
        self.refused += 1
        self.record.add("refused", webhook_id=headers.get("webhook-id"), reason=reason)
        return web.json_response({"error": reason}, status=status)


def is_signed(secrets: Sequence[str], body: bytes, headers: Mapping[str, str], now: float) -> bool:
    """Standard Webhooks, with the clock of this sandbox (unix seconds): the library's own `verify` reads the machine's."""
    webhook_id, given = headers.get("webhook-id", ""), headers.get("webhook-signature", "").split()
    stamp = headers.get("webhook-timestamp", "")
    if not webhook_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(int(stamp) - now) > TOLERANCE_S:
        return False
    try:
        text, at = body.decode(), datetime.fromtimestamp(int(stamp), UTC)
    except UnicodeDecodeError:
        return False
    expected = [Webhook(secret).sign(webhook_id, at, text) for secret in secrets]
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given)


def _object(text: str | bytes) -> Json:
    """The JSON object in `text`; anything else is kept as `raw`, for the ledger."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"raw": text if isinstance(text, str) else text.decode(errors="replace")}
