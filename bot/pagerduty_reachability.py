"""Whether PagerDuty answers where pages are sent: asked again and again while the policy in force has anybody paged. Owns how old its last
answer may be; it sends no event, so it cannot tell whether a routing key is good.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.readiness import Obstacle
from bot.timeouts import REAL, RHYTHM, Rhythm, Timeouts
from store.outbox.delivery import SendError

ANSWER_S = 5.0


class PagerDutyReachability:
    """What PagerDuty last said. `reach` asks it; `pages`: whether anybody is paged at all; `steady` gives seconds that nobody can set."""

    def __init__(
        self,
        reach: Callable[[], Awaitable[None]],
        pages: Callable[[], bool],
        steady: Callable[[], float],
        timeouts: Timeouts = REAL,
        rhythm: Rhythm = RHYTHM,
    ) -> None:
        self._reach = reach
        self._pages = pages
        self._steady = steady
        self._timeouts = timeouts
        self._rhythm = rhythm
        self._answered_at = steady()
        self._cause = ""

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(self._rhythm.peer_s)

    async def ask(self) -> None:
        """Ask once, if anybody is paged. Never raises."""
        try:
            if self._pages():
                async with self._timeouts.within(ANSWER_S):
                    await self._reach()
        except TimeoutError:
            self._cause = "no answer in time"
        except SendError as error:
            self._cause = error.reason
        else:
            self._answered_at, self._cause = self._steady(), ""

    async def check(self) -> Sequence[Obstacle]:
        """Whether it has answered lately."""
        silent_s = self._steady() - self._answered_at
        if not self._cause or silent_s <= self._rhythm.lately_s:
            return ()
        sentence = f"PagerDuty has not answered for {silent_s:.0f} s ({self._cause}): nobody is paged."
        return (Obstacle("pagerduty", sentence, stops=False, escalation=True, for_s=silent_s),)

    async def answers(self) -> Sequence[Obstacle]:
        """Whether it answers at this moment. Never raises."""
        await self.ask()
        if not self._cause:
            return ()
        return (Obstacle("pagerduty", f"PagerDuty does not answer now ({self._cause}).", stops=False, escalation=True),)
