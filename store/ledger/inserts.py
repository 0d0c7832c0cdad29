"""Many new rows of several tables, in few statements that are compiled once. Owns how they are put; never which.

Rows go as tuples: half the time that SQLAlchemy takes for rows as dicts. On SQLite several rows are one statement: its driver gives other
threads a chance at each, and has to wait for its own again. On PostgreSQL all rows of all tables are one statement: every answer that is
waited for is a time in which this process does something else, and no replica can write.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain, count

from sqlalchemy import Connection, Dialect, Table, insert

from store.ledger.draft import Row

MOST_ROWS = 16
"""Rows in one statement on SQLite: fewer than 999 values, which is what every SQLite takes."""


def insert_all(connection: Connection, new: Mapping[Table, Sequence[Row]]) -> None:
    """Insert the new rows of each table, every row with all columns of its table."""
    if connection.dialect.name == "sqlite":
        for table, rows in new.items():
            _insert_some(connection, table, rows)
    elif tables := tuple(table for table, rows in new.items() if rows):
        lists = [[row[column.name] for row in new[table]] for table in tables for column in table.columns]
        connection.exec_driver_sql(_inserting_all(tables, connection.dialect), tuple(lists))


def _insert_some(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    sql, columns = _inserting(table, connection.dialect)
    values = [tuple([row[column] for column in columns]) for row in rows]
    at, more = 0, sql[sql.index(" VALUES ") + len(" VALUES ") :]
    while at < len(values):
        many = min(MOST_ROWS, 1 << (len(values) - at).bit_length() - 1)  # few sizes, so that few statements have to be prepared
        connection.exec_driver_sql(sql + f",{more}" * (many - 1), tuple(chain.from_iterable(values[at : at + many])))
        at += many


@cache
def _inserting(table: Table, dialect: Dialect) -> tuple[str, Sequence[str]]:
    compiled = insert(table).compile(dialect=dialect)
    return str(compiled), compiled.positiontup or ()


@cache
def _inserting_all(tables: tuple[Table, ...], dialect: Dialect) -> str:
    """Each column is one parameter, the list of its values."""
    numbers, parts = count(1), list[str]()
    for table in tables:
        lists = ", ".join(f"${next(numbers)}::{column.type.compile(dialect)}[]" for column in table.columns)
        into = f"INSERT INTO {table.name} ({', '.join(table.columns.keys())})"
        parts.append(f"{table.name}_added AS ({into} SELECT * FROM unnest({lists}))")  # noqa: S608 - of the schema's own names
    return f"WITH {', '.join(parts)} SELECT 1"
