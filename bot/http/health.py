"""What those who run the bot look at: alive, ready, figures. Never tells anything about a single case."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.failures import failure
from bot.http.metrics import Metrics, Snapshot
from bot.readiness import ANSWER_S, Readiness
from bot.timeouts import REAL, Timeouts

_LOG = structlog.get_logger("tierline.health")


class Health:
    """`/healthz`: this process answers. `/readyz`: cases and presses would be recorded, and people reached. `/metrics`: Prometheus text."""

    def __init__(
        self, metrics: Metrics, snapshot: Callable[[], Awaitable[Snapshot]], readiness: Readiness, timeouts: Timeouts = REAL
    ) -> None:
        """`snapshot` reads the figures from the database; it may raise, and may hang."""
        self._metrics = metrics
        self._standing = snapshot
        self._readiness = readiness
        self._timeouts = timeouts

    def routes(self) -> list[web.RouteDef]:
        """Where it answers, unsigned: nothing here is about a case."""
        return [web.get("/healthz", self._health), web.get("/readyz", self._ready), web.get("/metrics", self._figures)]

    async def _health(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        standing = await self._readiness.standing()
        return _json(standing.said(), 503 if standing.obstacles else 200)

    async def _figures(self, _: web.Request) -> web.Response:
        snapshot, standing = await asyncio.gather(self._snapshot(), self._readiness.standing())
        self._metrics.show(snapshot, [one.name for one in standing.obstacles], [one.name for one in standing.attention])
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _snapshot(self) -> Snapshot | None:
        try:
            async with self._timeouts.within(ANSWER_S):
                return await self._standing()
        except Exception:  # noqa: BLE001  # whatever is wrong with the database, the other figures must stay readable
            _LOG.error("figures not read", **failure())
            return None


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")
