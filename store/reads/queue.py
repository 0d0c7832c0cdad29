"""How much waits: cases by tier, lane and state, and messages by peer and state. Owns counts for people and metrics; never changes what
it counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import BigInteger, Connection, cast, func, select

from routing.review.outlook import Upcoming
from store.reads.next_moves import first_of, places
from store.schema import UNSETTLED, among, moment, outbox, queue


@dataclass(frozen=True, slots=True)
class QueueCount:
    """Open cases of one tier (0-based), lane and state, and what happens to any of them first if nobody acts."""

    tier: int
    lane: str
    state: str
    cases: int
    next: Upcoming | None


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """Messages to one peer in one state (ready, trying, ambiguous, dead), and when the oldest was written."""

    peer: str
    state: str
    messages: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message that was given up."""

    id: int
    case_id: str
    peer: str
    destination: str
    kind: str
    attempts: int
    error: str
    created_at: datetime


def queue_counts(connection: Connection) -> Sequence[QueueCount]:
    """Open cases by tier, lane and state."""
    found = []
    for (tier, lane, state), rows in groupby(places(connection), key=lambda row: (row.tier, row.lane, row.state)):
        here = list(rows)
        found.append(QueueCount(tier, lane, state, sum(row.cases for row in here), first_of(connection, here)))
    return found


def open_by_state(connection: Connection) -> Mapping[str, int]:
    """How many open cases are in each state."""
    counted = select(queue.c.state, cast(func.sum(queue.c.cases), BigInteger).label("cases")).group_by(queue.c.state)
    return {row.state: row.cases for row in connection.execute(counted)}


def outbox_counts(connection: Connection) -> Sequence[OutboxCount]:
    """Messages that are not settled, by peer and state."""
    grouped = select(outbox.c.peer, outbox.c.state, func.count().label("messages"), func.min(outbox.c.created_at).label("oldest"))
    rows = connection.execute(
        grouped.where(among(outbox.c.state, UNSETTLED)).group_by(outbox.c.peer, outbox.c.state).order_by(outbox.c.peer, outbox.c.state)
    )
    return [OutboxCount(row.peer, row.state, row.messages, moment(row.oldest)) for row in rows]


def last_errors(connection: Connection) -> dict[tuple[str, str], str]:
    """By peer and state what the newest message that failed says."""
    tried = (among(outbox.c.state, UNSETTLED), outbox.c.last_error != "")
    newest = select(func.max(outbox.c.id)).where(*tried).group_by(outbox.c.peer, outbox.c.state)
    rows = connection.execute(select(outbox.c.peer, outbox.c.state, outbox.c.last_error).where(outbox.c.id.in_(newest)))
    return {(row.peer, row.state): row.last_error for row in rows}


def dead_messages(connection: Connection, limit: int = 100) -> Sequence[DeadMessage]:
    """Messages that were given up, oldest first."""
    rows = connection.execute(
        select(outbox).where(among(outbox.c.state, UNSETTLED), outbox.c.state == "dead").order_by(outbox.c.id).limit(limit)
    )
    return [
        DeadMessage(row.id, row.case_id, row.peer, row.destination, row.kind, row.attempts, row.last_error, moment(row.created_at))
        for row in rows
    ]
