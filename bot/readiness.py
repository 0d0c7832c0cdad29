"""What keeps the bot from its work, if anything does: every part that can fail says so here, by name and in a sentence.

Owns asking all of them at once and answering in time, also when one of them hangs, and that trouble with one channel or one row takes no
replica out of service. It decides nothing and mends nothing; the parts are handed in (`bot.app`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.failures import failure, to_look_at
from bot.timeouts import REAL, RHYTHM, Timeouts
from store.ledger.sealed_head import HeadAlteredError

ANSWER_S = 1.5
"""How long a part has to say how it is: whoever watches us hears from us within two seconds, whatever hangs."""

_LOG = structlog.get_logger("tierline.readiness")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing in the way: a short name for figures and alarms, and a sentence that says what is wrong and how it is mended.

    What does not stop the work as a whole needs somebody's attention; another replica would fare no better. With `escalation` that is so
    urgent that somebody outside has to know: what waits for its time may reach nobody. `for_s`: for how many seconds it has been so.
    """

    name: str
    sentence: str
    stops: bool = True
    escalation: bool = False
    for_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the bot is: what stops its work, and what else somebody has to look at."""

    obstacles: Sequence[Obstacle]
    attention: Sequence[Obstacle]

    @property
    def alarming(self) -> Sequence[Obstacle]:
        """Why nobody can rely on being found by what waits for them; nothing when all is well."""
        return [*self.obstacles, *(one for one in self.attention if one.escalation)]

    def said(self) -> dict[str, Any]:
        """As `/readyz`, `tierline serve` and `tierline status` say it; `escalating` and `amiss_s` (for how long, in seconds)
        only where something is alarming, and what is stands first.
        """
        amiss = self.alarming
        return {
            "ready": not self.obstacles,
            "obstacles": [one.sentence for one in self.obstacles],
            "attention": [one.sentence for one in sorted(self.attention, key=lambda one: not one.escalation)],
        } | ({"escalating": False, "amiss_s": round(max(one.for_s for one in amiss), 1)} if amiss else {})


Check = Callable[[], Awaitable[Sequence[Obstacle]]]
"""What stands in the way of one part, nothing when it works."""


class Readiness:
    """The parts that have to work. Each is asked once at a time: a part that hangs is not asked again before it has answered."""

    def __init__(self, timeouts: Timeouts = REAL, answer_s: float = ANSWER_S) -> None:
        """`answer_s`: how long a part has to say how it is."""
        self._timeouts = timeouts
        self._answer_s = answer_s
        self._checks: list[tuple[Check, Obstacle]] = []
        self._asked: dict[Check, asyncio.Task[Sequence[Obstacle]]] = {}
        self._told = frozenset[tuple[str, bool]]()

    def add(self, *checks: Check, silent: Obstacle) -> None:
        """Have parts asked from now on. `silent` is in the way while one of them does not answer."""
        self._checks += [(check, silent) for check in checks]

    async def obstacles(self) -> list[Obstacle]:
        """What keeps the bot from its work now. As `standing`."""
        return list((await self.standing()).obstacles)

    async def standing(self) -> Standing:
        """All that is in the way now, in the order the parts were added. Answers within `answer_s` and never raises."""
        found = await asyncio.gather(*(self._ask(check, silent) for check, silent in self._checks))
        every = list(dict.fromkeys(one for part in found for one in part))
        self._tell(every)
        return Standing([one for one in every if one.stops], [one for one in every if not one.stops])

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
            async with self._timeouts.within(self._answer_s):
                return await asyncio.shield(asked)
        except TimeoutError:
            return (silent,)

    def _tell(self, obstacles: Sequence[Obstacle]) -> None:
        """A line in the log when something else is in the way than before."""
        told = frozenset((one.name, one.stops) for one in obstacles)
        for one in obstacles:
            if (one.name, one.stops) not in self._told:
                _LOG.error("not ready" if one.stops else "needs attention", obstacle=one.name, because=one.sentence)
        if any(stops for _, stops in self._told) and not any(stops for _, stops in told):
            _LOG.info("ready again")
        self._told = told


async def _looked_at(check: Check, silent: Obstacle) -> Sequence[Obstacle]:
    try:
        return await check()
    except HeadAlteredError as error:
        return (Obstacle("recording", str(error)),)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, whoever asks gets an answer and not an error
        _LOG.error("a part could not be asked how it is", obstacle=silent.name, **failure())
        return (silent,)


class Pulse:
    """When a loop last came round. `most_s`: the seconds it may be silent; `late` says what follows if it is for longer."""

    def __init__(self, name: str, late: str, steady: Callable[[], float], most_s: float = RHYTHM.late_s) -> None:
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
        self._failure = str(to_look_at(error) or f"The last try failed: {type(error).__name__}.")

    async def check(self) -> Sequence[Obstacle]:
        """Whether it has been silent for too long."""
        silent_s = self._steady() - self._at
        if silent_s <= self._most_s:
            return ()
        cause = f" {self._failure}" if self._failure else ""
        return (Obstacle(self.late.name, f"{self._what} (for {silent_s:.0f} s).{cause}", for_s=silent_s),)
