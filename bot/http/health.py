"""What those who run the bot look at: alive, ready, figures. Never tells anything about a single case."""

import json
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.http.metrics import Metrics, Snapshot

_LOG = structlog.get_logger("tierline.health")


class Health:
    """`/healthz`: this process answers. `/readyz`: cases and presses would be recorded. `/metrics`: Prometheus text."""

    def __init__(
        self, metrics: Metrics, snapshot: Callable[[], Awaitable[Snapshot]], obstacles: Callable[[], Awaitable[Sequence[str]]]
    ) -> None:
        """`snapshot` reads the figures from the database and may raise; `obstacles` says what keeps the bot from its work, in sentences."""
        self._metrics = metrics
        self._standing = snapshot
        self._obstacles = obstacles

    def routes(self) -> list[web.RouteDef]:
        """Where it answers, unsigned: nothing here is about a case."""
        return [web.get("/healthz", self._health), web.get("/readyz", self._ready), web.get("/metrics", self._figures)]

    async def _health(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        obstacles = list(await self._obstacles())
        return _json({"ready": not obstacles, "obstacles": obstacles}, 503 if obstacles else 200)

    async def _figures(self, _: web.Request) -> web.Response:
        try:
            snapshot = await self._standing()
        except Exception:  # noqa: BLE001  # whatever is wrong with the database, the other figures must stay readable
            _LOG.exception("figures not read")
            snapshot = None
        self._metrics.show(snapshot)
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")
