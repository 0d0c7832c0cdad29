"""The message of a channel's board in the outbox: that one stands wherever cards wait behind it, and is drawn again when that changes,
never twice at a time and never more often than people can read. Owns when; what it says is read and drawn when it is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, literal_column, select, union_all

from routing.change import Message, MessageKind
from routing.review.board import board_id, reminder_id
from store.database.prepared import Prepared
from store.ledger.draft import Row
from store.ledger.rows import message_row
from store.schema import IS_UNSETTLED, cards, micros, outbox

EVERY = timedelta(seconds=10)
"""How often a board is drawn again at most: all messages of a workspace are changed at one pace (about one a second)."""

REMIND_EVERY = timedelta(minutes=15)
"""How often people are reminded of what waits behind a board at most: it rings somebody."""

FRESH = timedelta(hours=1)
"""A board that stood empty is used again if it was posted so lately; an older one is far up in the channel, so another is posted."""


def board_row(connection: Connection, channel: str, leaf: int, now: datetime, *, begins: bool) -> Row | None:
    """The message that has the board of a channel drawn, None where one waits already. `begins`: nothing waited behind it before."""
    subject = board_id(channel)
    sent = _sent(connection, subject)
    if sent.waits:
        return None  # what it shows is read when it is sent
    if sent.last is None and not sent.under_way:
        return _row(Message(MessageKind.BULLETIN, channel, tier=1, subject=subject), leaf, now)
    if sent.last is not None and begins and not sent.under_way and float(sent.last.ts) < (now - FRESH).timestamp():
        return _row(Message(MessageKind.BULLETIN, channel, tier=sent.newest + 1, subject=subject), leaf, now)
    row = _row(Message(MessageKind.BULLETIN_UPDATE, channel, tier=sent.newest, subject=subject), leaf, now)
    drawn_at = micros(now) if sent.last is None else sent.last.at
    return row | {"urgent": False, "not_before": max(drawn_at + EVERY // _MICROSECOND, micros(now))}


def reminder_row(connection: Connection, channel: str, leaf: int, now: datetime) -> Row | None:
    """The message that reminds of what waits behind the board of a channel, None where one is to be sent already."""
    subject = reminder_id(channel)
    sent = _sent(connection, subject)
    if sent.waits:
        return None
    row = _row(Message(MessageKind.BULLETIN, channel, tier=sent.newest + 1, subject=subject), leaf, now)
    return row if sent.last is None else row | {"not_before": sent.last.at + REMIND_EVERY // _MICROSECOND}


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent of a subject: `last` stands in Slack, with the highest number; `under_way` are messages that are being sent at this
    moment, `waits` that one waits; `newest` is the highest number of all.
    """

    last: Any
    under_way: int
    waits: bool
    newest: int


def _sent(connection: Connection, subject: str) -> _Sent:
    rows = _SENT.execute(connection, [subject]).all()
    standing = [row for row in rows if row.state == _STANDS]
    unsettled = [row for row in rows if row.state not in (_STANDS, "dead")]
    last = max(standing, key=lambda row: row.tier, default=None)
    newest = max((row.tier for row in [*standing, *unsettled]), default=0)
    under_way = sum(row.leased for row in unsettled)
    return _Sent(last, under_way, len(unsettled) > under_way, newest)


_MICROSECOND = timedelta(microseconds=1)
_STANDS = "stands"
_LEASED = case((outbox.c.lease_until.is_not(None), literal_column("1")), else_=literal_column("0")).label("leased")
_SENT = Prepared(
    lambda subjects: union_all(
        select(outbox.c.state, outbox.c.tier, _LEASED, literal_column("''").label("ts"), literal_column("0").label("at")).where(
            outbox.c.case_id.in_(subjects), IS_UNSETTLED
        ),
        select(literal_column(f"'{_STANDS}'"), cards.c.tier, literal_column("0"), cards.c.ts, cards.c.at).where(
            cards.c.case_id.in_(subjects)
        ),
    )
)
"""One question: while it is answered, no replica can write."""


def _row(message: Message, leaf: int, now: datetime) -> Row:
    return message_row(message, None, leaf, now)
