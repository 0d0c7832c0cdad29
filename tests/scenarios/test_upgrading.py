"""A database in which everything has happened, as an earlier schema would have held it: brought up to date, all of it goes on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select, update
from sqlalchemy.ext.asyncio import create_async_engine

from store.database.database import Database
from store.schema import head, metadata
from tests.scenarios.test_database_check import check, lived_in
from tests.world import ANNA, a_world

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def everything(connection: Connection) -> Rows:
    """Every row of every table."""
    return {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in metadata.sorted_tables}


def as_of(connection: Connection, revision: str, rows: Rows) -> None:
    """Make the schema of a revision, and write what it has columns for."""
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    for name in inspect(connection).get_table_names():
        if rows.get(name):
            table = Table(name, MetaData(), autoload_with=connection)
            if name in ("head", "governance"):
                connection.execute(delete(table))
            names = {column.name for column in table.columns}
            connection.execute(insert(table), [{key: value for key, value in row.items() if key in names} for row in rows[name]])


async def upgraded(url: str, revision: str, rows: Rows) -> None:
    """Write these rows as a revision would have held them, and open the database: all it held is there, value by value."""
    old = create_async_engine(url)
    async with old.begin() as connection:
        await connection.run_sync(as_of, revision, rows)
        had = await connection.run_sync(columns_of)
    await old.dispose()
    database = await Database.open(url)
    there = await database.read(everything)
    await database.close()
    for name, columns in had.items():
        assert told(there[name], columns) == told(rows[name], columns), name


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_what_an_earlier_schema_held_is_all_there_and_goes_on(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> None:
    """The log proves what it proved before, an open case is decided, a new one taken."""
    url = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")
    async with a_world(tmp_path, url) as world:
        await lived_in(world)
        open_case = await world.submit()
        await world.drain()
        rows = await world.bot.database.read(everything)
        assert {name for name, found in rows.items() if not found} <= {"nodes", "takings", "waiver_uses"}
        await world.stop()
        if engine == "sqlite":
            first, second = (f"sqlite+aiosqlite:///{tmp_path / name}" for name in ("first.db", "second.db"))
        else:
            server = request.getfixturevalue("postgres")
            first, second = (server.url(server.create("template0")) for _ in range(2))
        await upgraded(first, "0001", rows)
        await upgraded(second, "0002", rows)
        await sealed(second, rows["head"][0]["seal"])
        world.database_url = second
        await world.start()
        assert [str(one) for one in (await check(world)).findings] == []
        await world.click(ANNA, "approve", open_case)
        await world.submit("later")
        await world.drain()
        assert (await world.case(open_case)).verdict == "approved"
        assert [str(one) for one in (await check(world)).findings] == []


async def sealed(url: str, seal: bytes) -> None:
    """Put the seal under the head: these events tell of the rows they left, as no log does that had no seal yet."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(update(head).values(seal=seal))
    await engine.dispose()


def columns_of(connection: Connection) -> dict[str, set[str]]:
    """The columns of each table, but those of the migrations' own."""
    found = inspect(connection)
    return {name: {one["name"] for one in found.get_columns(name)} for name in found.get_table_names() if name != "alembic_version"}


def told(rows: Sequence[Mapping[str, Any]], columns: set[str]) -> list[str]:
    """Rows by the columns they had, in one order."""
    return sorted(repr(sorted((key, value) for key, value in row.items() if key in columns)) for row in rows)
