"""How many open cases wait at each place of the queue, kept as cases come, move and end, so that nobody has to count them. Owns what is
added to the table `queue`; `store.reads.next_moves` reads it.
"""

from collections import Counter
from collections.abc import Iterable

from routing.case.case import Case
from routing.vocabulary import CaseKind
from store.ledger.draft import Row

Place = tuple[int, str, str, str, bool, bool]
"""Tier, lane, state, workflow, whether it is tied to another case, whether somebody claimed it: the key of `queue`."""


def place(case: Case) -> Place | None:
    """Where an open case waits; None for one that is not open. Cases of a drill stand in no queue: they are counted nowhere."""
    if not case.open or case.kind is CaseKind.DRILL:
        return None
    return (case.tier, case.route.lane.value, case.state.value, case.workflow, bool(case.tied_to), bool(case.claimed_by))


def moves(changed: Iterable[tuple[Case | None, Case]]) -> list[Row]:
    """Rows to add to `queue`, for cases as they were (None: not there) and as they are."""
    changes = Counter[Place]()
    for before, after in changed:
        if before is not None and (left := place(before)) is not None:
            changes[left] -= 1
        if (reached := place(after)) is not None:
            changes[reached] += 1
    return [dict(zip(_COLUMNS, (*key, change), strict=True)) for key, change in sorted(changes.items()) if change]


_COLUMNS = ("tier", "lane", "state", "workflow", "tied", "claimed", "cases")
