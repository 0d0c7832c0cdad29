"""Admission to `/v1`: a request is let in with the service that signed it, or turned away before it costs much.

Owns the bound on bodies, the order of the checks (cheapest first) and what a caller is told: never which part of a signature was
wrong. It reads no JSON and touches no database.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from aiohttp import web

from bot.http.bodies import Bodies, Unread
from bot.http.connections import vouch
from bot.http.problem import RETRY_AFTER_S, No, refuse
from bot.http.rate_limit import RateLimit
from bot.services import Service, Services
from bot.standard_webhooks import Envelope, read_envelope

MAX_BODY_BYTES = 256 * 1024

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

    def __init__(
        self,
        services: Services,
        now: Callable[[], datetime],
        rate_limit: RateLimit,
        *more_nows: Callable[[], datetime],
        bodies: Bodies | None = None,
    ) -> None:
        """A timestamp counts that is right by any of these clocks: the wall's, and the steady one, which nobody sets."""
        self._services = services
        self._nows = (now, *more_nows)
        self._rate_limit = rate_limit
        self._bodies = bodies or Bodies()

    async def admit(self, request: web.Request) -> Call | web.Response:
        """The call in this request, or the answer that turns it away: 401, 408, 413, 415, 429 or 503."""
        envelope = next(filter(None, (read_envelope(request.headers, now()) for now in self._nows)), None)
        if envelope is None:
            return refuse(No.SIGNATURE, _CHECK)
        if request.method != "POST":
            return self._judge(request, envelope, request.raw_path.encode("utf-8", "surrogateescape"))
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return refuse(No.ENCODING)
        match await self._bodies.read(request, MAX_BODY_BYTES):
            case bytes(body):
                return self._judge(request, envelope, body)
            case Unread.TOO_LARGE:
                return refuse(No.TOO_LARGE, f"At most {MAX_BODY_BYTES} bytes.")
            case Unread.CROWDED:
                return refuse(No.CROWDED, retry_after_s=RETRY_AFTER_S)
            case Unread.TOO_SLOW | Unread.GONE:
                return refuse(No.TOO_SLOW)

    def _judge(self, request: web.Request, envelope: Envelope, body: bytes) -> Call | web.Response:
        service = self._services.signer(envelope, body)
        if service is None:
            return refuse(No.SIGNATURE, _CHECK)
        vouch(request)
        if (wait_s := self._rate_limit.wait_s(service.name)) > 0:
            return refuse(No.TOO_FAST, retry_after_s=ceil(wait_s))
        request[_SIGNER] = service.name
        return Call(service, envelope.webhook_id, body)
