"""PagerDuty's outgoing V3 webhooks: signs, sends in order, and sends again until it gets a 2xx or a final refusal.

It never looks into an event.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp

from bot.sandbox.faults import Fault, Faults, Mode
from bot.sandbox.record import Record

Json = dict[str, Any]

GIVE_UP_AFTER_S = 48 * 3600.0


def sign(secrets: Sequence[str], body: bytes) -> str:
    """The `X-PagerDuty-Signature` of `body`: `v1=<hex>` for each secret, comma-separated."""
    return ",".join("v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets)


@dataclass(frozen=True, slots=True, eq=False)
class _Delivery:
    event_id: str
    event_type: str
    body: bytes
    queued_at: float
    tried: asyncio.Event


class Webhooks:
    """One webhook subscription. `retry_s` is real seconds between tries (PagerDuty's own grow to minutes), `timeout_s` those that an answer
    may take, None: as long as it takes.

    `copies`: how often each delivery is made (2: every webhook comes twice). `lose`: so many of the next events are never sent.
    Faults are those of peer `pagerduty`, method `webhook`: drop_reply (delivered, the answer lost: comes again), unreachable and
    server_error (that try never arrives), delay (`seconds` before that try); a fault on method `*` holds here too.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        clock: Callable[[], float],
        faults: Faults,
        record: Record,
        retry_s: float = 1.0,
        *,
        timeout_s: float | None = None,
    ) -> None:
        self.url: str | None = None
        self.retry_s = retry_s
        self.copies = 1
        self.lose = 0
        self._timeout_s = timeout_s
        self._secrets = tuple(secrets)
        self._clock = clock
        self._faults = faults
        self._record = record
        self._queue: asyncio.Queue[_Delivery] = asyncio.Queue()
        self._waiting: list[_Delivery] = []
        self._stuck = False
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s), trust_env=False)
        self._task = asyncio.create_task(self._run(self._session))

    async def stop(self) -> None:
        """Stop delivering; what is queued is lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def settled(self) -> None:
        """Wait until every queued event was delivered, refused for good or given up."""
        await self._queue.join()

    def queue(self, event_type: str, agent: Json | None, client: Json | None, occurred_at: str, data: Json) -> asyncio.Event:
        """Queue one event; what is returned is set after its first try, or once it has to wait behind a failed one or is lost."""
        event_id = uuid4().hex[:26].upper()
        tried = asyncio.Event()
        event = {
            "id": event_id,
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": occurred_at,
            "agent": agent,
            "client": client,
            "data": data,
        }
        if self.url is None or self.lose > 0:
            self.lose = max(0, self.lose - 1)
            self._record.add("webhook_lost", event_id=event_id, event_type=event_type)
            tried.set()
            return tried
        delivery = _Delivery(event_id, event_type, json.dumps({"event": event}).encode(), self._clock(), tried)
        self._waiting.append(delivery)
        self._queue.put_nowait(delivery)
        if self._stuck:
            tried.set()
        return tried

    async def _run(self, session: aiohttp.ClientSession) -> None:
        while True:
            delivery = await self._queue.get()
            for _ in range(self.copies):
                await self._deliver(session, delivery)
            self._stuck = False
            self._waiting.remove(delivery)
            self._queue.task_done()

    async def _deliver(self, session: aiohttp.ClientSession, delivery: _Delivery) -> None:
        while True:
            status = await self._try(session, delivery)
            delivery.tried.set()
            if status is not None and (200 <= status < 300 or (400 <= status < 500 and status != 429)):
                return
            if self._clock() - delivery.queued_at > GIVE_UP_AFTER_S:
                self._record.add("webhook_given_up", event_id=delivery.event_id, event_type=delivery.event_type)
                return
            self._stuck = True
            for behind in self._waiting:
                behind.tried.set()
            await asyncio.sleep(self.retry_s)

    async def _try(self, session: aiohttp.ClientSession, delivery: _Delivery) -> int | None:
        fault = self._faults.take("pagerduty", "webhook")
        status = await self._send(session, delivery, fault)
        if fault is not None and Mode(fault.mode) is Mode.DROP_REPLY:
            status = None
        self._record.add("webhook", event_id=delivery.event_id, event_type=delivery.event_type, status=status)
        return status

    async def _send(self, session: aiohttp.ClientSession, delivery: _Delivery, fault: Fault | None) -> int | None:
        if fault is not None and Mode(fault.mode) in (Mode.UNREACHABLE, Mode.SERVER_ERROR, Mode.RATE_LIMITED):
            return None
        if fault is not None and fault.seconds > 0:
            await asyncio.sleep(fault.seconds)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": sign(self._secrets, delivery.body),
            "X-Webhook-Id": delivery.event_id,
        }
        try:
            async with session.post(str(self.url), data=delivery.body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None  # recorded by the caller as a try without a status
