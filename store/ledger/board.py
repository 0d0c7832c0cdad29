"""The message of a channel's board in the outbox: that one stands wherever cards wait behind it, and is drawn again when that changes,
never twice at a time and never more often than people can read. Owns when; what it says is read and drawn when it is sent.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from routing.change import Message, MessageKind
from routing.review.board import board_id, reminder_id
from store.ledger.draft import Row
from store.ledger.rows import message_row
from store.schema import UNSETTLED, among, cards, micros, outbox

EVERY = timedelta(seconds=10)
"""How often a board is drawn again at most: all messages of a workspace are changed at one pace (about one a second)."""

REMIND_EVERY = timedelta(minutes=15)
"""How often people are reminded of what waits behind a board at most: it rings somebody."""

_UNSETTLED = among(outbox.c.state, UNSETTLED)

FRESH = timedelta(hours=1)
"""A board that stood empty is used again if it was posted so lately; an older one is far up in the channel, so another is posted."""


def board_row(connection: Connection, channel: str, leaf: int, now: datetime, *, begins: bool) -> Row | None:
    """The message that has the board of a channel drawn, None where one waits already. `begins`: nothing waited behind it before."""
    subject = board_id(channel)
    here = select(outbox.c.kind, outbox.c.state, outbox.c.lease_until).where(outbox.c.case_id == subject, _UNSETTLED)
    rows = [row for row in connection.execute(here).all() if row.state != "dead"]
    if any(row.lease_until is None for row in rows):
        return None  # what it shows is read when it is sent
    stands = connection.execute(
        select(cards.c.tier, cards.c.ts, cards.c.at).where(cards.c.case_id == subject).order_by(cards.c.tier.desc()).limit(1)
    )
    last = stands.first()
    posted = any(row.kind == MessageKind.BULLETIN.value for row in rows)
    if last is None and not posted:
        return _row(Message(MessageKind.BULLETIN, channel, tier=1, subject=subject), leaf, now)
    if last is not None and begins and not rows and float(last.ts) < (now - FRESH).timestamp():
        return _row(Message(MessageKind.BULLETIN, channel, tier=last.tier + 1, subject=subject), leaf, now)
    tier = 1 if last is None else last.tier + posted
    row = _row(Message(MessageKind.BULLETIN_UPDATE, channel, tier=tier, subject=subject), leaf, now)
    drawn_at = micros(now) if last is None else last.at
    return row | {"urgent": False, "not_before": max(drawn_at + EVERY // timedelta(microseconds=1), micros(now))}


def reminder_row(connection: Connection, channel: str, leaf: int, now: datetime) -> Row | None:
    """The message that reminds of what waits behind the board of a channel, None where one is to be sent already."""
    subject = reminder_id(channel)
    rows = connection.execute(
        select(outbox.c.tier, outbox.c.state, outbox.c.lease_until).where(outbox.c.case_id == subject, _UNSETTLED)
    ).all()
    if any(row.lease_until is None and row.state != "dead" for row in rows):
        return None
    stands = select(cards.c.tier, cards.c.at).where(cards.c.case_id == subject).order_by(cards.c.tier.desc()).limit(1)
    last = connection.execute(stands).first()
    number = 1 + max([0 if last is None else last.tier, *(row.tier for row in rows)])
    row = _row(Message(MessageKind.BULLETIN, channel, tier=number, subject=subject), leaf, now)
    return row if last is None else row | {"not_before": last.at + REMIND_EVERY // timedelta(microseconds=1)}


def _row(message: Message, leaf: int, now: datetime) -> Row:
    return message_row(message, None, leaf, now)
