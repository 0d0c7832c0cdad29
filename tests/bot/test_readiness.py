"""What keeps the bot from its work is named, and said in time, whatever hangs."""

import asyncio
from collections.abc import Sequence

from bot.readiness import Obstacle, Pulse, Readiness
from bot.timeouts import ManualTimeouts

SILENT = Obstacle("part", "The part does not answer.")


class Part:
    """A part that answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.free = asyncio.Event()
        self.obstacles: list[Obstacle] = []

    async def check(self) -> Sequence[Obstacle]:
        """What is in its way."""
        self.asked += 1
        await self.free.wait()
        return self.obstacles


async def test_a_part_that_hangs_is_an_obstacle_and_is_asked_once() -> None:
    """Whoever looks gets an answer in time; those who look again and again do not pile up on what hangs."""
    timeouts, part, well = ManualTimeouts(), Part(), Part()
    well.free.set()
    readiness = Readiness(timeouts)
    readiness.add(part.check, silent=SILENT)
    readiness.add(well.check, silent=SILENT)
    for _ in range(5):
        assert await _out_of_time(readiness, timeouts) == [SILENT]
    assert (part.asked, well.asked) == (1, 5)
    part.free.set()
    assert await readiness.obstacles() == []
    await readiness.stop()


async def test_a_part_that_fails_is_an_obstacle() -> None:
    """A check that raises is an answer too."""

    async def broken() -> Sequence[Obstacle]:
        raise RuntimeError

    readiness = Readiness()
    readiness.add(broken, silent=SILENT)
    assert await readiness.obstacles() == [SILENT]


async def test_parts_that_find_the_same_say_it_once() -> None:
    """Two checks of one database name it once, different sentences stay apart, in their order."""
    first, second = Part(), Part()
    for part in (first, second):
        part.free.set()
    first.obstacles, second.obstacles = [SILENT], [SILENT, Obstacle("part", "It is full.")]
    readiness = Readiness()
    readiness.add(first.check, second.check, silent=SILENT)
    assert await readiness.obstacles() == [SILENT, Obstacle("part", "It is full.")]


async def test_stopping_lets_go_of_what_hangs() -> None:
    """A bot that is told to end ends."""
    timeouts, part = ManualTimeouts(), Part()
    readiness = Readiness(timeouts)
    readiness.add(part.check, silent=SILENT)
    await _out_of_time(readiness, timeouts)
    await readiness.stop()


async def test_a_loop_that_does_not_come_round_is_named_with_what_follows() -> None:
    """By the steady clock, with the kind of its last failure; once it comes round, nothing is in the way."""
    now = 1000.0
    pulse = Pulse("clocks", "No clock was looked at", lambda: now, most_s=15)
    now = 1015.0
    assert await pulse.check() == ()
    pulse.failed(OSError())
    now = 1016.0
    assert await pulse.check() == (Obstacle("clocks", "No clock was looked at (for 16 s). The last try failed: OSError."),)
    pulse.came_round()
    assert await pulse.check() == ()


async def _out_of_time(readiness: Readiness, timeouts: ManualTimeouts) -> list[Obstacle]:
    asking = asyncio.create_task(readiness.obstacles())
    while not asking.done():
        await asyncio.sleep(0)
        timeouts.run_out()
    return await asking
