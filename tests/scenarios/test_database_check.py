"""The log replayed against the database: nothing is found where nobody wrote, and whatever somebody writes is found."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, LargeBinary, Row, String, Table, delete, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from store.integrity.database_check import Checked, DatabaseCheck
from store.integrity.findings import Finding
from store.schema import metadata
from tests.world import ANNA, BEN, CHIARA, World, a_world


async def check(world: World) -> Checked:
    """The whole database held against its log."""
    return await DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey]).everything()


async def lived_in(world: World) -> None:
    """A database with something in every table: cases in all states, people, clocks, pages, a pause, an exception, a check, a roll back."""
    for _ in range(2):
        await world.submit(workflow="summaries")
        await world.submit(workflow="tags")
    asked, dual, changed, twin = [await world.submit(workflow=name) for name in ("refunds", "payouts", "refunds", "twins")]
    await world.submit(workflow="twins")
    await world.drain()
    await world.click(ANNA, "ask", asked)
    await world.fill_in(ANNA, {"question": "Which card?"})
    await world.sandbox.customer.supply_information(asked, answer="The one ending in 17.")
    await world.drain()
    await world.click(BEN, "approve", asked)
    await world.click(ANNA, "approve", dual)
    await world.drain()
    await world.click(BEN, "approve", dual)
    await world.click(ANNA, "modify", changed)
    await world.fill_in(ANNA, {"param:/amount": "60.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    await world.click(CHIARA, "approve", twin)
    await world.drain()
    await world.pass_time(hours=5)
    await world.drain()


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world on either database, lived in."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    async with a_world(tmp_path, url) as world:
        await lived_in(world)
        yield world


UNPROVEN: dict[str, set[str]] = {
    "meta": {"key", "value"},
    "checkpoints": {"at"},
    "cases": {"webhook_id", "unposted"},
    "policies": {"at"},
    "inbox": {"key", "scope", "kind", "digest", "answer", "case_id", "at"},
    "outbox": {
        *("id", "tier", "round", "priority", "urgent", "state", "attempts", "not_before", "lease_owner", "lease_until", "intent_at"),
        *("last_error", "created_at", "settled_at", "kind", "peer"),
    },
    "cards": {"case_id", "tier", "channel", "ts", "face", "digest", "at"},
    "buckets": {"method", "scope", "tokens", "at"},
    "on_call": {"key", "answer", "at"},
    "alembic_version": {"version_num"},
}
"""Columns that no event of the log tells of; `docs/operating.md` names these tables and what they can do."""

COLUMNS = [(table.name, column.name) for table in metadata.sorted_tables for column in table.columns]


def changed(value: object, kind: object) -> object:
    """Another value that the column takes."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 0.5
        case bytes():
            return bytes([value[0] ^ 1, *value[1:]]) if value else b"x"
        case str():
            return value[:-1] + ("0" if value[-1:] != "0" else "1")
        case _:
            return "x" if isinstance(kind, String) else b"x" if isinstance(kind, LargeBinary) else 1


def without_triggers(connection: Connection) -> None:
    """As the owner of the tables may."""
    for table in ("leaves", "nodes", "checkpoints"):
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        else:
            for verb in ("update", "delete", "insert"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{verb}"))


def of_table(findings: Iterable[Finding]) -> list[str]:
    """What is found besides the triggers that are off."""
    return [str(one) for one in findings if "triggers" not in one.sentence]


async def tried(world: World, tampering: Iterable[tuple[str, Callable[[Connection], None]]]) -> dict[str, list[str]]:
    """What is found after each tampering, which is taken back before the next."""
    engine = create_async_engine(world.database_url)
    looking = DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey])

    def each(connection: Connection) -> dict[str, list[str]]:
        found = {}
        for name, tamper in tampering:
            connection.execute(text("SAVEPOINT untouched"))
            try:
                tamper(connection)
                found[name] = of_table(looking.all_of(connection).findings)
            except IntegrityError:
                found[name] = ["the database refuses it"]
            connection.execute(text("ROLLBACK TO SAVEPOINT untouched"))
        return found

    try:
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                await connection.execute(text("BEGIN IMMEDIATE"))
            await connection.run_sync(without_triggers)
            return await connection.run_sync(each)
    finally:
        await engine.dispose()


def set_column(table: Table, column: str, row: Row[Any]) -> Callable[[Connection], None]:
    """Write another value into a column of one row."""
    this = [each == getattr(row, each.name) for each in table.primary_key.columns]
    value = changed(getattr(row, column), table.c[column].type)

    def write(connection: Connection) -> None:
        connection.execute(update(table).where(*this).values({column: value}))

    return write


async def test_nothing_is_found_where_nobody_wrote(world: World) -> None:
    """Whatever the bot itself wrote is what its log says."""
    found = await check(world)
    assert [str(one) for one in found.findings] == []
    assert found.cases >= 8


async def test_every_column_of_every_table_is_proven_or_said_not_to_be(world: World) -> None:
    """A value of each column is changed by somebody with a client of the database; what that does is found, or the list names it."""

    def newest(connection: Connection) -> dict[str, Row[Any] | None]:
        """A row of each table: the newest, and of messages the newest callback."""
        found = {}
        for table in metadata.sorted_tables:
            those = select(table).where(table.c.peer == "callback") if table.name == "outbox" else select(table)
            found[table.name] = connection.execute(those.order_by(*[key.desc() for key in table.primary_key.columns]).limit(1)).first()
        return found

    some = await world.bot.database.read(newest)
    tampering = [
        (f"{name}.{column}", set_column(metadata.tables[name], column, row))
        for name, column in COLUMNS
        if (row := some[name]) is not None and not (name == "head" and column == "id") and not (name == "governance" and column == "id")
    ]
    found = await tried(world, tampering)
    unseen = {name for name, findings in found.items() if not findings}
    assert unseen <= {f"{table}.{column}" for table, columns in UNPROVEN.items() for column in columns}


async def test_rows_that_are_deleted_are_missed(world: World) -> None:
    """Of each table that bears on a decision, the newest and the oldest row."""
    tables = ("head", "leaves", "cases", "governance", "policies", "vault", "case_keys", "tallies", "figures", "outbox")

    def deleting(table: Table, *, newest: bool) -> Callable[[Connection], None]:
        def delete_one(connection: Connection) -> None:
            keys = list(table.primary_key.columns)
            those = select(table).where(table.c.peer == "callback") if table.name == "outbox" else select(table)
            row = connection.execute(those.order_by(*[key.desc() if newest else key for key in keys]).limit(1)).first()
            if row is not None:
                connection.execute(delete(table).where(*[key == getattr(row, key.name) for key in keys]))

        return delete_one

    found = await tried(
        world,
        [(f"{name} {newest}", deleting(metadata.tables[name], newest=newest)) for name in tables for newest in (True, False)],
    )
    assert [name for name, findings in found.items() if not findings] == []
