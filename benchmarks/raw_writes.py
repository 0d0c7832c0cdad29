"""The baseline: how many cases a second plain sqlite3 writes, with the very rows, tables and indexes that one intake leaves.

WAL and `synchronous=FULL` as the bot has them; `sync_s` is slept at each commit, for disks whose sync is not nearly free as here. It owns
no code of the bot: what it writes was read from a database that the bot had filled.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

Row = tuple[object, ...]
PER_CASE = {"leaves": "idx", "vault": "leaf_idx", "case_keys": "case_id", "cases": "id", "inbox": "rowid", "outbox": "id"}
"""The tables into which an intake writes one row, and an order in which the rows of one case stand at the same place."""


class RawWrites:
    """Rows of some hundred cases, and the empty tables to write them to."""

    def __init__(self, filled: Path, cases: int) -> None:
        """`filled` is a database in which the bot took in at least that many cases that people review."""
        with closing(sqlite3.connect(filled)) as database:
            self._schema: Sequence[str] = [
                sql for (sql,) in database.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY type = 'table' DESC, rowid")
            ]
            self._rows = {table: _rows(database, table, order, cases) for table, order in PER_CASE.items()}
        self._cases = cases

    def rate(self, folder: Path, per_commit: int, sync_s: float = 0.0, cases: int = 0) -> float:
        """Cases a second at that many per commit."""
        cases = cases or self._cases
        with self._empty(folder / "raw.db") as database:
            start = time.perf_counter()
            for first in range(0, cases, per_commit):
                database.execute("BEGIN IMMEDIATE")
                for table, rows in self._rows.items():
                    batch = rows[first : first + per_commit]
                    database.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(batch[0]))})", batch)  # noqa: S608
                database.execute("UPDATE head SET size = ?, last_time = ?, last_outbox = ?", (first, first, first))
                time.sleep(sync_s)
                database.execute("COMMIT")
            return cases / (time.perf_counter() - start)

    @contextmanager
    def _empty(self, file: Path) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=1")
            for sql in self._schema:
                database.execute(sql)
            database.execute("INSERT INTO head (id, size, frontier, last_time, last_outbox, policy) VALUES (1, 0, x'00', 0, 0, '')")
            yield database
        for suffix in ("", "-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)


def _rows(database: sqlite3.Connection, table: str, order: str, cases: int) -> Sequence[Row]:
    mine = "" if table in ("case_keys", "vault", "cases") else "WHERE case_id <> ''"
    rows: Sequence[Row] = database.execute(f"SELECT * FROM {table} {mine} ORDER BY {order} LIMIT {cases}").fetchall()  # noqa: S608
    if len(rows) < cases:
        raise ValueError(f"{table} has {len(rows)} rows, {cases} are wanted")
    return rows
