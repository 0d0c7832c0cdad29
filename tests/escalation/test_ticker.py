"""The pulse goes on whatever the wall clock does."""

import asyncio

import pytest

from escalation.ticker import Ticker
from tests.set_clock import WallClock, wall_clock

__all__ = ["wall_clock"]

HOUR = 3600.0


@pytest.mark.parametrize("by_s", [-2 * HOUR, -6.0, -0.5, 0.5, 6.0, 2 * HOUR, -400 * 24 * HOUR, 400 * 24 * HOUR])
async def test_the_pulse_goes_on_when_the_wall_clock_is_set(wall_clock: WallClock, by_s: float) -> None:
    """Before, between and during its ticks, forward and back: one tick a turn, neither silence nor a burst."""
    ticks, every_s = 0, 0.01
    beaten = asyncio.Event()

    async def tick() -> None:
        nonlocal ticks
        ticks += 1
        wall_clock.by_s = by_s if ticks % 3 else 0.0  # set, and set right again, while it runs
        beaten.set()

    failures = list[Exception]()
    ticker, loop = Ticker(tick, failures.append, every_s), asyncio.get_running_loop()
    begun = loop.time()
    ticker.start()
    wall_clock.by_s = -by_s
    async with asyncio.timeout(20):
        while ticks < 10:
            beaten.clear()
            await beaten.wait()
            wall_clock.by_s = -wall_clock.by_s
    await ticker.stop()
    assert ticks <= (loop.time() - begun) / every_s + 1
    assert not failures
