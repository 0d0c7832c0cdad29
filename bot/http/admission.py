"""Admission to `/v1`: a request is let in with the service that signed it, or turned away before it costs much.

Owns the bound on bodies, the order of the checks (cheapest first) and what a caller is told: never which part of a signature was
wrong. It reads no JSON and touches no database.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from aiohttp import web

from bot.http.problem import No, refuse
from bot.http.rate_limit import RateLimit
from bot.services import Service, Services
from bot.standard_webhooks import Envelope, read_envelope

MAX_BODY_BYTES = 256 * 1024
BODY_TIMEOUT_S = 10.0

SERVICE_HEADER = "Tierline-Service"
_SIGNER = web.RequestKey("tierline.signer", str)

_CHECK = (
    "Check that webhook-id (1 to 256 visible ASCII characters), webhook-timestamp (seconds, at most 5 minutes off) and webhook-signature "
    "(v1,<base64>) are there, and that the signature is over `id.timestamp.body` with this service's secret. A GET signs its request "
    "target in place of a body."
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose signature is right: who sent it, under which webhook-id, and the bytes that were signed."""

    service: Service
    webhook_id: str
    body: bytes = field(repr=False)


async def name_signer(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer to a signed call says whose signature it was; a signal of aiohttp's, `on_response_prepare`."""
    if (signer := request.get(_SIGNER)) is not None:
        response.headers[SERVICE_HEADER] = signer


class Admission:
    """Lets signed requests in."""

    def __init__(self, services: Services, now: Callable[[], datetime], rate_limit: RateLimit, *more_nows: Callable[[], datetime]) -> None:
        """A timestamp counts that is right by any of these clocks: the wall's, and the steady one, which nobody sets."""
        self._services = services
        self._nows = (now, *more_nows)
        self._rate_limit = rate_limit

    async def admit(self, request: web.Request) -> Call | web.Response:
        """The call in this request, or the answer that turns it away: 401, 408, 413, 415 or 429."""
        envelope = next(filter(None, (read_envelope(request.headers, now()) for now in self._nows)), None)
        if envelope is None:
            return refuse(No.SIGNATURE, _CHECK)
        if request.method != "POST":
            return self._judge(request, envelope, request.raw_path.encode("utf-8", "surrogateescape"))
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return refuse(No.ENCODING)
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return _too_large()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await _read_body(request)
        except TimeoutError:
            return refuse(No.TOO_SLOW)
        return self._judge(request, envelope, body) if body is not None else _too_large()

    def _judge(self, request: web.Request, envelope: Envelope, body: bytes) -> Call | web.Response:
        service = self._services.signer(envelope, body)
        if service is None:
            return refuse(No.SIGNATURE, _CHECK)
        if (wait_s := self._rate_limit.wait_s(service.name)) > 0:
            return refuse(No.TOO_FAST, retry_after_s=ceil(wait_s))
        request[_SIGNER] = service.name
        return Call(service, envelope.webhook_id, body)


async def _read_body(request: web.Request) -> bytes | None:
    """The body, None as soon as it is longer than it may be."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> web.Response:
    return refuse(No.TOO_LARGE, f"At most {MAX_BODY_BYTES} bytes.")
