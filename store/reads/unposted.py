"""What Slack does not show: how much waits for a channel, and which cases nobody can see. Owns these reads; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from store.schema import OPEN, SENDABLE, UNSETTLED, among, cards, cases, micros, outbox


@dataclass(frozen=True, slots=True)
class UnseenCard:
    """A card that is not posted, or that stands in a channel nobody sees; `destination` is then its id. `error` is what the last try to
    post it came to, "" before the first.
    """

    case_id: str
    tier: int
    destination: str
    error: str


def waiting_for(connection: Connection, destinations: Sequence[str]) -> int:
    """How many messages are still to be posted to these destinations in Slack."""
    waiting = (outbox.c.peer == "slack", outbox.c.destination.in_(destinations), among(outbox.c.state, SENDABLE))
    return connection.execute(select(func.count()).where(*waiting)).scalar_one()


def unseen_cards(connection: Connection, destinations: Sequence[str], closed: Sequence[str], limit: int) -> Sequence[UnseenCard]:
    """Cards that are not posted, of cases at that very tier: those to these destinations, and those that were given up; then those that
    stand in channels (ids) which are closed. `limit` of either; oldest first, and without those whose owners were told: they stay as they
    are, and would keep the others from being found.
    """
    card = (outbox.c.peer == "slack", outbox.c.kind == "card", among(outbox.c.state, UNSETTLED))
    refused = or_(outbox.c.state == "dead", outbox.c.destination.in_(destinations))
    waits = among(cases.c.state, OPEN) & (cases.c.state == "pending") & cases.c.snapshot.not_like('%"unseen":true%')
    here = (cases.c.id == outbox.c.case_id) & (cases.c.tier == outbox.c.tier) & waits
    found = select(outbox.c.case_id, outbox.c.tier, outbox.c.destination, outbox.c.last_error).join(cases, here)
    rows = connection.execute(found.where(*card, refused).order_by(outbox.c.id).limit(limit))
    unposted = [UnseenCard(row.case_id, row.tier, row.destination, row.last_error) for row in rows]
    there = (cases.c.id == cards.c.case_id) & (cases.c.tier == cards.c.tier) & waits
    stands = select(cards.c.case_id, cards.c.tier, cards.c.channel).join(cases, there).where(cards.c.channel.in_(closed))
    standing = connection.execute(stands.order_by(cards.c.at, cards.c.case_id).limit(limit)) if closed else ()
    return [*unposted, *(UnseenCard(row.case_id, row.tier, row.channel, "") for row in standing)]


def leaving(connection: Connection, until: datetime, limit: int) -> Sequence[str]:
    """Ids of cases of which is announced that they leave their tier by `until` because their card is not shown."""
    soon = (cases.c.due_at <= micros(until), cases.c.snapshot.like('%"unseen":"%'))
    return connection.execute(select(cases.c.id).where(*soon).order_by(cases.c.due_at).limit(limit)).scalars().all()
