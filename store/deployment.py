"""The name of this deployment: made once, kept in the database, part of checkpoints and of page keys. Owns that one row."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from store.database.database import Database
from store.ledger.writer import Writer
from store.schema import meta

KEY = "deployment"
SIZE = 5
"""Random bytes of the name; 8 characters of base 32."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def read_deployment(connection: Connection) -> str:
    """The name, "" before the first start."""
    return connection.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar_one_or_none() or ""


async def name_deployment(database: Database, writer: Writer, entropy: Callable[[int], bytes]) -> str:
    """The name; made now if this is the first start. Replicas that start together agree on one."""
    if known := await database.read(read_deployment):
        return known
    number = int.from_bytes(entropy(SIZE), "big")
    fresh = "".join(_ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))

    def keep(connection: Connection, _now: datetime) -> str:
        if earlier := read_deployment(connection):
            return earlier
        connection.execute(insert(meta).values(key=KEY, value=fresh))
        return fresh

    return await writer.write(keep)
