"""What reviewers ask of the queue: how each tier stands, and which case a word means. Owns these reads; counts nothing for metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from routing.case import Case
from store.schema import OPEN, among, cases, micros, moment


@dataclass(frozen=True, slots=True)
class TierStanding:
    """Cases that wait for people at one tier (0-based): how many, how many of them claimed, how many late, when the next clock runs out."""

    tier: int
    waiting: int
    claimed: int
    late: int
    next_due: datetime | None


def tier_standings(connection: Connection, now: datetime) -> Sequence[TierStanding]:
    """Every tier at which something waits. Each count follows an index of its own, so that a long queue is no slower than a short one."""
    pending = (among(cases.c.state, OPEN), cases.c.state == "pending")
    by_tier = select(cases.c.tier, func.count().label("cases"), func.min(cases.c.due_at).label("due")).group_by(cases.c.tier)
    claimed = {row.tier: row.cases for row in connection.execute(by_tier.where(*pending, cases.c.claimed_by != ""))}
    late = {row.tier: row.cases for row in connection.execute(by_tier.where(*pending, cases.c.due_at <= micros(now)))}
    rows = connection.execute(by_tier.where(*pending).order_by(cases.c.tier))
    return [
        TierStanding(row.tier, row.cases, claimed.get(row.tier, 0), late.get(row.tier, 0), None if row.due is None else moment(row.due))
        for row in rows
    ]


def cases_named(connection: Connection, word: str, limit: int = 10) -> Sequence[Case]:
    """The case with this id, or the cases of this task in whatever service and workflow, newest first."""
    by_id = select(cases.c.snapshot).where(cases.c.id == word)
    by_task = select(cases.c.snapshot).where(cases.c.task_id == word).order_by(cases.c.created_at.desc()).limit(limit)
    found = connection.execute(by_id).scalars().all() or connection.execute(by_task).scalars().all()
    return [Case.model_validate_json(snapshot) for snapshot in found]
