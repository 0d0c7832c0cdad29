"""How many open cases wait at each place and what happens first to them if nobody acts, however many there are. Owns asking the counts
that the ledger keeps, and one entry of an index for each. What a case comes to, says `routing.review.outlook`; when, its column `next_at`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, cast, func, select

from routing.review.outlook import Upcoming, upcoming
from store.reads.snapshots import readable
from store.schema import OPEN, among, cases, queue

PLACE = ("tier", "lane", "state", "workflow")
"""As the index `cases_next` begins."""

SAME_MOMENT = 10
"""Of cases to which something happens at one moment, so many are looked at for one that can be read."""


def places(connection: Connection, *, alone: bool = False) -> Sequence[Row[Any]]:
    """Each tier, lane, state and workflow at which open cases wait: their number (`cases`), how many of them somebody claimed (`claimed`),
    and when the first thing happens to any of them (`next_at`, None for never). `alone`: without those that are decided with another case.
    """
    return connection.execute(_PLACES[alone]).all()


def first_of(connection: Connection, these: Iterable[Row[Any]], *, alone: bool = False) -> Upcoming | None:
    """The first thing that happens to any case of these `places`, which were asked for with the same `alone`; None where nothing ever
    does.
    """
    place = min((each for each in these if each.next_at is not None), key=lambda each: each.next_at, default=None)
    if place is None:
        return None
    first = select(cases.c.snapshot).where(*at_place(place, alone=alone), cases.c.next_at == place.next_at).limit(SAME_MOMENT)
    found = readable(connection.execute(first).scalars())
    return upcoming(found[0]) if found else None


def at_place(place: Any, *, alone: bool) -> Sequence[ColumnElement[bool]]:  # noqa: ANN401 - a row, or the columns of a subquery
    """Which open cases wait there."""
    here = [among(cases.c.state, OPEN), *(cases.c[name] == getattr(place, name) for name in PLACE)]
    return [*here, cases.c.tied_to == ""] if alone else here


def _asked(*, alone: bool) -> Any:  # noqa: ANN401 - a statement
    where = [queue.c.cases > 0, *([~queue.c.tied] if alone else [])]
    keys = [queue.c[name] for name in PLACE]
    number = cast(func.sum(queue.c.cases), BigInteger).label("cases")
    claimed = cast(func.coalesce(func.sum(queue.c.cases).filter(queue.c.claimed), 0), BigInteger).label("claimed")
    counted = select(*keys, number, claimed).where(*where).group_by(*keys).subquery()
    first = select(func.min(cases.c.next_at)).where(*at_place(counted.c, alone=alone)).scalar_subquery().label("next_at")
    return select(counted, first).order_by(*(counted.c[name] for name in PLACE))


_PLACES = {alone: _asked(alone=alone) for alone in (False, True)}
