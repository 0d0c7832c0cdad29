"""What breakers read: counts and figures of one workflow over a window, from committed rows. Owns the counting; judges nothing.

Only cases that a service posted are counted, never checks or roll-backs of them. A window reaches from `since` until now.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, cast, func, literal_column, select

from routing.case.completeness import judged
from routing.governance.breakers import BINS, Sample, bin_of
from routing.vocabulary import CaseKind, EventKind, Risk, Verdict
from store.ledger.figures import HOUR, UNSURE
from store.reads.next_moves import at_place
from store.schema import IS_CHILD, OPEN, WRONG, among, cases, figures, leaves, micros, queue

MOST = 20_000
"""Rows of a kind read for one window, newest first: a median of so many is as good as that of all."""

EVENTS_MOST = 500
"""Events judged for completeness, newest first."""

BY_PEOPLE = (Verdict.APPROVED.value, Verdict.REJECTED.value, Verdict.MODIFIED.value)
OVERRIDDEN = (Verdict.REJECTED.value, Verdict.MODIFIED.value)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases: of one workflow, of one class of risk or any, of one model version (`name version prompt`) or any."""

    workflow: str
    risk: Risk | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class OpenCases:
    """Open cases of a workflow, and those of them that climbed and nobody took."""

    open: int
    unowned: int


def models(connection: Connection, workflow: str, since: datetime) -> Sequence[str]:
    """Model versions seen in a workflow since then."""
    seen = select(cases.c.model).where(cases.c.workflow == workflow, cases.c.created_at >= micros(since))
    return list(connection.execute(seen.distinct().order_by(cases.c.model)).scalars())


def open_cases(connection: Connection) -> dict[str, OpenCases]:
    """How every workflow stands now; counted once for all of them, without looking at each case."""
    about: dict[str, int] = {row.name: row.number for row in connection.execute(_ABOUT_CASES)}
    unowned: dict[str, int] = {row.workflow: row.number for row in connection.execute(_UNOWNED)}
    return {
        row.workflow: OpenCases(row.number - about.get(row.workflow, 0), unowned.get(row.workflow, 0)) for row in connection.execute(_OPEN)
    }


def completeness(connection: Connection, since: datetime) -> tuple[int, int]:
    """(events, complete ones) among the newest events since then, at most 500."""
    newest = select(leaves.c.body).where(leaves.c.at >= micros(since)).order_by(leaves.c.idx.desc()).limit(EVENTS_MOST)
    bodies = connection.execute(newest).scalars().all()
    return len(bodies), sum(not judged(json.loads(body)) for body in bodies)


def sample(connection: Connection, scope: Scope, since: datetime, open_now: OpenCases, events: tuple[int, int]) -> Sample:
    """Everything that a breaker may ask of the time from `since` until now."""
    received = _rows(
        connection, select(cases.c.confidence, cases.c.latency_ms, cases.c.risk, cases.c.marks), scope, cases.c.created_at, since
    )
    reviewed = _reviewed(connection, scope, since)
    confidences = [row.confidence for row in received if row.confidence is not None]
    done = select(func.count()).select_from(cases)
    finished = connection.execute(_of(done, scope).where(cases.c.decided_at >= micros(since))).scalar_one()
    return Sample(
        cases=len(received),
        confidences=confidences,
        critical=[row.confidence or 0.0 for row in received if row.risk == Risk.CRITICAL],
        latencies_ms=[row.latency_ms for row in received if row.latency_ms is not None],
        stale=sum("stale" in row.marks for row in received),
        violations=sum("violation" in row.marks for row in received),
        decided=len(reviewed),
        approved=sum(row.verdict == Verdict.APPROVED for row in reviewed),
        overridden=sum(row.verdict in OVERRIDDEN for row in reviewed),
        reviews_s=[row.used_s for row in reviewed if row.used_s is not None],
        sla_parts=[row.used_s / row.sla_s for row in reviewed if row.sla_s and row.used_s is not None],
        found_wrong=_found_wrong(connection, scope, since),
        open_now=open_now.open,
        open_before=max(0, open_now.open - len(received) + finished),
        unowned=open_now.unowned,
        events=events[0],
        complete=events[1],
        bins=_bins(confidences),
    )


def baseline(connection: Connection, scope: Scope, since: datetime) -> Sample:
    """The same scope over a long time, from the beginning of the hour of `since`: sums that the ledger keeps by the hour, and the newest
    reviews for the median.
    """
    steps = connection.execute(_in_scope(_SUMS, figures, scope).where(figures.c.hour >= micros(since) // HOUR)).all()
    sure = sum(row.cases for row in steps if row.step != UNSURE)
    latencies = sum(row.latencies for row in steps)
    reviewed = _reviewed(connection, scope, since)
    return Sample(
        confidences=(float(sum(row.confidence for row in steps)) / sure / 1e6,) if sure else (),
        latencies_ms=(float(sum(row.latency for row in steps)) / latencies / 1e3,) if latencies else (),
        decided=len(reviewed),
        approved=sum(one.verdict == Verdict.APPROVED for one in reviewed),
        reviews_s=[one.used_s for one in reviewed if one.used_s is not None],
        bins=[sum(int(row.cases) for row in steps if row.step == step) for step in range(BINS)],
    )


def _reviewed(connection: Connection, scope: Scope, since: datetime) -> list[Any]:
    columns = select(cases.c.verdict, cases.c.used_s, cases.c.sla_s).where(cases.c.verdict.in_(BY_PEOPLE))
    return _rows(connection, columns, scope, cases.c.decided_at, since)


def _found_wrong(connection: Connection, scope: Scope, since: datetime) -> int:
    """Approvals of this scope that a check or the service found wrong since then."""
    late = select(leaves.c.kind, leaves.c.body).where(among(leaves.c.kind, WRONG), leaves.c.at >= micros(since))
    theirs = _of(select(cases.c.id).where(cases.c.id == leaves.c.case_id), scope).exists()  # a join would walk all cases of the workflow
    rows = connection.execute(late.where(theirs)).all()
    return sum(row.kind == EventKind.CHECK_DISAGREED or json.loads(row.body)["fields"]["result"] == "found_wrong" for row in rows)


def _bins(confidences: Sequence[float]) -> list[int]:
    counted = Counter(map(bin_of, confidences))
    return [counted[step] for step in range(BINS)]


def _rows(connection: Connection, columns: Select[Any], scope: Scope, when: ColumnElement[Any], since: datetime) -> list[Any]:
    statement = _of(columns, scope).where(when >= micros(since)).order_by(when.desc()).limit(MOST)
    return list(connection.execute(statement))


def _of(statement: Select[Any], scope: Scope) -> Select[Any]:
    return _in_scope(statement, cases, scope).where(cases.c.kind == CaseKind.CASE.value)


def _in_scope(statement: Select[Any], table: Table, scope: Scope) -> Select[Any]:
    statement = statement.where(table.c.workflow == scope.workflow)
    if scope.risk is not None:
        statement = statement.where(table.c.risk == scope.risk.value)
    return statement.where(table.c.model == scope.model) if scope.model else statement


_NOT_CHILDREN = (CaseKind.CASE.value, CaseKind.DRILL.value)
"""Kinds that are about no other case; those of drills stand in no queue, so that there is nothing to take off."""

_SUMS = select(
    figures.c.step,
    *(cast(func.sum(figures.c[name]), BigInteger).label(name) for name in ("cases", "confidence", "latencies", "latency")),
).group_by(figures.c.step)
_OPEN = select(queue.c.workflow, cast(func.sum(queue.c.cases), BigInteger).label("number")).group_by(queue.c.workflow)
_ABOUT_CASES = (  # so written that SQLite goes through cases with a parent, which are few, and not through those that are open
    select(cases.c.workflow.concat(literal_column("''")).label("name"), func.count().label("number"))
    .where(IS_CHILD, cases.c.parent > "", cases.c.state.concat(literal_column("''")).in_(OPEN), cases.c.kind.not_in(_NOT_CHILDREN))
    .group_by("name")
)
_above = (
    select(queue.c.tier, queue.c.lane, queue.c.state, queue.c.workflow)
    .where(queue.c.state == "pending", queue.c.tier > 0, ~queue.c.claimed, queue.c.cases > 0)
    .distinct()
    .subquery()
)
_climbed = (cases.c.climbed, cases.c.claimed_by == "", cases.c.kind == CaseKind.CASE.value)
_there = select(func.count()).select_from(cases).where(*at_place(_above.c, alone=False), *_climbed).scalar_subquery()
_UNOWNED = select(_above.c.workflow, cast(func.sum(_there), BigInteger).label("number")).group_by(_above.c.workflow)
