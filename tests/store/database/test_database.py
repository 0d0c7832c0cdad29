"""Opening a database: one process for SQLite, any number for PostgreSQL, and never a schema that is newer than the program."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from routing.canonical import canonical
from routing.strict_json import loads
from store.database.database import Database
from store.database.errors import AnotherProcessError, UnsafeDatabaseError, is_unavailable
from store.migrate import NewerSchemaError, OlderSchemaError
from store.schema import metadata
from tests.store.a_store import open_books


async def test_a_second_process_is_refused_on_sqlite(empty_sqlite_url: str) -> None:
    """Two processes on one file would each believe to be the only writer."""
    first = await Database.open(empty_sqlite_url)
    with pytest.raises(AnotherProcessError, match="PostgreSQL"):
        await Database.open(empty_sqlite_url)
    await first.close()
    await (await Database.open(empty_sqlite_url)).close()


async def test_a_reading_command_may_look_beside_the_serving_process(empty_sqlite_url: str) -> None:
    """It reads what is committed and cannot write."""
    async with open_books(empty_sqlite_url) as books:
        await books.open()
        reader = await Database.open(empty_sqlite_url, serving=False)
        assert await reader.read(lambda c: c.execute(text("SELECT count(*) FROM cases")).scalar_one()) == 1
        with pytest.raises(Exception, match="readonly"):
            await reader.read(lambda c: c.execute(text("DELETE FROM cases")))
        await reader.close()


async def test_a_newer_schema_is_refused(empty_database_url: str) -> None:
    """An older program does not write into what it does not know."""

    def pretend(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    database = await Database.open(empty_database_url)
    async with database.writing() as transaction:
        await transaction.commit(pretend)
    await database.close()
    with pytest.raises(NewerSchemaError):
        await Database.open(empty_database_url)


async def test_a_reading_command_does_not_migrate(empty_sqlite_url: str) -> None:
    """It refuses a database without our tables, and makes none."""
    with pytest.raises(OlderSchemaError):
        await Database.open(empty_sqlite_url, serving=False)


async def test_sqlite_in_memory_is_refused() -> None:
    """What is only in memory is not recorded."""
    with pytest.raises(UnsafeDatabaseError):
        await Database.open("sqlite+aiosqlite:///:memory:")


async def test_the_database_file_is_private(empty_sqlite_url: str) -> None:
    """Nobody else on the machine reads it."""
    database = await Database.open(empty_sqlite_url)
    path = Path(empty_sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    modes = {each.name: each.stat().st_mode & 0o077 for each in path.parent.iterdir() if each.is_file()}
    await database.close()
    assert set(modes.values()) == {0}, modes


async def test_sqlite_keeps_what_it_confirms(empty_sqlite_url: str) -> None:
    """Every connection has WAL with full synchronisation, or the program would not have started."""

    def settings(connection: Connection) -> tuple[object, ...]:
        return tuple(connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys"))

    database = await Database.open(empty_sqlite_url)
    async with database.writing() as transaction:
        assert await transaction.run(settings) == ("wal", 2, 1)
    await database.close()


async def test_several_processes_may_start_at_once_on_postgres(empty_postgres_url: str) -> None:
    """One of them migrates, the others wait for it."""
    databases = await asyncio.gather(*(Database.open(empty_postgres_url) for _ in range(3)))
    for database in databases:
        await database.close()


async def test_the_migrations_make_the_tables_that_the_program_expects(empty_database_url: str) -> None:
    """Schema and migrations are written twice; here they are compared."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_object": _comparable})
        return list(compare_metadata(context, metadata))

    database = await Database.open(empty_database_url)
    assert await database.read(differences) == []
    await database.close()


def _comparable(_object: object, name: str | None, kind: str, _reflected: object, _other: object) -> bool:
    return not (kind == "index" and name in {"cases_queue", "outbox_next"})  # on expressions, which SQLite cannot tell about


async def test_one_process_at_a_time_holds_a_lock_on_postgres(empty_postgres_url: str) -> None:
    """The lock goes over when its holder ends."""
    one, other = await Database.open(empty_postgres_url), await Database.open(empty_postgres_url)
    assert await one.hold(7)
    assert await one.hold(7)
    assert not await other.hold(7)
    await one.close()
    assert await other.hold(7)
    await other.close()


@pytest.mark.outside
async def test_a_second_process_is_refused_by_whatever_name_it_knows_the_file(tmp_path: Path) -> None:
    """A link to the file is the same file."""
    (tmp_path / "link.db").symlink_to(tmp_path / "tierline.db")
    first = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/tierline.db")
    with pytest.raises(AnotherProcessError):
        await Database.open(f"sqlite+aiosqlite:///{tmp_path}/link.db")
    await first.close()


@pytest.mark.parametrize(
    ("state", "unavailable"),
    [
        *((state, True) for state in ("53100", "53200", "53300", "25006", "55P03", "57014", "57P01", "57P03", "58030", "08006", "XX001")),
        *((state, False) for state in ("40P01", "40001", "23505", "22021", "42P01")),
    ],
)
async def test_postgres_says_whether_it_or_the_statement_failed(empty_postgres_url: str, state: str, *, unavailable: bool) -> None:
    """A full disk, a standby or a shutdown is "try again later" for everybody; a wrong statement is one caller's own."""
    database = await Database.open(empty_postgres_url)
    failing = text(f"DO $$ BEGIN RAISE EXCEPTION 'for the test' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(DBAPIError) as failed:
        async with database.writing() as transaction:
            await transaction.run(lambda connection: connection.execute(failing))
    assert is_unavailable(failed.value) is unavailable
    await database.close()


@pytest.mark.parametrize("value", [2**80, "\ud800"])
async def test_a_value_that_no_statement_can_hold_is_no_outage(postgres_url: str, value: object) -> None:
    """Or one poisoned case would keep everybody else's from being written."""
    database = await Database.open(postgres_url)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - whichever the driver raises
        await database.read(lambda connection: connection.execute(text("SELECT CAST(:value AS bigint)"), {"value": value}))
    assert not is_unavailable(failed.value)
    await database.close()


async def test_both_databases_read_the_numbers_we_take_as_we_do(database_url: str) -> None:
    """The JSON of either, asked by whoever looks into it with its own means, gives back the same numbers from their canonical form."""
    numbers = [0, 1, -1, 0.1, 12.5, 1e-7, -2.2250738585072014e-308, 1240.000001, 2**53 - 1, 1 - 2**53, 4503599627370495.5]
    column = "CAST(:text AS jsonb)::text" if database_url.startswith("postgresql") else "json(:text)"
    database = await Database.open(database_url)
    try:
        told = await database.read(lambda c: c.execute(text(f"SELECT {column}"), {"text": canonical(numbers).decode()}).scalar_one())
    finally:
        await database.close()
    assert repr(loads(b'{"numbers": ' + told.encode() + b"}")["numbers"]) == repr(numbers)
    assert repr(loads(b'{"numbers": ' + told.encode() + b"}")["numbers"]) == repr(numbers)


async def test_what_is_left_half_read_keeps_nobody_at_an_old_snapshot(database_url: str) -> None:
    """Somebody takes the first row, fails or goes away, and holds on to the rest: the next read sees what was committed since."""
    kept = list[object]()

    def half(connection: Connection) -> object:
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT n.i FROM n CROSS JOIN cases"
        rows = connection.execute(text(many))
        kept.append(rows)
        return next(iter(rows), None)

    def failing(connection: Connection) -> None:
        kept.append(half(connection))
        raise LookupError

    async with open_books(database_url) as books:
        await books.open("t-0")
        for _ in range(8):
            await books.database.read(half)
            with pytest.raises(LookupError) as failed:
                await books.database.read(failing)
            kept.append(failed)
        await books.open("t-1")
        counts = [await books.database.read(lambda c: c.execute(text("SELECT count(*) FROM cases")).scalar_one()) for _ in range(8)]
        assert counts == [2] * 8
