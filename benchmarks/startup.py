"""Start: the command line's help, and the bot from its first instruction until it answers, with many open cases in its database."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import posts
from benchmarks.figures import Figure, Target
from benchmarks.load import send
from benchmarks.many_cases import copy_cases
from benchmarks.rig import Rig, a_rig
from bot import clock as wall

SETTLED_S = 3.0
"""Seconds after which the first sweeps are over and memory is read."""


async def measure(folder: Path, runs: int, open_cases: int) -> Sequence[Figure]:
    """Start everything in processes of its own."""
    helps = [await _help_s() for _ in range(runs)]
    async with a_rig(folder) as rig:
        async with rig.bot() as app:
            await send(posts(0, 1, wall.now()), app.port, 1)
        copy_cases(rig.database, open_cases)
        served = [await _serve(rig) for _ in range(runs)]
    what = f"{open_cases:,} open cases"
    return [
        Figure("tierline --help", helps, "s", Target(0.5)),
        Figure(f"serve ready, {what}", [ready for ready, _ in served], "s", Target(3.0)),
        Figure(f"memory after the first sweeps, {what}", [memory for _, memory in served], "MB", Target(200.0)),
    ]


async def _help_s() -> float:
    start = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot.cli.main", "--help", stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0, "tierline --help failed"
    return time.perf_counter() - start


async def _serve(rig: Rig) -> tuple[float, float]:
    """Seconds until it says where it answers, and megabytes resident a little later."""
    async with rig.serving() as bot:
        await asyncio.sleep(SETTLED_S)
        return bot.ready_s, bot.resident_mb
