"""How complete the audit log is, in our database or in an export. Owns counting and wording;
`routing.case.completeness` knows what is due.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from routing.case.completeness import judged
from store.audit.tiles import BadBundle, read_entries
from store.schema import leaves

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


def newest_completeness(connection: Connection) -> Completeness:
    """Of the newest events in the database."""
    bodies = connection.execute(select(leaves.c.body).order_by(leaves.c.idx.desc()).limit(LOOKED_AT)).scalars()
    return _judge(bodies)


def incomplete_in(directory: Path, size: int) -> list[str]:
    """One sentence for each incomplete event of an export whose entries were found well-formed, and a last one for those not named."""
    try:
        found = _judge(entry for bundle in read_entries(directory, size) for entry in bundle)
    except (OSError, BadBundle, ValueError):
        return []  # verification has said what is wrong with the file
    more = [f"{len(found.incomplete) - NAMED} more events are incomplete"] if len(found.incomplete) > NAMED else []
    return [*found.incomplete[:NAMED], *more]


def _judge(bodies: Iterable[bytes]) -> Completeness:
    judgements = list(_sentences(bodies))
    return Completeness(len(judgements), tuple(sentence for sentence in judgements if sentence))


def _sentences(bodies: Iterable[bytes]) -> Iterator[str]:
    for body in bodies:
        try:
            leaf = json.loads(body)
        except ValueError:
            leaf = {}
        leaf = leaf if isinstance(leaf, dict) else {}
        lacking = judged(leaf)
        yield f"event {leaf.get('index')} ({leaf.get('event')}) is incomplete: it lacks {', '.join(lacking)}" if lacking else ""
