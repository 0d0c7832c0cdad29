"""The bot with real things in its way: what `/readyz` and `/metrics` say while a database is full, held or hangs, and once it is well."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp
import asyncpg
import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.http.database_status import DatabaseStatus
from tests.conftest import sqlite_path
from tests.world import World, a_world

pytestmark = pytest.mark.outside

Said = tuple[int, list[str]]
T = TypeVar("T")


@pytest.fixture
async def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A running bot on either engine, in which every look is a new one."""
    monkeypatch.setattr(DatabaseStatus, "FRESH_S", 0.0)
    async with a_world(tmp_path, database_url) as world:
        yield world


@pytest.fixture
async def on_sqlite(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The same on SQLite."""
    monkeypatch.setattr(DatabaseStatus, "FRESH_S", 0.0)
    async with a_world(tmp_path, sqlite_url) as world:
        yield world


async def ready(world: World) -> Said:
    """What `/readyz` says."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.bot.url}/readyz") as response:
        return response.status, (await response.json())["obstacles"]


async def database_up(world: World) -> float:
    """What `/metrics` says."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.bot.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return float(next(line for line in lines if line.startswith("tierline_database_up ")).rpartition(" ")[2])


async def out_of_time(world: World, asking: Callable[[World], Awaitable[T]]) -> T:
    """What is answered when nothing more is waited for."""
    asked = asyncio.ensure_future(asking(world))
    while not asked.done():
        await asyncio.sleep(0.01)
        world.timeouts.run_out()
    return asked.result()


async def until_ready(world: World) -> None:
    """The obstacle goes by itself."""
    while (await out_of_time(world, ready)) != (200, []):
        pass


async def test_a_full_disk_is_not_ready_though_everything_can_be_read(on_sqlite: World) -> None:
    """Only a write can tell; the cause is named, and the obstacle goes by itself once there is room."""

    def room(pages: int) -> Callable[[Connection, object], None]:
        def narrow(connection: Connection, _now: object) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        return narrow

    await on_sqlite.bot.writer.write(room(1))
    assert await ready(on_sqlite) == (503, ["The database takes no writes: its disk is full."])
    assert await database_up(on_sqlite) == 0
    await on_sqlite.bot.writer.write(room(1_000_000))
    assert await ready(on_sqlite) == (200, [])
    assert await database_up(on_sqlite) == 1


async def test_a_database_that_somebody_holds_is_not_ready(world: World) -> None:
    """A lock in other hands: the answer comes in time and says so, and is good again once the lock is let go."""
    await world.submit()
    async with held(world.database_url):
        assert await out_of_time(world, ready) == (503, ["The database does not answer."])
        assert await out_of_time(world, database_up) == 0
    await until_ready(world)


async def test_a_postgresql_that_stands_still_is_not_ready(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes stopped, as a machine that hangs would: answers come in time, and work goes on where it stood."""
    monkeypatch.setattr(DatabaseStatus, "FRESH_S", 0.0)
    async with a_world(tmp_path, postgres_url) as world:
        await ready(world)
        async with stopped(postgres_url):
            assert await out_of_time(world, ready) == (503, ["The database does not answer."])
            assert await out_of_time(world, database_up) == 0
        await until_ready(world)
        await world.submit()


async def test_a_postgresql_without_room_on_its_disk_is_not_ready(tmp_path: Path, postgres_url: str) -> None:
    """Also where a page of what is stored has room for the row that is tried: the next case would need another."""
    other_hand = await asyncpg.connect(**_place(postgres_url))
    name = make_url(postgres_url).database
    await other_hand.execute(f"ALTER DATABASE {name} SET temp_file_limit = 0")  # as near to a full disk as a server can be set
    async with a_world(tmp_path, postgres_url) as world:
        assert await ready(world) == (503, ["The database takes no writes: it is out of resources."])
    await other_hand.execute(f"ALTER DATABASE {name} RESET temp_file_limit")
    await other_hand.close()
    async with a_world(tmp_path, postgres_url) as world:
        assert await ready(world) == (200, [])


async def test_a_log_that_nobody_signs_is_not_ready(world: World) -> None:
    """Here or in any other replica: an event without a checkpoint for a minute means that decisions wait."""
    await world.submit()
    world.clock.now += timedelta(seconds=61)
    status, (sentence,) = await ready(world)
    assert (status, sentence) == (503, "The audit log has an event that nobody has signed for 61 s.")
    await world.drain()
    assert await ready(world) == (200, [])


@asynccontextmanager
async def held(url: str) -> AsyncIterator[None]:
    """Somebody else's transaction that holds what every event needs."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    other_hand = await asyncpg.connect(**_place(url))
    try:
        await other_hand.execute("BEGIN")
        await other_hand.execute("SELECT * FROM head FOR UPDATE")
        yield
    finally:
        await other_hand.close()


@asynccontextmanager
async def stopped(url: str) -> AsyncIterator[None]:
    """Every process that serves this database, but ours, gets SIGSTOP until the block ends."""
    other_hand = await asyncpg.connect(**_place(url))
    serving = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    pids = [row["pid"] for row in await other_hand.fetch(serving)]
    assert pids
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        await other_hand.close()


def _place(url: str) -> dict[str, str]:
    parsed = make_url(url)
    return {"host": str(parsed.query["host"]), "user": str(parsed.username), "database": str(parsed.database)}
