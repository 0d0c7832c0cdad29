"""A database that an earlier version wrote is brought up to date as it is: nothing in it is lost, and everything goes on."""

import json
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from routing.case.case import Case
from routing.review.outlook import upcoming
from routing.vocabulary import State
from store.audit.merkle import Frontier, leaf_hash
from store.database.database import Database
from store.ledger.answers import Changed, Repeated
from store.migrate import OlderSchemaError
from store.migrations.versions.r0003_hard_use import BATCH
from store.reads.cases import Reads
from store.reads.queue import open_by_state
from store.schema import cases, head, leaves, micros
from tests.checkout import GOLDEN
from tests.store.a_store import a_delivery, a_submission, deciding, open_books, opening

OLD: dict[str, list[dict[str, Any]]] = json.loads((GOLDEN / "database-0001.json").read_bytes())
"""Every row that the version with the first schema wrote for two cases: one decided, one open."""

DECIDED, PENDING = (row["id"] for row in OLD["cases"])


def write_old(connection: Connection) -> None:
    """Make the first schema and its rows."""
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    connection.execute(text("DELETE FROM head"))
    for name, rows in OLD.items():
        table = Table(name, MetaData(), autoload_with=connection)
        read = [{key: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for key, value in row.items()} for row in rows]
        connection.execute(insert(table), read)


@pytest.fixture
async def old_url(empty_database_url: str) -> str:
    """A database as the first schema had it."""
    engine = create_async_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(write_old)
    await engine.dispose()
    return empty_database_url


async def test_an_old_database_goes_on(old_url: str) -> None:
    """Its cases are read with their content, its answers are still given, its open case is decided, and its log grows."""
    async with open_books(old_url) as books:
        reads = Reads(books.database, books.vault, books.policies)
        old = await reads.case(PENDING)
        assert old is not None
        assert (old.kind, old.held_by, old.withheld, old.tied, old.state) == ("case", "", False, (), State.PENDING)
        assert await reads.content(PENDING) == a_submission(task_id="t-old-2")
        again = await books.ledger.open(a_delivery("t-old-2"), opening(a_submission(task_id="t-old-2")))
        assert isinstance(again, Repeated)
        assert again.case_id == PENDING
        assert isinstance(await books.ledger.change(PENDING, deciding()), Changed)
        await books.open("t-new")

        def whole(connection: Connection) -> bool:
            rows = connection.execute(select(leaves.c.body).order_by(leaves.c.idx)).scalars()
            return Frontier().extend(leaf_hash(body) for body in rows) == Frontier.from_bytes(
                connection.execute(select(head.c.frontier)).scalar_one(),
            )

        assert await books.database.read(whole)


async def test_old_cases_get_the_columns_that_are_new(old_url: str) -> None:
    """What is measured and looked for by column is there for cases from before, as their snapshots say it."""
    database = await Database.open(old_url)
    columns = (cases.c.kind, cases.c.verdict, cases.c.model, cases.c.confidence, cases.c.held_by, cases.c.withheld, cases.c.outcome)
    rows = await database.read(lambda c: c.execute(select(*columns).order_by(cases.c.id)).all())
    await database.close()
    assert [tuple(row) for row in rows] == [
        ("case", "approved", "triage 2 p7", 0.97, "", False, ""),
        ("case", "", "", None, "", False, ""),
    ]


async def test_old_cases_say_when_what_comes_next_is(old_url: str) -> None:
    """As the bot itself would write it, for each open case of however many batches; one that cannot be read keeps none."""
    clocks: dict[str, Any] = {"acknowledge": None, "decide": None, "reminders": ["2026-11-21T08:00:00Z"]}

    def add_more(connection: Connection) -> None:
        old = Table("cases", MetaData(), autoload_with=connection)
        first = dict(connection.execute(select(old).where(old.c.id == PENDING)).mappings().one())
        rows = []
        for number in range(2 * BATCH):
            name = f"c_{number:026}"
            clocks["decide"] = f"2026-11-22T08:00:00.{number:06}Z" if number % 7 else None
            told = json.loads(first["snapshot"]) | {"id": name, "task_id": name, "clocks": clocks}
            snapshot = json.dumps(told) if number else "{}"
            rows.append(first | {"id": name, "task_id": name, "webhook_id": name, "snapshot": snapshot})
        connection.execute(insert(old), rows)

    engine = create_async_engine(old_url)
    async with engine.begin() as connection:
        await connection.run_sync(add_more)
    await engine.dispose()
    database = await Database.open(old_url)
    rows = await database.read(lambda c: c.execute(select(cases.c.snapshot, cases.c.next_at)).all())
    await database.close()
    assert len(rows) == 2 + 2 * BATCH
    for row in rows:
        first = None if row.snapshot == "{}" else upcoming(Case.model_validate_json(row.snapshot))
        assert row.next_at == (None if first is None else micros(first.at))
    assert sum(row.next_at is None for row in rows) < BATCH


async def test_old_cases_are_counted_where_they_wait(old_url: str) -> None:
    """As many as there are, and one less once one is decided."""
    async with open_books(old_url) as books:
        assert await books.database.read(open_by_state) == {"pending": 1}
        await books.ledger.change(PENDING, deciding())
        assert await books.database.read(open_by_state) == {"pending": 0}


async def test_a_command_that_only_reads_says_that_the_database_is_old(old_url: str) -> None:
    """Rather than fail at a column that is not there."""
    if old_url.startswith("sqlite"):
        with pytest.raises(OlderSchemaError):
            await Database.open(old_url, serving=False)


def test_an_old_snapshot_still_is_a_case() -> None:
    """What a snapshot does not say, because nobody knew of it, is as it always was."""
    for row in OLD["cases"]:
        case = Case.model_validate_json(row["snapshot"])
        assert (case.id, case.route.sampled, case.facts.automation) == (row["id"], "", "on")
