"""Who was on call when PagerDuty was last asked, kept so that a restart need not ask first. Owns these rows; never asks."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from store.database.database import Database
from store.ledger.writer import Writer
from store.schema import micros, moment, on_call


class OnCallBook:
    """By PagerDuty's id of an escalation policy."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def record_on_call(self, policy: str, name: str) -> None:
        """PagerDuty said just now that this person is on call ("" for nobody)."""

        def keep(connection: Connection, now: datetime) -> None:
            said = {"answer": name, "at": micros(now)}
            if connection.execute(update(on_call).where(on_call.c.key == policy).values(said)).rowcount == 0:
                connection.execute(insert(on_call).values(key=policy, **said))

        await self._writer.write(keep)

    async def recorded_on_call(self, policy: str) -> tuple[str, datetime] | None:
        """What PagerDuty said last and when, None if it was never asked."""
        statement = select(on_call.c.answer, on_call.c.at).where(on_call.c.key == policy)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else (row.answer, moment(row.at))
