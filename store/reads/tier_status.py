"""What reviewers ask of the queue: how each tier stands, and which case a word means. Owns these reads; counts nothing for metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from routing.case.case import Case
from routing.review.outlook import Upcoming
from store.reads.next_moves import first_of, overdue
from store.schema import OPEN, among, cases


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
    place = (cases.c.workflow, cases.c.tier)
    pending = (among(cases.c.state, OPEN), cases.c.state == "pending", cases.c.tied_to == "")
    counted = select(*place, func.count().label("cases"), func.min(cases.c.due_at).label("due")).where(*pending).group_by(*place)
    claimed = {(row.workflow, row.tier): row.cases for row in connection.execute(counted.where(cases.c.claimed_by != ""))}
    found = []
    for row in connection.execute(counted.order_by(cases.c.tier, cases.c.workflow)).all():
        here = (*pending[1:], cases.c.workflow == row.workflow, cases.c.tier == row.tier)
        late, first = overdue(connection, now, *here), first_of(connection, row.due, *here)
        found.append(TierStatus(row.workflow, row.tier, row.cases, claimed.get((row.workflow, row.tier), 0), late, first))
    return found


def cases_named(connection: Connection, word: str, limit: int = 10) -> Sequence[Case]:
    """The case with this id, or the cases of this task in whatever service and workflow, newest first."""
    by_id = select(cases.c.snapshot).where(cases.c.id == word)
    by_task = select(cases.c.snapshot).where(cases.c.task_id == word).order_by(cases.c.created_at.desc()).limit(limit)
    found = connection.execute(by_id).scalars().all() or connection.execute(by_task).scalars().all()
    return [Case.model_validate_json(snapshot) for snapshot in found]
