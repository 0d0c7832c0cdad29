"""Intake end to end: signed posts over real HTTP from another process, a real policy, answered when committed; against raw writes.

The raw limit at as many cases per commit as there are senders is measured beside it in each run. The bot runs without its courier, so that
what is measured is intake; `with the courier` is the whole of it. `one transaction each` is the same bot with a lock around its ledger.
With 1 ms syncs every commit of both sides sleeps that long in the thread that writes. `CPU of the bot` is what
to compare on a machine that is busy with other things.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from aiohttp import web
from sqlalchemy import Connection, Engine, event

from benchmarks.cases import posts
from benchmarks.figures import Figure, Target
from benchmarks.load import HOST, Measured, send
from benchmarks.raw_writes import RawWrites
from benchmarks.rig import Rig, a_rig
from bot import clock as wall
from bot.app import App
from bot.http.admission import Admission
from bot.http.intake import Intake
from bot.http.rate_limit import RateLimit
from bot.services import read_services
from store.ledger.answers import Conflict, Delivery, Opened, Repeated
from store.ledger.items import Foreseen, OpenStep
from store.ledger.ledger import Ledger

SENDERS = (1, 16, 64)
SYNC_S = 0.001
ROWS = 2_048


class OneByOne(Ledger):
    """The same ledger, but one case at a time: each gets a transaction of its own, however many wait."""

    def __init__(self, app: App) -> None:
        super().__init__(app.writer)
        self._turn = asyncio.Lock()

    async def open(self, delivery: Delivery, step: OpenStep, foreseen: Foreseen | None = None) -> Opened | Repeated | Conflict:
        """Wait for the turn, then open."""
        async with self._turn:
            return await super().open(delivery, step, foreseen)


async def measure(folder: Path, runs: int, cases: int) -> Sequence[Figure]:
    """All of intake; `cases` is how many each measurement posts at most."""
    found: dict[str, list[float]] = {}
    note = partial(_note, found)
    (folder / "rows").mkdir()
    raw = await _raw(folder / "rows")
    for run in range(runs):
        limits = {n: raw.rate(folder, n) for n in SENDERS}
        slow_limits = {n: raw.rate(folder, n, SYNC_S, min(ROWS, 256 * n)) for n in SENDERS}
        for n in SENDERS:
            note(f"raw sqlite3, {n} per commit", limits[n])
            note(f"raw sqlite3, {n} per commit, 1 ms syncs", slow_limits[n])
        (folder / f"{run}").mkdir()
        async with a_rig(folder / f"{run}") as rig, rig.bot() as app:
            to = partial(post, count(0), app)
            await to(app.port, 16, cases // 4)  # warm up
            for n in SENDERS:
                got, cpu_us = await to(app.port, n, cases // 4 if n == 1 else cases)
                note(f"intake, {n} senders", got.rate)
                note(f"intake, {n} senders, CPU of the bot", cpu_us)
                note(f"intake, {n} senders, p50", got.percentile(50))
                note(f"intake, {n} senders, p99", got.percentile(99))
                note(f"intake, {n} senders, of raw", got.rate / limits[n])
            async with _one_by_one(rig, app) as port:
                one, _ = await to(port, 16, cases // 4)
                with _slow_syncs():
                    slow_one, _ = await to(port, 16, cases // 8)
                    slow, _ = await to(app.port, 16, cases)
            note("one transaction each, 16 senders", one.rate)
            note("intake over one transaction each, 16 senders", found["intake, 16 senders"][-1] / one.rate)
            note("intake, 16 senders, 1 ms syncs", slow.rate)
            note("intake, 16 senders, of raw, 1 ms syncs", slow.rate / slow_limits[16])
            note("intake over one transaction each, 1 ms syncs", slow.rate / slow_one.rate)
        (folder / f"{run}-whole").mkdir()
        async with a_rig(folder / f"{run}-whole") as rig, rig.bot(background=True) as app:
            whole, _ = await post(count(0), app, app.port, 16, cases)
            note("intake with the courier, 16 senders", whole.rate)
    return [Figure(name, values, _unit(name), TARGETS.get(name)) for name, values in found.items()]


TARGETS = {
    "intake, 1 senders, p50": Target(2.0),
    "intake, 64 senders, p99": Target(80.0),
    "intake, 16 senders, of raw": Target(0.20, at_least=True),
    "intake, 64 senders, of raw": Target(0.20, at_least=True),
    "intake over one transaction each, 16 senders": Target(4.0, at_least=True),
    "intake over one transaction each, 1 ms syncs": Target(6.0, at_least=True),
}


def _unit(name: str) -> str:
    if "of raw" in name or " over " in name:
        return "times"
    if "CPU" in name:
        return "us/case"
    return "ms" if name.endswith(("p50", "p99")) else "cases/s"


def _note(found: dict[str, list[float]], name: str, value: float) -> None:
    found.setdefault(name, []).append(value)


async def _raw(folder: Path) -> RawWrites:
    async with a_rig(folder) as rig:
        async with rig.bot() as app:
            await post(count(0), app, app.port, 16, ROWS)
        return RawWrites(rig.database, ROWS)


async def post(numbers: "count[int]", app: App, port: int, senders: int, cases: int) -> tuple[Measured, float]:
    """Post that many new cases, all of which must be taken in. Gives also the microseconds of CPU that each cost this process."""
    requests = posts(next(numbers) * 100_000, cases, wall.now())
    before = time.process_time()
    got = await send(requests, port, senders)
    cpu_us = (time.process_time() - before) / cases * 1e6
    assert got.statuses.keys() == {"202"}, f"{app.url} answered {got.statuses}"
    return got, cpu_us


@asynccontextmanager
async def _one_by_one(rig: Rig, app: App) -> AsyncIterator[int]:
    """The port of a second way in, whose cases get one transaction each."""
    admission = Admission(read_services(rig.services, rig.environment), wall.now, RateLimit(wall.steady))
    application = web.Application()
    application.add_routes(Intake(admission, OneByOne(app), app.policy, lambda _status: None).routes())
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@contextmanager
def _slow_syncs() -> Iterator[None]:
    def wait(_connection: Connection) -> None:
        time.sleep(SYNC_S)

    event.listen(Engine, "commit", wait)
    try:
        yield
    finally:
        event.remove(Engine, "commit", wait)
