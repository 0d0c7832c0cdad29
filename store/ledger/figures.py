"""Sums of what cases came with, by the hour in which they came, kept as cases come and change, so that nobody has to read weeks of them.
Owns what is added to the table `figures`; `store.reads.breaker_samples` reads it.
"""

from collections.abc import Iterable

from routing.case.case import Case
from routing.governance.breakers import bin_of
from routing.vocabulary import CaseKind
from store.ledger.draft import Row
from store.schema import micros

HOUR = 3_600_000_000
"""In microseconds, as the database counts time."""

UNSURE = -1
"""In place of a step of confidence: the model gave none."""

MOST_MS = 1e9
"""A latency counts for no more, nor a confidence for more than it may be, so that sums stay what a column holds."""

About = tuple[str, str, str]
"""Workflow, class of risk, model version."""

Key = tuple[str, int, str, str, int]
"""Workflow, hour since 1970 in UTC, class of risk, model version, step of confidence: the key of `figures`."""

Sums = tuple[int, int, int, int]
"""Cases, their confidences in millionths, cases with a latency, those in microseconds."""

NOTHING: Sums = (0, 0, 0, 0)


def added_up(changed: Iterable[tuple[Case | None, Case]]) -> list[Row]:
    """Rows to add to `figures`, for cases as they were (None: not there) and as they are."""
    sums: dict[Key, Sums] = {}
    for before, after in changed:
        was, now = None if before is None else _of_case(before), _of_case(after)
        for one, sign in ((was, -1), (now, 1)) if was != now else ():
            if one is not None:
                add(sums, *one, sign)
    return [dict(zip(_COLUMNS, (*key, *some), strict=True)) for key, some in sorted(sums.items()) if any(some)]


def figure(about: About, created_at: int, confidence: float | None, latency_ms: float | None) -> tuple[Key, Sums]:
    """What one case adds; `created_at` in microseconds since 1970."""
    workflow, risk, model = about
    step, millionths, us = UNSURE, 0, 0
    if confidence is not None:
        step, millionths = bin_of(confidence), int(min(max(confidence, 0.0), 1.0) * 1e6 + 0.5)
    if latency_ms is not None:
        us = int(min(latency_ms, MOST_MS) * 1e3 + 0.5)
    return (workflow, created_at // HOUR, risk, model, step), (1, millionths, int(latency_ms is not None), us)


def add(sums: dict[Key, Sums], key: Key, some: Sums, sign: int = 1) -> None:
    """Add to the sums, or take away."""
    cases, millionths, latencies, us = sums.get(key, NOTHING)
    sums[key] = cases + sign * some[0], millionths + sign * some[1], latencies + sign * some[2], us + sign * some[3]


def _of_case(case: Case) -> tuple[Key, Sums] | None:
    """None for a case about another one: no service posted it."""
    if case.kind is not CaseKind.CASE:
        return None
    about = (case.workflow, case.route.risk.value, case.model_version)
    return figure(about, micros(case.created_at), case.confidence, case.latency_ms)


_COLUMNS = ("workflow", "hour", "risk", "model", "step", "cases", "confidence", "latencies", "latency")
