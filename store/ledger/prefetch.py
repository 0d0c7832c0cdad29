"""Reads at the start of a write transaction everything that its items said they would need, under the lock on the head of the log, which
orders all writers. Never writes and never decides.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, select

from routing.case.case import Case
from routing.governance.governance import Governance
from routing.policy.form.form import Workflow
from routing.policy.form.guardrails import Duplicates
from store.database.prepared import Prepared
from store.ledger.arrival_limits import Arriving, read_alike, read_amounts, read_autos, read_uses
from store.ledger.sealed_head import DATABASE_CLOCK, HeadRow, Ruling, believed, lock_head
from store.ledger.takings import HOUR, read_claimed, read_taken
from store.policies import Policies
from store.schema import case_keys, cases, inbox, policies, vault
from store.vault.head_seal import HeadSeal


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
    """The case that a task has, with the first answer given; empty for a case that no service posted."""

    case_id: str
    input_sha256: str
    answer: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What one item has to know: inbox keys, tasks, cases, cases of which also the content, new cases, and policies by hash.

    `people`: ids of whoever may get a case by it.
    `governs`: it may change the policy in force or the exceptions, so that every figure they may ask for is wanted.
    """

    keys: tuple[InboxKey, ...] = ()
    tasks: tuple[TaskKey, ...] = ()
    cases: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    arriving: tuple[Arriving, ...] = ()
    policies: tuple[str, ...] = ()
    people: frozenset[str] = frozenset()
    governs: bool = False


@dataclass(slots=True)
class Known:
    """The head of the log and what was found. What is absent was not there. `clock` is the database's time in microseconds, if asked."""

    size: int
    frontier: bytes
    last_time: int
    last_outbox: int
    policy: str
    ruling: Ruling = field(default_factory=Ruling)
    clock: int | None = None
    inbox: dict[InboxKey, InboxRow] = field(default_factory=dict)
    tasks: dict[TaskKey, TaskRow] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    unposted: dict[str, int] = field(default_factory=dict)
    wrapped: dict[str, bytes] = field(default_factory=dict)
    boxes: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    policies: dict[str, bytes] = field(default_factory=dict)
    alike: dict[str, list[str]] = field(default_factory=dict)
    autos: dict[str, int] = field(default_factory=dict)
    amounts: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    claimed: dict[str, set[str]] = field(default_factory=dict)
    taken: dict[str, dict[str, datetime]] = field(default_factory=dict)

    @property
    def governance(self) -> Governance:
        """What is decided about more than one case."""
        return self.ruling.governance


Forms = Mapping[str, Sequence[Workflow] | None]
"""By workflow, what the policies that new cases may follow say of it; None when one is not compiled yet, and may say anything."""

_CLOCK = select(DATABASE_CLOCK)


def prefetch(
    connection: Connection,
    needs: Sequence[Needs],
    at_hand: Policies,
    cached: Ruling,
    about: datetime,
    *,
    seal: HeadSeal,
    ask_clock: bool,
    locked: HeadRow | None = None,
) -> Known:
    """Lock the head, unless it is `locked` already, and read. `at_hand` are the policies that need no bytes, `cached` is the governance as
    this process knew it last, and `about` the time, a little early at most: windows are read from there. Raises HeadAlteredError.
    """
    row, ruling = believed(connection, locked or lock_head(connection), cached, seal)
    known = Known(row.size, row.frontier, row.last_time, row.last_outbox, row.policy, ruling)
    known.clock = int(row.clock) if ask_clock else None
    _tasks(connection, known, {task for need in needs for task in need.tasks})
    _inbox(connection, known, {key for need in needs for key in need.keys})
    rollout = known.governance.rollout
    follows = {known.policy, "" if rollout is None else rollout.sha256}
    arriving = [each for need in needs for each in need.arriving]
    forms = {each.workflow: _forms(at_hand, follows, each.workflow) for each in arriving}
    windows_s = {name: max((form.duplicates.window for form in found or ()), default=_WINDOW_S) for name, found in forms.items()}
    known.alike = read_alike(connection, arriving, windows_s, about)
    people = {person for need in needs for person in need.people}
    known.claimed, known.taken = read_claimed(connection, people), read_taken(connection, people, about - HOUR)
    wanted = {case_id for need in needs for case_id in need.cases}
    _cases(connection, known, wanted, alike={case_id for ids in known.alike.values() for case_id in ids} - wanted)
    known.alike = {likeness: [case_id for case_id in ids if case_id in known.cases] for likeness, ids in known.alike.items()}
    asked = [known.cases[case_id] for case_id in wanted if case_id in known.cases]
    missing = follows | {sha256 for need in needs for sha256 in need.policies} | {case.route.policy_sha256 for case in asked}
    _cases(connection, known, {name for case in asked for name in named(case)} - known.cases.keys())
    contents = {case_id for need in needs for case_id in need.content}
    _contents(connection, known, contents)
    for case in asked:
        if case.id in contents and case.open:  # it may be routed again, by the policy it lives by
            again = _forms(at_hand, {case.route.policy_sha256}, case.workflow)
            before = forms.get(case.workflow, [])
            forms[case.workflow] = None if again is None or before is None else [*before, *again]
    _limits(connection, known, forms, about, governs=any(need.governs for need in needs))
    if missing := {sha256 for sha256 in missing - {""} if not at_hand.knows(sha256)}:
        rows = connection.execute(select(policies.c.sha256, policies.c.body).where(policies.c.sha256.in_(missing)))
        known.policies = {row.sha256: row.body for row in rows}
    return known


def named(case: Case) -> tuple[str, ...]:
    """Ids of the cases that may change with this one: its parent, its checks and roll-backs, those it is decided with."""
    return tuple(name for name in (case.parent, case.tied_to, *case.children, *case.tied) if name)


def database_clock(connection: Connection) -> int:
    """PostgreSQL's time in microseconds since 1970."""
    return int(connection.execute(_CLOCK).scalar_one())


_INBOX = Prepared(
    lambda keys: select(inbox.c.kind, inbox.c.scope, inbox.c.key, inbox.c.digest, inbox.c.answer, inbox.c.case_id).where(
        inbox.c.key.in_(keys)
    )
)
_ITS_INBOX = (inbox.c.key == cases.c.webhook_id) & (inbox.c.scope == cases.c.service) & (inbox.c.kind == "webhook")
_TASKS = Prepared(
    lambda tasks: (
        select(cases.c.service, cases.c.workflow, cases.c.task_id, cases.c.id, cases.c.input_sha256, inbox.c.answer)
        .join(inbox, _ITS_INBOX, isouter=True)
        .where(cases.c.task_id.in_(tasks))
    )
)
_CASES = Prepared(
    lambda ids: (
        select(cases.c.id, cases.c.snapshot, cases.c.unposted, case_keys.c.wrapped)
        .join(case_keys, case_keys.c.case_id == cases.c.id, isouter=True)
        .where(cases.c.id.in_(ids))
    )
)
_BOXES = Prepared(lambda places: select(vault.c.case_id, vault.c.leaf_idx, vault.c.box).where(vault.c.leaf_idx.in_(places)))


def _inbox(connection: Connection, known: Known, keys: Collection[InboxKey]) -> None:
    if keys:
        for row in _INBOX.execute(connection, [key.key for key in keys]):
            known.inbox[InboxKey(row.kind, row.scope, row.key)] = InboxRow(row.digest, row.answer, row.case_id)


def _tasks(connection: Connection, known: Known, tasks: Collection[TaskKey]) -> None:
    if tasks:
        for row in _TASKS.execute(connection, [task.task_id for task in tasks]):
            known.tasks[TaskKey(row.service, row.workflow, row.task_id)] = TaskRow(row.id, row.input_sha256, row.answer or "")


def _cases(connection: Connection, known: Known, wanted: AbstractSet[str], *, alike: AbstractSet[str] = frozenset()) -> None:
    """Of cases in `alike`, to which new ones may be tied, those that somebody damaged are left out: no new one waits for their mending."""
    if every := wanted | alike:
        for row in _CASES.execute(connection, every):
            try:
                case = Case.model_validate_json(row.snapshot)
            except ValueError:
                if row.id in alike:
                    continue
                raise
            known.cases[case.id] = case
            known.rows[case.id] = row.snapshot
            known.unposted[case.id] = row.unposted
            if row.wrapped is not None:
                known.wrapped[case.id] = row.wrapped


def _contents(connection: Connection, known: Known, wanted: Collection[str]) -> None:
    if places := [known.cases[case_id].content_at for case_id in wanted if case_id in known.wrapped]:
        for box in _BOXES.execute(connection, places):
            known.boxes[box.case_id] = (box.leaf_idx, box.box)


def _limits(connection: Connection, known: Known, forms: Forms, about: datetime, *, governs: bool) -> None:
    """What limits the cases that are routed; nothing where no policy they may follow and no exception asks for it."""
    capped = {name for name, found in forms.items() if found is None or any(_is_capped(form) for form in found) or governs}
    known.autos = read_autos(connection, capped, about - timedelta(hours=1))
    known.amounts = read_amounts(connection, capped, about)
    in_force = [waiver for waiver in known.governance.waivers if waiver.state == "in_force"]
    limited = [waiver.id for waiver in in_force if governs or (waiver.workflow in forms and waiver.most is not None)]
    known.uses = read_uses(connection, limited)


_WINDOW_S = Duplicates().window


def _forms(at_hand: Policies, follows: Collection[str], workflow: str) -> list[Workflow] | None:
    found = [at_hand.compiled(sha256) for sha256 in follows if sha256]
    compiled = [policy for policy in found if policy is not None]
    return [form for policy in compiled if (form := policy.workflow(workflow))] if len(compiled) == len(found) else None


def _is_capped(workflow: Workflow) -> bool:
    return workflow.caps.per_hour is not None or workflow.caps.amount_per_day is not None
