"""What happens first, if nobody acts, among many open cases. Owns finding it without reading every case; what it is, says
`routing.review.outlook`.

The column `due_at` is when the ticker has to look at a case, which may be for a reminder alone: never later than what happens next. So the
cases are read in its order until none that follows could come first.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from routing.case.case import Case
from routing.review.outlook import Upcoming, upcoming
from store.schema import OPEN, among, cases, micros

PAGE = 200
RIPE_MOST = 500
"""Of more cases of which something is due, those that are only to be reminded are counted as late too."""


def first_of(connection: Connection, earliest: int | None, *where: ColumnElement[bool]) -> Upcoming | None:
    """The first thing that happens to any of these open cases, whose earliest `due_at` is `earliest`; None where nothing ever does."""
    if earliest is None:
        return None
    found: Upcoming | None = None
    wanted = select(cases.c.due_at, cases.c.id, cases.c.snapshot).where(among(cases.c.state, OPEN), cases.c.due_at.is_not(None), *where)
    rows = connection.execute(wanted.where(cases.c.due_at == earliest).limit(1)).all()
    after = (earliest, "")
    while rows:
        for row in rows:
            move = upcoming(Case.model_validate_json(row.snapshot))
            found = move if found is None or (move is not None and move.at < found.at) else found
        sooner = [cases.c.due_at < micros(found.at)] if found is not None else []
        beyond = (cases.c.due_at > after[0]) | ((cases.c.due_at == after[0]) & (cases.c.id > after[1]))
        rows = connection.execute(wanted.where(beyond, *sooner).order_by(cases.c.due_at, cases.c.id).limit(PAGE)).all()
        after = (rows[-1].due_at, rows[-1].id) if rows else after
    return found


def overdue(connection: Connection, now: datetime, *where: ColumnElement[bool]) -> int:
    """How many of these open cases wait for something that should have happened by `now`."""
    ripe = (among(cases.c.state, OPEN), cases.c.due_at <= micros(now), *where)
    snapshots = connection.execute(select(cases.c.snapshot).where(*ripe).limit(RIPE_MOST)).scalars().all()
    if len(snapshots) == RIPE_MOST:
        return connection.execute(select(func.count()).select_from(cases).where(*ripe)).scalar_one()
    moves = (upcoming(Case.model_validate_json(snapshot)) for snapshot in snapshots)
    return sum(move is not None and move.at <= now for move in moves)
