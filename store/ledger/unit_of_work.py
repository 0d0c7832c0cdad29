"""One write transaction in memory: what was read, what its items changed so far, and the rows to write at its end.

Owns that an item sees the results of the items before it, that a failing item leaves nothing behind, and that rows, leaves and outbox
messages of one change are written together or not at all. It never commits and never decides what changes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, insert, select

from routing.canonical import Json, canonical
from routing.case.amount import counted
from routing.case.case import Case, check_transition
from routing.case.people import Person, Press
from routing.case.submission import Submission
from routing.case.workload import Workload
from routing.change import SYSTEM, Arrival, Change, Event, Message, MessageKind, Subject
from routing.errors import PolicyError, TransitionError
from routing.evaluation.derived_risk import derived
from routing.governance.digest_lifecycle import Desk, Paging, concerns, grouped
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, Ruling
from routing.governance.sampling import seen
from routing.policy.form.claims import Claims
from routing.policy.form.guardrails import Channels
from routing.policy.nowhere import nowhere
from routing.policy.policy import Policy
from routing.review.claiming import taker_of, takes
from routing.vocabulary import CaseKind, EventKind, State, Verdict
from store.audit.leaf import RowTrace, leaf_bytes
from store.ledger.arrival import arrive, present, uses_counted
from store.ledger.arrival_limits import Approval, Arriving
from store.ledger.case_vaults import CaseVaults
from store.ledger.consequences import consequences
from store.ledger.draft import Draft
from store.ledger.flush import flush
from store.ledger.high_water import HighWater
from store.ledger.identifiers import NOISE_SIZE, bare_id, case_id, event_id
from store.ledger.prefetch import InboxKey, InboxRow, Known, TaskKey, TaskRow, named
from store.ledger.rows import leaf_row, message_row
from store.ledger.takings import HOUR
from store.policies import Policies
from store.schema import micros, policies
from store.vault.content import seal, submission_texts
from store.vault.head_seal import text_sha256
from store.vault.vault import Vault

_WINDOW = Channels().window
"""Where no policy can be read."""


class NoPolicyError(RuntimeError):
    """No policy is active yet: the database is empty and no policy file was activated."""


class UnitOfWork:
    """A write transaction's memory. Items call `draft`, add to it, and hand it to `take`."""

    def __init__(
        self,
        known: Known,
        now: datetime,
        *,
        vault: Vault,
        policies: Policies,
        entropy: Callable[[int], bytes],
        services: Mapping[str, tuple[str, ...]],
    ) -> None:
        """`entropy` gives that many random bytes for names, `services` the names of those that post to each workflow."""
        self.now = now
        self._known = known
        self._policies = policies
        self._entropy = entropy
        self._services = services
        self._tasks = dict(known.tasks)
        self._changed = set[str]()
        self._kept = Draft(cases=dict(known.cases), rows=dict(known.rows), inbox=dict(known.inbox))
        self._seal = vault.head_seal
        self.ruling = known.ruling
        """The governance as its row has it: at first as found, after `flush` as left."""
        self._safes = CaseVaults(known, self._kept, vault)
        for sha256, body in known.policies.items():
            policies.from_database(sha256, body)

    @property
    def changed(self) -> set[str]:
        """Ids of the cases that were opened or changed."""
        return self._changed

    @property
    def enqueued(self) -> bool:
        """Whether there is something new to send."""
        return bool(self._kept.outbox)

    @property
    def promised(self) -> bool:
        """Whether a callback is among it, whose receipt wants a checkpoint."""
        return any(row["peer"] == "callback" for row in self._kept.outbox)

    @property
    def governance(self) -> Governance:
        """The governance as the items left it."""
        return self._kept.governance or self._known.governance

    def raise_to(self, high_water: HighWater) -> None:
        """Have it remember the counts of limits as this transaction left them."""
        high_water.keep(self._known, self._kept.approvals, self._kept.uses, self.now)

    def answered(self, key: InboxKey) -> InboxRow | None:
        """What was answered under a key before."""
        return self._kept.inbox.get(key)

    def task(self, key: TaskKey) -> TaskRow | None:
        """The case that a task has."""
        return self._tasks.get(key)

    def active_policy(self) -> Policy:
        """The policy that new cases follow. Raises NoPolicyError."""
        if not self.policy:
            raise NoPolicyError(NoPolicyError.__doc__)
        return self._policies.get(self.policy)

    def _in_force(self) -> Policy | None:
        """The active policy; None where there is none, or it no longer compiles."""
        try:
            return self._policies.get(self.policy) if self.policy else None
        except PolicyError:
            return None

    def _at_hand(self, case: Case) -> Policy:
        """The active policy, else the one that the case lives by, else the one that names nobody."""
        return self._first_readable(self.policy, case.route.policy_sha256) or nowhere()

    def _first_readable(self, *hashes: str) -> Policy | None:
        """The first of these policies that is known and compiles."""
        for sha256 in hashes:
            with suppress(PolicyError):
                if self._policies.knows(sha256):
                    return self._policies.get(sha256)
        return None

    @property
    def policy(self) -> str:
        """The hash of the policy that new cases follow, as the items left it; empty where there is none."""
        return self._kept.policy or self._known.policy

    def keep(self, draft: Draft, policy: Policy) -> None:
        """Store a policy's bytes, whether or not anything ever follows it."""
        row = {"sha256": policy.sha256, "body": policy.text, "version": policy.version, "at": micros(self.now)}

        def store(connection: Connection, _now: datetime) -> None:
            if connection.execute(select(policies.c.sha256).where(policies.c.sha256 == policy.sha256)).first() is None:
                connection.execute(insert(policies), row)

        draft.also.append(store)
        self._policies.add(policy)

    def activate(self, draft: Draft, policy: Policy) -> bool:
        """Make a policy the active one. False if it is already."""
        if policy.sha256 == self.policy:
            return False
        self.keep(draft, policy)
        draft.policy = policy.sha256
        return True

    def case(self, wanted: str) -> Case | None:
        """A case as the items before left it."""
        return self._kept.cases.get(wanted)

    def subject(self, wanted: str, *, content: bool, press: Press | None = None) -> Subject | None:
        """A case with those it names and, if asked for, the policy it lives by and its content (None once erased); with the workload of
        whoever gets it by `press`.
        """
        case = self._kept.cases.get(wanted)
        if case is None:
            return None
        related = {name: self._kept.cases[name] for name in named(case) if name in self._kept.cases}
        automation, dark = self.governance.control(case.workflow).automation, self.governance.dark
        uses = self.governance.break_glass
        load = self._workload(taker_of(press)) if press is not None and takes(press) else None
        if not content:
            return Subject(case, related=related, automation=automation, dark=dark, break_glass=uses, workload=load)
        try:
            policy = self._policies.get(case.route.policy_sha256)
        except PolicyError:  # an old one may name what is gone from the environment; a step that routes again says that it needs it
            policy = None
        limits = None
        if policy is not None:
            limits = present(case, policy, self.governance, self.now, known=self._known, kept=self._kept)
        return Subject(case, policy, self._safes.content(case), related, automation, limits, dark, uses, self._in_force(), load)

    def _workload(self, person: Person) -> Workload:
        """What this person has and took, as the items left it, and what the policy in force allows."""
        known, kept, ids = self._known, self._kept, person.ids
        found = {case_id for one in ids for case_id in known.claimed.get(one, ())}
        claimed = {case_id for case_id in found if (case := kept.cases.get(case_id)) is None or case.claimed_by in ids}
        claimed |= {case.id for case in kept.cases.values() if case.claimed_by in ids and case.open}
        hour = self.now - HOUR
        taken = {case_id: at for one in ids for case_id, at in known.taken.get(one, {}).items() if at > hour}
        taken = {case_id: self.now for one, case_id in kept.taken if one in ids} | taken
        policy, away = self._in_force(), self.governance.away_at(self.now)
        caps = Claims() if policy is None else policy.form.claims
        until = max((away[one] for one in ids if one in away), default=None)
        return Workload(frozenset(claimed), caps.open, taken, caps.hourly, until)

    def governed(self, wanted: Sequence[str] = (), draft: Draft | None = None, beside: Case | None = None) -> Governed:
        """What a governance step gets: the value as the items, and `draft`, left it. Raises NoPolicyError, PolicyError.

        `beside` the move of this case nothing is raised: whatever becomes of the policies, that case moves.
        """
        drafts = (self._kept,) if draft is None else (self._kept, draft)
        latest = self.governance if draft is None else draft.governance or self.governance
        return Governed(
            uses_counted(latest, self._known, *drafts),
            self.active_policy() if beside is None else self._at_hand(beside),
            bare_id(self.now, self._entropy(NOISE_SIZE)),
            {sha256: self._policies.get(sha256) for sha256 in wanted if self._policies.knows(sha256)},
            self._services,
        )

    def arrival(self, arriving: Arriving, wanted: str = "") -> Arrival:
        """What the first step of a new case gets; `wanted` is the id that it has already. Raises NoPolicyError, PolicyError."""
        wanted = wanted or case_id(self.now, self._entropy(NOISE_SIZE))
        return arrive(wanted, arriving, self.active_policy(), self.now, known=self._known, kept=self._kept, policies=self._policies)

    def open(self, draft: Draft, change: Change, webhook_id: str, input_sha256: str) -> tuple[int, ...]:
        """Add a new case with everything its change holds. Gives the indices of its leaves."""
        case = change.case
        self._safes.add(draft, case.id)
        draft.opened.append(
            {
                "id": case.id,
                "kind": case.kind.value,
                "parent": case.parent,
                "service": case.service,
                "task_id": case.task_id,
                "webhook_id": webhook_id,
                "input_sha256": input_sha256,
                "created_at": micros(case.created_at),
            }
        )
        indices = self._apply(draft, None, change)
        if case.kind is CaseKind.CASE:
            for version in (case.model_version, f"policy {case.route.policy_sha256}"):
                self._see(draft, case.workflow, version)
        return indices

    def change(self, draft: Draft, before: Case, change: Change) -> tuple[int, ...]:
        """Add a change of a case. Raises TransitionError. Gives the indices of its leaves."""
        check_transition(before.state, change.case.state)
        if before.state is State.DECIDED and change.case.open and not before.kept_here:
            raise TransitionError("a decision that left is never void")
        return self._apply(draft, before, change)

    def rule(self, draft: Draft, ruling: Ruling) -> tuple[int, ...]:
        """Add what was decided about more than one case. Gives the indices of its leaves."""
        indices = [self.record(draft, event, None) for event in ruling.events]
        draft.outbox += [message_row(message, None, self._leaf(draft, indices, message.event), self.now) for message in ruling.messages]
        if ruling.activate is not None:
            self.activate(draft, ruling.activate)
        before = draft.governance or self.governance
        if ruling.governance != before:
            draft.governance = ruling.governance.model_copy(update={"revision": before.revision + 1})
        for child in [opens(case_id(self.now, self._entropy(NOISE_SIZE))) for opens in ruling.opens]:
            self.open(draft, child, "", child.case.input_sha256)
        return tuple(indices)

    def answer(self, draft: Draft, key: InboxKey, digest: str, answer: Mapping[str, Json] | str | None, case: str) -> None:
        """Remember what was answered under a key."""
        text = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        draft.inbox[key] = InboxRow(digest, text, case)

    def record(self, draft: Draft, event: Event, case: Case | None, trace: RowTrace | None = None) -> int:
        """Add one leaf, of a case or of the whole log (which seals nothing; one with a `subject` is filed under it). Gives its index.

        `trace` is what it says of the case's row; without, that the row stays as it is.
        """
        index = self._size(draft)
        erased = case is not None and case.erased_at is not None  # then nothing is kept any more that would have to be erased again
        texts = {} if erased else {name: canonical(value) for name, value in event.sealed.items()}
        if event.submission is not None:
            if taken := texts.keys() & Submission.model_fields.keys():
                raise ValueError(f"{sorted(taken)} are fields of a submission and cannot name what is sealed beside one")
            texts |= submission_texts(event.submission)
        commitments: dict[str, Json] = {}
        if texts and case is not None:
            sealed = seal(self._safes.of(draft, case.id), index, texts)
            commitments = sealed.commitments
            draft.vault.append({"leaf_idx": index, "case_id": case.id, "root_salt": sealed.root_salt, "box": sealed.box})
        name = event_id(self.now, self._entropy(NOISE_SIZE))
        if case is not None and trace is None:
            there = self._found(draft, case.id)
            trace = RowTrace(there, there)
        body = leaf_bytes(event, case, commitments, index=index, event_id=name, at=self.now, trace=trace)
        subject = str(event.fields.get("subject", "")) or None if case is None else case.id
        draft.leaves.append(leaf_row(index, body, event.kind, self.now, event_id=name, subject=subject))
        return index

    def take(self, draft: Draft) -> None:
        """Make a draft part of the transaction. Cannot fail."""
        kept = self._kept
        kept.outbox += draft.outbox
        kept.leaves += draft.leaves
        kept.vault += draft.vault
        kept.opened += draft.opened
        kept.case_keys += draft.case_keys
        kept.also += draft.also
        kept.approvals += draft.approvals
        kept.uses += draft.uses
        kept.taken += draft.taken
        kept.cases |= draft.cases
        kept.rows |= draft.rows
        kept.contents |= draft.contents
        kept.vaults |= draft.vaults
        kept.policy = draft.policy or kept.policy
        kept.governance = draft.governance or kept.governance
        self._changed |= draft.cases.keys()
        kept.inbox |= draft.inbox
        for opened in draft.opened:
            case = draft.cases[opened["id"]]
            first = draft.inbox.get(InboxKey("webhook", case.service, opened["webhook_id"]))
            answer = "" if first is None else first.answer
            self._tasks[TaskKey(case.service, case.workflow, case.task_id)] = TaskRow(case.id, opened["input_sha256"], answer)
            kept.alike.setdefault(case.likeness, []).append(case.id)

    def flush(self, connection: Connection) -> None:
        """Write all rows and the new head."""
        policy = self._in_force()
        window = _WINDOW if policy is None else policy.form.channels.window
        self.ruling = flush(connection, self._known, self._kept, self._changed, self.now, seal=self._seal, window=window)

    def _apply(self, draft: Draft, before: Case | None, change: Change) -> tuple[int, ...]:
        """Everything a change holds: its own case, those along with it, those it opens, and what follows for its workflow."""
        children = [opens(case_id(self.now, self._entropy(NOISE_SIZE))) for opens in change.opens]
        change, paged = self._grouped(draft, before, _naming(change, children))
        indices = self._apply_one(draft, before, change)
        if paged is not None:
            self.rule(draft, paged)
        case = draft.cases[change.case.id]
        if case.kind is CaseKind.CASE:  # the others take over what their parent's route used
            draft.uses += [(used, case.id) for used in case.route.exceptions if before is None or used not in before.route.exceptions]
        if case.verdict is Verdict.AUTO_APPROVED and (before is None or before.verdict is not case.verdict):
            draft.approvals.append(Approval(case.workflow, _amount(change, self._policies.get(case.route.policy_sha256))))
        for along in change.along:
            if along.case.id in draft.cases:
                raise ValueError(f"{along.case.id} changes twice in one change")
            self.change(draft, self._kept.cases[along.case.id], along)
        for child in children:
            self.open(draft, child, "", child.case.input_sha256)
        review = next((child.case.id for child in children if child.case.kind is CaseKind.REVIEW), "")
        for follows in consequences(change, case, review, self.now, opened=before is None):
            if (ruling := follows(self.governed(draft=draft, beside=case))) is not None:
                self.rule(draft, ruling)
        return indices

    def _grouped(self, draft: Draft, before: Case | None, change: Change) -> tuple[Change, Ruling | None]:
        """The change as it is where there are too many pages, and what becomes of digests with it."""
        if not concerns(before, change):
            return change, None
        policy = self._in_force()
        storm = None if policy is None else policy.form.pages.storm
        paging = Paging(storm, self._desk, lambda: bare_id(self.now, self._entropy(NOISE_SIZE)))
        return grouped(draft.governance or self.governance, before, change, paging, self.now)

    def _desk(self, case: Case, tier: int) -> Desk | None:
        """Where the pages of a tier (0-based) of the case go, as they are sent: by its policy, or by the active one where that cannot be
        read; None where there is neither routing key nor address.
        """
        policy, ladder = self._first_readable(case.route.policy_sha256, self.policy), case.route.ladder
        if policy is None:
            return None
        keys = (policy.routing_key(ladder, tier), policy.routing_key(ladder, tier, second=True))
        return Desk.of(*keys, policy.addresses(ladder, tier))

    def _apply_one(self, draft: Draft, before: Case | None, change: Change) -> tuple[int, ...]:
        """One case: its events, each with a trace of its row, its row and its messages. Nothing is changed or promised without one."""
        told = [message for message in change.messages if message.kind is MessageKind.CALLBACK and not message.subject]
        events = change.events or ((Event(EventKind.CHANGED, SYSTEM),) if told or change.case != before else ())
        first, steps = self._size(draft), list[Case]()
        case = change.case
        for index, event in enumerate(events, first):
            if event.submission is not None:
                case = case.model_copy(update={"content_at": index, "segment": event.submission.risk.segment or ""})
                draft.contents[case.id] = event.submission
            if event.kind is EventKind.DECIDED:
                case = case.model_copy(update={"decided_index": index})
            steps.append(case)
        found = self._found(draft, case.id)
        row = case.model_dump_json() if steps else draft.rows.get(case.id) or self._kept.rows[case.id]
        indices = range(first, first + len(steps))
        promised = tuple((message.callback, message.sequence, _leaf_of(message, indices)) for message in told)
        for index, event, step in zip(indices, events, steps, strict=True):
            trace = RowTrace(found, text_sha256(row), promised) if index == indices[-1] else RowTrace(found, found)
            self.record(draft, _pointing(event, step.content_at), step, trace)
        if before is not None and case.content_at < before.content_at:
            draft.contents[case.id] = None  # of before, and not read: whoever needs it comes again
        draft.cases[case.id], draft.rows[case.id] = case, row
        for message in change.messages:
            leaf = self._leaf(draft, indices, message.event) if message.leaf is None else message.leaf
            draft.outbox.append(message_row(message, case, leaf, self.now))
        return tuple(indices)

    def _found(self, draft: Draft, wanted: str) -> str | None:
        """The digest of a case's row as what came before left it; None for a new case."""
        row = draft.rows.get(wanted) or self._kept.rows.get(wanted)
        return None if row is None else text_sha256(row)

    def _see(self, draft: Draft, workflow: str, version: str) -> None:
        """Tell the governance of a version that came in, where it does not know it yet."""
        latest = draft.governance or self.governance
        if version and version not in latest.control(workflow).known_versions:
            ruling = seen(self.governed(draft=draft), workflow, version, self.now)
            if ruling is not None:
                self.rule(draft, ruling)

    def _size(self, draft: Draft) -> int:
        """How long the log is with what was added: the index of the next leaf."""
        return self._known.size + len(self._kept.leaves) + len(draft.leaves)

    def _leaf(self, draft: Draft, indices: Sequence[int], event: int) -> int:
        """The leaf that a message speaks of: one of its change, or the newest where that has none."""
        return indices[event] if indices else self._size(draft) - 1


def _naming(change: Change, children: Sequence[Change]) -> Change:
    """The change with the cases that it opens named by their parents, which change with it."""
    born: dict[str, tuple[str, ...]] = {}
    for child in children:
        born[child.case.parent] = (*born.get(child.case.parent, ()), child.case.id)
    if not born.keys() <= {change.case.id, *(along.case.id for along in change.along)}:
        raise ValueError(f"{sorted(born)} get children without changing")

    def named(one: Change) -> Change:
        more = born.get(one.case.id, ())
        return replace(one, case=one.case.model_copy(update={"children": (*one.case.children, *more)})) if more else one

    return replace(named(change), along=tuple(map(named, change.along))) if born else change


def _leaf_of(message: Message, indices: Sequence[int]) -> int:
    """The leaf that a message of a case speaks of."""
    return indices[message.event] if message.leaf is None else message.leaf


def _pointing(event: Event, content_at: int) -> Event:
    """An event that names the hash of the input also says which leaf seals that input; only here is that index known."""
    return replace(event, fields={**event.fields, "content_leaf": content_at}) if "input_sha256" in event.fields else event


def _amount(change: Change, policy: Policy) -> Decimal:
    """What an automatic approval moves, as the policy reads it; either sign counts, or one could make room for another."""
    workflow = policy.workflow(change.case.workflow)
    contents = [event.submission for event in change.events if event.submission is not None]
    return Decimal(0) if not contents or workflow is None else counted(derived(workflow, contents[-1]).risk.amount)
