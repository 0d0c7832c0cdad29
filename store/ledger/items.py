"""The pieces of work that the ledger hands to the writer: one class for each of its verbs.

Owns that a thing that arrived once counts once and that refusals are on record. Each may be applied twice, in different transactions.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.case.case import Case
from routing.case.people import GovernancePress, Press
from routing.change import Actor, Arrival, Change, Event, Message, Refused, Subject
from routing.governance.ruling import GovernStep
from routing.policy.policy import Policy
from routing.review.claiming import taker_of, takes
from routing.review.drill import follow as carry_on
from routing.review.related.near_duplicates import follow
from routing.vocabulary import EventKind
from store.ledger.answers import Answer, Changed, Conflict, Delivery, Missing, Opened, Repeated, Ruled
from store.ledger.arrival_limits import Arriving, day_of
from store.ledger.draft import Also, Draft
from store.ledger.identifiers import CASE
from store.ledger.prefetch import InboxKey, Needs, TaskKey
from store.ledger.refusals import Refusals
from store.ledger.rows import message_row
from store.ledger.unit_of_work import UnitOfWork

OpenStep = Callable[[Arrival], Change]
Step = Callable[[Subject, datetime], Change | Refused]

OURS = re.compile(rf"({CASE}[0-9a-z]{{26}}):[a-z]+[0-9]*")
"""Task ids of the cases that we open about other cases; a service that took one would keep us from it."""


MOST_FORESEEN = timedelta(seconds=1)
"""How old a step that was taken ahead may be when it counts."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A first step that was taken ahead of its transaction: from this, that came. It counts where nothing has moved since."""

    arrival: Arrival
    change: Change

    def holds(self, found: Arrival) -> bool:
        """Whether the transaction found what the step was taken from, but for the moments in between; amounts count for a day in UTC."""
        then = self.arrival.now
        recent = timedelta(0) <= found.now - then <= MOST_FORESEEN and day_of(found.now) == day_of(then)
        return recent and replace(found, now=then) == self.arrival


class Opening:
    """A case that a service posts."""

    def __init__(self, delivery: Delivery, step: OpenStep, checkpoint: str | None, foreseen: Foreseen | None = None) -> None:
        """`checkpoint` is the newest note, for the answer; `foreseen` what the step gave ahead of the transaction."""
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._step = step
        self._foreseen = foreseen
        self._key = InboxKey("webhook", delivery.service, delivery.webhook_id)
        self._task = TaskKey(delivery.service, delivery.workflow, delivery.task_id)
        self._arriving = arriving(delivery)
        self.needs = Needs(keys=(self._key,), tasks=(self._task,), arriving=(self._arriving,))

    def apply(self, unit: UnitOfWork) -> Opened | Repeated | Conflict:
        """Once for each webhook id and each task."""
        delivery, draft = self._delivery, Draft()
        if (before := unit.answered(self._key)) is not None:
            return _again(before.digest == delivery.digest, before.answer, before.case_id)
        if taken := OURS.fullmatch(delivery.task_id):
            return Conflict("task", taken[1])
        if (task := unit.task(self._task)) is not None:
            if task.input_sha256 != delivery.input_sha256:
                return Conflict("task", task.case_id)
            unit.answer(draft, self._key, delivery.digest, task.answer, task.case_id)
            unit.take(draft)
            return Repeated(json.loads(task.answer), task.case_id)
        foreseen = self._foreseen
        arrival = unit.arrival(self._arriving, "" if foreseen is None else foreseen.arrival.case_id)
        change = foreseen.change if foreseen is not None and foreseen.holds(arrival) else self._step(arrival)
        unit.open(draft, change, delivery.webhook_id, delivery.input_sha256)
        answer = {**(change.answer or {}), "checkpoint": self._checkpoint}
        unit.answer(draft, self._key, delivery.digest, answer, change.case.id)
        unit.take(draft)
        return Opened(answer, draft.cases[change.case.id])


def arriving(delivery: Delivery) -> Arriving:
    """What has to be read for a delivery."""
    return Arriving(delivery.workflow, delivery.likeness, delivery.action_sha256)


class Changing:
    """A change of one case, and of those that change with it."""

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
        """As `store.ledger.ledger.Ledger.change` says."""
        self._case_id = case_id
        self._step = step
        self._refusals = refusals
        self._press = press
        self._key = key
        self._digest = digest
        self._content = content
        self._also = also
        self.needs = Needs(
            keys=() if key is None else (key,),
            cases=(case_id,),
            content=(case_id,) if content else (),
            people=frozenset() if press is None else taker_of(press).ids if takes(press) else frozenset(),
        )

    def apply(self, unit: UnitOfWork) -> Changed | Refused | Repeated | Conflict | Missing:
        """The step decides; what is decided with the case follows it."""
        draft = Draft()
        if self._key is not None and (before := unit.answered(self._key)) is not None:
            return _again(before.digest == self._digest, before.answer, before.case_id)
        subject = unit.subject(self._case_id, content=self._content, press=self._press)
        if subject is None:
            return Missing(self._case_id)
        result = self._step(subject, unit.now)
        if isinstance(result, Refused):
            if self._press is not None:
                self._refuse(unit, draft, self._press, result, subject.case)
            self._remember(unit, draft, _told(result))
            unit.take(draft)
            return result
        if subject.case.drill is not None:
            drill = unit.governance.drill(subject.case.parent)
            result = carry_on(result, subject, unit.now, stopped=drill is not None and drill.stopped_by != "")
        if subject.case.tied:
            result = follow(subject.case, result, subject, unit.now)
        indices = unit.change(draft, subject.case, result)
        if subject.workload is not None and subject.workload.most_taken is not None and self._press is not None:
            draft.taken.append((taker_of(self._press).id, self._case_id))
        self._remember(unit, draft, result.answer)
        if self._also is not None:
            draft.also.append(self._also)
        unit.take(draft)
        return Changed(draft.cases[self._case_id], result.answer, indices)

    def _refuse(self, unit: UnitOfWork, draft: Draft, press: Press, refused: Refused, case: Case) -> None:
        if self._refusals.admit(press.person.id, unit.now):
            fields: Answer = {"verb": press.verb, "reason": refused.reason, "face": press.face}
            unit.record(draft, Event(EventKind.PRESS_REFUSED, Actor("human", press.person.id), fields), case)

    def _remember(self, unit: UnitOfWork, draft: Draft, answer: Answer | None) -> None:
        if self._key is not None:
            unit.answer(draft, self._key, self._digest, answer, self._case_id)


class Governing:
    """A change of what is decided about more than one case."""

    def __init__(
        self,
        step: GovernStep,
        refusals: Refusals,
        *,
        wanted: Sequence[str],
        keep: Policy | None,
        press: GovernancePress | None,
        key: InboxKey | None,
        digest: str,
    ) -> None:
        """As `store.ledger.ledger.Ledger.govern` says."""
        self._step = step
        self._refusals = refusals
        self._wanted = tuple(wanted)
        self._keep = keep
        self._press = press
        self._key = key
        self._digest = digest
        self.needs = Needs(keys=() if key is None else (key,), policies=self._wanted, governs=True)

    def apply(self, unit: UnitOfWork) -> Ruled | Refused | Repeated | Conflict:
        """The step decides."""
        draft = Draft()
        if self._key is not None and (before := unit.answered(self._key)) is not None:
            return _again(before.digest == self._digest, before.answer, before.case_id)
        result = self._step(unit.governed(self._wanted), unit.now)
        if isinstance(result, Refused):
            if self._press is not None:
                self._refuse(unit, draft, self._press, result)
            self._remember(unit, draft, _told(result))
            unit.take(draft)
            return result
        if self._keep is not None:
            unit.keep(draft, self._keep)
        indices = unit.rule(draft, result)
        self._remember(unit, draft, result.answer)
        unit.take(draft)
        return Ruled(unit.governance, result.answer, indices)

    def _refuse(self, unit: UnitOfWork, draft: Draft, press: GovernancePress, refused: Refused) -> None:
        if self._refusals.admit(press.person.id, unit.now):
            fields: Answer = {"subject": press.subject, "verb": press.verb.value, "reason": refused.reason}
            unit.record(draft, Event(EventKind.GOVERNANCE_REFUSED, Actor("human", press.person.id), fields), None)

    def _remember(self, unit: UnitOfWork, draft: Draft, answer: Answer | None) -> None:
        if self._key is not None:
            unit.answer(draft, self._key, self._digest, answer, "" if self._press is None else self._press.subject)


class Recording:
    """An event that changes nothing."""

    def __init__(self, event: Event, about: str | None, also: Also | None, told: Sequence[tuple[Message, int]] = ()) -> None:
        """`about` is the id of a case, or of another subject, under which the event is filed; `told` are messages, each with the index of
        the earlier leaf that it speaks of.
        """
        self._told = tuple(told)
        self._about = about
        self._also = also
        self._of_case = about is not None and about.startswith(CASE)
        self._event = event if about is None or self._of_case else Event(event.kind, event.actor, {**event.fields, "subject": about})
        self.needs = Needs(cases=(about,) if about is not None and self._of_case else ())

    def apply(self, unit: UnitOfWork) -> int | None:
        """None where there is no such case."""
        draft, case = Draft(), None
        if self._about is not None and self._of_case:
            case = unit.case(self._about)
            if case is None:
                return None
        index = unit.record(draft, self._event, case)
        draft.outbox += [message_row(message, case, leaf, unit.now) for message, leaf in self._told]
        if self._also is not None:
            draft.also.append(self._also)
        unit.take(draft)
        return index


class Activating:
    """A policy that new cases follow from now on."""

    def __init__(self, policy: Policy, actor: Actor, reason: str) -> None:
        """`reason` stands open in the log."""
        self._policy = policy
        self._actor = actor
        self._reason = reason
        self.needs = Needs(governs=True)

    def apply(self, unit: UnitOfWork) -> bool:
        """False if it was already."""
        draft = Draft()
        if not unit.activate(draft, self._policy):
            return False
        fields: Answer = {"version": self._policy.version, "sha256": self._policy.sha256, "reason": self._reason}
        unit.record(draft, Event(EventKind.POLICY_ACTIVATED, self._actor, fields), None)
        unit.take(draft)
        return True


def _again(same: bool, answer: str, about: str) -> Repeated | Conflict:  # noqa: FBT001 - whether the very same thing arrived
    return Repeated(json.loads(answer), about) if same else Conflict("webhook_id", about)


def _told(refused: Refused) -> Answer:
    return {"refused": {"reason": refused.reason, "text": refused.text}}
