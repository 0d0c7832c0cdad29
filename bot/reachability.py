"""Whether a peer answers: asked again and again, from the start, in the way that is handed in. Owns how old its last answer may be and what
is said of its silence; it changes nothing and keeps nobody from trying.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.readiness import Obstacle
from bot.timeouts import REAL, RHYTHM, Rhythm, Timeouts
from store.outbox.delivery import SendError

ANSWER_S = 5.0

Ask = Callable[[], Awaitable[None]]
"""Asks once. Raises NoAnswerError where there is no answer that counts."""


class NoAnswerError(Exception):
    """The peer gave no answer that counts. `means` is a sentence in place of ours; `refused`: it answered, and wants nothing of us."""

    def __init__(self, cause: str, means: str = "", *, refused: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.means = means
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom it is about: its name for figures and for people, and what its silence means. `never`: what it means that it has not answered
    since the start, which then counts at once; empty: the start counts as an answer. The others as in `Obstacle`.
    """

    name: str
    called: str
    silence: str
    never: str = ""
    stops: bool = True
    escalation: bool = False


SLACK = Peer("slack", "Slack", "cards and presses wait", never="nobody sees a card")
PAGERDUTY = Peer("pagerduty", "PagerDuty", "nobody is paged", stops=False, escalation=True)


class Reachability:
    """What a peer last said to `ask`. `steady` gives seconds that nobody can set."""

    def __init__(self, peer: Peer, ask: Ask, steady: Callable[[], float], timeouts: Timeouts = REAL, rhythm: Rhythm = RHYTHM) -> None:
        self._peer = peer
        self._ask = ask
        self._steady = steady
        self._timeouts = timeouts
        self._rhythm = rhythm
        self._begun_at = steady()
        self._answered_at: float | None = None
        self._asked = asyncio.Event()
        self._silence: NoAnswerError | None = None

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask()
            await asyncio.sleep(self._rhythm.peer_s)

    async def ask(self) -> None:
        """Ask once. Never raises."""
        try:
            async with self._timeouts.within(ANSWER_S):
                await self._ask()
        except TimeoutError:
            self._silence = NoAnswerError("no answer in time")
        except NoAnswerError as silence:
            self._silence = silence
        else:
            self._answered_at, self._silence = self._steady(), None
        self._asked.set()

    async def check(self) -> Sequence[Obstacle]:
        """Whether it has answered lately; where silence counts at once, as soon as it has been asked. So does a refusal."""
        if self._peer.never:
            await self._asked.wait()
        silence, silent_s = self._silence, self._steady() - (self._begun_at if self._answered_at is None else self._answered_at)
        if silence is not None and silence.refused:
            return self._obstacle(silence.means, silent_s)
        if silence is not None and self._answered_at is None and self._peer.never:
            said = f"{self._peer.called} cannot be reached ({silence.cause}): {self._peer.never}."
            return self._obstacle(silence.means or said, silent_s)
        if silent_s <= self._rhythm.lately_s:
            return ()
        cause = silence.cause if silence is not None else "it was not asked"
        return self._obstacle(f"{self._peer.called} has not answered for {silent_s:.0f} s ({cause}): {self._peer.silence}.", silent_s)

    async def answers(self) -> Sequence[Obstacle]:
        """Whether it answers at this moment. Never raises."""
        await self.ask()
        return self._obstacle(f"{self._peer.called} does not answer now ({self._silence.cause}).") if self._silence is not None else ()

    def _obstacle(self, sentence: str, for_s: float = 0.0) -> Sequence[Obstacle]:
        return (Obstacle(self._peer.name, sentence, stops=self._peer.stops, escalation=self._peer.escalation, for_s=for_s),)


def asking_pagerduty(reach: Callable[[], Awaitable[None]], pages: Callable[[], bool]) -> Ask:
    """Asks by `reach`, which raises SendError, as long as the policy in force has anybody paged. It sends no event, so it cannot tell
    whether a routing key is good.
    """

    async def ask() -> None:
        try:
            if pages():
                await reach()
        except SendError as error:
            raise NoAnswerError(error.reason) from error

    return ask
