"""The head of the log and the governance beside it, read and believed only under the seal of whoever wrote them last.

Owns that comparison and the one case without a seal: a database that nobody has written to since seals came. Writes only where an
operator says so.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from routing.governance.governance import Governance
from store.audit.merkle import TILE_WIDTH, Frontier, leaf_hash
from store.audit.proven_leaves import ProvenLeaves
from store.audit.stored_tree import hashes
from store.database.prepared import Prepared
from store.schema import governance, head, leaves
from store.vault.head_seal import Head, HeadSeal, text_sha256


class HeadAlteredError(RuntimeError):
    """The head of the audit log was not left so by this program: somebody else wrote to the database, or it is used with another vault key.
    Restore the database, or look (`tierline audit verify --database`) and go on with it as it is (`tierline audit checkpoint --recover`).
    """

    def __init__(self) -> None:
        """Its sentence is the same wherever it comes up."""
        super().__init__(" ".join(str(self.__doc__).split()))


class UnreadableGovernanceError(HeadAlteredError):
    """What is decided about more than one case (brakes, exceptions, names of channels, policies on offer) is missing in the database or
    cannot be read: somebody else wrote to it. Stop the bot and restore the database from a backup; nothing is recorded until then.
    """


@dataclass(frozen=True, slots=True)
class Ruling:
    """The governance, and the hex SHA-256 of its row's text."""

    governance: Governance = field(default_factory=Governance)
    sha256: str = text_sha256("{}")


HeadRow = Row[*tuple[Any, ...]]
"""The columns of `_HEAD`."""

_HEAD = select(head.c.size, head.c.frontier, head.c.last_time, head.c.last_outbox, head.c.policy, head.c.governance, head.c.seal).where(
    head.c.id == 1
)
_LOCKED = _HEAD.with_for_update()
_READ = Prepared(_HEAD)
DATABASE_CLOCK = func.extract("epoch", func.clock_timestamp()) * 1_000_000
"""PostgreSQL's time now, not that of the transaction's start, in microseconds since 1970."""

_LOCK_FIRST = _LOCKED.subquery()
_LOCK = Prepared(select(_LOCK_FIRST, DATABASE_CLOCK.label("clock")))  # what is around the subquery is told once that has its lock
_GOVERNANCE = select(governance.c.snapshot).where(governance.c.id == 1)
_TRACE = b'"row":'
"""What every event of a case has since there are seals (`store.audit.leaf.RowTrace`)."""


def lock_head(connection: Connection) -> HeadRow:
    """The head's row, locked until the transaction ends: whoever has it writes; on PostgreSQL with its time then as `clock`. Nobody has
    looked yet whether it is to be believed. Raises HeadAlteredError where there is none.
    """
    locking = _LOCK if connection.dialect.name == "postgresql" else _READ  # SQLite's transaction is locked as it begins
    return _one(locking.execute(connection).first())


def read_head(connection: Connection, cached: Ruling, seal: HeadSeal) -> tuple[HeadRow, Ruling]:
    """The head's row and the governance: `cached` where its revision is still the one. Raises HeadAlteredError."""
    return believed(connection, _one(_READ.execute(connection).first()), cached, seal)


def believed(connection: Connection, row: HeadRow, cached: Ruling, seal: HeadSeal) -> tuple[HeadRow, Ruling]:
    """The head's row, once its seal holds, and the governance beside it, as `read_head` gives them. Raises HeadAlteredError."""
    ruling = cached if row.governance == cached.governance.revision else read_ruling(connection)
    if not (seal.holds(covered(row, ruling.sha256), row.seal) if row.seal is not None else _never_sealed(connection, row.frontier)):
        raise HeadAlteredError
    return row, ruling


def read_ruling(connection: Connection) -> Ruling:
    """The governance as its row has it, whoever wrote it. Raises UnreadableGovernanceError where that is gone or nobody can read it."""
    text = connection.execute(_GOVERNANCE).scalar_one_or_none()
    if not isinstance(text, str):
        raise UnreadableGovernanceError
    return _parsed(text)


@lru_cache(maxsize=2)
def _parsed(text: str) -> Ruling:
    """By the text, which is read in most transactions and hardly ever changes."""
    try:
        return Ruling(Governance.model_validate_json(text), text_sha256(text))
    except ValueError:  # which quotes what it was given
        raise UnreadableGovernanceError from None


def covered(row: HeadRow, governance_sha256: str) -> Head:
    """What the seal of a row covers."""
    return Head(row.size, row.frontier, row.last_time, row.last_outbox, row.policy, row.governance, governance_sha256)


def head_row(connection: Connection) -> HeadRow:
    """The head's row as it is, whoever wrote it. Raises HeadAlteredError where there is none."""
    return _one(_READ.execute(connection).first())


def _one(row: Row[*tuple[Any, ...]] | None) -> HeadRow:
    if row is None:
        raise HeadAlteredError
    return row


def seal_again(connection: Connection, _now: datetime, *, seal: HeadSeal) -> None:
    """Put the seal under the head as it is: an operator has looked and goes on with it."""
    left = covered(_one(connection.execute(_LOCKED).first()), read_ruling(connection).sha256)
    connection.execute(update(head).where(head.c.id == 1).values(seal=seal.of(left)))


def _never_sealed(connection: Connection, frontier: bytes) -> bool:
    """Whether this is a whole log of before there were seals: each event is the one in the tree, and none tells of its case's row. One that
    does was written under a seal, whatever somebody appended to it since. All of it is read, until the next write seals it.
    """
    try:
        edge = Frontier.from_bytes(frontier)
        tree = ProvenLeaves(edge, hashes(connection))
        for first in range(0, edge.size, TILE_WIDTH):
            end = min(edge.size, first + TILE_WIDTH)
            statement = select(leaves.c.body).where(leaves.c.idx >= first, leaves.c.idx < end).order_by(leaves.c.idx)
            bodies = connection.execute(statement).scalars().all()
            if len(bodies) != end - first or any(_sealed_or_strange(body, tree.hash(first + at)) for at, body in enumerate(bodies)):
                return False
    except ValueError:  # a damaged frontier, tree or event
        return False
    return True


def _sealed_or_strange(body: object, expected: bytes) -> bool:
    return not isinstance(body, bytes) or leaf_hash(body) != expected or (_TRACE in body and "row" in json.loads(body))
