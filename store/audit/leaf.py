"""The bytes of one event in the audit log. Owns leaf format v1, frozen: RFC 8785 JSON; a later format gets another `v`. Holds no content:
sealed values stand as commitments only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.canonical import Json, canonical
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.change import Event

MAX_LEAF_BYTES = 65_535
"""A bundle of entries gives the length of each in a uint16 (C2SP tlog-tiles, "Log entries")."""

_MODEL = ("name", "version", "hash", "prompt_version")


@dataclass(frozen=True, slots=True)
class RowTrace:
    """What an event says of its case's row: the hex SHA-256 of the snapshot it found and of the one it left (None: there was none), and
    the callbacks promised with it, each (type, sequence, index of the leaf it tells of).

    Event by event these make a chain: a row that no event left was written by somebody else.
    """

    found: str | None
    left: str | None
    callbacks: tuple[tuple[str, int, int], ...] = ()

    def told(self) -> dict[str, Json]:
        """As the leaf has it."""
        promised: list[Json] = [{"type": kind, "sequence": sequence, "leaf": leaf} for kind, sequence, leaf in self.callbacks]
        return {"found": self.found, "left": self.left, **({"callbacks": promised} if promised else {})}


class LeafTooLongError(ValueError):
    """An event has more open fields than one leaf of the audit log takes (65,535 bytes); nothing was written."""


def leaf_bytes(
    event: Event,
    case: Case | None,
    commitments: Mapping[str, Json],
    *,
    index: int,
    event_id: str,
    at: datetime,
    trace: RowTrace | None = None,
) -> bytes:
    """The leaf of an event; events of the whole log belong to no case and leave no trace of a row. Raises LeafTooLongError."""
    leaf: dict[str, Json] = {
        "v": 1,
        "index": index,
        "id": event_id,
        "time": moment_text(at),
        "event": event.kind.value,
        "actor": {"kind": event.actor.kind, "id": event.actor.id},
        "fields": dict(event.fields),
        "sealed": dict(commitments),
    }
    if case is not None:
        leaf |= {
            "case": case.id,
            "service": case.service,
            "workflow": case.workflow,
            "task_id": case.task_id,
            "revision": case.revision,
            "policy": {"version": case.route.policy_version, "sha256": case.route.policy_sha256},
            "model": {name: case.model.get(name) for name in _MODEL},
        }
    if trace is not None:
        leaf["row"] = trace.told()
    body = canonical(leaf)
    if len(body) > MAX_LEAF_BYTES:
        raise LeafTooLongError(LeafTooLongError.__doc__)
    return body
