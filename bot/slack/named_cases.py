"""The cases that somebody means by what they typed or pasted: an id, a task's id, the link to a card."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from bot.slack.typed import permalink, spellings
from routing.case.case import Case
from store.database.database import Database
from store.outbox.delivered_cards import card_at
from store.reads.tier_status import cases_named


async def named_cases(database: Database, typed: Sequence[str]) -> Sequence[Case]:
    """One case, or the cases of one task, newest first; none where nothing is called so."""
    return await database.read(partial(_find, words=spellings(typed), card=permalink(typed)))


def _find(connection: Connection, words: Sequence[str], card: tuple[str, str] | None) -> Sequence[Case]:
    if card is not None and (stands := card_at(connection, *card)) is not None:
        words = [stands.case_id]
    found = (cases_named(connection, word) for word in words)
    return next(filter(None, found), ())
