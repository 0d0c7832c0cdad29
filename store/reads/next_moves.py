"""What happens first, if nobody acts, among many open cases. Owns finding it without reading every case; what it is, says
`routing.review.outlook`, and when, the column `next_at` of each case.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from routing.review.outlook import Upcoming, upcoming
from store.reads.snapshots import readable
from store.schema import OPEN, among, cases

PLACE = (cases.c.tier, cases.c.lane, cases.c.state, cases.c.workflow)
"""As the index `cases_next` has them, so that a database counts while it reads the index alone."""

GROUPED = (
    select(*PLACE, func.count().label("cases"), func.min(cases.c.next_at).label("next_at"))
    .where(among(cases.c.state, OPEN))
    .group_by(*PLACE)
    .order_by(*PLACE)
)
"""How many open cases of each tier, lane, state and workflow there are, and when the first thing happens to any of them."""


SAME_MOMENT = 10
"""Of cases to which something happens at one moment, so many are looked at for one that can be read."""


def first_of(connection: Connection, groups: Iterable[Row[Any]], *where: ColumnElement[bool]) -> Upcoming | None:
    """The first thing that happens to any case of these rows of `GROUPED`, which was asked with `where` too; None where nothing ever
    does.
    """
    group = min((each for each in groups if each.next_at is not None), key=lambda each: each.next_at, default=None)
    if group is None:
        return None
    this = [column == getattr(group, column.name) for column in (*PLACE, cases.c.next_at)]
    these = select(cases.c.snapshot).where(among(cases.c.state, OPEN), *this, *where).limit(SAME_MOMENT)
    first = next(iter(readable(connection.execute(these).scalars())), None)
    return None if first is None else upcoming(first)
