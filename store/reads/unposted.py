"""What is still to be posted in Slack: how much waits for a channel, and which cases nobody can see. Owns these reads; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from store.schema import SENDABLE, UNSETTLED, among, cases, outbox


@dataclass(frozen=True, slots=True)
class UnseenCard:
    """A card that is not posted; `error` is what the last try came to, "" before the first."""

    case_id: str
    tier: int
    destination: str
    error: str


def waiting_for(connection: Connection, destinations: Sequence[str]) -> int:
    """How many messages are still to be posted to these destinations in Slack."""
    waiting = (outbox.c.peer == "slack", outbox.c.destination.in_(destinations), among(outbox.c.state, SENDABLE))
    return connection.execute(select(func.count()).where(*waiting)).scalar_one()


def unseen_cards(connection: Connection, destinations: Sequence[str], limit: int) -> Sequence[UnseenCard]:
    """Cards that are not posted, of cases at that very tier: those to these destinations, and those that were given up. Oldest first, and
    without those whose owners were told: they stay as they are, and would keep the others from being found.
    """
    card = (outbox.c.peer == "slack", outbox.c.kind == "card", among(outbox.c.state, UNSETTLED))
    refused = or_(outbox.c.state == "dead", outbox.c.destination.in_(destinations))
    here = (cases.c.id == outbox.c.case_id) & (cases.c.tier == outbox.c.tier) & (cases.c.state == "pending")
    here &= cases.c.snapshot.not_like('%"unseen":true%')
    found = select(outbox.c.case_id, outbox.c.tier, outbox.c.destination, outbox.c.last_error).join(cases, here)
    rows = connection.execute(found.where(*card, refused).order_by(outbox.c.id).limit(limit))
    return [UnseenCard(row.case_id, row.tier, row.destination, row.last_error) for row in rows]
