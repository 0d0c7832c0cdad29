"""New rows of several tables are put in few statements, and every value comes back as it was."""

import asyncio
from random import Random
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Connection, Engine, Float, Integer, LargeBinary, Table, event, select

from store.ledger.inserts import insert_all
from store.schema import case_keys, cases, inbox, leaves, nodes, outbox, vault
from tests.store.a_store import open_books

pytestmark = pytest.mark.outside

KEYS: dict[Table, str] = {leaves: "idx", nodes: "idx", case_keys: "case_id", vault: "leaf_idx", cases: "id", inbox: "key", outbox: "id"}
"""Each table that a step adds rows to, and the column by which a row here is another."""

TEXTS = ("", "a", "'; --", "{a,b}", '"\\', "NULL", "null", "$1", "\n\t", "\u00e9\U0001f600", "x" * 9_000)
WHOLE = (0, 1, -1, 2**31 - 1, -(2**31))
LARGE = (*WHOLE, 2**63 - 1, -(2**63))
FLOATS = (0.0, 0.1, -1e300, 5e-324, float("inf"))


@pytest.mark.parametrize("number", [1, 2, 15, 16, 17, 70])
async def test_every_value_comes_back(database_url: str, number: int) -> None:
    """Any number of rows of every table, with whatever a column may hold; and of some tables only."""
    random = Random(number)  # noqa: S311 - the same in every run
    rows = {table: [_row(random, table, each) for each in range(number)] for table in KEYS}

    def there_and_back(connection: Connection) -> None:
        for tables in ([cases], [leaves, outbox], [], [nodes, case_keys, vault, inbox]):
            insert_all(connection, {table: rows[table] if table in tables else [] for table in KEYS})
        for table, key in KEYS.items():
            column = table.c[key]
            found = connection.execute(select(table).where(column.in_([row[key] for row in rows[table]])).order_by(column)).mappings()
            assert [dict(row) for row in found] == rows[table]

    async with open_books(database_url) as books:
        await books.writer.write(lambda connection, _now: there_and_back(connection))


def _row(random: Random, table: Table, number: int) -> dict[str, Any]:
    row = {column.name: _value(random, column) for column in table.columns}
    row[KEYS[table]] = 100 + number if isinstance(table.c[KEYS[table]].type, Integer) else f"{number:04}"
    return row | ({"task_id": f"t-{number}"} if table is cases else {})


def _value(random: Random, column: Column[Any]) -> object:
    if column.nullable and random.random() < 0.3:
        return None
    match column.type:
        case Boolean():
            return random.random() < 0.5
        case BigInteger():
            return random.choice(LARGE)
        case Integer():
            return random.choice(WHOLE)
        case Float():
            return random.choice(FLOATS)
        case LargeBinary():
            return random.randbytes(random.choice((0, 1, 40)))
        case _:
            return random.choice(TEXTS)


async def test_the_lock_is_held_for_as_many_answers_however_many_cases_come(postgres_url: str) -> None:
    """Each answer that is waited for lets no replica write meanwhile. Two are about the channel and its board."""
    asked = list[str]()

    def hear(*given: Any) -> None:
        asked.append(given[2])

    async with open_books(postgres_url) as books:
        await books.open("t-0")
        event.listen(Engine, "before_cursor_execute", hear)
        try:
            for senders in (1, 24):
                asked.clear()
                await asyncio.gather(*(books.open(f"t-{senders}-{number}") for number in range(senders)))
                locks = [at for at, statement in enumerate(asked) if "FOR UPDATE" in statement]
                assert max(after - before for before, after in zip(locks, [*locks[1:], len(asked)], strict=True)) <= 7
        finally:
            event.remove(Engine, "before_cursor_execute", hear)
