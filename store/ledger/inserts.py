"""Many new rows of several tables, in few statements that are compiled once. Owns how they are put; never which.

Rows go as tuples: half the time that SQLAlchemy takes for rows as dicts. On SQLite several rows are one statement: its driver gives other
threads a chance at each, and has to wait for its own again. On PostgreSQL all rows of all tables are one statement, and the head of the log
with them: every answer that is waited for is a time in which this process does something else, and no replica can write.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain, count

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, update

from store.database.prepared import Prepared
from store.ledger.draft import Row
from store.schema import figures, head, queue

MOST_ROWS = 16
"""Rows in one statement on SQLite: fewer than 999 values, which is what every SQLite takes."""

_COUNTED = (figures, queue)
"""Tables in which a row that is there already is added to: all of it that is no key."""

_HEAD = tuple(column.name for column in head.columns if not column.primary_key)
_MOVE_HEAD = Prepared(update(head).where(head.c.id == 1).values({name: bindparam(name) for name in _HEAD}))


def insert_all(connection: Connection, new: Mapping[Table, Sequence[Row]], left: Row | None = None) -> None:
    """Insert the new rows of each table, every row with all columns of its table; `left` is all of the head of the log as they leave it."""
    if connection.dialect.name == "sqlite":
        for table, rows in new.items():
            _insert_some(connection, table, rows)
        if left is not None:
            _MOVE_HEAD.execute(connection, **left)
        return
    tables = tuple(table for table, rows in new.items() if rows)
    values = [[row[column.name] for row in new[table]] for table in tables for column in table.columns]
    if tables or left is not None:
        sql = _inserting_all(tables, left is not None, connection.dialect)
        connection.exec_driver_sql(sql, (*values, *([] if left is None else map(left.__getitem__, _HEAD))))


def _insert_some(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    sql, columns = _inserting(table, connection.dialect)
    values = [tuple([row[column] for column in columns]) for row in rows]
    more, added = sql[sql.index(" VALUES ") + len(" VALUES ") :], _or_add(table)
    for at in range(0, len(values), MOST_ROWS):
        some = values[at : at + MOST_ROWS]
        connection.exec_driver_sql(f"{sql}{f',{more}' * (len(some) - 1)} {added}", tuple(chain.from_iterable(some)))


@cache
def _or_add(table: Table) -> str:
    if table not in _COUNTED:
        return ""
    sums = ", ".join(f"{one.name} = {table.name}.{one.name} + excluded.{one.name}" for one in table.columns if not one.primary_key)
    return f"ON CONFLICT ({', '.join(table.primary_key.columns.keys())}) DO UPDATE SET {sums}"


@cache
def _inserting(table: Table, dialect: Dialect) -> tuple[str, Sequence[str]]:
    compiled = insert(table).compile(dialect=dialect)
    return str(compiled), compiled.positiontup or ()


@cache
def _inserting_all(tables: tuple[Table, ...], moves_head: bool, dialect: Dialect) -> str:  # noqa: FBT001 - beside the rows
    """Each column is one parameter, the list of its values; then those of the head."""
    numbers, parts = count(1), list[str]()
    for table in tables:
        lists = ", ".join(f"${next(numbers)}::{column.type.compile(dialect)}[]" for column in table.columns)
        into = f"INSERT INTO {table.name} ({', '.join(table.columns.keys())})"
        added = _or_add(table)
        parts.append(f"{table.name}_added AS ({into} SELECT * FROM unnest({lists}) {added})")  # noqa: S608 - of the schema's own names
    if moves_head:
        values = ", ".join(f"{name} = ${next(numbers)}" for name in _HEAD)
        parts.append(f"head_moved AS (UPDATE head SET {values} WHERE id = 1)")  # noqa: S608
    return f"WITH {', '.join(parts)} SELECT 1"
