"""Which cards were drawn before something changed that is no part of their case. Owns this question; what is to be done about it is asked
elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from store.schema import IS_FREE, cards, cases, micros


def outdated_cards(connection: Connection, workflow: str, before: datetime, beyond: str, limit: int) -> Sequence[str]:
    """Ids, in order and beyond `beyond`, of the open cases of a workflow whose present card was drawn no later than at that moment."""
    mine = (cases.c.workflow == workflow, IS_FREE, cases.c.kind == "case", cases.c.id > beyond)
    drawn = (cards.c.case_id == cases.c.id, cards.c.tier == cases.c.tier, cards.c.at <= micros(before))
    return list(
        connection.execute(
            select(cases.c.id).join(cards, cards.c.case_id == cases.c.id).where(*mine, *drawn).order_by(cases.c.id).limit(limit)
        ).scalars()
    )
