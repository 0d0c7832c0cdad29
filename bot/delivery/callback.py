"""Tells services what became of their cases: the sender of callbacks. Owns one signed POST and what its answer means.

It never retries (the courier does, for 75 hours) and never decides what is told. Every try of a callback has the same webhook-id, so a
receiver that deduplicates needs no care here about replies that were lost.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLContext

import aiohttp
from aiohttp.abc import AbstractResolver

from bot.delivery.callback_body import callback_body, workflow_body
from bot.delivery.guarded_client import TIMEOUT_S, Client, ForbiddenAddressError, guard_for
from bot.services import Service, Services
from bot.slack.cards.view import Bulletin, View
from bot.standard_webhooks import sign
from routing.canonical import Json
from store.integrity.release import Doubt
from store.ledger.sealed_head import HeadAlteredError
from store.outbox.delivery import Delivered, Outgoing, SendError, UnprovenError
from store.outbox.network_cause import network_cause
from store.reads.receipts import Receipts

CHECKPOINT_WAITS_S = (0.02, 0.05, 0.1, 0.2)
"""A decision is signed within milliseconds as a rule: waiting here is cheaper than a failed try."""

NO_CHECKPOINT_RETRY_S, NO_CHECKPOINT_MOST_S = 0.25, 30.0
"""The wait while no checkpoint comes, doubled at each try: where nothing is signed for hours, asking must not become the main work."""

MIN_RETRY_AFTER_S, MAX_RETRY_AFTER_S = 5.0, 3_600.0
"""What a service may ask for; less is left to our own schedule, or "at once" would be obeyed for 75 hours."""

GONE = 410
PROVEN = frozenset({"case.decided", "case.rollback_requested"})
"""Callbacks that make a service act: they carry a receipt."""


class Callbacks:
    """The sender for `MessageKind.CALLBACK`. Made inside a running loop; keeps one set of connections per service until `close`."""

    def __init__(
        self,
        services: Services,
        receipts: Receipts,
        now: Callable[[], datetime],
        *,
        steady: Callable[[], datetime] | None = None,
        resolver: AbstractResolver | None = None,
        timeout_s: float | None = TIMEOUT_S,
        tls: SSLContext | None = None,
    ) -> None:
        """`resolver` stands in for DNS where tests or a sandbox need it; `tls` says whom to trust.

        Tries are stamped in turn by `now`, the wall's clock, and by `steady`, which nobody sets: where they part, we cannot know which of
        them the receiver has.
        """
        self._services = services
        self._receipts = receipts
        self._clocks = (now, steady or now)
        self._resolver = resolver
        self._tls = tls
        self._timeout_s = timeout_s
        self._clients: dict[str, Client] = {}

    async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
        """Post the callback once. Any 2xx is delivered; 410 means "never again" (Standard Webhooks); all else may be tried again.

        What would make a service act leaves only if the log proves it. Raises SendError, UnprovenError.
        """
        message = outgoing.message
        service = self._services.find(message.destination)
        if service is None:
            raise SendError(f"the services file has no service {message.destination}")
        if isinstance(view, Bulletin):
            told = workflow_body(message.callback, message.sequence, outgoing.leaf_idx, view)
            webhook_id = f"{outgoing.case_id}.{outgoing.leaf_idx}.{service.name}"
        else:
            if message.destination != view.case.service:
                raise UnprovenError(f"it is addressed to {message.destination!r}, and not to the service of its case", service_known=False)
            receipt = await self._proven(outgoing, view) if message.callback in PROVEN else None
            told = callback_body(message.callback, message.sequence, outgoing.leaf_idx, view, receipt)
            webhook_id = f"{outgoing.case_id}.{message.sequence}"
        body = json.dumps(told).encode()
        stamp = self._clocks[outgoing.attempts % 2]
        headers = {"Content-Type": "application/json", **sign(service.callback_keys, webhook_id, stamp(), body)}
        await self._post(service, body, headers)
        return Delivered()

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    async def _proven(self, outgoing: Outgoing, view: View) -> dict[str, Json]:
        """The receipt, once the log proves the case as it is shown here and the action that it is about."""
        receipt = await self._receipt(outgoing)
        try:
            found = await self._receipts.judge(outgoing)
        except HeadAlteredError as error:
            raise SendError(str(error), retry_after_s=NO_CHECKPOINT_MOST_S) from error
        if isinstance(found, Doubt):
            raise UnprovenError(found.reason, service_known=found.service_known)
        if found != view.case:
            raise SendError("the case changed just now", retry_after_s=NO_CHECKPOINT_RETRY_S)
        content = view.original
        if content is not None and content.action.sha256 != found.action_sha256:
            raise UnprovenError("the action in its vault is not the one that was decided", service_known=True)
        return receipt

    async def _receipt(self, outgoing: Outgoing) -> dict[str, Json]:
        for wait_s in CHECKPOINT_WAITS_S:
            if (receipt := await self._receipts.receipt(outgoing.leaf_idx)) is not None:
                return receipt
            await asyncio.sleep(wait_s)
        again_s = min(NO_CHECKPOINT_RETRY_S * 2.0 ** min(outgoing.attempts, 30), NO_CHECKPOINT_MOST_S)
        raise SendError("no signed checkpoint covers the event yet", retry_after_s=again_s)

    async def _post(self, service: Service, body: bytes, headers: dict[str, str]) -> None:
        try:
            reply = await self._client(service).post(service.callback_url, body, headers)
        except TimeoutError:
            raise SendError("no answer in time" if self._timeout_s is None else f"no answer within {self._timeout_s} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SendError(_failure(error)) from error
        if 200 <= reply.status < 300:
            return
        wait_s = _wait_s(reply.retry_after, self._clocks[1]()) if reply.status in (429, 503) else None
        raise SendError(f"answered {reply.status}", permanent=reply.status == GONE, retry_after_s=wait_s)

    def _client(self, service: Service) -> Client:
        if service.name not in self._clients:
            guard = guard_for(service.callback_url, service.networks)
            self._clients[service.name] = Client(guard, resolver=self._resolver, timeout_s=self._timeout_s, tls=self._tls)
        return self._clients[service.name]


def _failure(error: aiohttp.ClientError | OSError) -> str:
    """What went wrong, without the address: a URL may hold a secret."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(inner, ForbiddenAddressError):
        return "the address is inside and not in the service's networks"
    return f"not reached: {network_cause(error)}"


def _wait_s(retry_after: str, now: datetime) -> float | None:
    """The seconds that Retry-After asks for (RFC 9110, 10.2.3), at most an hour; None where it says nothing readable or hardly any."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        wait_s = float(retry_after)
    else:
        try:
            at = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        wait_s = ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s >= MIN_RETRY_AFTER_S else None
