"""The operational figures as Prometheus knows them. Owns the names of the metrics; never tells anything about a single case."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DATABASE = "database"
"""Name of the obstacle that is the database itself."""

_LATENESS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of the outbox that are not settled, by peer and state (`dead` ones need a person), and the age of the oldest."""

    peer: str
    state: str
    count: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
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
        self._heartbeats = Counter(
            "tierline_heartbeats",
            "Heartbeats for somebody outside: taken, failed, or kept back because not all is well",
            ["result"],
            registry=self.registry,
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
        self._ready = Gauge("tierline_ready", "Whether /readyz says ready", registry=self.registry)
        self._obstacles = Gauge("tierline_obstacle", "What keeps the bot from its work, by name", ["name"], registry=self.registry)
        self._attention = Gauge(
            "tierline_attention", "What somebody has to look at while work goes on, by name", ["name"], registry=self.registry
        )
        self._database = Gauge(
            "tierline_database_up", "Whether the database took a write and gave the figures when they were read", registry=self.registry
        )

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

    def beaten(self, result: str) -> None:
        """It was time for a heartbeat; `result` is taken, failed or kept_back."""
        self._heartbeats.labels(result).inc()

    def swept(self, late_s: float) -> None:
        """A sweep came this many seconds after the oldest due clock had run out."""
        self._lateness.observe(max(0.0, late_s))

    def show(self, snapshot: Snapshot | None, obstacles: Collection[str], attention: Collection[str] = ()) -> None:
        """Take over what was read; None: the database did not answer, and the earlier figures would be wrong now. The others by name."""
        for figures in (self._outbox, self._oldest, self._obstacles, self._attention):
            figures.clear()
        self._ready.set(not obstacles)
        for name in obstacles:
            self._obstacles.labels(name).set(1)
        for name in attention:
            self._attention.labels(name).set(1)
        self._database.set(snapshot is not None and DATABASE not in obstacles)
        if snapshot is None:
            return
        for waiting in snapshot.waiting:
            self._outbox.labels(waiting.peer, waiting.state).set(waiting.count)
            self._oldest.labels(waiting.peer, waiting.state).set(waiting.oldest_s)
        self._log_size.set(snapshot.log_size)
        self._checkpoint.set(snapshot.checkpoint_age_s if snapshot.checkpoint_age_s is not None else float("nan"))
