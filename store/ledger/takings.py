"""Which cases people have claimed, and which they took lately: what the caps of one person are held against. Owns these reads and the rows
they count in; never decides. Nothing of it is the log's: an hour later it means nothing any more.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from store.database.prepared import Prepared
from store.schema import IS_CLAIMED, cases, micros, moment, takings

HOUR = timedelta(hours=1)
KEPT = timedelta(days=1)
"""How long a row stays, at least."""


def read_claimed(connection: Connection, people: Collection[str]) -> dict[str, set[str]]:
    """Ids of the open cases that each of these people (Slack ids) has claimed; nobody who has none."""
    found: dict[str, set[str]] = {}
    for row in _CLAIMED.execute(connection, people) if people else ():
        found.setdefault(row.claimed_by, set()).add(row.id)
    return found


def read_taken(connection: Connection, people: Collection[str], since: datetime) -> dict[str, dict[str, datetime]]:
    """The cases that each of these people took since a moment, and when; nobody who took none."""
    found: dict[str, dict[str, datetime]] = {}
    for row in _TAKEN.execute(connection, people, since=micros(since)) if people else ():
        found.setdefault(row.person, {})[row.case_id] = moment(row.at)
    return found


def add_taken(connection: Connection, taken: Iterable[tuple[str, str]], now: datetime) -> None:
    """Note that people (first) took cases (second). Within an hour the first time counts; what is long over goes."""
    rows = [{"person": person, "case_id": case_id, "at": micros(now)} for person, case_id in dict.fromkeys(taken)]
    if not rows:
        return
    insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = insert(takings)
    anew = takings.c.at <= micros(now - HOUR)
    connection.execute(added.on_conflict_do_update(index_elements=["person", "case_id"], set_={"at": added.excluded.at}, where=anew), rows)
    people = {row["person"] for row in rows}
    connection.execute(delete(takings).where(takings.c.person.in_(people), takings.c.at < micros(now - KEPT)))


_CLAIMED = Prepared(lambda people: select(cases.c.claimed_by, cases.c.id).where(cases.c.claimed_by.in_(people), IS_CLAIMED))
_TAKEN = Prepared(
    lambda people: select(takings.c.person, takings.c.case_id, takings.c.at).where(
        takings.c.person.in_(people), takings.c.at > bindparam("since")
    )
)
