"""How cost grows with what the database holds: the same work over an almost empty one and over ones with very many cases, in turn.

Half of those cases wait for people, the others were decided (`benchmarks.past_cases`). What is compared is the bot's processor time, with
all its threads and what the system does for it, so that another process on the machine changes little; all bots are open at once and each
round asks each of them, so that what changes from minute to minute changes all.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import structlog

from benchmarks.cases import WORKFLOW, posts
from benchmarks.figures import Figure, Target
from benchmarks.intake import post
from benchmarks.load import send
from benchmarks.past_cases import copy_past
from benchmarks.presses import approvals
from benchmarks.rig import Rig, a_rig
from benchmarks.startup import SETTLED_S
from bot import clock as wall
from bot.app import App
from bot.slack.commands import LOOKED_AT
from store.reads.breaker_samples import Scope, baseline
from store.reads.queue import outbox_counts, queue_counts
from store.vault.vault import Vault

SENDERS = 16
CASES, PRESSES, READS = 320, 20, 40
"""Of each a round."""

DECIDED = 1
MOST = Target(1.2)
"""Times what it costs over an almost empty database."""

BASELINE, BASELINE_MOST = "baseline of a breaker", Target(50.0)
"""It reads up to 20,000 reviews, and no more however many there are."""

MEMORY = Target(200.0)


@dataclass
class _Grown:
    """A database of so many cases, and the milliseconds that each kind of work took there in each round."""

    rig: Rig
    cases: int
    cost_ms: dict[str, list[float]] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))


async def measure(folder: Path, rounds: int, sizes: Sequence[int]) -> Sequence[Figure]:
    """Make a database for 0 and for each of `sizes`, and work with all of them."""
    # a start holds its first cases against the log, and copies have less content than that says
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    async with AsyncExitStack() as stack:
        grown = [await _grow(stack, folder / f"{cases}", cases) for cases in (0, *sizes)]
        loaded_s = await _load(grown)
        apps = [await stack.enter_async_context(one.rig.bot()) for one in grown]
        for turn in range(rounds + 1):  # the first warms up
            for one, app in zip(grown, apps, strict=True):
                for name, cost_ms in (await _round(one, app)).items():
                    if turn:
                        one.cost_ms.setdefault(name, []).append(cost_ms)
    memory = [await _resident_mb(one.rig) for one in grown]
    empty, *others = grown
    found = [Figure(f"{one.cases:,} cases written to the database", [seconds], "s") for one, seconds in zip(others, loaded_s, strict=True)]
    for name, base in empty.cost_ms.items():
        found.append(Figure(f"{name}, almost empty", base, "ms CPU"))
        for one in others:
            if name == BASELINE:
                found.append(Figure(f"  {one.cases:,} cases", one.cost_ms[name], "ms CPU", BASELINE_MOST))
                continue
            ratios = [cost / less for cost, less in zip(one.cost_ms[name], base, strict=True)]
            found.append(Figure(f"  over that, {one.cases:,} cases", ratios, "times", MOST))
    return [*found, *(Figure(f"memory, {one.cases:,} cases", [mb], "MB", MEMORY) for one, mb in zip(grown, memory, strict=True))]


async def _grow(stack: AsyncExitStack, folder: Path, cases: int) -> _Grown:
    """One database, in which one case waits and one is decided."""
    await asyncio.to_thread(folder.mkdir)
    rig = await stack.enter_async_context(a_rig(folder))
    async with rig.bot(background=True) as app:
        await send(posts(0, 2, wall.now()), app.port, 1)
        await send(await approvals(rig, app, DECIDED), app.port, 1)
        async with asyncio.timeout(60.0):
            while await app.database.read(outbox_counts):  # noqa: ASYNC110 - copies of what waits would be a backlog of its own
                await asyncio.sleep(0.1)
    return _Grown(rig, cases)


async def _load(grown: Sequence[_Grown]) -> list[float]:
    """Seconds for each that is filled."""
    took_s = []
    for one in grown:
        if one.cases:
            begun = wall.steady()
            copy_past(one.rig.database, one.cases, Vault(one.rig.vault_key))
            took_s.append(wall.steady() - begun)
    return took_s


async def _round(one: _Grown, app: App) -> dict[str, float]:
    _, intake_us = await post(one.numbers, app, app.port, SENDERS, CASES)
    presses = await approvals(one.rig, app, PRESSES)
    begun = time.process_time()
    pressed = await send(presses, app.port, 1)
    press_ms = (time.process_time() - begun) * 1000 / PRESSES
    assert pressed.statuses == {"200": PRESSES}, f"Slack was answered {pressed.statuses}"
    await app.tick()  # breakers, once a minute
    weeks = wall.now() - timedelta(days=28)
    return {
        f"intake, {SENDERS} senders": intake_us / 1000,
        "press": press_ms,
        "sweep, nothing due": await _ms(app.tick),
        BASELINE: await _ms(partial(app.database.read, partial(baseline, scope=Scope(WORKFLOW), since=weeks))),
        "queue status": await _ms(partial(app.database.read, queue_counts)),
        "/review next": await _ms(lambda: app.reads.free_cases(LOOKED_AT, wall.now())),
    }


async def _ms(work: Callable[[], Awaitable[object]]) -> float:
    """Of one, at the median of many."""
    took = []
    for _ in range(READS):
        begun = time.process_time()
        await work()
        took.append((time.process_time() - begun) * 1000)
    return median(took)


async def _resident_mb(rig: Rig) -> float:
    async with rig.serving() as bot:
        await asyncio.sleep(SETTLED_S)
        return bot.resident_mb
