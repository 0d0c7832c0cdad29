"""Clocks: a sweep that finds nothing among very many open cases, what the queue's figures cost, and many deadlines at one instant.

The deadlines are acknowledge clocks of cases taken in while the clock stood still, under a policy with all there is to escalation; what
their playbooks send goes out at the same time as their pages. Lateness is measured from the deadline to the commit of the escalation, and
to the arrival of page and mail at the sandbox's PagerDuty and mail server, which run in the bot's process and so slow it down.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from benchmarks.cases import CANCELLATION, STORM, escalating, posts
from benchmarks.figures import Figure, Target
from benchmarks.load import send
from benchmarks.many_cases import copy_cases
from benchmarks.rig import Rig, a_rig
from bot import clock as wall
from bot.app import App
from bot.slack.commands import LOOKED_AT
from store.reads.queue import outbox_counts, queue_counts
from store.reads.tier_status import tier_statuses
from store.schema import leaves, moment

ACKNOWLEDGE = timedelta(minutes=10)
"""What the second tier of examples/airline.yml has."""

ALONE = 5
"""Pages that ring by themselves where the others are listed."""

LEAD = timedelta(seconds=3)
MOST_S = 60.0
SWEEPS = 50


class Clock:
    """Stands still until it is let run."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._since: float | None = None

    def __call__(self) -> datetime:
        """The time."""
        return self._at if self._since is None else self._at + timedelta(seconds=wall.steady() - self._since)

    def run_from(self, at: datetime) -> None:
        """Be that time now and go on."""
        self._at, self._since = at, wall.steady()


async def measure(folder: Path, open_cases: int, deadlines: int) -> Sequence[Figure]:
    """All of it once: each figure is over many sweeps, queries or deadlines."""
    what = f"{deadlines:,} deadlines at once, {open_cases:,} open"
    clock = Clock(wall.now())
    async with a_rig(folder, clock, policy=escalating(folder)) as rig:
        await _fill(rig, clock, open_cases, deadlines)
        async with rig.bot(clock=clock) as app:
            figures = await _at_rest(app, clock(), f"{open_cases:,} open cases")
        late, paged, mailed, cost_s = await _deadlines(rig, clock, deadlines, pages=deadlines)
    assert len(late) == len(paged) == len(mailed) == deadlines, (
        f"{len(late)} of {deadlines} escalated, {len(paged)} paged, {len(mailed)} mailed"
    )
    return [
        *figures,
        Figure(f"{what}: escalated, p99", [_p99(late)], "s late", Target(2.0)),
        Figure(f"{what}: page at the wire, p99", [_p99(paged)], "s late", Target(2.0)),
        Figure(f"{what}: mail at the wire, p99", [_p99(mailed)], "s late"),
        Figure(f"{what}: processor, each", [cost_s / deadlines * 1000], "ms"),
        *(await _storm(folder / "storm", open_cases, deadlines) if deadlines > ALONE else ()),
    ]


async def _storm(folder: Path, open_cases: int, deadlines: int) -> Sequence[Figure]:
    """The same where the policy lists the pages of a storm in a digest, which rings for all but a few."""
    await asyncio.to_thread(folder.mkdir)
    clock = Clock(wall.now())
    async with a_rig(folder, clock, policy=escalating(folder, STORM)) as rig:
        await _fill(rig, clock, open_cases, deadlines)
        late, paged, _, cost_s = await _deadlines(rig, clock, deadlines, pages=ALONE + 1)
    assert len(late) == deadlines, f"{len(late)} of {deadlines} escalated"
    what = f"the same, {deadlines:,} in a storm"
    return [
        Figure(f"{what}: escalated, p99", [_p99(late)], "s late", Target(2.0)),
        Figure(f"{what}: last of {ALONE} pages and their digest at the wire", [sorted(paged)[ALONE]], "s late", Target(2.0)),
        Figure(f"{what}: processor until then, each", [cost_s / deadlines * 1000], "ms"),
    ]


async def _fill(rig: Rig, clock: Clock, open_cases: int, deadlines: int) -> None:
    async with rig.bot(clock=clock) as app:
        await send(posts(0, deadlines, clock(), CANCELLATION), app.port, 16)
    copy_cases(rig.database, open_cases)


async def _at_rest(app: App, now: datetime, what: str) -> list[Figure]:
    async def sweep() -> None:
        assert await app.tick() == 0

    async def read(question: Callable[[Connection], object]) -> None:
        await app.database.read(question)

    # The clock stands still, so the breakers, looked at once a minute, are looked at here and not again. So many cases at once do trip one,
    # that for a growing queue: its alert is no clock of a case.
    breakers = await _ms(app.tick)
    return [
        Figure(f"sweep with breakers, {what}", [breakers], "ms"),
        Figure(f"sweep, {what}, nothing due", [await _ms(sweep) for _ in range(SWEEPS)], "ms", Target(5.0)),
        Figure(f"queue status, {what}", [await _ms(lambda: read(queue_counts)) for _ in range(SWEEPS)], "ms", Target(10.0)),
        Figure(
            f"/review status, {what}", [await _ms(lambda: read(partial(tier_statuses, now=now))) for _ in range(SWEEPS)], "ms", Target(10.0)
        ),
        Figure(f"/review next, {what}", [await _ms(lambda: app.reads.free_cases(LOOKED_AT, now)) for _ in range(SWEEPS)], "ms"),
        Figure(f"outbox status, {what}", [await _ms(lambda: read(outbox_counts)) for _ in range(SWEEPS)], "ms"),
    ]


async def _deadlines(rig: Rig, clock: Clock, count: int, pages: int) -> tuple[Sequence[float], Sequence[float], Sequence[float], float]:
    """Seconds from the deadline to each of `count` commits, to each of `pages` pages and mails, waiting for them for a minute at most; and
    the processor's seconds meanwhile, the sandbox's among them.
    """
    commits = list[datetime]()

    def passing(name: str) -> None:
        if name == "writer.after_commit":
            commits.append(clock())

    paged, mailed, escalated = list[float](), list[float](), list[datetime]()
    due = clock() + ACKNOWLEDGE
    clock.run_from(due - LEAD)
    async with rig.bot(background=True, clock=clock, passing=passing) as app:
        assert await app.database.read(_escalated) == []
        began, end = time.process_time(), wall.steady() + MOST_S
        while (min(len(paged), len(mailed)) < pages or len(escalated) < count) and wall.steady() < end:
            await asyncio.sleep(0.25)
            paged = [seen.at - due.timestamp() for seen in rig.sandbox.pagerduty.record.find("event", action="trigger")]
            mailed = [letter.at - due.timestamp() for letter in rig.sandbox.mail.letters]
            if len(paged) >= pages:
                escalated = await app.database.read(_escalated)
        cost_s = time.process_time() - began
    return [(commits[bisect_left(commits, at)] - due).total_seconds() for at in escalated], paged, mailed, cost_s


def _escalated(connection: Connection) -> list[datetime]:
    return [moment(at) for at in connection.execute(select(leaves.c.at).where(leaves.c.kind == "escalated")).scalars()]


async def _ms(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1000


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
