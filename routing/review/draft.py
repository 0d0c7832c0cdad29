"""A change being written: the case as it becomes, its events and messages in order.

Owns the bookkeeping every verb shares (positions of events, callback numbers, copies of the card). It decides nothing:
what happens is said by the verbs and by `ladder`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from routing.authority import IncidentKind
from routing.canonical import Json
from routing.case.break_glass import BreakGlassUse
from routing.case.case import Case
from routing.case.submission import Submission
from routing.change import SYSTEM, Actor, Change, Event, IncidentCause, Message, MessageKind, Opens, Stop, Subject
from routing.vocabulary import CallbackKind, CaseKind, EventKind, Exhausted, Risk


class Draft:
    """One step's working copy. Local to a step, so the step stays a pure function of its arguments."""

    def __init__(self, subject: Subject, now: datetime) -> None:
        """Start from the case as it is; `now` is the transaction's time. What else the step knows stays at hand in `subject`."""
        self.case = subject.case
        self.now = now
        self.subject = subject
        self._events: list[Event] = []
        self._messages: list[Message] = []
        self._along: list[Change] = []
        self._opens: list[Opens] = []
        self._stop: Stop | None = None
        self._caught = False
        self._break_glass: BreakGlassUse | None = None
        self._incident: IncidentCause | None = None
        self._paging: Literal["", "failed", "taken"] = ""
        self._exhausted: Exhausted | None = None
        self._answer: Mapping[str, Json] | None = None

    @classmethod
    def going_on(cls, change: Change, subject: Subject, now: datetime) -> "Draft":
        """A change that another step wrote, to be continued."""
        draft = cls(replace(subject, case=change.case), now)
        draft._events, draft._messages = list(change.events), list(change.messages)
        draft._along, draft._opens = list(change.along), list(change.opens)
        draft._stop, draft._caught, draft._paging, draft._answer = change.stop, change.caught, change.paging, change.answer
        draft._exhausted = change.exhausted
        draft._break_glass, draft._incident = change.break_glass, change.incident
        return draft

    def beside(self, case: Case) -> "Draft":
        """The working copy of another case of the workflow that changes with this one; `take` it when it is done."""
        return Draft(Subject(case, automation=self.subject.automation, dark=self.subject.dark), self.now)

    def take(self, other: "Draft") -> None:
        """Make the change of another case part of this one."""
        self._along.append(other.change())

    def open(self, step: Opens) -> None:
        """Open another case with this change."""
        self._opens.append(step)

    def stop_the_line(self) -> None:
        """Pause the automation of the workflow with this change. The reason is the sentence that demands most, which holds no content."""
        why = next((reason.text for reason in self.case.route.reasons), "It stops the line.")
        self._stop = Stop(self.case.workflow, f"Case {self.case.id}: {why}", self.case.model_version)

    def catch(self) -> None:
        """Say that a mistake of the model came to light."""
        self._caught = True

    def keep_use(self, use: BreakGlassUse) -> None:
        """Have a use of break-glass remembered as it is now."""
        self._break_glass = use

    def call_for_postmortem(self, kind: IncidentKind, why: str, *, about: Case | None = None, risk: Risk | None = None) -> None:
        """Say that this calls for a postmortem about the case, or another one; `why` is one sentence without content."""
        case = about or self.case
        self._incident = IncidentCause(kind, case.id, case.workflow, why, risk, case.model_version)

    def tell_operations(self, paging: Literal["failed", "taken"]) -> None:
        """Say that a route did not take a page, or that one took it after all."""
        self._paging = paging

    def exhaust(self, safe: Exhausted) -> None:
        """Say that nobody answered although everybody was paged again and again, and in which safe state it ends."""
        self._exhausted = safe

    def put(self, **fields: Any) -> None:
        """Replace fields of the case."""
        self.case = self.case.model_copy(update=fields)

    def put_clocks(self, **fields: Any) -> None:
        """Replace single clocks of the case."""
        self.put(clocks=self.case.clocks.model_copy(update=fields))

    def record(
        self,
        kind: EventKind,
        actor: Actor = SYSTEM,
        fields: Mapping[str, Json] | None = None,
        *,
        sealed: Mapping[str, Json] | None = None,
        submission: Submission | None = None,
    ) -> int:
        """Add an event; the answer is its position, for messages that speak of it."""
        self._events.append(Event(kind, actor, fields or {}, sealed or {}, submission))
        return len(self._events) - 1

    def send(self, message: Message) -> None:
        """Add a message."""
        self._messages.append(message)

    def note(self, event: int) -> None:
        """Say in the thread of the current card what an event records; a case nobody was shown has no thread."""
        if self.case.tier_since is not None:
            self.send(Message(MessageKind.NOTE, self.case.rung.channel, tier=self.case.tier, event=event))

    def call_back(self, kind: CallbackKind, event: int, *, leaf: int | None = None) -> None:
        """Promise the service one more callback that tells of an event, or of an earlier `leaf`; of checks and roll backs it hears
        through their parent alone.

        Nothing is released to it that a playbook still holds.
        """
        interim = self.case.interim
        still_held = kind == CallbackKind.RELEASED and interim is not None and interim.in_force
        if self.case.kind is not CaseKind.CASE or still_held:
            return
        self.put(sequence=self.case.sequence + 1)
        self.send(Message(MessageKind.CALLBACK, self.case.service, callback=kind, sequence=self.case.sequence, event=event, leaf=leaf))

    def update_cards(self) -> None:
        """Bring every copy of the card up to date, on every tier the case has been at."""
        if self.case.tier_since is None:
            return
        for tier in range(self.case.first_tier, self.case.tier + 1):
            self.send(Message(MessageKind.CARD_UPDATE, self.case.route.tiers[tier].channel, tier=tier, urgent=True))

    def change(self, answer: Mapping[str, Json] | None = None) -> Change:
        """The finished change."""
        return Change(
            self.case,
            tuple(self._events),
            tuple(self._messages),
            self._answer if answer is None else answer,
            along=tuple(self._along),
            opens=tuple(self._opens),
            stop=self._stop,
            caught=self._caught,
            break_glass=self._break_glass,
            incident=self._incident,
            paging=self._paging,
            exhausted=self._exhausted,
        )
