"""How many open cases wait at each place of the queue, kept as cases come, move and end, so that nobody has to count them. Owns writing the
table `queue`; `store.reads.next_moves` reads it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from sqlalchemy import Connection, Dialect, text

from routing.case.case import Case

Place = tuple[int, str, str, str, bool, bool]
"""Tier, lane, state, workflow, whether it is tied to another case, whether somebody claimed it: the key of `queue`."""


def place(case: Case) -> Place | None:
    """Where an open case waits; None for one that is not open."""
    if not case.open:
        return None
    return (case.tier, case.route.lane.value, case.state.value, case.workflow, bool(case.tied_to), bool(case.claimed_by))


def count_moves(connection: Connection, moves: Iterable[tuple[Case | None, Case]]) -> None:
    """Count cases as they were (None: not there) and as they are."""
    changes = Counter[Place]()
    for before, after in moves:
        if before is not None and (left := place(before)) is not None:
            changes[left] -= 1
        if (reached := place(after)) is not None:
            changes[reached] += 1
    if rows := [(*key, change) for key, change in sorted(changes.items()) if change]:
        sql, order = _adding(connection.dialect)
        connection.exec_driver_sql(sql, [tuple([row[index] for index in order]) for row in rows])


_COLUMNS = ("tier", "lane", "state", "workflow", "tied", "claimed", "cases")
_ADD = text(
    "INSERT INTO queue (tier, lane, state, workflow, tied, claimed, cases) "
    "VALUES (:tier, :lane, :state, :workflow, :tied, :claimed, :cases) "
    "ON CONFLICT (tier, lane, state, workflow, tied, claimed) DO UPDATE SET cases = queue.cases + excluded.cases"
)


@cache
def _adding(dialect: Dialect) -> tuple[str, Sequence[int]]:
    compiled = _ADD.compile(dialect=dialect)
    return str(compiled), [_COLUMNS.index(name) for name in compiled.positiontup or ()]
