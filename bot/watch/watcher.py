"""The watcher: looks at a bot from outside, pages when it has not been well for too long, and resolves that when it is well again.

Owns when. It keeps nothing over a restart: what is open under a key is joined by PagerDuty and not opened anew, and what may be open is
resolved once. Nothing of it waits for the bot or for PagerDuty without a bound.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.watch.look import Look
from bot.watch.page import resolve, trigger
from store.outbox.delivery import SendError

KNOWN_S = 30.0
"""So much of what the bot itself says to have been amiss is counted: as long as it takes to notice that a peer is gone. Beyond that, a bot
that has just been started and catches up would be paged for at once."""

REACH_S = 60.0
"""How often it is asked whether PagerDuty is there, while there is nothing to tell it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often we look, for how long we wait for an answer and for PagerDuty at most, and within how many seconds the page is out."""

    every_s: float = 5.0
    answer_s: float = 3.0
    send_s: float = 10.0
    within_s: float = 60.0

    @property
    def way_s(self) -> float:
        """How long it takes from the end of our patience to the page, at worst: one more look, and a slow PagerDuty."""
        return self.every_s + self.answer_s + self.send_s

    @property
    def after_s(self) -> float:
        """For how long a bot may be unwell before it is paged for."""
        return self.within_s - self.way_s

    def unsound(self) -> str:
        """Why a page within so many seconds would ring for a bot that is merely being restarted; "" where it would not."""
        least_s = self.way_s + KNOWN_S
        if least_s <= self.within_s < float("inf"):
            return ""
        return (
            f"expected {least_s:g} seconds or more: a page takes up to {self.way_s:g} s to get out, and a bot that was restarted is counted"
            f" as up to {KNOWN_S:g} s behind while it catches up, so anything less would ring for every restart"
        )


class Events(Protocol):
    """PagerDuty's Events API, with a routing key."""

    async def send(self, event: Mapping[str, Any]) -> None:
        """Hand an event over. Raises SendError."""
        ...

    async def reach(self) -> None:
        """Whether anybody is there. Raises SendError."""
        ...

    def renew(self) -> None:
        """What was begun may hang for ever: go on without it."""
        ...


@dataclass(frozen=True, slots=True)
class News:
    """Something to be said: `kind` for programs, `sentence` for people; `failed`: PagerDuty does not have what it should."""

    kind: str
    sentence: str
    failed: bool = False


class Watcher:
    """`see` looks once; `steady` gives seconds that nobody can set, `now` aware times for words alone; `tell` gets what is new."""

    def __init__(
        self,
        url: str,
        see: Callable[[], Awaitable[Look]],
        events: Events,
        *,
        pace: Pace,
        steady: Callable[[], float],
        now: Callable[[], datetime],
        tell: Callable[[News], None],
    ) -> None:
        self._url = url
        self._see = see
        self._events = events
        self._pace = pace
        self._steady = steady
        self._now = now
        self._tell = tell
        self._well_at = steady()
        self._amiss_at: float | None = None
        self._paged: bool | None = None  # None: an incident of an earlier process, or of a try that failed, may be open
        self._reached_at = steady() - REACH_S
        self._failing = ""
        self._said = ""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            begun = self._steady()
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the last one awake goes on, whatever it meets
                self._say("failed", f"The watcher failed and goes on ({type(error).__name__}).", failed=True)
            await asyncio.sleep(max(0.0, begun + self._pace.every_s - self._steady()))

    async def look(self, *, page: bool = True) -> Look:
        """Look once, and tell PagerDuty what it should know; without `page` it is sent nothing, and only asked whether it is there. Gives
        what was seen.
        """
        begun = self._steady()
        seen = await self._see()
        if seen.wrong:
            self._say("not_ready", f"Not ready: {seen.wrong}")
        else:
            self._say("ready", "Ready.")
        if not page:
            await self.reach()
        elif seen.wrong:
            await self._unwell(seen)
        else:
            self._well_at, self._amiss_at = begun, None
            await self._well()
        return seen

    async def reach(self) -> bool:
        """Whether PagerDuty is there, which is said where it is not."""
        return await self._told(self._events.reach(), "check")

    async def _unwell(self, seen: Look) -> None:
        at = self._steady()
        self._amiss_at = min(self._amiss_at if self._amiss_at is not None else self._well_at, at - min(seen.amiss_s, KNOWN_S))
        if self._paged or round(at - self._amiss_at, 3) <= self._pace.after_s:
            return
        self._paged = None
        since = self._now() - timedelta(seconds=at - self._amiss_at)
        if await self._send(trigger(self._url, seen, since), "page"):
            self._paged = True
            self._tell(News("paged", f"PagerDuty has the page: {seen.wrong}"))

    async def _well(self) -> None:
        if self._paged is not False:
            if await self._send(resolve(self._url), "resolve"):
                if self._paged:
                    self._tell(News("resolved", "PagerDuty knows that it is ready again."))
                self._paged = False
        elif self._steady() - self._reached_at >= REACH_S:
            await self.reach()

    async def _send(self, event: Mapping[str, Any], what: str) -> bool:
        return await self._told(self._events.send(event), what)

    async def _told(self, telling: Awaitable[None], what: str) -> bool:
        """Whether PagerDuty took it in time; what keeps it from that is said when it is something else than before."""
        self._reached_at = self._steady()
        try:
            async with asyncio.timeout(self._pace.send_s):
                await telling
        except TimeoutError:
            self._events.renew()
            cause = f"no answer within {self._pace.send_s:g} s"
        except SendError as error:
            cause = error.reason
        else:
            if self._failing:
                self._tell(News("pagerduty_back", "PagerDuty answers again."))
            self._failing = ""
            return True
        sentence = f"PagerDuty does not take what it is told ({cause}): {_MEANS[what]}"
        if sentence != self._failing:
            self._tell(News("pagerduty_failing", sentence, failed=True))
        self._failing = sentence
        return False

    def _say(self, kind: str, sentence: str, *, failed: bool = False) -> None:
        if sentence != self._said:
            self._tell(News(kind, sentence, failed))
        self._said = sentence


_MEANS = {
    "page": "NOBODY IS PAGED YET. It is tried again with every look.",
    "resolve": "an incident that is over may stand open. It is tried again with every look.",
    "check": "if the bot failed now, nobody would be paged.",
}
