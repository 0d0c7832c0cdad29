"""What is added up of cases by the hour, held against the cases that are there. Owns this comparison; reads only."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from routing.vocabulary import CaseKind
from store.integrity.findings import Finding
from store.ledger.figures import HOUR, NOTHING, Key, Sums, add, figure
from store.schema import cases, figures, moment

_CASES = select(cases.c.workflow, cases.c.risk, cases.c.model, cases.c.created_at, cases.c.confidence, cases.c.latency_ms).where(
    cases.c.kind == CaseKind.CASE.value
)


def check_figures(connection: Connection) -> Iterator[Finding]:
    """Hours of which other sums are kept: it is what breakers take for usual."""
    there: dict[Key, Sums] = {}
    for *about, created_at, confidence, latency_ms in connection.execute(_CASES):
        add(there, *figure(tuple(about), created_at, confidence, latency_ms))
    kept: dict[Key, Sums] = {row[:5]: row[5:] for row in map(tuple, connection.execute(select(figures))) if any(row[5:])}
    for key in sorted(there.keys() | kept.keys()):
        if kept.get(key) != there.get(key):
            workflow, hour, risk, *_ = key
            told, found = kept.get(key, NOTHING)[0], there.get(key, NOTHING)[0]
            sentence = f"sums of {told} {risk} cases of {workflow} are kept, those of {found} that are there are others"
            yield Finding(f"the hour from {moment(hour * HOUR):%Y-%m-%d %H:%M} UTC", sentence, workflow)
