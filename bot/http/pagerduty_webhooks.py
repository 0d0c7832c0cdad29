"""Where PagerDuty's webhooks come in. Owns the size limit and the status codes; what they mean is said in `escalation.acknowledgements`."""

from typing import assert_never

from aiohttp import web

from bot.http.bodies import Bodies, Unread
from bot.http.intake import NOT_RECORDED
from escalation.acknowledgements import Acknowledgements, Receipt

PATH = "/pagerduty/webhooks"
BODY_MOST = 512 * 1024
SIGNATURE = "X-PagerDuty-Signature"


class PagerDutyWebhooks:
    """Takes PagerDuty's webhooks."""

    def __init__(self, acknowledgements: Acknowledgements, bodies: Bodies | None = None) -> None:
        self._acknowledgements = acknowledgements
        self._bodies = bodies or Bodies()

    def routes(self) -> list[web.RouteDef]:
        """Where they come in."""
        return [web.post(PATH, self.take)]

    async def take(self, request: web.Request) -> web.Response:
        """One delivery. 2xx once it is recorded or means nothing to us; 401 unless signed; 503 makes PagerDuty send it again.

        Source: https://developer.pagerduty.com/docs/webhooks-overview
        """
        body = await self._bodies.read(request, BODY_MOST)
        if isinstance(body, Unread):
            return web.Response(status=body.value)
        try:
            receipt = await self._acknowledgements.take(body, request.headers.get(SIGNATURE, ""))
        except NOT_RECORDED:
            return web.Response(status=503)
        match receipt:
            case Receipt.RECORDED | Receipt.IGNORED:
                return web.Response(status=202)
            case Receipt.FORGED:
                return web.Response(status=401)
            case Receipt.UNREADABLE:
                return web.Response(status=400)
            case unknown:
                assert_never(unknown)
