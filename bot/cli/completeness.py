"""How complete the audit log is, in our database or in an export. Owns counting and wording;
`routing.case.completeness` knows what is due.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.case.completeness import judged

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.audit.verify import Report

LOOKED_AT = 2_000
"""Newest events that `status` looks at."""

NAMED = 20
"""Incomplete events that `audit verify` names one by one."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of `events` looked at, how many are complete, in percent rounded down to a tenth: 100 means all."""

    events: int
    incomplete: tuple[str, ...]

    @property
    def percent(self) -> float:
        """100.0 for a log without events."""
        return (self.events - len(self.incomplete)) * 1_000 // self.events / 10 if self.events else 100.0


def newest_completeness(connection: "Connection") -> Completeness:
    """Of the newest events in the database."""
    from sqlalchemy import select

    from store.schema import leaves

    bodies = connection.execute(select(leaves.c.body).order_by(leaves.c.idx.desc()).limit(LOOKED_AT)).scalars()
    judgements = [incompleteness(_leaf(body)) for body in bodies]
    return Completeness(len(judgements), tuple(filter(None, judgements)))


def incompleteness(leaf: Mapping[str, object]) -> str:
    """One sentence about an event that is incomplete, "" about any other. A `store.audit.shapes.Examine`: verification can ask it."""
    lacking = judged(leaf)
    index, kind = (value if isinstance(value, int | str) else "?" for value in (leaf.get("index"), leaf.get("event")))
    return f"event {index} ({kind}) is incomplete: it lacks {', '.join(lacking)}" if lacking else ""


def incomplete_in(report: "Report") -> list[str]:
    """Of an export verified with `incompleteness`: a sentence for each incomplete event, and a last one for those not named."""
    more = [f"{report.remarked - NAMED} more events are incomplete"] if report.remarked > NAMED else []
    return [*report.remarks[:NAMED], *more]


def _leaf(body: bytes) -> Mapping[str, object]:
    try:
        leaf = json.loads(body)
    except ValueError:
        return {}
    return leaf if isinstance(leaf, dict) else {}
