"""The bot as a whole at its edges: what a start does with changed policies, lost keys and restored databases."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.app import App
from bot.cli.writing.recovery import go_on
from bot.policy.active import NoPolicyFileError
from bot.timeouts import Rhythm
from routing.change import Actor
from store.vault.keys import KeyUnusable
from tests.world import World, a_world
from tests.written import POLICY

BY_FILE = POLICY.replace("owners: [U0GRACE0001, U0HUGO00001]", "activation: file").replace(", policy_owner: [owners]", "")


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A running bot on SQLite whose policy follows its file."""
    async with a_world(tmp_path, sqlite_url, policy=BY_FILE) as world:
        yield world


async def ready(world: World) -> tuple[int, list[str]]:
    """What `/readyz` says."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.bot.url}/readyz") as response:
        return response.status, (await response.json())["obstacles"]


async def test_a_changed_file_takes_effect_at_the_next_start_where_the_policy_says_so(world: World) -> None:
    """With `activation: file` new cases follow the new file; the case in flight keeps the policy it started with."""
    earlier = await world.submit()
    world.policy = BY_FILE.replace('"2026-11-20.1"', '"2026-11-20.2"')
    await world.restart()
    later = await world.submit()
    assert (await world.case(later)).route.policy_version == "2026-11-20.2"
    assert (await world.case(earlier)).route.policy_version == "2026-11-20.1"


async def test_a_changed_file_changes_nothing_where_the_policy_wants_a_second_person(sqlite_url: str, tmp_path: Path) -> None:
    """Without `activation: file` in the active policy, a file cannot grant itself that right either."""
    async with a_world(tmp_path, sqlite_url) as world:
        world.policy = BY_FILE.replace('"2026-11-20.1"', '"2026-11-20.2"')
        await world.restart()
        case_id = await world.submit()
        assert (await world.case(case_id)).route.policy_version == "2026-11-20.1"


async def test_a_start_without_any_policy_says_what_to_do(sqlite_url: str, tmp_path: Path) -> None:
    """No policy in the database and no file: the error names the command that writes one."""
    missing = {"TIERLINE_POLICY": str(tmp_path / "nowhere.yml"), "TIERLINE_DATABASE_URL": sqlite_url}
    world = World(tmp_path, sqlite_url, socket_mode=False)
    async with world.sandbox:
        environment = world.write_files() | missing
        with pytest.raises(NoPolicyFileError, match="tierline policy init"):
            await App.start(world.settings(environment), environment, clock=world.clock, background=False)


async def test_a_lost_signing_key_refuses_to_start(world: World) -> None:
    """A log that has events is not continued under a new key made in silence."""
    await world.submit()
    await world.stop()
    (world.folder / "signing.pem").unlink()
    world.keys = False
    with pytest.raises(KeyUnusable, match="restore the key"):
        await world.start()


async def test_a_restored_database_takes_no_cases_until_somebody_has_looked(world: World) -> None:
    """A database that is behind the signed checkpoint answers 503 and says why; it does not sign."""
    database = Path(world.database_url.removeprefix("sqlite+aiosqlite:///"))
    await world.submit()
    await world.drain()
    await world.stop()
    backup = world.folder / "backup.db"
    shutil.copy(database, backup)
    await world.start()
    await world.submit()
    await world.pass_time(seconds=20)  # long enough for the growth to be signed
    await world.stop()
    shutil.copy(backup, database)
    for left in ("-wal", "-shm"):
        database.with_name(database.name + left).unlink(missing_ok=True)
    await world.start()
    status, obstacles = await ready(world)
    assert status == 503
    assert "restored from a backup" in obstacles[0]
    assert (await world.post())[0] == 503
    assert await world.bot.signing.tick() is None

    answer = await go_on(world.bot.signing, world.bot.outbox, Actor("human", "os:operator"), {})
    assert answer == {"recovered": True}
    assert await ready(world) == (200, [])
    assert (await world.post())[0] == 202


async def test_clocks_wait_for_nothing_else_that_has_its_time(world: World) -> None:
    """Whoever looks after brakes hangs: a case that nobody takes climbs all the same, and somebody is told of what hangs."""
    case_id = await world.submit()
    await world.stop()
    environment, begun, hangs = world.write_files(), asyncio.Event(), asyncio.Event()

    async def hanging() -> int:
        begun.set()
        await hangs.wait()
        return 0

    world.app = await App.start(world.settings(environment), environment, clock=world.clock, rhythm=Rhythm(late_s=1.0))
    world.app.brake_watch.tick = hanging  # type: ignore[method-assign]
    async with asyncio.timeout(20):
        await begun.wait()
        world.clock.now += timedelta(hours=5)
        with world.app.wakeups.case(case_id) as changed:
            while (await world.case(case_id)).tier == 0:
                await changed.wait()
                changed.clear()
        while not any(said.startswith("Breakers, brakes") for said in (await ready(world))[1]):
            pass
    hangs.set()
