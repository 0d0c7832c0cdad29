"""Whether the log proves what is about to make a service act: the verdict of a case, or the wish to undo it.

Owns the judgement on one callback, from the head's seal over the leaves to the row. It never sends, holds or records anything.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from routing.authorize import EXECUTABLE
from routing.case.case import Case
from routing.vocabulary import CallbackKind, EventKind, State, Verdict
from store.audit.merkle import Frontier, leaf_hash
from store.audit.proven_leaves import DamagedTreeError, ProvenLeaves
from store.audit.stored_tree import hashes
from store.database.database import Database
from store.integrity.case_record import CaseRecord, Leaf
from store.ledger.sealed_head import Ruling, read_head
from store.outbox.delivery import Outgoing
from store.schema import cases, leaves
from store.vault.vault import Vault

TILES_KEPT = 512
"""Tiles of the log, 256 hashes each, that are remembered once they were shown to be under its root: some 10 MB."""

DECIDED_WITH: Sequence[str] = ("with",)
RELATED: Sequence[str] = ("child", *DECIDED_WITH)
"""Names under which an event says by which other case it came about."""

RELEASING = frozenset({EventKind.INTERIM_ENDED.value, EventKind.RESUMED.value, EventKind.VOIDED.value})
"""Events after which a case is not held any more."""

NOTHING = "there is no such case"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a callback must not leave. `case` is the row it was judged by (None: there is none), `service_known`: whether the log says whose
    case it is, so that this service may be told.
    """

    reason: str
    case: Case | None
    service_known: bool


class Releases:
    """Judges callbacks by what is committed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._seal = vault.head_seal
        self._ruling = Ruling()
        self._tiles: dict[tuple[int, int], tuple[bytes, ...]] = {}

    async def judge(self, outgoing: Outgoing) -> Doubt | Case:
        """Why this callback must not leave, or the case as the log proves it. Raises HeadAlteredError."""
        return await self._database.read(partial(self._judged, case_id=outgoing.case_id, outgoing=outgoing))

    async def judge_case(self, case_id: str) -> Doubt | Case:
        """The same of a case that somebody asks for, whatever is told of it. Raises HeadAlteredError."""
        return await self._database.read(partial(self._judged, case_id=case_id, outgoing=None))

    def _judged(self, connection: Connection, *, case_id: str, outgoing: Outgoing | None) -> Doubt | Case:
        if len(self._tiles) > TILES_KEPT:
            self._tiles.clear()
        head, self._ruling = read_head(connection, self._ruling, self._seal)
        tree = ProvenLeaves(Frontier.from_bytes(head.frontier), hashes(connection), self._tiles)
        record: CaseRecord | None = None
        try:
            record = read_record(connection, case_id, tree)
            reasons = [NOTHING] if record is None else _reasons(connection, record, outgoing, tree)
        except DamagedTreeError as problem:
            reasons = [f"what the database has of it cannot be read: {problem}"]
        except ValueError as problem:  # whose text may quote the row
            reasons = [f"what the database has of it cannot be read ({type(problem).__name__})"]
        if record is not None and not reasons:
            return record.case
        known = record is not None and record.leaves[-1:] and record.leaves[-1].get("service") == record.case.service
        return Doubt("; ".join(reasons), None if record is None else record.case, bool(known))


def read_record(connection: Connection, case_id: str, tree: ProvenLeaves) -> CaseRecord | None:
    """A case with its events, each shown to be in the log; None where there is no row. Raises DamagedTreeError, ValueError."""
    row = connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one_or_none()
    if row is None:
        return None
    found = connection.execute(select(leaves.c.idx, leaves.c.body).where(leaves.c.case_id == case_id).order_by(leaves.c.idx))
    try:
        case = Case.model_validate_json(row)
    except ValidationError as problem:  # which quotes what it was given
        raise DamagedTreeError("its row has not the form of a case") from problem
    return CaseRecord(case, row, [shown(one.idx, one.body, tree) for one in found])


def shown(index: int, body: object, tree: ProvenLeaves) -> Leaf:
    """The event in these bytes, which are those of the log at this index. Raises DamagedTreeError, ValueError."""
    if not isinstance(body, bytes) or leaf_hash(body) != tree.hash(index):
        raise DamagedTreeError(f"event {index} is not the one that was recorded")
    leaf: Leaf = json.loads(body)
    return leaf


def _reasons(connection: Connection, record: CaseRecord, outgoing: Outgoing | None, tree: ProvenLeaves) -> list[str]:
    reasons, about, related = list(record.doubts()), dict[str, Any](), DECIDED_WITH
    if outgoing is not None:
        found = record.at(outgoing.leaf_idx)
        if found is None:
            return [*reasons, f"event {outgoing.leaf_idx} is none of this case"]
        about, related = dict(found), RELATED
        reasons += _of_message(record, outgoing, about)
    for other in _others(record, related):
        reasons += [f"case {other}: {reason}" for reason in _of_another(connection, other, about, tree)]
    return reasons


def _of_message(record: CaseRecord, outgoing: Outgoing, about: Leaf) -> list[str]:
    case, message, reasons = record.case, outgoing.message, list[str]()
    if message.destination != about.get("service"):
        reasons.append(f"it is addressed to {message.destination!r}, the case is of {about.get('service')!r}")
    if record.promised(message.callback, message.sequence, outgoing.leaf_idx) is False:
        reasons.append("the log does not promise this message")
    if message.callback == CallbackKind.DECIDED:
        if about.get("event") != EventKind.DECIDED.value or case.decided_index != outgoing.leaf_idx or case.withheld:
            reasons.append(f"event {outgoing.leaf_idx} is not the verdict that counts")
    elif message.callback == CallbackKind.RELEASED:
        if about.get("event") not in RELEASING or (about.get("event") == EventKind.INTERIM_ENDED and not _ended_by_verdict(case, outgoing)):
            reasons.append(f"event {outgoing.leaf_idx} releases nothing")
    elif about.get("event") != EventKind.ROLLBACK_REQUESTED.value:
        reasons.append(f"event {outgoing.leaf_idx} does not ask to undo anything")
    return reasons


def _ended_by_verdict(case: Case, outgoing: Outgoing) -> bool:
    """Whether the verdict that counts let the action through, and the event that ends the interim action came of it."""
    counts = case.decided_index is not None and case.decided_index < outgoing.leaf_idx and not case.withheld
    return counts and case.verdict in EXECUTABLE and case.interim is not None and case.interim.ended == "released"


def _others(record: CaseRecord, related: Sequence[str]) -> list[str]:
    """Cases whose decision this one carries over: the first of near-duplicates, and the question whether to undo."""
    fields = [leaf.get("fields") for leaf in record.leaves]
    return list(dict.fromkeys(str(said[name]) for said in fields if isinstance(said, dict) for name in related if said.get(name)))


def _of_another(connection: Connection, case_id: str, about: Leaf, tree: ProvenLeaves) -> list[str]:
    record = read_record(connection, case_id, tree)
    if record is None:
        return [NOTHING]
    reasons = list(record.doubts())
    asked = isinstance(about.get("fields"), dict) and about["fields"].get("child") == case_id
    if asked and (record.case.verdict is not Verdict.APPROVED or record.case.state not in (State.DECIDED, State.CLOSED)):
        reasons.append("it did not end with a yes")
    return reasons
