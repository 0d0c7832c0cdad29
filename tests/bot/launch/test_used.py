"""The launch checklist where a bot was started before, or runs: what is stored has to fit what is set, and nobody is disturbed."""

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.cli.files.configuration import Supposed
from bot.launch.checklist import Report
from bot.launch.files import Variables
from bot.launch.finding import State
from bot.launch.readiness import Launch, Said
from bot.settings import Settings
from escalation.drill_watch import opener
from routing.change import Actor
from routing.governance.drill_lifecycle import Order, start
from routing.vocabulary import DrillKind
from store.ledger.answers import Ruled
from store.schema import metadata
from store.vault.keys import signing_key, vault_key
from tests.bot.launch.site import lines
from tests.conftest import migrate, sqlite_path
from tests.world import ANNA, World, a_world

pytestmark = pytest.mark.outside

NOBODY: Said = {"ready": None, "obstacles": [], "attention": [], "served": "No bot serves."}


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """A database in a folder of its own, out of whose reach the checkpoints lie."""
    (tmp_path / "data").mkdir()
    return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'tierline.db'}"


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A bot that has taken a case and signed its log."""
    async with a_used_world(database_url, tmp_path) as world:
        yield world


@pytest.fixture
async def on_sqlite(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The same where the database is of no account."""
    async with a_used_world(sqlite_url, tmp_path) as world:
        yield world


@asynccontextmanager
async def a_used_world(url: str, folder: Path) -> AsyncIterator[World]:
    """A bot that has taken a case and signed its log."""
    async with a_world(folder, url) as world:
        await world.submit()
        await world.pass_time(seconds=20)
        yield world


async def look(world: World, said: Said = NOBODY, /, **changes: str) -> Report:
    """The checklist with the bot's own settings."""
    environment = world.write_files() | changes
    supposed = Supposed(environment)

    async def ask(_settings: Settings) -> Said:
        return said

    launch = Launch(environment, Variables(supposed, supposed.unset), ask, world.clock, page=False, timeouts=world.timeouts)
    return await launch.look()


def told(report: Report, check: str, *states: State) -> Sequence[str]:
    """What the lines of a check say that stand so."""
    return [f"{one.said} {one.mend}".strip() for of, one in lines(report, *(states or State)) if of == check]


async def rows(world: World) -> Mapping[str, Sequence[object]]:
    """Everything in the database."""
    return await world.bot.database.read(
        lambda connection: {name: sorted(map(repr, connection.execute(table.select()))) for name, table in metadata.tables.items()}
    )


async def test_a_bot_that_runs_is_not_disturbed(world: World) -> None:
    """Nothing is changed, and what it stands on is well; it goes on as before."""
    before = await rows(world)
    report = await look(world, {"ready": True, "obstacles": [], "attention": ["A channel takes nothing."]})
    assert await rows(world) == before
    for check in ("database", "keys", "checkpoints", "slack", "services", "on call"):
        assert told(report, check, State.MISSING, State.WARN) == [], check
    off = [line for line in told(report, "clock", State.MISSING) if "behind PostgreSQL" in line]  # this world's time is its own
    assert len(off) == world.bot.database.is_postgres
    assert told(report, "bot", State.WARN) == ["A channel takes nothing. Do what this says, then ask again: tierline status"]
    await world.submit()


async def test_what_is_stored_fits_when_nobody_serves(world: World) -> None:
    """The first policy is in force and has nothing before it; the database is tried with a write that is taken back."""
    await world.stop()
    report = await look(world)
    assert told(report, "database")[0].endswith("and takes writes.")
    assert "The policy in force is the first: there is none to go back to yet." in told(report, "policy")
    assert told(report, "keys", State.MISSING) == []
    assert told(report, "checkpoints", State.MISSING) == []


async def test_keys_of_another_database_are_known(world: World, tmp_path: Path) -> None:
    """Whole and well kept, and not those that it was written with; nor are keys made anew where some were used."""
    await world.stop()
    signing_key(tmp_path / "other.pem", create=True)
    vault_key(tmp_path / "other.key", create=True)
    other = {"TIERLINE_SIGNING_KEY_FILE": str(tmp_path / "other.pem"), "TIERLINE_VAULT_KEY_FILE": str(tmp_path / "other.key")}
    signing, vault = told(await look(world, **other), "keys", State.MISSING)
    assert signing.startswith("It is not the key that signed this log. Restore the signing key")
    assert vault.startswith("It does not open what is stored")
    nowhere = {name: str(tmp_path / "nowhere") for name in other}
    for line in told(await look(world, **nowhere), "keys", State.MISSING):
        assert "events were written with it. Restore the key from your backup" in line


async def test_a_checkpoint_directory_of_others_is_known(on_sqlite: World, tmp_path: Path) -> None:
    """One without the checkpoint that was signed, and one that somebody wrote to."""
    await on_sqlite.stop()
    [line] = told(await look(on_sqlite, TIERLINE_CHECKPOINT_DIR=str(tmp_path / "elsewhere")), "checkpoints", State.MISSING)
    assert "the checkpoint directory has no checkpoint. See docs/operating.md" in line
    (tmp_path / "checkpoints" / "checkpoint").write_text("no checkpoint\n")
    [line] = told(await look(on_sqlite), "checkpoints", State.MISSING)
    assert "not signed by a key of this log, or is damaged" in line


async def test_a_clock_that_was_set_back_is_known(on_sqlite: World) -> None:
    """Though Slack's agrees with it: the database has events that are still to come."""
    await on_sqlite.stop()
    on_sqlite.clock.now -= timedelta(hours=3)
    assert any("3 h behind the newest event in the database" in line for line in told(await look(on_sqlite), "clock", State.MISSING))


async def test_a_name_stands_for_what_the_bot_has_bound_it_to(on_sqlite: World) -> None:
    """A channel that was renamed since is still the one; its name, which another carries now, leads nowhere else."""
    await on_sqlite.sandbox.slack.rename_channel("review-tier1", "review-once")
    await on_sqlite.sandbox.slack.create_channel("review-tier1", ["U0ANNA00001"])
    await on_sqlite.stop()
    assert told(await look(on_sqlite), "channels", State.MISSING) == []


async def test_a_file_that_is_not_in_force_is_said(on_sqlite: World) -> None:
    """What is looked at is the policy in force, not the one that waits to be accepted."""
    await on_sqlite.stop()
    on_sqlite.policy = on_sqlite.policy.replace("channel: review-tier1", "channel: review-nowhere").replace('"2026-11-20.1"', '"2"')
    report = await look(on_sqlite)
    assert any("is not the policy in force, which is version 2026-11-20.1" in line for line in told(report, "policy", State.WARN))
    assert told(report, "channels", State.MISSING) == []


async def test_a_vault_key_of_a_database_without_cases_is_known(sqlite_url: str, tmp_path: Path) -> None:
    """There is nothing to open: the seal under the log's head tells."""
    async with a_world(tmp_path, sqlite_url) as world:
        await world.stop()
        shutil.copy(tmp_path / "vault.key", tmp_path / "right.key")
        (tmp_path / "vault.key").unlink()
        report = await look(world)
        assert any("The log's head was not sealed with it" in line for line in told(report, "keys", State.MISSING))


async def test_of_a_database_that_cannot_be_read_nothing_is_supposed(on_sqlite: World, sqlite_url: str, tmp_path: Path) -> None:
    """Of an older version, or damaged: no key is said to be made or to be replaced, and no policy to be in force."""
    await on_sqlite.stop()
    await on_sqlite_file(sqlite_url, "UPDATE alembic_version SET version_num = '0001'")
    (tmp_path / "signing.pem").write_text("no key")
    nowhere = {"TIERLINE_VAULT_KEY_FILE": str(tmp_path / "nowhere")}
    on_sqlite.keys = False
    report = await look(on_sqlite, **nowhere)
    assert told(report, "database") == ["It has the schema of an older version. Keep a backup, then run: tierline db upgrade"]
    sqlite_path(sqlite_url).write_bytes(b"no database" * 500)
    for one in (report, await look(on_sqlite, **nowhere)):
        signing, vault = told(one, "keys", State.MISSING)
        assert signing.endswith("Restore the key of this database from your backup.")
        assert "Restore it from your backup" in vault
        assert any("which one is in force could not be read" in line for line in told(one, "policy"))


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite:///"])
async def test_a_database_in_memory_is_none(tmp_path: Path, url: str) -> None:
    """It would be gone with the process."""
    world = World(tmp_path, url, socket_mode=False)
    async with world.sandbox:
        [line] = told(await look(world), "database", State.MISSING)
        assert line.startswith("SQLite needs a file")


async def test_a_workflow_that_is_held_back_is_said(on_sqlite: World) -> None:
    """Whoever launches knows that its approvals stay here."""
    await on_sqlite.sandbox.slack.command("U0GRACE0001", "review-ops", "/review", "pause refunds Looking into it.")
    await on_sqlite.stop()
    [line] = [line for line in told(await look(on_sqlite), "safeguards", State.WARN) if "held back" in line]
    assert line.startswith("It is held back: paused.")
    assert line.endswith("/review resume refunds")


async def test_a_postgresql_that_takes_no_writes_is_known(postgres_url: str, tmp_path: Path) -> None:
    """Read-only, as a standby is; reading goes on."""
    async with a_world(tmp_path, postgres_url) as world:
        await world.stop()
        name = make_url(postgres_url).database
        await on_postgresql(postgres_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        [line] = told(await look(world), "database", State.MISSING)
        assert line == "It takes no writes: it is read-only. Mend that cause, then run this again."


async def test_a_user_whom_postgresql_gives_too_little_is_known(empty_postgres_url: str, tmp_path: Path) -> None:
    """One who may make no tables before the first start, and one who may only read afterwards."""
    world = World(tmp_path, empty_postgres_url, socket_mode=False)
    reader = f"reader_{make_url(empty_postgres_url).database}"
    await on_postgresql(empty_postgres_url, f'CREATE ROLE "{reader}" LOGIN')
    as_reader = make_url(empty_postgres_url).set(username=reader).render_as_string(hide_password=False)
    async with world.sandbox:
        [line] = told(await look(world, TIERLINE_DATABASE_URL=as_reader), "database", State.MISSING)
        assert line.startswith("This user may make no tables in it. Run in it as its owner: GRANT CREATE")
        migrate(empty_postgres_url)
        await on_postgresql(empty_postgres_url, f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{reader}"')
        [line] = told(await look(world, TIERLINE_DATABASE_URL=as_reader), "database", State.MISSING)
        assert line.startswith("It takes no writes: this user may not write to ")
    await on_postgresql(empty_postgres_url, f'DROP OWNED BY "{reader}"', f'DROP ROLE "{reader}"')


async def on_sqlite_file(url: str, statement: str) -> None:
    """What somebody does who can write to the file."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def on_postgresql(url: str, *statements: str) -> None:
    """What its administrator does."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def test_before_the_first_start_nothing_has_to_be_there(empty_database_url: str, tmp_path: Path) -> None:
    """No database file, or one without tables: said as what it is, and left as it is."""
    world = World(tmp_path, empty_database_url, socket_mode=False)
    async with world.sandbox:
        report = await look(world)
        assert told(report, "database", State.MISSING) == []
        assert told(report, "database")[0].startswith("It is empty")
        assert told(report, "keys", State.MISSING) == []
        if empty_database_url.startswith("sqlite"):
            assert not sqlite_path(empty_database_url).exists()


async def test_contacts_are_tested_by_drills(on_sqlite: World) -> None:
    """Each tier and the alarms, by who answered them last; what is not well names the drill that mends it, and 90 days are the end."""
    world = on_sqlite
    lines_of = dict(zip(("tier 1", "tier 2", "deserted", "alarms"), told(await look(world), "contacts", State.MISSING), strict=True))
    assert lines_of["tier 1"].startswith("Nobody has ever answered a drill here. Run: tierline drill nobody-available --workflow audited,")
    assert "tierline drill downstream-failure --workflow refunds, and have somebody press Acknowledge." in lines_of["alarms"]
    order = Order(DrillKind.NOBODY_AVAILABLE, "refunds")
    begun = await world.bot.ledger.govern(start(order, Actor("human", "os:operator"), opener))
    assert isinstance(begun, Ruled)
    await world.drain()
    await world.click(ANNA, "claim", begun.governance.drills[0].cases[0])
    await world.drain()
    report = await look(world)
    assert [line for line in told(report, "contacts", State.OK) if "Anna" in line] == ["Anna Lindqvist answered a drill here today."]
    assert len(told(report, "contacts", State.MISSING)) == 3
    world.clock.now += timedelta(days=91)
    [late] = [line for line in told(await look(world), "contacts", State.MISSING) if "91 days ago" in line]
    assert "which is more than 90 days. Run: tierline drill nobody-available" in late
