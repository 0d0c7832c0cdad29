"""For whom a Home tab with cases stands in Slack, and until when it is kept up to date, so that none is forgotten there when a process
ends. Owns these rows and nothing of what a Home tab shows.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from store.database.database import Database
from store.ledger.writer import Writer
from store.schema import meta, micros, moment

KEY = "home/"


class HomeBook:
    """By Slack user id."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def keep(self, person: str, until: datetime) -> None:
        """What this person's Home tab shows is looked after until then."""

        def write(connection: Connection, _now: datetime) -> None:
            value = str(micros(until))
            if not connection.execute(update(meta).where(meta.c.key == KEY + person).values(value=value)).rowcount:
                connection.execute(insert(meta).values(key=KEY + person, value=value))

        await self._writer.write(write)

    async def forget(self, person: str, until: datetime) -> None:
        """It shows no case any more; a later word of `keep` counts."""
        row = (meta.c.key == KEY + person, meta.c.value == str(micros(until)))
        await self._writer.write(lambda connection, _now: connection.execute(delete(meta).where(*row)).rowcount)

    async def kept(self) -> Mapping[str, datetime]:
        """Everybody's, until when."""
        rows = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(KEY))
        found = await self._database.read(lambda connection: connection.execute(rows).all())
        return {row.key.removeprefix(KEY): moment(int(row.value)) for row in found}
