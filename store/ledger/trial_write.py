"""A write that says nothing: whether the database takes what is written to it. Owns one row; runs in the writer, as all else does."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, text, update

from store.schema import head, meta, micros

KEY = "trial_write"

REPEATED = 512
"""How often the time is written: some 8 KiB, as a small case is, so that a full disk is met here and not by the next case."""


SPILL = ("SET LOCAL work_mem = '64kB'", "SELECT count(*) FROM generate_series(1, 8000)", "SET LOCAL work_mem = DEFAULT")
"""PostgreSQL packs that row into some hundred bytes, for which a page of a full disk has room. These numbers need a temporary file of some
100 KiB beside the tables, which is gone when they are counted (its documentation, "Resource Consumption", work_mem).
"""


ROOM = (
    "SAVEPOINT room",
    "INSERT INTO meta (key, value) VALUES ('room', hex(zeroblob(32768)))",
    "ROLLBACK TO room",
    "RELEASE room",
)
"""SQLite writes that row where it stood, for which a file that may not grow has room. These 64 KiB need pages of their own, and are taken
back, so that no trial leaves behind the room that the next one finds.
"""


def try_to_write(connection: Connection, now: datetime) -> None:
    """Find room on its disk, take the lock that every event needs, and change a row. Raises what the database raises."""
    for statement in SPILL if connection.dialect.name == "postgresql" else ROOM:
        connection.execute(text(statement))
    connection.execute(select(head.c.id).with_for_update())
    value = str(micros(now)) * REPEATED
    if not connection.execute(update(meta).where(meta.c.key == KEY).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=KEY, value=value))
