"""What reviewers ask of the queue: how each tier stands, and which case a word means. Owns these reads; counts nothing for metrics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from routing.case.case import Case
from routing.review.outlook import Upcoming
from store.reads.next_moves import first_of, places_alone
from store.reads.snapshots import readable
from store.schema import cases


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
    for row in places_alone(connection, now):
        if row.state == "pending":
            pending[row.tier, row.workflow].append(row)
    found = []
    for (tier, workflow), rows in sorted(pending.items()):
        waiting, claimed, late = (sum(getattr(row, name) for row in rows) for name in ("cases", "claimed", "late"))
        found.append(TierStatus(workflow, tier, waiting, claimed, late, first_of(connection, rows, alone=True)))
    return found


def cases_named(connection: Connection, word: str, limit: int = 10) -> Sequence[Case]:
    """The case with this id, or the cases of this task in whatever service and workflow, newest first."""
    by_id = select(cases.c.snapshot).where(cases.c.id == word)
    by_task = select(cases.c.snapshot).where(cases.c.task_id == word).order_by(cases.c.created_at.desc()).limit(limit)
    found = connection.execute(by_id).scalars().all() or connection.execute(by_task).scalars().all()
    return readable(found)
