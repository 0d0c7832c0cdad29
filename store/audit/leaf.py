"""The bytes of one event in the audit log. Owns leaf format v1, frozen: RFC 8785 JSON; a later format gets another `v`. Holds no content:
sealed values stand as commitments only.
"""

from collections.abc import Mapping
from datetime import datetime

from routing.canonical import Json, canonical
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.change import Event

MAX_LEAF_BYTES = 65_535
"""A bundle of entries gives the length of each in a uint16 (C2SP tlog-tiles, "Log entries")."""

_MODEL = ("name", "version", "hash", "prompt_version")


class LeafTooLongError(ValueError):
    """An event has more open fields than one leaf of the audit log takes (65,535 bytes); nothing was written."""


def leaf_bytes(event: Event, case: Case | None, commitments: Mapping[str, Json], *, index: int, event_id: str, at: datetime) -> bytes:
    """The leaf of an event; events of the whole log belong to no case. Raises LeafTooLongError."""
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
    body = canonical(leaf)
    if len(body) > MAX_LEAF_BYTES:
        raise LeafTooLongError(LeafTooLongError.__doc__)
    return body
