"""One write transaction in memory: what was read, what its items changed so far, and the rows to write at its end.

Owns that an item sees the results of the items before it, that a failing item leaves nothing behind, and that rows, leaves and outbox
messages of one change are written together or not at all. It never commits and never decides what changes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, insert, select

from routing.canonical import Json, canonical
from routing.case import Case, check_transition
from routing.change import Change, Event, Message, MessageKind, Subject
from routing.policy import Policy
from routing.submission import Submission
from routing.vocabulary import EventKind
from store.content import content_submission, seal, submission_texts, unseal
from store.draft import Draft, Row
from store.flush import flush
from store.identifiers import NOISE_SIZE, case_id, event_id
from store.leaf import leaf_bytes
from store.log import leaf_hash
from store.policies import Policies
from store.prefetch import InboxKey, InboxRow, Known, TaskKey, TaskRow
from store.schema import micros, policies
from store.vault import CaseVault, Vault

PEERS = {
    MessageKind.CARD: "slack",
    MessageKind.CARD_UPDATE: "slack",
    MessageKind.NOTE: "slack",
    MessageKind.PAGE: "pagerduty",
    MessageKind.PAGE_ACKNOWLEDGE: "pagerduty",
    MessageKind.PAGE_RESOLVE: "pagerduty",
    MessageKind.CALLBACK: "callback",
}


class NoPolicyError(RuntimeError):
    """No policy is active yet: the database is empty and no policy file was activated."""


class Unit:
    """A write transaction's memory. Items call `draft`, add to it, and hand it to `take`."""

    def __init__(self, known: Known, now: datetime, vault: Vault, policies: Policies, entropy: Callable[[int], bytes]) -> None:
        """`entropy` gives that many random bytes for names."""
        self.now = now
        self._known = known
        self._vault = vault
        self._policies = policies
        self._entropy = entropy
        self._tasks = dict(known.tasks)
        self._changed = set[str]()
        self._kept = Draft(cases=dict(known.cases), inbox=dict(known.inbox))
        for sha256, body in known.policies.items():
            policies.remember(sha256, body)

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

    def answered(self, key: InboxKey) -> InboxRow | None:
        """What was answered under a key before."""
        return self._kept.inbox.get(key)

    def task(self, key: TaskKey) -> TaskRow | None:
        """The case that a task has."""
        return self._tasks.get(key)

    def active_policy(self) -> Policy:
        """The policy that new cases follow. Raises NoPolicyError."""
        sha256 = self._kept.policy or self._known.policy
        if not sha256:
            raise NoPolicyError(NoPolicyError.__doc__)
        return self._policies.get(sha256)

    def activate(self, draft: Draft, policy: Policy) -> bool:
        """Make a policy the active one. False if it is already."""
        if policy.sha256 == (self._kept.policy or self._known.policy):
            return False
        row = {"sha256": policy.sha256, "body": policy.text, "version": policy.version, "at": micros(self.now)}

        def keep(connection: Connection, _now: datetime) -> None:
            if connection.execute(select(policies.c.sha256).where(policies.c.sha256 == policy.sha256)).first() is None:
                connection.execute(insert(policies), row)

        draft.also.append(keep)
        draft.policy = policy.sha256
        self._policies.add(policy)
        return True

    def case(self, wanted: str) -> Case | None:
        """A case as the items before left it."""
        return self._kept.cases.get(wanted)

    def subject(self, wanted: str, *, content: bool) -> Subject | None:
        """A case and, if asked for, the policy it lives by and its content (None once erased). Raises PolicyError."""
        case = self._kept.cases.get(wanted)
        if case is None:
            return None
        return Subject(case, self._policies.get(case.route.policy_sha256), self._content(case)) if content else Subject(case)

    def draw_case_id(self) -> str:
        """A new case id."""
        return case_id(self.now, self._entropy(NOISE_SIZE))

    def open(self, draft: Draft, change: Change, task: TaskKey, webhook_id: str, input_sha256: str) -> tuple[int, ...]:
        """Add a new case with everything its change holds. Gives the indices of its leaves."""
        safe, wrapped = self._vault.new_case(change.case.id)
        draft.safes[change.case.id] = safe
        draft.case_keys.append({"case_id": change.case.id, "wrapped": wrapped})
        draft.opened.append(
            {
                "id": change.case.id,
                "service": task.service,
                "task_id": task.task_id,
                "webhook_id": webhook_id,
                "input_sha256": input_sha256,
                "created_at": micros(self.now),
            }
        )
        return self._apply(draft, change)

    def change(self, draft: Draft, before: Case, change: Change) -> tuple[int, ...]:
        """Add a change of a case. Raises TransitionError. Gives the indices of its leaves."""
        check_transition(before.state, change.case.state)
        return self._apply(draft, change)

    def answer(self, draft: Draft, key: InboxKey, digest: str, answer: Mapping[str, Json] | str | None, case: str) -> None:
        """Remember what was answered under a key."""
        text = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        draft.inbox[key] = InboxRow(digest, text, case)

    def record(self, draft: Draft, event: Event, case: Case | None) -> int:
        """Add one leaf, of a case or of the whole log (which seals nothing). Gives its index."""
        index = self._size(draft)
        erased = case is not None and case.erased_at is not None  # then nothing is kept any more that would have to be erased again
        texts = {} if erased else {name: canonical(value) for name, value in event.sealed.items()}
        if event.submission is not None:
            if taken := texts.keys() & Submission.model_fields.keys():
                raise ValueError(f"{sorted(taken)} are fields of a submission and cannot name what is sealed beside one")
            texts |= submission_texts(event.submission)
        commitments: dict[str, Json] = {}
        if texts and case is not None:
            sealed = seal(self._safe(draft, case.id), index, texts)
            commitments = sealed.commitments
            draft.vault.append({"leaf_idx": index, "case_id": case.id, "root_salt": sealed.root_salt, "box": sealed.box})
        name = event_id(self.now, self._entropy(NOISE_SIZE))
        body = leaf_bytes(event, case, commitments, index=index, event_id=name, at=self.now)
        draft.leaves.append(
            {
                "idx": index,
                "body": body,
                "hash": leaf_hash(body),
                "event_id": name,
                "case_id": None if case is None else case.id,
                "kind": event.kind.value,
                "at": micros(self.now),
            }
        )
        return index

    def take(self, draft: Draft) -> None:
        """Make a draft part of the transaction. Cannot fail."""
        kept = self._kept
        for row in draft.outbox:
            row["id"] = self._known.last_outbox + len(kept.outbox) + 1
            kept.outbox.append(row)
        kept.leaves += draft.leaves
        kept.vault += draft.vault
        kept.opened += draft.opened
        kept.case_keys += draft.case_keys
        kept.also += draft.also
        kept.cases |= draft.cases
        kept.contents |= draft.contents
        kept.safes |= draft.safes
        kept.policy = draft.policy or kept.policy
        self._changed |= draft.cases.keys()
        kept.inbox |= draft.inbox
        for opened in draft.opened:
            case = draft.cases[opened["id"]]
            first = draft.inbox[InboxKey("webhook", case.service, opened["webhook_id"])]
            self._tasks[TaskKey(case.service, case.workflow, case.task_id)] = TaskRow(case.id, opened["input_sha256"], first.answer)

    def flush(self, connection: Connection) -> None:
        """Write all rows and the new head."""
        flush(connection, self._known, self._kept, self._changed, self.now)

    def _apply(self, draft: Draft, change: Change) -> tuple[int, ...]:
        case, indices = change.case, list[int]()
        for event in change.events:
            index = self._size(draft)
            if event.submission is not None:
                case = case.model_copy(update={"content_at": index})
                draft.contents[case.id] = event.submission
            if event.kind is EventKind.DECIDED:
                case = case.model_copy(update={"decided_index": index})
            indices.append(self.record(draft, _pointing(event, case.content_at), case))
        draft.cases[case.id] = case
        draft.outbox += [self._message(message, case, indices) for message in change.messages]
        return tuple(indices)

    def _size(self, draft: Draft) -> int:
        """How long the log is with what was added: the index of the next leaf."""
        return self._known.size + len(self._kept.leaves) + len(draft.leaves)

    def _message(self, message: Message, case: Case, indices: Sequence[int]) -> Row:
        return {
            "case_id": case.id,
            "peer": PEERS[message.kind],
            "destination": message.destination,
            "kind": message.kind.value,
            "tier": message.tier,
            "round": message.round,
            "callback": message.callback,
            "sequence": message.sequence,
            "leaf_idx": indices[message.event] if indices else self._known.size + len(self._kept.leaves) - 1,
            "priority": case.route.priority,
            "urgent": message.urgent,
            "state": "ready",
            "attempts": 0,
            "not_before": 0,
            "lease_owner": "",
            "lease_until": None,
            "intent_at": None,
            "last_error": "",
            "created_at": micros(self.now),
            "settled_at": None,
        }

    def _content(self, case: Case) -> Submission | None:
        if case.id in self._kept.contents:
            return self._kept.contents[case.id]
        if case.id not in self._known.boxes or case.id not in self._known.wrapped:
            return None
        leaf_idx, box = self._known.boxes[case.id]
        safe = self._vault.open_case(case.id, self._known.wrapped[case.id])
        return content_submission(case.workflow, case.task_id, unseal(safe, leaf_idx, box))

    def _safe(self, draft: Draft, wanted: str) -> CaseVault:
        safe = draft.safes.get(wanted) or self._kept.safes.get(wanted)
        if safe is None:
            safe = draft.safes[wanted] = self._vault.open_case(wanted, self._known.wrapped[wanted])
        return safe


def _pointing(event: Event, content_at: int) -> Event:
    """An event that names the hash of the input also says which leaf seals that input; only here is that index known."""
    return replace(event, fields={**event.fields, "content_leaf": content_at}) if "input_sha256" in event.fields else event
