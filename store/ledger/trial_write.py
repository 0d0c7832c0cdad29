"""A write that says nothing: whether the database takes what is written to it. Owns one row; runs in the writer, as all else does."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from store.schema import head, meta, micros

KEY = "trial_write"

REPEATED = 512
"""How often the time is written: some 8 KiB, as a small case is, so that a full disk is met here and not by the next case."""


def try_to_write(connection: Connection, now: datetime) -> None:
    """Take the lock that every event needs, and change a row. Raises what the database raises."""
    connection.execute(select(head.c.id).with_for_update())
    value = str(micros(now)) * REPEATED
    if not connection.execute(update(meta).where(meta.c.key == KEY).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=KEY, value=value))
