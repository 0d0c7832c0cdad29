"""The Merkle tree as the database holds it: its frontier, its hashes, its newest checkpoint. Owns these reads; `merkle` hashes."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from store.audit.merkle import Frontier, Read
from store.schema import checkpoints, head, leaves, moment, nodes


class DamagedLogError(RuntimeError):
    """An event of the audit log cannot be read as it stands in the database."""


def read_leaf(index: int, body: bytes) -> Mapping[str, Any]:
    """The event in these stored bytes. Raises DamagedLogError."""
    try:
        leaf: Mapping[str, Any] = json.loads(body)
        if isinstance(leaf["actor"]["kind"], str) and isinstance(leaf["fields"], dict) and leaf["index"] == index:
            return leaf
    except (ValueError, KeyError, TypeError) as problem:
        raise DamagedLogError(f"Event {index} of the audit log cannot be read as it stands in the database.") from problem
    raise DamagedLogError(f"Event {index} of the audit log stands in another's place.")


def frontier(connection: Connection) -> Frontier:
    """The right edge of the log as committed. Raises MalformedFrontier, also where there is no head."""
    return Frontier.from_bytes(connection.execute(select(head.c.frontier).where(head.c.id == 1)).scalar_one_or_none() or b"")


def hashes(connection: Connection) -> Read:
    """Reads stored hashes, as proofs want them, while the connection is open."""

    def read(level: int, first: int, count: int) -> Sequence[bytes]:
        if level == 0:
            statement = select(leaves.c.hash).where(leaves.c.idx >= first, leaves.c.idx < first + count).order_by(leaves.c.idx)
        else:
            span = (nodes.c.level == level, nodes.c.idx >= first, nodes.c.idx < first + count)
            statement = select(nodes.c.hash).where(*span).order_by(nodes.c.idx)
        return list(connection.execute(statement).scalars())

    return read


def newest_checkpoint(connection: Connection) -> tuple[int, str] | None:
    """Size and note of the newest checkpoint published, None before the first."""
    row = connection.execute(select(checkpoints.c.size, checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)).first()
    return None if row is None else (row.size, row.note)


def unsigned_since(connection: Connection) -> datetime | None:
    """When the oldest event was written that no published checkpoint covers; None when all are covered."""
    newest = newest_checkpoint(connection)
    oldest = select(leaves.c.at).where(leaves.c.idx >= (0 if newest is None else newest[0])).order_by(leaves.c.idx).limit(1)
    at = connection.execute(oldest).scalar_one_or_none()
    return None if at is None else moment(at)
