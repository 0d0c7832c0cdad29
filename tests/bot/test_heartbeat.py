"""The heartbeat: it leaves only when everything that escalation needs is proved at that moment, and says nothing of where it goes."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.heartbeat import PEER_S, SEND_S, Heartbeat
from bot.http.database_status import DatabaseStatus
from bot.readiness import ANSWER_S, Obstacle, Readiness
from bot.sandbox.faults import Fault, Mode
from bot.slack.socket_line import SILENT_S
from bot.timeouts import RHYTHM
from bot.tls import trusted
from bot.watch.watcher import KNOWN_S, Pace
from tests.bot.test_obstacles import held
from tests.checkout import ROOT
from tests.world import World, running

SECRET = "e7f5canary-0a51"


@dataclass
class Receiver:
    """A hosted receiver: takes a GET under a path that is its secret."""

    url: str = ""
    beats: int = 0
    status: int = 200
    followed: int = 0
    seen: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One beat."""
        self.beats += 1
        self.seen.append(request.method)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"} if self.status == 302 else {})

    async def elsewhere(self, _request: web.Request) -> web.Response:
        """Where a redirect leads."""
        self.followed += 1
        return web.Response()


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """It listens on loopback."""
    receiver, app = Receiver(), web.Application()
    app.add_routes([web.get(f"/ping/{SECRET}", receiver.take), web.get("/elsewhere", receiver.elsewhere)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ping/{SECRET}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class WatchedWorld(World):
    """A world whose bot has somebody to tell."""

    heartbeat_url: str = ""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"TIERLINE_HEARTBEAT_URL": self.heartbeat_url}

    async def beat(self) -> bool:
        """It is time for a beat; gives whether it was taken. Nothing is waited for."""
        assert self.bot.heartbeat is not None
        return await self.bot.heartbeat.beat()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody outside."""
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
async def world(database_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WatchedWorld]:
    """A bot on either engine, with a case whose first tier has been asked."""
    monkeypatch.setattr(DatabaseStatus, "FRESH_S", 0.0)
    async with running(WatchedWorld(tmp_path, database_url, socket_mode=False, heartbeat_url=receiver.url)) as world:
        await world.submit()
        await world.pass_time(seconds=20)
        yield world


async def said(world: World) -> str:
    """Everything that `/readyz` says is wrong."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.bot.url}/readyz") as response:
        answer = await response.json()
        assert (response.status == 200) is answer["ready"]
        assert answer.get("escalating", True) is not bool(answer["obstacles"] or "escalating" in answer)
        return " ".join([*answer["obstacles"], *answer["attention"]])


Trouble = Callable[[WatchedWorld], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def full_disk(world: WatchedWorld) -> AsyncIterator[None]:
    """No page more (SQLite), no temporary file (PostgreSQL)."""
    if world.bot.database.is_postgres:
        pytest.skip("its disk is filled from outside: tests/bot/test_obstacles.py")

    def room(pages: int) -> Callable[[Connection, object], None]:
        return lambda connection, _now: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").close()

    await world.bot.writer.write(room(1))
    yield
    await world.bot.writer.write(room(1_000_000))


@asynccontextmanager
async def not_recording(world: WatchedWorld) -> AsyncIterator[None]:
    """Database and checkpoints disagree."""
    world.bot.ledger.stop_recording("The database is behind.")
    yield
    world.bot.ledger.resume_recording()


@asynccontextmanager
async def overdue(world: WatchedWorld) -> AsyncIterator[None]:
    """Nobody looks at the clocks, though all else goes on."""
    due = await world._next_happening()  # noqa: SLF001 - of its own world
    assert due is not None
    world.clock.now = due + timedelta(seconds=RHYTHM.late_s + 1)
    yield
    await world.pass_time(seconds=1)


@asynccontextmanager
async def not_taken_up(world: WatchedWorld) -> AsyncIterator[None]:
    """The courier leaves messages where they are."""
    await world.submit()
    world.clock.now += timedelta(seconds=RHYTHM.late_s + 1)
    await world.bot.signing.tick()
    yield
    await world.pass_time(seconds=20)


@asynccontextmanager
async def not_signed(world: WatchedWorld) -> AsyncIterator[None]:
    """Nobody signs."""
    await world.submit()
    await world.bot.courier.drain_once()
    world.clock.now += timedelta(seconds=RHYTHM.late_s + 1)
    yield
    await world.pass_time(seconds=20)


@asynccontextmanager
async def page_refused(world: WatchedWorld) -> AsyncIterator[None]:
    """PagerDuty answers, and accepts no page."""
    fault = world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None))
    await world.submit()
    await world.pass_time(minutes=15, seconds=20)
    yield
    world.sandbox.faults.remove(fault)
    await world.pass_time(minutes=1)


def peer(name: str, method: str, mode: Mode, **more: Any) -> Trouble:
    """A peer that answers so."""

    @asynccontextmanager
    async def trouble(world: WatchedWorld) -> AsyncIterator[None]:
        fault = world.sandbox.faults.add(Fault(name, method, mode, times=None, **more))
        yield
        world.sandbox.faults.remove(fault)

    return trouble


TROUBLES: dict[str, tuple[Trouble, str, str]] = {
    "full disk": (full_disk, "database", "The database takes no writes: its disk is full."),
    "not recording": (not_recording, "recording", "The database is behind."),
    "an overdue clock": (overdue, "overdue", "A case's clock ran out 16 s ago and nothing came of it"),
    "messages not taken up": (not_taken_up, "outbox", "A message to Slack could have gone for 16 s and nobody takes it up."),
    "nobody signs": (not_signed, "signing", "The audit log has an event that nobody has signed for 16 s."),
    "a page nobody accepts": (page_refused, "pages", "A page has been accepted by nobody for "),
    "Slack is gone": (peer("slack", "auth.test", Mode.UNREACHABLE), "slack", ""),
    "Slack refuses us": (peer("slack", "auth.test", Mode.REFUSED, error="account_inactive"), "slack", ""),
    "Slack fails": (peer("slack", "auth.test", Mode.SERVER_ERROR), "slack", ""),
    "PagerDuty is gone": (peer("pagerduty", "reach", Mode.UNREACHABLE), "pagerduty", ""),
    "PagerDuty fails": (peer("pagerduty", "reach", Mode.SERVER_ERROR), "pagerduty", ""),
}
"""Trouble, its name in the log, and what `/readyz` says of it at once; of peers, that is said once they have been gone for a while."""


@pytest.mark.outside
async def test_in_any_trouble_it_falls_silent_and_beats_again_afterwards(world: WatchedWorld, receiver: Receiver) -> None:
    """Each trouble by itself: no beat, its name in the log, words in `/readyz`; when it is over, the next beat comes."""
    assert await world.beat()
    for kind, (trouble, name, words) in TROUBLES.items():
        with suppress(pytest.skip.Exception):
            async with trouble(world):
                before = receiver.beats
                with capture_logs() as log:
                    assert not await world.beat(), kind
                assert receiver.beats == before, kind
                assert [name in line["obstacles"] for line in log if line["event"].startswith("no heartbeat")] == [True], (kind, log)
                assert words in await said(world), kind
        assert await world.beat(), (kind, await said(world))
    assert set(receiver.seen) == {"GET"}


@pytest.mark.outside
async def test_a_database_that_hangs_keeps_it_silent(world: WatchedWorld, receiver: Receiver) -> None:
    """A lock in other hands, which no error tells: the time to prove that we can write runs out, and no beat is left over for later."""
    assert await world.beat()
    async with held(world.database_url):
        for _ in range(2):
            beating = asyncio.create_task(world.beat())
            while world.timeouts.waiting != 1:  # noqa: ASYNC110 - all but the database have answered; that has no event
                await asyncio.sleep(0.01)
            world.timeouts.run_out()
            with capture_logs() as log:
                assert not await beating
            assert [line["obstacles"] for line in log if line["event"].startswith("no heartbeat")] in ([["database"]], [])
        assert receiver.beats == 1
    while not await world.beat():
        pass
    assert receiver.beats == 2


@pytest.mark.outside
async def test_a_queue_is_not_stuck(sqlite_url: str, tmp_path: Path, receiver: Receiver) -> None:
    """Thirty cards for one channel take half a minute at Slack's pace, a service is down: no silence."""
    async with running(WatchedWorld(tmp_path, sqlite_url, socket_mode=False, heartbeat_url=receiver.url)) as world:
        world.sandbox.faults.add(Fault("customer", "callback", Mode.SERVER_ERROR, times=None))
        for _ in range(30):
            await world.submit()
        for _ in range(22):
            world.clock.now += timedelta(seconds=1.05)
            await world.bot.signing.tick()
            await world.bot.courier.drain_once()
            assert await world.beat(), await said(world)
        posted = world.sandbox.slack.record.count("chat.postMessage")
        assert RHYTHM.late_s < posted < 30, posted


@pytest.mark.outside
async def test_a_quiet_night_is_no_trouble(sqlite_url: str, tmp_path: Path, receiver: Receiver) -> None:
    """Nothing happens for a day: everything is under a checkpoint, though an old one, and it beats."""
    async with running(WatchedWorld(tmp_path, sqlite_url, socket_mode=False, heartbeat_url=receiver.url)) as world:
        await world.pass_time(seconds=20)
        world.clock.now += timedelta(days=1)
        assert await world.beat(), await said(world)


@pytest.mark.outside
@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_receiver_that_takes_no_beat_is_counted_and_its_address_is_no_ones_to_read(
    sqlite_url: str, tmp_path: Path, receiver: Receiver, status: int
) -> None:
    """Refused, failing, or leading elsewhere, where nobody goes: the log has the cause, `/metrics` the number, nothing the address."""
    async with running(WatchedWorld(tmp_path, sqlite_url, socket_mode=False, heartbeat_url=receiver.url)) as world:
        receiver.status = status
        with capture_logs() as log:
            assert not await world.beat()
            assert not await world.beat()
            receiver.status = 204
            assert await world.beat()
        assert [(line["event"], line.get("cause")) for line in log if "heartbeat" in line["event"]] == [
            ("the heartbeat is not taken", f"answered {status}"),
            ("the heartbeat is taken again", None),
        ]
        assert receiver.followed == 0
        async with aiohttp.ClientSession() as session, session.get(f"{world.bot.url}/metrics") as response:
            figures = await response.text()
        assert 'tierline_heartbeats_total{result="failed"} 2.0' in figures
        assert 'tierline_heartbeats_total{result="taken"} 1.0' in figures
        assert "canary" not in str(log) + figures


@pytest.mark.outside
async def test_a_receiver_that_is_gone_is_said_after_a_minute() -> None:
    """Whoever waits for beats takes us for dead: `/readyz` says so, without the address, and takes nobody out of service."""
    now = 0.0
    async with a_receiver() as receiver:
        pass
    tallied = list[str]()
    heartbeat = Heartbeat(receiver.url, [Readiness()], lambda: now, tls=trusted({}), tally=tallied.append)
    assert not await heartbeat.beat()
    assert await heartbeat.check() == ()
    now = 61.0
    (obstacle,) = await heartbeat.check()
    assert obstacle == Obstacle(
        "heartbeat", "No heartbeat has been taken for 61 s (connection refused): whoever waits for it takes the bot for dead.", stops=False
    )
    assert tallied == ["failed"]
    await heartbeat.close()


def test_the_figures_add_up_to_a_minute() -> None:
    """From the fault until it is noticed, the last beat's way, its period and the grace that the guide names: a minute at most."""
    guide = (ROOT / "docs" / "guides" / "dead-mans-switch.md").read_text()
    period, grace = (float(found) for found in re.findall(r"\*\*(?:period|grace) (\d+) s\*\*", guide))
    assert period == RHYTHM.beat_s
    assert max(RHYTHM.late_s, SILENT_S, PEER_S) + SEND_S + period + grace <= 60.0
    assert SEND_S + RHYTHM.again_s <= grace, "a beat that got lost is made good before anybody is woken"
    assert Pace().answer_s > ANSWER_S, "the bot's own bound runs out before the watcher's"
    assert max(RHYTHM.lately_s, RHYTHM.late_s) <= KNOWN_S, "what is noticed late is counted from when it began"
