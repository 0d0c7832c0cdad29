"""Cases with all that belongs to them, some at a time: each row against its events, its columns, its callbacks and its sealed content.

Owns these comparisons; reads only.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from routing.case.case import Case
from routing.vocabulary import CallbackKind, EventKind
from store.audit.commitment import SALT_SIZE
from store.audit.proven_leaves import DamagedTreeError, ProvenLeaves
from store.integrity.case_record import CaseRecord, Leaf
from store.integrity.findings import Finding
from store.integrity.limits_check import uses_told
from store.integrity.release import shown
from store.ledger.flush import columns
from store.schema import case_keys, cases, leaves, micros, outbox, vault, waiver_uses
from store.vault.content import opening, unseal
from store.vault.vault import CannotOpen, CaseVault, Vault

_KEEPS_BACK = frozenset({EventKind.WITHHELD.value, EventKind.UNPROVEN.value, EventKind.CONTENT_ERASED.value})
KEEPS_BACK: Mapping[str, frozenset[str]] = {
    CallbackKind.DECIDED: _KEEPS_BACK,
    CallbackKind.RELEASED: _KEEPS_BACK | {EventKind.INTERIM_SET.value},
}
"""After these a callback of this type may be cancelled."""

LEFT_EMPTY = frozenset({"latency_ms", "sla_s", "used_s", "climbed", "marks", "likeness"})
"""Columns that the second schema added and did not fill."""

NO_KEY = "its key is missing or is not its own, so its content cannot be read"


def check_cases(connection: Connection, after: str, count: int, tree: ProvenLeaves, keys: Vault) -> tuple[list[Finding], str]:
    """What is wrong with the `count` cases that follow the id `after`, and the id of the last of them, "" when no more follow."""
    if not count:
        return [], after
    rows = connection.execute(select(cases).where(cases.c.id > after).order_by(cases.c.id).limit(count)).all()
    ids = [row.id for row in rows]
    last = ids[-1] if len(ids) == count else ""
    told, sent, wrapped = _by_case(connection, leaves, ids), _by_case(connection, outbox, ids), _by_case(connection, case_keys, ids)
    boxes, used = _by_case(connection, vault, ids), _uses(connection, after, last)
    findings = list[Finding]()
    for row in rows:
        about = _Checked(row, told[row.id], sent[row.id], wrapped[row.id], boxes[row.id], used=used.pop(row.id, []))
        findings += [Finding(f"case {row.id}", sentence, row.workflow) for sentence in about.doubts(tree, keys)]
    strays = [(waiver_id, case_id) for case_id, waivers in used.items() for waiver_id in waivers]
    findings += [Finding(f"exception {waiver_id}", f"a use for {case_id} is counted, which is no case") for waiver_id, case_id in strays]
    return findings, last


def _by_case(connection: Connection, table: Any, ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:  # noqa: ANN401 - any of the tables
    found = defaultdict(list)
    for row in connection.execute(select(table).where(table.c.case_id.in_(ids)).order_by(*table.primary_key.columns)):
        found[row.case_id].append(row)
    return found


def _uses(connection: Connection, after: str, last: str) -> dict[str, list[str]]:
    """The exceptions of which a use is counted, by case, of ids behind `after` up to `last` ("": all that follow)."""
    waivers = connection.execute(select(waiver_uses.c.waiver_id).distinct()).scalars().all()
    those = select(waiver_uses).where(waiver_uses.c.waiver_id.in_(waivers), waiver_uses.c.case_id > after)
    found = dict[str, list[str]]()
    for row in connection.execute(those.where(waiver_uses.c.case_id <= last) if last else those) if waivers else ():
        found.setdefault(row.case_id, []).append(row.waiver_id)
    return found


class _Checked:
    """One case with its rows; `used` are the exceptions of which a use by it is counted."""

    def __init__(
        self,
        row: Row[Any],
        told: list[Row[Any]],
        sent: list[Row[Any]],
        wrapped: list[Row[Any]],
        boxes: list[Row[Any]],
        *,
        used: list[str],
    ) -> None:
        self._row, self._told, self._sent, self._wrapped, self._boxes, self._used = row, told, sent, wrapped, boxes, used

    def doubts(self, tree: ProvenLeaves, keys: Vault) -> Iterator[str]:
        """Sentences on what is wrong."""
        try:
            case = Case.model_validate_json(self._row.snapshot)
        except ValueError:
            yield "its row cannot be read"
            return
        try:
            said = [shown(one.idx, one.body, tree) for one in self._told]
        except (DamagedTreeError, ValueError) as problem:
            why = str(problem) if isinstance(problem, DamagedTreeError) else type(problem).__name__  # the other kind may quote them
            yield f"its events cannot be read: {why}"
            return
        record = CaseRecord(case, self._row.snapshot, said)
        yield from record.doubts()
        yield from self._columns(case, early="row" not in said[-1] if said else False)
        yield from uses_told(case, said, self._used)
        yield from self._callbacks(record)
        yield from self._content(case, said, keys)

    def _columns(self, case: Case, *, early: bool) -> Iterator[str]:
        """`early`: nothing has happened to it since columns came that were left empty for the cases that were there."""
        names = {"id": case.id, "kind": case.kind.value, "parent": case.parent, "service": case.service, "task_id": case.task_id}
        expected = columns(case, self._row.snapshot) | names | {"created_at": micros(case.created_at)}
        if (first := _input(self._told[:1])) is not None:
            expected["input_sha256"] = first
        passed_over = LEFT_EMPTY if early else frozenset()
        wrong = [name for name, value in expected.items() if getattr(self._row, name) != value and name not in passed_over]
        if wrong:
            yield f"columns say something else than its row: {', '.join(sorted(wrong))}"

    def _callbacks(self, record: CaseRecord) -> Iterator[str]:
        rows = [one for one in self._sent if one.peer == "callback"]
        for one in rows:
            about = f"its message {one.id} ({one.callback})"
            if record.promised(one.callback, one.sequence, one.leaf_idx) is False:
                yield f"{about} is none that an event promises"
            if one.destination != record.case.service:
                yield f"{about} is addressed to {one.destination!r}"
            kinds = {leaf.get("event") for leaf in record.leaves if int(leaf.get("index", -1)) > one.leaf_idx}
            why = KEEPS_BACK.get(one.callback)
            if one.state == "cancelled" and why is not None and not kinds & why:
                yield f"{about} was cancelled, and no event says why"
            if one.state == "dead" and EventKind.NOT_DELIVERED.value not in kinds:
                yield f"{about} was given up, and no event says so"
        there = {(one.callback, one.sequence, one.leaf_idx) for one in rows}
        for leaf in record.leaves:
            for promise in leaf.get("row", {}).get("callbacks", ()):
                if (promise["type"], promise["sequence"], promise["leaf"]) not in there:
                    yield f"its message {promise['type']}, which event {leaf.get('index')} promises, is missing"

    def _content(self, case: Case, said: Sequence[Leaf], keys: Vault) -> Iterator[str]:
        sealing = {int(leaf["index"]): leaf["sealed"] for leaf in said if leaf.get("sealed")}
        boxes = {box.leaf_idx: box for box in self._boxes}
        if case.erased_at is not None:
            if boxes or self._wrapped:
                yield "its content was erased, and there is some"
            return
        if stray := sorted(boxes.keys() - sealing.keys()):
            yield f"content is stored for events that seal none: {', '.join(map(str, stray))}"
        try:
            key = keys.open_case(case.id, self._wrapped[0].wrapped) if self._wrapped else None
        except CannotOpen:
            key = None
        if key is None:
            yield NO_KEY
            return
        for index, commitments in sealing.items():
            if index not in boxes:
                yield f"what event {index} seals is missing"
            elif not _opens(key, boxes[index], commitments):
                yield f"what is stored for event {index} is not what it seals"


def _input(first: Sequence[Row[Any]]) -> str | None:
    """The hash of the submission that opened the case, as its first event says it."""
    fields = json.loads(first[0].body)["fields"] if first else {}
    return fields.get("input_sha256")


def _opens(key: CaseVault, box: Row[Any], commitments: Mapping[str, str]) -> bool:
    try:
        content = unseal(key, box.leaf_idx, box.box)
    except (CannotOpen, ValueError):
        return False
    if len(box.root_salt) != SALT_SIZE:
        return False
    return {name: opening(box.root_salt, name, value).commitment() for name, value in content.items()} == dict(commitments)
