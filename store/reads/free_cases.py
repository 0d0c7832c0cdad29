"""Which cases people should look at next. Owns reading them in the order of `store.ledger.queue_order`."""

from datetime import datetime

from sqlalchemy import Connection, select

from routing.case.case import Case
from store.ledger.queue_order import USUAL, Sizes, channels_waiting, first_waiting
from store.reads.snapshots import readable
from store.schema import cases


def free_cases(connection: Connection, *, limit: int, now: datetime, channel: str | None = None, sizes: Sizes = USUAL) -> list[Case]:
    """The first `limit` cases that are pending, claimed by nobody and decided with no other, of one channel or of all."""
    channels = channels_waiting(connection) if channel is None else (channel,)
    wanted = [case_id for _, (_, case_id) in first_waiting(connection, channels, limit=limit, now=now, sizes=sizes)]
    these = select(cases.c.id, cases.c.snapshot).where(cases.c.id.in_(wanted))
    snapshots = {row.id: row.snapshot for row in connection.execute(these)}
    return readable(snapshots[case_id] for case_id in wanted)
