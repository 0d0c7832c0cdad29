"""The stored events, a tile of 256 at a time: each is the one whose hash the tree holds, and its columns say what its bytes say.

Owns that comparison, and gathers what the events say of other rows. Reads only.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from routing.vocabulary import EventKind
from store.audit.merkle import TILE_WIDTH, leaf_hash
from store.audit.proven_leaves import DamagedTreeError, ProvenLeaves
from store.integrity.case_record import Leaf
from store.integrity.findings import Finding
from store.integrity.limits_check import Approvals
from store.ledger.identifiers import CASE
from store.schema import cases, leaves, micros


@dataclass(slots=True)
class Told:
    """What the events that were looked at say: versions of policies by hash, the last one that came into force, automatic approvals."""

    policies: dict[str, str] = field(default_factory=dict)
    in_force: str = ""
    approvals: Approvals = field(default_factory=Approvals)


def check_events(connection: Connection, number: int, tree: ProvenLeaves, size: int, told: Told) -> Iterator[Finding]:
    """The events of tile `number` in a log of `size`."""
    first, end = number * TILE_WIDTH, min(size, (number + 1) * TILE_WIDTH)
    rows = {row.idx: row for row in connection.execute(select(leaves).where(leaves.c.idx >= first, leaves.c.idx < end))}
    of_cases = dict[str, int]()
    for index in range(first, end):
        about = f"event {index}"
        if index not in rows:
            yield Finding(about, "it is missing")
            continue
        row = rows[index]
        try:
            if not isinstance(row.body, bytes) or leaf_hash(row.body) != tree.hash(index):
                yield Finding(about, "its bytes are not those that were recorded")
                continue
            leaf = json.loads(row.body)
        except DamagedTreeError as problem:
            yield Finding(f"events {first} to {end - 1}", str(problem))
            break
        except ValueError:
            yield Finding(about, "it is no JSON")
            continue
        if wrong := [name for name, value in _columns(leaf).items() if getattr(row, name) != value]:
            yield Finding(about, f"its columns say something else than its bytes: {', '.join(wrong)}")
        _gather(leaf, told)
        if str(leaf.get("case", "")).startswith(CASE):
            of_cases.setdefault(str(leaf["case"]), index)
    known = set(connection.execute(select(cases.c.id).where(cases.c.id.in_(of_cases))).scalars())
    for case_id in of_cases.keys() - known:
        yield Finding(f"case {case_id}", f"event {of_cases[case_id]} is of it, and its row is missing")


def _columns(leaf: Leaf) -> dict[str, Any]:
    fields = leaf.get("fields")
    subject = fields.get("subject") if isinstance(fields, dict) else None
    return {
        "idx": leaf.get("index"),
        "event_id": leaf.get("id"),
        "kind": leaf.get("event"),
        "case_id": leaf.get("case") or subject or None,
        "at": micros(datetime.fromisoformat(str(leaf.get("time")))),
    }


def _gather(leaf: Leaf, told: Told) -> None:
    fields = leaf.get("fields")
    if not isinstance(fields, dict):
        return
    if str(leaf.get("event")).startswith("policy_") and fields.get("sha256"):
        told.policies[str(fields["sha256"])] = str(fields.get("version", ""))
        if leaf.get("event") == EventKind.POLICY_ACTIVATED.value:
            told.in_force = str(fields["sha256"])
    told.approvals.hear(leaf, micros(datetime.fromisoformat(str(leaf.get("time")))))
