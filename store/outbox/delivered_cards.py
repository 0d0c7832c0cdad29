"""Which card stands where: the delivered message of each case and tier. Owns these rows; never asks Slack and never draws a card."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from store.database.prepared import Prepared
from store.outbox.delivery import Delivered
from store.schema import cards, micros, moment


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it was last delivered: `face` is `Case.face` then, `digest` that of the blocks. A press on it comes with channel and ts."""

    case_id: str
    tier: int
    channel: str
    ts: str
    face: str
    digest: str
    at: datetime


def keep_card(connection: Connection, now: datetime, case_id: str, tier: int, delivered: Delivered) -> None:
    """Note where a card stands and what it shows."""
    shown = {"channel": delivered.channel, "ts": delivered.ts, "face": delivered.face, "digest": delivered.digest, "at": micros(now)}
    known = connection.execute(update(cards).where(cards.c.case_id == case_id, cards.c.tier == tier).values(shown))
    if known.rowcount == 0:
        connection.execute(insert(cards).values(case_id=case_id, tier=tier, **shown))


def forget_card(connection: Connection, case_id: str, tier: int, channel: str, ts: str) -> None:
    """This message is gone; a card that was posted since stays."""
    this = (cards.c.case_id == case_id, cards.c.tier == tier, cards.c.channel == channel, cards.c.ts == ts)
    connection.execute(delete(cards).where(*this))


def cards_of(connection: Connection, case_id: str) -> Sequence[Card]:
    """The cards of a case, by tier."""
    return cards_of_all(connection, (case_id,)).get(case_id, [])


def cards_of_all(connection: Connection, ids: Collection[str]) -> dict[str, list[Card]]:
    """The cards of cases, each case's by tier."""
    found = dict[str, list[Card]]()
    for row in _OF_CASES.execute(connection, ids):
        found.setdefault(row.case_id, []).append(_card(row))
    return found


def card_at(connection: Connection, channel: str, ts: str) -> Card | None:
    """The card that is this message, None when the message is no card of ours."""
    row = connection.execute(select(cards).where(cards.c.channel == channel, cards.c.ts == ts)).first()
    return None if row is None else _card(row)


_OF_CASES = Prepared(lambda ids: select(cards).where(cards.c.case_id.in_(ids)).order_by(cards.c.tier))


def _card(row: Row[*tuple[Any, ...]]) -> Card:
    return Card(row.case_id, row.tier, row.channel, row.ts, row.face, row.digest, moment(row.at))
