"""Which open cases that nobody has taken are due first, looked for at every place at which cases wait, so that a long queue at one hides
none of another. Owns that look, a few entries of an index for each place; whose the cases are, says whoever asks.
"""

from heapq import merge

from sqlalchemy import Connection, select

from routing.case.case import Case
from store.reads.next_moves import PLACE, at_place
from store.reads.snapshots import readable
from store.schema import cases, queue

PER_PLACE = 12
"""So many at most of each tier, lane and workflow."""


def due_cases(connection: Connection, per_place: int = PER_PLACE) -> list[Case]:
    """Cases that are pending, claimed by nobody and decided with no other: of each place those to which something happens first, all in
    that order. A case to which nothing ever happens by itself comes last.
    """
    free = (queue.c.cases > 0, queue.c.state == "pending", ~queue.c.tied, ~queue.c.claimed)
    here = connection.execute(select(*(queue.c[name] for name in PLACE)).where(*free).distinct()).all()
    last = cases.c.next_at.is_(None)
    found = [
        connection.execute(
            select(cases.c.next_at, cases.c.id, cases.c.snapshot)
            .where(*at_place(place, alone=True), cases.c.claimed_by == "")
            .order_by(last, cases.c.next_at, cases.c.id)
            .limit(per_place)
        ).all()
        for place in here
    ]
    ordered = merge(*found, key=lambda row: (row.next_at is None, row.next_at or 0, row.id))
    return readable(row.snapshot for row in ordered)
