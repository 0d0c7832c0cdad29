"""Messages that were given up, made ready again. Owns which ones are meant; `store.outbox.outbox` does it, with an event for each."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from routing.change import Actor
from store.database.database import Database
from store.outbox.outbox import Outbox
from store.schema import UNSETTLED, among, outbox


async def revive(database: Database, out: Outbox, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Retry dead messages, all of them or those of one `peer` or `case`. Gives {"retried": how many}."""

    def found(connection: Connection) -> list[int]:
        statement = select(outbox.c.id).where(among(outbox.c.state, UNSETTLED), outbox.c.state == "dead")
        for column, wanted in ((outbox.c.peer, arguments.get("peer")), (outbox.c.case_id, arguments.get("case"))):
            statement = statement if wanted is None else statement.where(column == wanted)
        return list(connection.execute(statement.order_by(outbox.c.id)).scalars())

    return {"retried": await out.retry(await database.read(found), by)}
