"""What those who run the bot look at: alive, ready, figures. Owns the names of the metrics; never tells anything about a single case."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_LOG = structlog.get_logger("tierline.ops")

_LATENESS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of the outbox that are not settled, by peer and state (`dead` ones need a person), and the age of the oldest."""

    peer: str
    state: str
    count: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What is read when somebody asks for the figures. `checkpoint_age_s` is None before the first checkpoint."""

    waiting: Sequence[Waiting]
    log_size: int
    checkpoint_age_s: float | None


class Metrics:
    """The figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._intake = Counter("tierline_intake", "Cases posted, by status code of the answer", ["status"], registry=self.registry)
        self._followups = Counter(
            "tierline_letters", "Other posts of services, by kind and status code", ["kind", "status"], registry=self.registry
        )
        self._presses = Counter("tierline_presses", "Presses of people, by verb and result", ["verb", "result"], registry=self.registry)
        self._deliveries = Counter(
            "tierline_deliveries", "Tries to deliver a message, by peer and result", ["peer", "result"], registry=self.registry
        )
        self._lateness = Histogram(
            "tierline_sweep_lateness_seconds",
            "How late the oldest due clock was when a sweep came",
            registry=self.registry,
            buckets=_LATENESS_S,
        )
        self._outbox = Gauge(
            "tierline_outbox_messages", "Messages not settled, by peer and state", ["peer", "state"], registry=self.registry
        )
        self._oldest = Gauge("tierline_outbox_oldest_age_seconds", "Age of the oldest", ["peer", "state"], registry=self.registry)
        self._log_size = Gauge("tierline_log_size_leaves", "Events in the audit log", registry=self.registry)
        self._checkpoint = Gauge("tierline_checkpoint_age_seconds", "Age of the newest signed checkpoint", registry=self.registry)
        self._database = Gauge("tierline_database_up", "Whether the database answered when the figures were read", registry=self.registry)

    def intake_answered(self, status: int) -> None:
        """A posted case was answered with this status code."""
        self._intake.labels(status).inc()

    def followup_answered(self, kind: str, status: int) -> None:
        """A post to a case was answered; `kind` is information, outcome or withdraw."""
        self._followups.labels(kind, status).inc()

    def pressed(self, verb: str, result: str) -> None:
        """A press was answered: `recorded`, or why it was refused."""
        self._presses.labels(verb, result).inc()

    def carried(self, peer: str, result: str) -> None:
        """A message was tried: delivered, or how it went wrong."""
        self._deliveries.labels(peer, result).inc()

    def swept(self, late_s: float) -> None:
        """A sweep came this many seconds after the oldest due clock had run out."""
        self._lateness.observe(max(0.0, late_s))

    def stand(self, standing: Standing | None) -> None:
        """Take over what was read; None: the database did not answer, and the earlier figures would be wrong now."""
        self._outbox.clear()
        self._oldest.clear()
        self._database.set(standing is not None)
        if standing is None:
            return
        for waiting in standing.waiting:
            self._outbox.labels(waiting.peer, waiting.state).set(waiting.count)
            self._oldest.labels(waiting.peer, waiting.state).set(waiting.oldest_s)
        self._log_size.set(standing.log_size)
        self._checkpoint.set(standing.checkpoint_age_s if standing.checkpoint_age_s is not None else float("nan"))


class Health:
    """`/healthz`: this process answers. `/readyz`: cases and presses would be recorded. `/metrics`: Prometheus text."""

    def __init__(
        self, metrics: Metrics, standing: Callable[[], Awaitable[Standing]], obstacles: Callable[[], Awaitable[Sequence[str]]]
    ) -> None:
        """`standing` reads the figures from the database and may raise; `obstacles` says what keeps the bot from its work, in sentences."""
        self._metrics = metrics
        self._standing = standing
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
            standing = await self._standing()
        except Exception:  # noqa: BLE001  # whatever is wrong with the database, the other figures must stay readable
            _LOG.exception("figures not read")
            standing = None
        self._metrics.stand(standing)
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")
