"""How many open cases are counted at each place of the queue, held against the cases that are there. Owns this comparison; reads only."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from routing.vocabulary import CaseKind
from store.integrity.findings import Finding
from store.ledger.queue_order import BEHIND
from store.schema import OPEN, among, cases, queue


def check_queue(connection: Connection) -> Iterator[Finding]:
    """Places at which another number is counted: it is what people are told of how much waits."""
    where = (cases.c.channel, cases.c.tier, cases.c.lane, cases.c.state, cases.c.workflow)
    keys = (*where, cases.c.tied_to != "", cases.c.claimed_by != "", cases.c.risk, BEHIND)
    grouped = select(*keys, func.count()).where(among(cases.c.state, OPEN), cases.c.kind != CaseKind.DRILL.value).group_by(*keys)
    there = {tuple(map(str, key)): number for *key, number in connection.execute(grouped)}
    counted = {tuple(map(str, key)): number for *key, number in connection.execute(select(queue)) if number}
    for key in sorted(there.keys() | counted.keys()):
        if (said := counted.get(key, 0)) != (found := there.get(key, 0)):
            _, tier, lane, state, workflow, *_ = key
            yield Finding(f"tier {int(tier) + 1}, {lane}", f"{said} {state} cases of {workflow} are counted, there are {found}", workflow)
