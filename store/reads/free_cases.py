"""Which cases people should look at next, however many wait. Owns finding them in the order of `routing.evaluation.risk.waiting_priority`
without reading the others.

That order moves with the time, so no index has it. But cases of one priority that waited equally many hours stay together: such a bucket
ranks as a whole, and the older of a priority before the younger. So of each priority the oldest case is looked up, and buckets are opened
from the highest rank down until they hold as many cases as were asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush, nsmallest
from itertools import groupby

from sqlalchemy import Connection, bindparam, func, select, text

from routing.case.case import Case
from routing.evaluation.risk import WAITING_MOST, WAITING_PER_H
from store.reads.snapshots import readable
from store.schema import IS_WAITING, OPEN, among, cases, micros

_HOUR = 3_600_000_000
_HOURS = WAITING_MOST // WAITING_PER_H
"""Waiting longer is worth nothing more."""

EVER = 2**63 - 1
"""After every time; before every time, negative."""

Found = tuple[int, str]
"""When it is due, in microseconds, and its id: the order inside a bucket."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is read at once: so many cases of one priority, oldest first; and of a bucket to be sorted. Of a larger bucket, those due
    first are looked up in the order of their due times.
    """

    chunk: int = 200
    bucket: int = 2_000


def free_cases(connection: Connection, *, limit: int, now: datetime, sizes: Sizes = Sizes()) -> list[Case]:
    """The first `limit` cases that are pending, claimed by nobody and decided with no other: by priority and how long they wait (R6), then
    earliest due, then id.
    """
    at = micros(now)
    ranked = list[tuple[int, int, Sequence[Found], Iterator[tuple[int, Sequence[Found]]]]]()
    for priority, oldest in connection.execute(_PRIORITIES):
        heappush(ranked, (-_rank(priority, _hours(oldest, at)), priority, (), _buckets(connection, priority, at, limit, sizes)))
    found, least = list[tuple[int, Found]](), None
    while ranked and (len(found) < limit or ranked[0][0] == least):
        least, priority, bucket, rest = heappop(ranked)
        found += ((least, each) for each in bucket)
        if (following := next(rest, None)) is not None:
            hours, bucket = following
            heappush(ranked, (-_rank(priority, hours), priority, bucket, rest))
    wanted = [case_id for _, (_, case_id) in sorted(found)[:limit]]
    these = select(cases.c.id, cases.c.snapshot).where(cases.c.id.in_(wanted))
    snapshots = {row.id: row.snapshot for row in connection.execute(these)}
    return readable(snapshots[case_id] for case_id in wanted)


def _hours(created_at: int, at: int) -> int:
    """The full hours that a case waited, as far as they count."""
    return min(max((at - created_at) // _HOUR, 0), _HOURS)


def _rank(priority: int, hours: int) -> int:
    """As `waiting_priority`."""
    return priority + hours * WAITING_PER_H


def _buckets(connection: Connection, priority: int, at: int, limit: int, sizes: Sizes) -> Iterator[tuple[int, Sequence[Found]]]:
    """The buckets of a priority, oldest first: how many hours its cases waited, and those of it that come first."""
    after, more = -EVER, True
    while more:
        rows = connection.execute(_OLDEST, {"priority": priority, "after": after, "until": EVER, "most": sizes.chunk}).all()
        more = len(rows) == sizes.chunk
        for hours, group in groupby(rows, key=lambda row: _hours(row.created_at, at)):
            these, until = list(group), at - hours * _HOUR if hours else EVER
            bucket = {"priority": priority, "after": after, "until": until}
            if more and these[-1] is rows[-1]:  # there may be more of it
                these = list(connection.execute(_OLDEST, bucket | {"most": sizes.bucket}).all())
            whole = len(these) < sizes.bucket
            first = these if whole else connection.execute(_BY_DUE_TIME, bucket | {"most": limit}).all()
            yield hours, nsmallest(limit, ((row.due_at or 0, row.id) for row in first))
            after = until


_OLDEST = (
    select(cases.c.created_at, cases.c.due_at, cases.c.id)
    .where(
        IS_WAITING,
        cases.c.priority == bindparam("priority"),
        cases.c.created_at > bindparam("after"),
        cases.c.created_at <= bindparam("until"),
    )
    .order_by(cases.c.created_at)
    .limit(bindparam("most"))
)
_free = (text("state = 'pending'"), func.length(cases.c.claimed_by) == 0, func.length(cases.c.tied_to) == 0)
_came = cases.c.created_at + 0
_BY_DUE_TIME = (  # so written that no database goes by when they came: in the order of due times, the first of a large bucket come soon
    select(cases.c.due_at, cases.c.id)
    .where(among(cases.c.state, OPEN), *_free, cases.c.priority == bindparam("priority"))
    .where(_came > bindparam("after"), _came <= bindparam("until"))
    .order_by(cases.c.due_at, cases.c.id)
    .limit(bindparam("most"))
)
_next = select(func.max(cases.c.priority).label("priority")).where(IS_WAITING).cte(recursive=True)
_next = _next.union_all(
    select(select(func.max(cases.c.priority)).where(IS_WAITING, cases.c.priority < _next.c.priority).scalar_subquery()).where(
        _next.c.priority.is_not(None)
    )
)
_earliest = select(func.min(cases.c.created_at)).where(IS_WAITING, cases.c.priority == _next.c.priority).scalar_subquery()
_PRIORITIES = select(_next.c.priority, _earliest).where(_next.c.priority.is_not(None))
"""Each priority of which a case waits, with when its oldest came: one entry of the index after the other, never all."""
