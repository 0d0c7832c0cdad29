"""Replicas on PostgreSQL, each a process of its own, under load from another one: what one takes, what three take, and how far that goes.

Writers are serial: each transaction locks the head of the log until it is committed. So for how long a case holds that lock says what any
number of replicas can take at most, on machines that have cores for all of them; where there are two, as here, the processor is the limit.
The server is the one that the tests bring along, with every commit on the disk.
"""

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from benchmarks.cases import posts
from benchmarks.figures import Figure, Target
from benchmarks.load import Measured, send
from benchmarks.rig import a_rig
from bot import clock as wall
from tests.postgres import Postgres, running_postgres

REPLICAS = 3
SENDERS = 64
DURABLE = "-c max_connections=200"
_CASES = re.compile(r"INSERT INTO cases \(.*?unnest\(\$(\d+)")
"""Which parameter is the first list of values of new cases (`store.ledger.inserts`)."""


async def measure(folder: Path, runs: int, cases: int) -> Sequence[Figure]:
    """One replica and three, in turn, `runs` times; and the lock, in one of three. `cases` is how many each measurement posts."""
    one, three, held = list[_Taken](), list[_Taken](), list[_Lock]()
    with running_postgres(DURABLE) as server:
        for _ in range(runs):
            one.append(await _taken(_new(folder), server, 1, cases))
            three.append(await _taken(_new(folder), server, REPLICAS, cases))
            held.append(await _locked(_new(folder), server, cases))
    times = [more.rate / less.rate for more, less in zip(three, one, strict=True)]
    return [
        *_figures(f"intake, 1 replica, {SENDERS} senders", one),
        *_figures(f"intake, {REPLICAS} replicas, {SENDERS} senders", three),
        Figure(f"intake, {REPLICAS} replicas over 1", times, "times", Target(1.7, at_least=True)),
        Figure("lock on the head, a case", [lock.us_a_case(lock.held_s) for lock in held], "us"),
        *(
            Figure(f"  of that {part}", [lock.us_a_case(lock.parts_s[part]) for lock in held], "us")
            for part in ("reading", "steps", "writing", "commit")
        ),
        Figure("  cases to a transaction", [lock.cases / lock.transactions for lock in held]),
        Figure("  statements to a transaction", [lock.statements / lock.transactions for lock in held]),
        Figure("  what any number of replicas take at most", [lock.cases / lock.held_s for lock in held], "cases/s"),
    ]


def _new(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


@dataclass(frozen=True)
class _Taken:
    rate: float
    p50_ms: float
    cpu_us: float
    """Of all replicas together, a case."""


def _figures(what: str, taken: Sequence[_Taken]) -> list[Figure]:
    return [
        Figure(what, [one.rate for one in taken], "cases/s"),
        Figure("  p50", [one.p50_ms for one in taken], "ms"),
        Figure("  CPU of the replicas", [one.cpu_us for one in taken], "us/case"),
    ]


async def _taken(folder: Path, server: Postgres, replicas: int, cases: int) -> _Taken:
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(a_rig(folder, database_url=server.url(server.create())))
        bots = [await stack.enter_async_context(rig.serving()) for _ in range(replicas)]
        ports = [bot.port for bot in bots]
        await send(posts(0, cases // 4, wall.now()), ports, SENDERS)  # warm up
        before = sum(bot.cpu_s for bot in bots)
        got = await send(posts(1_000_000, cases, wall.now()), ports, SENDERS)
        return _Taken(_accepted(got) / got.seconds, got.percentile(50), (sum(bot.cpu_s for bot in bots) - before) / cases * 1e6)


def _accepted(got: Measured) -> int:
    assert got.statuses.keys() <= {"202", "429"}, f"answered {got.statuses}"
    return got.statuses["202"]


@dataclass
class _Lock:
    """Every transaction from the answer that gave it the lock to that of its commit."""

    cases: int = 0
    transactions: int = 0
    statements: int = 0
    held_s: float = 0.0
    parts_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("reading", "steps", "writing", "commit"), 0.0))
    _holder: Connection | None = None
    _since: float = 0.0
    _told: float = 0.0

    def us_a_case(self, seconds: float) -> float:
        """Of a time that all transactions took together."""
        return seconds / self.cases * 1e6

    def executed(self, connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        """A statement was answered."""
        if "FROM head" in statement and "FOR UPDATE" in statement:
            self._holder, self._since = connection, time.perf_counter()
            self._told = self._since
            self.transactions += 1
        elif connection is self._holder:
            self.statements += 1
            if (lists := _CASES.search(statement)) is not None:
                self.cases += len(parameters[int(lists[1]) - 1])
            if not statement.startswith("SELECT"):
                return
            self._note("reading")

    def passing(self, name: str) -> None:
        """Where the writer is."""
        if self._holder is None:
            return
        if name == "writer.flush":
            self._note("steps")
        elif name == "writer.before_commit":
            self._note("writing")
        elif name == "writer.after_commit":
            self._note("commit")
            self.held_s += self._told - self._since
            self._holder = None

    def _note(self, part: str) -> None:
        now = time.perf_counter()
        self.parts_s[part] += now - self._told
        self._told = now

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, statements are seen."""
        event.listen(Engine, "after_cursor_execute", self.executed)
        try:
            yield
        finally:
            event.remove(Engine, "after_cursor_execute", self.executed)


async def _locked(folder: Path, server: Postgres, cases: int) -> _Lock:
    """Of one of the replicas, which is this process."""
    lock = _Lock()
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(a_rig(folder, database_url=server.url(server.create())))
        app = await stack.enter_async_context(rig.bot(passing=lock.passing))
        ports = [app.port, *[(await stack.enter_async_context(rig.serving())).port for _ in range(REPLICAS - 1)]]
        await send(posts(0, cases // 4, wall.now()), ports, SENDERS)
        with lock.watching():
            await send(posts(1_000_000, cases, wall.now()), ports, SENDERS)
    return lock
