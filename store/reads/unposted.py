"""What Slack does not show: how much waits for a channel, and which cases nobody can see. Owns these reads; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CompoundSelect, Connection, and_, case, func, literal, literal_column, or_, select, union_all

from store.ledger.queue_order import BEHIND
from store.schema import IS_WAITING, SENDABLE, UNSETTLED, among, cards, cases, micros, outbox

_LEAVES = cases.c.snapshot.like('%"unseen":"2%')
"""Of the case is announced when it leaves its tier; a moment begins so."""


@dataclass(frozen=True, slots=True)
class UnseenCard:
    """A card that is not posted, that waits behind the board of a channel which takes no messages, or that stands in one that nobody sees;
    `destination` is then its id. `error` is what the last try to post it came to, "" before the first.
    """

    case_id: str
    tier: int
    destination: str
    error: str


def waiting_for(connection: Connection, destinations: Sequence[str]) -> int:
    """How many messages are still to be posted to these destinations in Slack."""
    waiting = (outbox.c.peer == "slack", outbox.c.destination.in_(destinations), among(outbox.c.state, SENDABLE))
    return connection.execute(select(func.count()).where(*waiting)).scalar_one()


def unseen_cards(
    connection: Connection, destinations: Sequence[str], closed: Sequence[str], now: datetime, limit: int
) -> Sequence[UnseenCard]:
    """Cards that nobody sees, of cases at that very tier: not posted, to these destinations or given up, or standing in one of the channels
    (ids) that are closed. First those of cases that were announced to leave by now, then those of which nothing is announced yet; oldest
    first. Without those whose owners were told: they stay as they are, and would keep the others from being found.
    """
    hidden = _hidden(destinations, closed).subquery()
    turn = case((and_(_LEAVES, cases.c.due_at <= micros(now)), 0), (~_LEAVES, 1), else_=2)
    found = select(hidden).join(cases, cases.c.id == hidden.c.case_id).order_by(turn, cases.c.id).limit(limit)
    return [UnseenCard(row.case_id, row.tier, row.destination, row.last_error) for row in connection.execute(found)]


def seen_again(connection: Connection, destinations: Sequence[str], closed: Sequence[str], until: datetime, limit: int) -> Sequence[str]:
    """Ids of cases that were announced to leave their tier by `until`, and whose card is none of `unseen_cards` any more."""
    hidden = select(_hidden(destinations, closed).subquery().c.case_id)
    soon = select(cases.c.id).where(cases.c.due_at <= micros(until), _LEAVES, cases.c.id.not_in(hidden))
    return connection.execute(soon.order_by(cases.c.due_at).limit(limit)).scalars().all()


def _hidden(destinations: Sequence[str], closed: Sequence[str]) -> CompoundSelect[tuple[str, int, str, str]]:
    # an expression, because by the column itself SQLite would walk every case that waits, and read it
    pending = cases.c.state.concat(literal_column("''")) == "pending"
    waits = pending & cases.c.snapshot.not_like('%"unseen":true%')
    refused = or_(outbox.c.state == "dead", outbox.c.destination.in_(destinations))
    unposted = select(outbox.c.case_id, outbox.c.tier, outbox.c.destination, outbox.c.last_error).join(
        cases, (cases.c.id == outbox.c.case_id) & (cases.c.tier == outbox.c.tier) & waits
    )
    unposted = unposted.where(outbox.c.peer == "slack", outbox.c.kind == "card", among(outbox.c.state, UNSETTLED), refused)
    standing = select(cards.c.case_id, cards.c.tier, cards.c.channel, literal("")).join(
        cases, (cases.c.id == cards.c.case_id) & (cases.c.tier == cards.c.tier) & waits
    )
    behind = select(cases.c.id, cases.c.tier, cases.c.channel, literal("")).where(
        IS_WAITING, BEHIND, waits, cases.c.channel.in_(destinations)
    )
    return union_all(unposted, standing.where(cards.c.channel.in_(closed)), behind)
