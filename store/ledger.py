"""The only write path for cases, leaves, answers and what is to be sent: each change of anything is one call here.

Owns idempotency (a thing that arrived once counts once), the record of refused presses, and the stop that keeps people and services from
believing in a record that cannot be signed. It never decides: steps do, and they are pure.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from routing.canonical import Json
from routing.case import Case
from routing.change import SYSTEM, Actor, Change, Event, Refused, Subject
from routing.facts import Facts
from routing.people import Press
from routing.policy import Policy
from routing.submission import moment_text
from routing.vocabulary import EventKind
from store.draft import Also, Draft
from store.prefetch import InboxKey, Needs, TaskKey
from store.timekeeper import Jump
from store.unit import Unit
from store.writer import Rank, Writer

OpenStep = Callable[[str, Policy, Facts, datetime], Change]
Step = Callable[[Subject, datetime], Change | Refused]

Answer = Mapping[str, Json]

REFUSALS_A_MINUTE = 10
"""Refused presses of one person that get a leaf each; the rest of the minute is counted in one."""


class NotRecordingError(RuntimeError):
    """The audit log disagrees with the checkpoints kept outside the database; nothing new is recorded until an operator has looked."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A case as it arrived. `digest` is the hex SHA-256 of the body, `input_sha256` that of the canonical submission."""

    service: str
    webhook_id: str
    digest: str
    workflow: str
    task_id: str
    input_sha256: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new case, and the answer for the service."""

    answer: Answer
    case: Case


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same thing arrived before: its first answer (None if there was none), and the case it was about."""

    answer: Answer | None
    case_id: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something else arrived before under this webhook id, or for this task."""

    reason: Literal["webhook_id", "task"]
    case_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A case after its change, the answer to give, and the indices of the leaves in order of the change's events."""

    case: Case
    answer: Answer | None
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such case."""

    case_id: str


class Ledger:
    """Opens and changes cases through a writer that was started."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._refusals = Refusals()
        self._stopped = ""
        self.checkpoint: str | None = None
        """The note of the newest checkpoint known here, for the answers to new cases; who signs keeps it up to date."""

    async def open(self, delivery: Delivery, step: OpenStep) -> Opened | Repeated | Conflict:
        """Open a case, once for each webhook id and each task.

        Raises what the step raises, NoPolicyError, NotRecordingError, CannotRecordError.
        """
        self._check_recording()
        return await self._writer.submit(_Opening(delivery, step, self.checkpoint), Rank.INTAKE)

    async def change(
        self,
        case_id: str,
        step: Step,
        *,
        press: Press | None = None,
        key: InboxKey | None = None,
        digest: str = "",
        content: bool = False,
        also: Also | None = None,
    ) -> Changed | Refused | Repeated | Conflict | Missing:
        """Change a case. `content` lets the step see the submission; `also` writes rows of its own in the same transaction.

        With `key` the same arrival counts once and its answer, also a refusal, is kept; with `press` a refusal is recorded before it is
        given. Raises what the step raises, TransitionError, NotRecordingError (clocks go on: neither press nor key), CannotRecordError.
        """
        if press is not None or key is not None:
            self._check_recording()
        changing = _Changing(case_id, step, self._refusals, press=press, key=key, digest=digest, content=content, also=also)
        return await self._writer.submit(changing, Rank.PROMPT)

    async def record(self, event: Event, *, case_id: str | None = None, also: Also | None = None) -> int | None:
        """Record an event that changes no case, of one case or of the whole log. Gives the leaf's index, None without such a case."""
        return await self._writer.submit(_Recording(event, case_id, also), Rank.PROMPT)

    async def activate(self, policy: Policy, actor: Actor = SYSTEM, reason: str = "bootstrap") -> bool:
        """Make a policy the one that new cases follow. False if it was already."""
        return await self._writer.submit(_Activating(policy, actor, reason), Rank.PROMPT)

    async def sweep_refusals(self, now: datetime) -> None:
        """Record how many presses of each person were refused beyond those recorded one by one, for minutes that are over."""
        for person, count in self._refusals.over(now):
            if count:
                await self.record(Event(EventKind.PRESSES_REFUSED, Actor("human", person), {"count": count}))
            self._refusals.forget(person, count)

    async def clock_jumped(self, jump: Jump) -> int | None:
        """Record that the wall clock was set by `jump.seconds`."""
        fields: Answer = {"seconds": round(jump.seconds, 3), "wall": moment_text(jump.wall), "ledger": moment_text(jump.steady)}
        return await self.record(Event(EventKind.CLOCK_JUMPED, SYSTEM, fields))

    def stop_recording(self, reason: str) -> None:
        """From now on refuse new cases and presses, saying why; clocks go on."""
        self._stopped = reason

    def resume_recording(self) -> None:
        """Take new cases and presses again."""
        self._stopped = ""

    @property
    def not_recording(self) -> str:
        """Why new cases and presses are refused; empty when they are not."""
        return self._stopped

    def _check_recording(self) -> None:
        if self._stopped:
            raise NotRecordingError(f"{NotRecordingError.__doc__} {self._stopped}")


@dataclass(slots=True)
class Refusals:
    """How often each person was refused within the last minute, in memory only: a restart starts afresh."""

    _recent: dict[str, deque[datetime]] = field(default_factory=dict)
    _uncounted: dict[str, int] = field(default_factory=dict)

    def admit(self, person: str, now: datetime) -> bool:
        """Whether this refusal gets a leaf of its own; if not, it is counted."""
        recent = self._recent.setdefault(person, deque(maxlen=REFUSALS_A_MINUTE))
        if len(recent) == REFUSALS_A_MINUTE and now - recent[0] < timedelta(minutes=1):
            self._uncounted[person] = self._uncounted.get(person, 0) + 1
            return False
        recent.append(now)
        return True

    def over(self, now: datetime) -> list[tuple[str, int]]:
        """(person, count) of those whose minute is over; to be forgotten once recorded."""
        past = [person for person, recent in self._recent.items() if now - recent[-1] >= timedelta(minutes=1)]
        return [(person, self._uncounted.get(person, 0)) for person in past]

    def forget(self, person: str, count: int) -> None:
        """So many refusals of a person are recorded; those that came meanwhile stay."""
        left = self._uncounted.pop(person, 0) - count
        if left:
            self._uncounted[person] = left
        else:
            self._recent.pop(person, None)


class _Opening:
    def __init__(self, delivery: Delivery, step: OpenStep, checkpoint: str | None) -> None:
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._step = step
        self._key = InboxKey("webhook", delivery.service, delivery.webhook_id)
        self._task = TaskKey(delivery.service, delivery.workflow, delivery.task_id)
        self.needs = Needs(keys=(self._key,), tasks=(self._task,))

    def apply(self, unit: Unit) -> Opened | Repeated | Conflict:
        delivery, draft = self._delivery, Draft()
        if (before := unit.answered(self._key)) is not None:
            same = before.digest == delivery.digest
            return Repeated(json.loads(before.answer), before.case_id) if same else Conflict("webhook_id", before.case_id)
        if (task := unit.task(self._task)) is not None:
            if task.input_sha256 != delivery.input_sha256:
                return Conflict("task", task.case_id)
            unit.answer(draft, self._key, delivery.digest, task.answer, task.case_id)
            unit.take(draft)
            return Repeated(json.loads(task.answer), task.case_id)
        change = self._step(unit.draw_case_id(), unit.active_policy(), Facts(), unit.now)
        unit.open(draft, change, self._task, delivery.webhook_id, delivery.input_sha256)
        answer = {**(change.answer or {}), "checkpoint": self._checkpoint}
        unit.answer(draft, self._key, delivery.digest, answer, change.case.id)
        unit.take(draft)
        return Opened(answer, draft.cases[change.case.id])


class _Changing:
    def __init__(
        self,
        case_id: str,
        step: Step,
        refusals: Refusals,
        *,
        press: Press | None,
        key: InboxKey | None,
        digest: str,
        content: bool,
        also: Also | None,
    ) -> None:
        self._case_id = case_id
        self._step = step
        self._press = press
        self._key = key
        self._digest = digest
        self._content = content
        self._also = also
        self._refusals = refusals
        self.needs = Needs(keys=() if key is None else (key,), cases=(case_id,), content=(case_id,) if content else ())

    def apply(self, unit: Unit) -> Changed | Refused | Repeated | Conflict | Missing:
        draft = Draft()
        if self._key is not None and (before := unit.answered(self._key)) is not None:
            same = before.digest == self._digest
            return Repeated(json.loads(before.answer), before.case_id) if same else Conflict("webhook_id", before.case_id)
        subject = unit.subject(self._case_id, content=self._content)
        if subject is None:
            return Missing(self._case_id)
        result = self._step(subject, unit.now)
        if isinstance(result, Refused):
            if self._press is not None:
                self._refuse(unit, draft, self._press, result, subject.case)
            self._remember(unit, draft, {"refused": {"reason": result.reason, "text": result.text}})
            unit.take(draft)
            return result
        indices = unit.change(draft, subject.case, result)
        self._remember(unit, draft, result.answer)
        if self._also is not None:
            draft.also.append(self._also)
        unit.take(draft)
        return Changed(draft.cases[self._case_id], result.answer, indices)

    def _refuse(self, unit: Unit, draft: Draft, press: Press, refused: Refused, case: Case) -> None:
        if self._refusals.admit(press.person.id, unit.now):
            fields: Answer = {"verb": press.verb, "reason": refused.reason, "face": press.face}
            unit.record(draft, Event(EventKind.PRESS_REFUSED, Actor("human", press.person.id), fields), case)

    def _remember(self, unit: Unit, draft: Draft, answer: Answer | None) -> None:
        if self._key is not None:
            unit.answer(draft, self._key, self._digest, answer, self._case_id)


class _Recording:
    def __init__(self, event: Event, case_id: str | None, also: Also | None) -> None:
        self._event = event
        self._case_id = case_id
        self._also = also
        self.needs = Needs(cases=() if case_id is None else (case_id,))

    def apply(self, unit: Unit) -> int | None:
        draft, case = Draft(), None
        if self._case_id is not None:
            case = unit.case(self._case_id)
            if case is None:
                return None
        index = unit.record(draft, self._event, case)
        if self._also is not None:
            draft.also.append(self._also)
        unit.take(draft)
        return index


class _Activating:
    def __init__(self, policy: Policy, actor: Actor, reason: str) -> None:
        self._policy = policy
        self._actor = actor
        self._reason = reason
        self.needs = Needs()

    def apply(self, unit: Unit) -> bool:
        draft = Draft()
        if not unit.activate(draft, self._policy):
            return False
        fields: Answer = {"version": self._policy.version, "sha256": self._policy.sha256, "reason": self._reason}
        unit.record(draft, Event(EventKind.POLICY_ACTIVATED, self._actor, fields), None)
        unit.take(draft)
        return True
