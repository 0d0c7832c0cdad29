"""What reviewers ask of the queue: how each tier stands, and which case a word means. Owns these reads; counts nothing for metrics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from routing.case.case import Case
from routing.review.outlook import Upcoming
from store.reads.next_moves import at_place, first_of, places
from store.reads.snapshots import readable
from store.schema import cases, micros


@dataclass(frozen=True, slots=True)
class TierStatus:
    """Cases of one workflow that wait for people at one tier (0-based) of its ladder: how many, how many of them claimed, how many late,
    what happens first if nobody acts.
    """

    workflow: str
    tier: int
    waiting: int
    claimed: int
    late: int
    next: Upcoming | None


def tier_statuses(connection: Connection, now: datetime) -> Sequence[TierStatus]:
    """Every workflow and tier at which something waits, lower tiers first. What is decided with another case counts once, with that one."""
    pending = defaultdict[tuple[int, str], list[Row[Any]]](list)
    for row in places(connection, alone=True):
        if row.state == "pending":
            pending[row.tier, row.workflow].append(row)
    found = []
    for (tier, workflow), rows in sorted(pending.items()):
        waiting, claimed = sum(row.cases for row in rows), sum(row.claimed for row in rows)
        late = sum(_late(connection, row, now) for row in rows)
        found.append(TierStatus(workflow, tier, waiting, claimed, late, first_of(connection, rows, alone=True)))
    return found


def _late(connection: Connection, place: Row[Any], now: datetime) -> int:
    """How many cases at a place wait for something that should have happened by now: none for long while clocks are looked at."""
    if place.next_at is None or place.next_at > micros(now):
        return 0
    late = select(func.count()).select_from(cases).where(*at_place(place, alone=True), cases.c.next_at <= micros(now))
    return connection.execute(late).scalar_one()


def cases_named(connection: Connection, word: str, limit: int = 10) -> Sequence[Case]:
    """The case with this id, or the cases of this task in whatever service and workflow, newest first."""
    by_id = select(cases.c.snapshot).where(cases.c.id == word)
    by_task = select(cases.c.snapshot).where(cases.c.task_id == word).order_by(cases.c.created_at.desc()).limit(limit)
    found = connection.execute(by_id).scalars().all() or connection.execute(by_task).scalars().all()
    return readable(found)
