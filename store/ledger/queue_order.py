"""Which cases people should look at next, however many wait. Owns finding them in the order of `routing.evaluation.risk.waiting_priority`
without reading the others.

That order moves with the time, so no index has it. But cases of one channel and priority that waited equally many hours stay together: such
a bucket ranks as a whole, and the older of a priority before the younger. So of each priority the oldest case is looked up, and buckets are
opened from the highest rank down until they hold as many cases as were asked for.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from heapq import heappop, heappush, nsmallest
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, select, text

from routing.case.case import Case
from routing.evaluation.risk import WAITING_MOST, WAITING_PER_H, waiting_priority
from store.schema import IS_WAITING, OPEN, among, cases, micros, queue

_HOUR = 3_600_000_000
_HOURS = WAITING_MOST // WAITING_PER_H
"""Waiting longer is worth nothing more."""

EVER = 2**63 - 1
"""After every time; before every time, negative."""

Found = tuple[int, str]
"""When it is due, in microseconds, and its id: the order inside a bucket."""

Ranked = tuple[int, Found]
"""What its waiting and its priority come to, negative, so that the first sorts first."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is read at once: so many cases of one priority, oldest first; and of a bucket to be sorted. Of a larger bucket, those due
    first are looked up in the order of their due times.
    """

    chunk: int = 200
    bucket: int = 2_000


USUAL = Sizes()


def first_waiting(
    connection: Connection, channels: Collection[str], *, limit: int, now: datetime, behind: bool = False, sizes: Sizes = USUAL
) -> list[Ranked]:
    """The first `limit` cases of these channels that are pending, claimed by nobody and decided with no other: by priority and how long
    they wait (R6), then earliest due, then id. `behind`: only those whose card waits behind the board.
    """
    at = micros(now)
    ranked = list[tuple[int, str, int, Sequence[Found], Iterator[tuple[int, Sequence[Found]]]]]()
    for channel in sorted(channels):
        for priority, oldest in connection.execute(_asked(behind=behind).priorities, {"channel": channel}):
            rest = _buckets(connection, {"channel": channel, "priority": priority}, at, limit, sizes, behind=behind)
            heappush(ranked, (-_rank(priority, _hours(oldest, at)), channel, priority, (), rest))
    found, least = list[Ranked](), None
    while ranked and (len(found) < limit or ranked[0][0] == least):
        least, channel, priority, bucket, rest = heappop(ranked)
        found += ((least, each) for each in bucket)
        if (following := next(rest, None)) is not None:
            hours, bucket = following
            heappush(ranked, (-_rank(priority, hours), channel, priority, bucket, rest))
    return sorted(found)[:limit]


def channels_waiting(connection: Connection) -> Sequence[str]:
    """The channels in which a case waits for people."""
    return connection.execute(_CHANNELS).scalars().all()


def oldest_waiting(connection: Connection, channel: str) -> int | None:
    """When the first case came that waits for people in a channel and that nobody claimed, in microseconds; None where none does."""
    return min((oldest for _, oldest in connection.execute(_asked(behind=False).priorities, {"channel": channel})), default=None)


def rank_of(case: Case, now: datetime) -> Ranked:
    """Where a case stands in this order."""
    return -waiting_priority(case.route.priority, case.created_at, now), (0 if case.due_at is None else micros(case.due_at), case.id)


def _hours(created_at: int, at: int) -> int:
    """The full hours that a case waited, as far as they count."""
    return min(max((at - created_at) // _HOUR, 0), _HOURS)


def _rank(priority: int, hours: int) -> int:
    """As `waiting_priority`."""
    return priority + hours * WAITING_PER_H


def _buckets(
    connection: Connection, place: dict[str, Any], at: int, limit: int, sizes: Sizes, *, behind: bool
) -> Iterator[tuple[int, Sequence[Found]]]:
    """The buckets of a channel and priority, oldest first: how many hours its cases waited, and those of it that come first."""
    asked, after, more = _asked(behind=behind), -EVER, True
    while more:
        rows = connection.execute(asked.oldest, place | {"after": after, "until": EVER, "most": sizes.chunk}).all()
        more = len(rows) == sizes.chunk
        for hours, group in groupby(rows, key=lambda row: _hours(row.created_at, at)):
            these, until = list(group), at - hours * _HOUR if hours else EVER
            bucket = place | {"after": after, "until": until}
            if more and these[-1] is rows[-1]:  # there may be more of it
                these = list(connection.execute(asked.oldest, bucket | {"most": sizes.bucket}).all())
            whole = len(these) < sizes.bucket
            first = these if whole else connection.execute(asked.by_due_time, bucket | {"most": limit}).all()
            yield hours, nsmallest(limit, ((row.due_at or 0, row.id) for row in first))
            after = until


@dataclass(frozen=True, slots=True)
class _Asked:
    """The statements. `priorities`: each of which a case waits, with when its oldest came, one entry of the index after the other."""

    priorities: Any
    oldest: Any
    by_due_time: Any


BEHIND: ColumnElement[bool] = literal_column("(cases.unposted >> cases.tier) & 1") == literal_column("1")
"""As `store.ledger.places.is_behind`."""


@cache
def _asked(*, behind: bool) -> _Asked:
    here = (cases.c.channel == bindparam("channel"), *([BEHIND] if behind else []))
    this, came = cases.c.priority == bindparam("priority"), cases.c.created_at
    between = (came > bindparam("after"), came <= bindparam("until"))
    oldest = select(came, cases.c.due_at, cases.c.id).where(IS_WAITING, *here, this, *between).order_by(came).limit(bindparam("most"))
    free = (text("state = 'pending'"), func.length(cases.c.claimed_by) == 0, func.length(cases.c.tied_to) == 0)
    when = came + 0  # so written that no database goes by when they came: in the order of due times, the first of a large bucket come soon
    by_due_time = (
        select(cases.c.due_at, cases.c.id)
        .where(among(cases.c.state, OPEN), *free, *here, this)
        .where(when > bindparam("after"), when <= bindparam("until"))
        .order_by(cases.c.due_at, cases.c.id)
        .limit(bindparam("most"))
    )
    following = select(func.max(cases.c.priority).label("priority")).where(IS_WAITING, *here).cte(recursive=True)
    lower = select(func.max(cases.c.priority)).where(IS_WAITING, *here, cases.c.priority < following.c.priority).scalar_subquery()
    following = following.union_all(select(lower).where(following.c.priority.is_not(None)))
    earliest = select(func.min(came)).where(IS_WAITING, *here, cases.c.priority == following.c.priority).scalar_subquery()
    return _Asked(select(following.c.priority, earliest).where(following.c.priority.is_not(None)), oldest, by_due_time)


_CHANNELS = select(queue.c.channel).where(queue.c.state == "pending", queue.c.cases > 0).distinct().order_by(queue.c.channel)
