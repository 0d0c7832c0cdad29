"""Reads at the start of a write transaction everything that its items said they would need. Owns the lock on the head of the log, which
orders all writers; never writes and never decides.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from routing.case import Case
from store.schema import case_keys, cases, head, inbox, policies, vault

V = TypeVar("V", str, int)


@dataclass(frozen=True, slots=True)
class InboxKey:
    """Names one thing that arrived, so that it counts once: a webhook (scope: service), a press, a PagerDuty event."""

    kind: str
    scope: str
    key: str


@dataclass(frozen=True, slots=True)
class InboxRow:
    """What was answered under a key: digest of what arrived, the answer as JSON text, and the case it was about."""

    digest: str
    answer: str
    case_id: str


@dataclass(frozen=True, slots=True)
class TaskKey:
    """A task of a service: there is one case for it."""

    service: str
    workflow: str
    task_id: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    """The case that a task has, with the first answer given."""

    case_id: str
    input_sha256: str
    answer: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What one item has to know: inbox keys, tasks, cases, and cases of which also the content."""

    keys: tuple[InboxKey, ...] = ()
    tasks: tuple[TaskKey, ...] = ()
    cases: tuple[str, ...] = ()
    content: tuple[str, ...] = ()


@dataclass(slots=True)
class Known:
    """The head of the log and what was found. What is absent was not there. `clock` is the database's time in microseconds, if asked."""

    size: int
    frontier: bytes
    last_time: int
    last_outbox: int
    policy: str
    clock: int | None = None
    inbox: dict[InboxKey, InboxRow] = field(default_factory=dict)
    tasks: dict[TaskKey, TaskRow] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    wrapped: dict[str, bytes] = field(default_factory=dict)
    boxes: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    policies: dict[str, bytes] = field(default_factory=dict)


_HEAD = select(head.c.size, head.c.frontier, head.c.last_time, head.c.last_outbox, head.c.policy).with_for_update()
_CLOCK = select(func.extract("epoch", func.clock_timestamp()) * 1_000_000)


def prefetch(connection: Connection, needs: Sequence[Needs], *, ask_clock: bool, compiled: Callable[[str], bool]) -> Known:
    """Lock the head and read. `compiled` says which policies need no bytes because they are at hand."""
    row = connection.execute(_HEAD).one()
    known = Known(row.size, row.frontier, row.last_time, row.last_outbox, row.policy)
    known.clock = database_clock(connection) if ask_clock else None
    _tasks(connection, known, {task for need in needs for task in need.tasks})
    _inbox(connection, known, {key for need in needs for key in need.keys})
    _cases(
        connection, known, {case_id for need in needs for case_id in need.cases}, {case_id for need in needs for case_id in need.content}
    )
    missing = {known.policy, *(case.route.policy_sha256 for case in known.cases.values())} - {""}
    if missing := {sha256 for sha256 in missing if not compiled(sha256)}:
        rows = connection.execute(select(policies.c.sha256, policies.c.body).where(policies.c.sha256.in_(missing)))
        known.policies = {row.sha256: row.body for row in rows}
    return known


def database_clock(connection: Connection) -> int:
    """PostgreSQL's `clock_timestamp()` in microseconds since 1970: the time now, not that of the transaction's start."""
    return int(connection.execute(_CLOCK).scalar_one())


_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_INBOX = select(inbox.c.kind, inbox.c.scope, inbox.c.key, inbox.c.digest, inbox.c.answer, inbox.c.case_id).where(inbox.c.key.in_(_WANTED))
_TASKS = (
    select(cases.c.service, cases.c.workflow, cases.c.task_id, cases.c.id, cases.c.input_sha256, inbox.c.answer)
    .join(inbox, (inbox.c.key == cases.c.webhook_id) & (inbox.c.scope == cases.c.service) & (inbox.c.kind == "webhook"))
    .where(cases.c.task_id.in_(_WANTED))
)
_CASES = (
    select(cases.c.snapshot, case_keys.c.wrapped)
    .join(case_keys, case_keys.c.case_id == cases.c.id, isouter=True)
    .where(cases.c.id.in_(_WANTED))
)
_BOXES = select(vault.c.case_id, vault.c.leaf_idx, vault.c.box).where(vault.c.leaf_idx.in_(_WANTED))


def _filled(values: Collection[V]) -> dict[str, list[V]]:
    """The parameter of a statement above: a list filled up to a power of two, so that few statements have to be prepared."""
    wanted = list(values)
    return {"wanted": wanted + wanted[-1:] * ((1 << (len(wanted) - 1).bit_length()) - len(wanted))}


def _inbox(connection: Connection, known: Known, keys: Collection[InboxKey]) -> None:
    if keys:
        for row in connection.execute(_INBOX, _filled([key.key for key in keys])):
            known.inbox[InboxKey(row.kind, row.scope, row.key)] = InboxRow(row.digest, row.answer, row.case_id)


def _tasks(connection: Connection, known: Known, tasks: Collection[TaskKey]) -> None:
    if tasks:
        for row in connection.execute(_TASKS, _filled([task.task_id for task in tasks])):
            known.tasks[TaskKey(row.service, row.workflow, row.task_id)] = TaskRow(row.id, row.input_sha256, row.answer)


def _cases(connection: Connection, known: Known, wanted: Collection[str], content: Collection[str]) -> None:
    if not wanted:
        return
    for row in connection.execute(_CASES, _filled(wanted)):
        case = Case.model_validate_json(row.snapshot)
        known.cases[case.id] = case
        if row.wrapped is not None:
            known.wrapped[case.id] = row.wrapped
    places = [known.cases[case_id].content_at for case_id in content if case_id in known.wrapped]
    if places:
        for box in connection.execute(_BOXES, _filled(places)):
            known.boxes[box.case_id] = (box.leaf_idx, box.box)
