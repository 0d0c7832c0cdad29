"""What keeps the bot from its work, if anything does: every part that can fail says so here, by name and in a sentence.

Owns asking all of them at once and answering in time, also when one of them hangs. It decides nothing and mends nothing; the parts are
handed in (`bot.app`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bot.timeouts import REAL, Timeouts

ANSWER_S = 1.5
"""How long a part has to say how it is: whoever watches us hears from us within two seconds, whatever hangs."""

_LOG = structlog.get_logger("tierline.readiness")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing in the way: a short name for figures and alarms, and a sentence that says what is wrong and how it is mended."""

    name: str
    sentence: str


Check = Callable[[], Awaitable[Sequence[Obstacle]]]
"""What stands in the way of one part, nothing when it works."""


class Readiness:
    """The parts that have to work. Each is asked once at a time: a part that hangs is not asked again before it has answered."""

    def __init__(self, timeouts: Timeouts = REAL) -> None:
        self._timeouts = timeouts
        self._checks: list[tuple[Check, Obstacle]] = []
        self._asked: dict[Check, asyncio.Task[Sequence[Obstacle]]] = {}
        self._told: frozenset[str] = frozenset()

    def add(self, *checks: Check, silent: Obstacle) -> None:
        """Have parts asked from now on. `silent` is in the way while one of them does not answer."""
        self._checks += [(check, silent) for check in checks]

    async def obstacles(self) -> list[Obstacle]:
        """What keeps the bot from its work now, in the order the parts were added. Answers within `ANSWER_S` and never raises."""
        found = await asyncio.gather(*(self._ask(check, silent) for check, silent in self._checks))
        obstacles = list(dict.fromkeys(one for part in found for one in part))
        self._tell(obstacles)
        return obstacles

    async def stop(self) -> None:
        """Let go of parts that still have not answered."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _ask(self, check: Check, silent: Obstacle) -> Sequence[Obstacle]:
        asked = self._asked.get(check)
        if asked is None or asked.done():
            asked = self._asked[check] = asyncio.ensure_future(_looked_at(check, silent))
        try:
            async with self._timeouts.within(ANSWER_S):
                return await asyncio.shield(asked)
        except TimeoutError:
            return (silent,)

    def _tell(self, obstacles: Sequence[Obstacle]) -> None:
        """A line in the log when something else is in the way than before."""
        names = frozenset(one.name for one in obstacles)
        for one in obstacles:
            if one.name not in self._told:
                _LOG.error("not ready", obstacle=one.name, because=one.sentence)
        if self._told and not names:
            _LOG.info("ready again")
        self._told = names


async def _looked_at(check: Check, silent: Obstacle) -> Sequence[Obstacle]:
    try:
        return await check()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, whoever asks gets an answer and not an error
        _LOG.exception("a part could not be asked how it is", obstacle=silent.name)
        return (silent,)


class Pulse:
    """When a loop last came round. `most_s`: the seconds it may be silent; `late` says what follows if it is for longer."""

    def __init__(self, name: str, late: str, steady: Callable[[], float], most_s: float = 15.0) -> None:
        self.late = Obstacle(name, f"{late}.")
        self._what = late
        self._steady = steady
        self._most_s = most_s
        self._at = steady()
        self._failure = ""

    def came_round(self) -> None:
        """The loop has done what it does, once more."""
        self._at = self._steady()
        self._failure = ""

    def failed(self, error: Exception) -> None:
        """It tried and could not."""
        self._failure = type(error).__name__

    async def check(self) -> Sequence[Obstacle]:
        """Whether it has been silent for too long."""
        silent_s = self._steady() - self._at
        if silent_s <= self._most_s:
            return ()
        cause = f" The last try failed: {self._failure}." if self._failure else ""
        return (Obstacle(self.late.name, f"{self._what} (for {silent_s:.0f} s).{cause}"),)
