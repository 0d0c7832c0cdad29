"""P5: when the escalation itself stops, somebody outside knows within a minute, whatever stopped it.

A real process and a real watcher, both in a hurry (`tests/promises/watched_bot.py`); that the real figures add up to a minute is asserted
in `tests/bot/test_heartbeat.py` and `tests/bot/watch/test_watcher.py`.
"""

import asyncio
import json
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.clock import now, steady
from bot.sandbox.faults import Fault, Mode
from bot.tls import trusted
from bot.watch.look import Look, look
from bot.watch.routed_events import RoutedEvents
from bot.watch.watcher import News, Pace, Watcher
from tests.bot.test_heartbeat import Receiver, WatchedWorld, a_receiver
from tests.bot.test_obstacles import held
from tests.checkout import ROOT
from tests.conftest import sqlite_path

PACE = Pace(every_s=0.1, answer_s=1.0, send_s=5.0, within_s=6.7)
"""It pages after 0.6 s."""


@dataclass
class Outside:
    """A bot in its process, and what is seen of it."""

    world: WatchedWorld
    receiver: Receiver
    process: asyncio.subprocess.Process
    looks: int = 0
    wrong: str = ""

    async def tell(self, line: str) -> None:
        """Something befalls the bot."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    def title(self) -> str:
        """Of the incident that is open, "" where none is."""
        return next(
            (one.title for one in self.world.sandbox.pagerduty.incidents if one.is_open and one.key.startswith("tierline/watch/")), ""
        )

    async def silence_is_noticed(self, kind: str, words: str) -> None:
        """The page is out, says why, and no beat comes any more."""
        await until(lambda: bool(self.title()) and words in self.wrong, lambda: f"{kind}: {self.title()!r}, {self.wrong!r}")
        assert await self._quiet(kind) or await self._quiet(kind), f"{kind}: it beats on"  # one may have been on its way

    async def _quiet(self, kind: str) -> bool:
        """Whether no beat comes while it is looked at six times."""
        beats, looks = self.receiver.beats, self.looks
        await until(lambda: self.looks >= looks + 6, lambda: kind)
        return self.receiver.beats == beats

    async def all_is_well(self, kind: str) -> None:
        """The page is resolved, and beats come."""
        beats = self.receiver.beats
        await until(lambda: not self.title() and self.receiver.beats > beats, lambda: f"{kind}: {self.wrong!r}")


async def until(happened: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait for it, a busy machine's minute at most."""
    try:
        async with asyncio.timeout(60):
            while not happened():  # noqa: ASYNC110 - it happens in others' processes
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(otherwise()) from None


@asynccontextmanager
async def outside(folder: Path, database_url: str) -> AsyncIterator[Outside]:
    """The bot serves, a receiver waits for its beats, a watcher looks at it."""
    async with a_receiver() as receiver:
        world = WatchedWorld(folder, database_url, socket_mode=False, heartbeat_url=receiver.url)
        async with world.sandbox:
            environment = world.write_files() | {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
            command = (sys.executable, "-m", "tests.promises.watched_bot")
            with (folder / "bot.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=environment, stdin=PIPE, stdout=PIPE, stderr=log)
            try:
                assert process.stdout is not None
                line = await process.stdout.readline()
                assert line, (folder / "bot.log").read_text()[-3_000:]
                bot = Outside(world, receiver, process)
                async with watching(bot, json.loads(line)["url"]):
                    yield bot
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()


@asynccontextmanager
async def watching(bot: Outside, url: str) -> AsyncIterator[None]:
    """What `tierline watch` runs."""
    pagerduty = bot.world.sandbox.config.pagerduty
    events = RoutedEvents(bot.world.sandbox.pagerduty_events_url, pagerduty.services[2].routing_key, trusted({}))
    news = list[News]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:

        async def see() -> Look:
            seen = await look(session, f"{url}/readyz", PACE.answer_s)
            bot.looks, bot.wrong = bot.looks + 1, seen.wrong
            return seen

        watcher = Watcher(f"{url}/readyz", see, events, pace=PACE, steady=steady, now=now, tell=news.append)
        watch = asyncio.create_task(watcher.run())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            events.close()


Befalls = Callable[[Outside], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def stopped(bot: Outside) -> AsyncIterator[None]:
    """SIGSTOP: its kernel still takes calls."""
    bot.process.send_signal(signal.SIGSTOP)
    yield
    bot.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def locked(bot: Outside) -> AsyncIterator[None]:
    """Somebody else's transaction on its database."""
    with closing(sqlite3.connect(sqlite_path(bot.world.database_url), isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@asynccontextmanager
async def busy(bot: Outside) -> AsyncIterator[None]:
    """A callback that does not come back."""
    file = bot.world.folder / f"let-go-{time.monotonic_ns()}"
    await bot.tell(f"busy {file}")
    yield
    file.touch()


def told(line: str, back: str) -> Befalls:
    """What the process does to itself."""

    @asynccontextmanager
    async def fault(bot: Outside) -> AsyncIterator[None]:
        await bot.tell(line)
        yield
        await bot.tell(back)

    return fault


def peer(name: str, method: str) -> Befalls:
    """A peer that is gone."""

    @asynccontextmanager
    async def fault(bot: Outside) -> AsyncIterator[None]:
        gone = bot.world.sandbox.faults.add(Fault(name, method, Mode.UNREACHABLE, times=None))
        yield
        bot.world.sandbox.faults.remove(gone)

    return fault


FAULTS: dict[str, tuple[Befalls, str]] = {
    "stopped": (stopped, "it does not answer within 1 s"),
    "a busy callback": (busy, "it does not answer within 1 s"),
    "a locked database": (locked, "The database "),
    "a full disk": (told("disk 1", "disk 1000000"), "its disk is full"),
    "the clock set back": (told("clock -7200", "clock 0"), "it is 7200 s behind the time by which cases run"),
    "the clock set forward": (told("clock 7200", "clock 0"), "it is 7200 s ahead of the time by which cases run"),
    "clocks that hang": (told("stall", "go on"), "The clocks of cases have not been looked at"),
    "Slack gone": (peer("slack", "auth.test"), "Slack has not answered for"),
    "PagerDuty gone, for the bot": (peer("pagerduty", "reach"), "PagerDuty has not answered for"),
}


async def test_whatever_stops_it_somebody_outside_knows(sqlite_url: str, tmp_path: Path) -> None:
    """In each: no beat any more, and a page that says why; when it is over, the page is resolved and it beats. At last it is killed."""
    async with outside(tmp_path, sqlite_url) as bot:
        await bot.all_is_well("at first")
        for kind, (fault, words) in FAULTS.items():
            async with fault(bot):
                await bot.silence_is_noticed(kind, words)
            await bot.all_is_well(kind)
        bot.process.kill()
        await bot.silence_is_noticed("killed", "connection refused")


async def test_a_bot_whose_postgresql_is_locked_is_noticed(postgres_url: str, tmp_path: Path) -> None:
    """The row that every event needs, in other hands."""
    async with outside(tmp_path, postgres_url) as bot:
        await bot.all_is_well("at first")
        async with held(postgres_url):
            await bot.silence_is_noticed("locked", "The database does not answer.")
        await bot.all_is_well("afterwards")
