"""What limits the new cases of a transaction: near-duplicates that are open, the automatic approvals of the last hour and their amount
today, how often exceptions were used. Owns these reads and the rows they count in; never decides, and reads only what something asks for.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, text

from routing.governance.governance import Governance
from store.database.prepared import Prepared
from store.schema import IS_ALIKE, cases, micros, moment, tallies, waiver_uses

MILLION = 1_000_000
DAY = 86_400 * MILLION
"""In microseconds, as the database counts time."""

MOST = 10**15
"""One amount counts for no more; the published form has none above."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """What a new case says of itself that decides what has to be read: `likeness` is empty for one that is like no other."""

    workflow: str
    likeness: str = ""
    action_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One automatic approval and the amount it moves."""

    workflow: str
    amount: Decimal


def day_of(at: datetime) -> int:
    """Days since 1970 in UTC."""
    return micros(at) // DAY


def read_alike(
    connection: Connection, arriving: Collection[Arriving], windows_s: Mapping[str, int], about: datetime
) -> dict[str, list[str]]:
    """By likeness, the ids of open cases that a new one may be tied to: of those that came within the workflow's window (seconds), the
    first with the same action, and the first of all.
    """
    wanted = {each.likeness for each in arriving if each.likeness}
    if not wanted:
        return {}
    found: dict[str, list[Any]] = {}
    for row in _ALIKE.execute(connection, wanted):
        found.setdefault(row.likeness, []).append(row)
    chosen: dict[str, list[str]] = {}
    for each in arriving:
        after = about - timedelta(seconds=windows_s[each.workflow])
        rows = [row for row in found.get(each.likeness, ()) if moment(row.created_at) > after]
        same = [row for row in rows if row.action_sha256 == each.action_sha256]
        chosen.setdefault(each.likeness, []).extend(row.id for row in (*same[:1], *rows[:1]))
    return {likeness: sorted(set(ids)) for likeness, ids in chosen.items()}


def read_autos(connection: Connection, workflows: Collection[str], since: datetime) -> dict[str, int]:
    """Automatic approvals by workflow since a moment."""
    rows = _AUTOS.execute(connection, workflows, since=micros(since)) if workflows else ()
    return {row.workflow: row.autos for row in rows}


def read_amounts(connection: Connection, workflows: Collection[str], since: datetime) -> dict[tuple[str, int], Decimal]:
    """Sums of what was approved automatically, by workflow and day, for the day of a moment and those after."""
    rows = _AMOUNTS.execute(connection, workflows, since=day_of(since)) if workflows else ()
    return {(row.workflow, row.day): row.whole + Decimal(row.millionths) / MILLION for row in rows}


def read_uses(connection: Connection, waivers: Collection[str]) -> dict[str, int]:
    """How many cases each exception was used for; 0 for one that was not."""
    if not waivers:
        return {}
    return dict.fromkeys(waivers, 0) | {row.waiver_id: row.uses for row in _USES.execute(connection, waivers)}


def counted(value: Governance, uses: Mapping[str, int]) -> Governance:
    """With the uses of its exceptions as they were counted."""
    if all(uses.get(waiver.id, waiver.uses) == waiver.uses for waiver in value.waivers):
        return value
    waivers = tuple(waiver.model_copy(update={"uses": uses.get(waiver.id, waiver.uses)}) for waiver in value.waivers)
    return value.model_copy(update={"waivers": waivers})


def counted_amount(approval: Approval) -> Decimal:
    """What it counts for: a negative one makes no room, and none counts for more than `MOST`."""
    return min(abs(approval.amount), Decimal(MOST))


def add_approvals(connection: Connection, approvals: Iterable[Approval], day: int) -> None:
    """Count automatic approvals of a day."""
    sums: dict[str, list[Decimal]] = {}
    for approval in approvals:
        sums.setdefault(approval.workflow, []).append(counted_amount(approval))
    if sums:
        rows = [
            {"workflow": workflow, "day": day, "autos": len(amounts), **dict(zip(("whole", "millionths"), _parts(amounts), strict=True))}
            for workflow, amounts in sorted(sums.items())
        ]
        connection.execute(_ADD_APPROVALS, rows)


def add_uses(connection: Connection, uses: Iterable[tuple[str, str]]) -> None:
    """Note that exceptions (first) were used for cases (second); twice for the same one counts once."""
    if rows := [{"waiver_id": waiver_id, "case_id": case_id} for waiver_id, case_id in uses]:
        connection.execute(_ADD_USES, rows)


def _parts(amounts: Iterable[Decimal]) -> tuple[int, int]:
    total = sum(amounts, Decimal(0))
    return int(total), int((total - int(total)) * MILLION)


_ALIKE = Prepared(
    lambda alike: (
        select(cases.c.likeness, cases.c.id, cases.c.created_at, cases.c.action_sha256)
        .where(cases.c.likeness.in_(alike), IS_ALIKE)
        .order_by(cases.c.likeness, cases.c.id)
    )
)
_AUTOS = Prepared(
    lambda workflows: (
        select(cases.c.workflow, func.count().label("autos"))
        .where(cases.c.workflow.in_(workflows), cases.c.decided_at > bindparam("since"), cases.c.verdict == "auto_approved")
        .group_by(cases.c.workflow)
    )
)
_AMOUNTS = Prepared(
    lambda workflows: select(tallies.c.workflow, tallies.c.day, tallies.c.whole, tallies.c.millionths).where(
        tallies.c.workflow.in_(workflows), tallies.c.day >= bindparam("since")
    )
)
_USES = Prepared(
    lambda waivers: (
        select(waiver_uses.c.waiver_id, func.count().label("uses"))
        .where(waiver_uses.c.waiver_id.in_(waivers))
        .group_by(waiver_uses.c.waiver_id)
    )
)
_ADD_APPROVALS = text(
    "INSERT INTO tallies (workflow, day, autos, whole, millionths) VALUES (:workflow, :day, :autos, :whole, :millionths) "
    "ON CONFLICT (workflow, day) DO UPDATE SET autos = tallies.autos + excluded.autos, "
    # far above every cap it stands still, rather than leave what a BIGINT holds
    "whole = CASE WHEN tallies.whole > 9000000000000000000 THEN tallies.whole ELSE tallies.whole + excluded.whole END, "
    "millionths = tallies.millionths + excluded.millionths",
)
_ADD_USES = text("INSERT INTO waiver_uses (waiver_id, case_id) VALUES (:waiver_id, :case_id) ON CONFLICT DO NOTHING")
