"""A store to test against: one call opens database, writer and ledger over a clock that the test moves, and steps to feed them."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from routing.canonical import digest
from routing.case.action import Action
from routing.case.case import Case, Clocks, Route, Tier
from routing.case.case import Step as Work
from routing.case.people import Person, Press
from routing.case.submission import Submission
from routing.change import SYSTEM, Actor, Arrival, Change, Event, Message, MessageKind, Refused, Subject
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import EventKind, Lane, Mode, Risk, State, Template, Verdict
from store.database.database import Database
from store.ledger.answers import Delivery, Opened
from store.ledger.items import OpenStep, Step
from store.ledger.ledger import Ledger
from store.ledger.timekeeper import Timekeeper
from store.ledger.writer import Writer
from store.policies import Policies
from store.vault.vault import Vault
from store.wakeups import Wakeups

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "the customer's own words"
POLICY_TEXT = b"""
version: "2026-11-20.1"
changes: "for tests of the store"
defaults: {undo: 0s}
groups: {frontline: {users: [U0FRONT]}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U0OWNER, ack: 15m, decide: 4h}
workflows:
  refunds: {ladder: standard, template: approval}
"""


class ProcessDied(BaseException):
    """The process was killed at this point."""


@dataclass
class Clock:
    """A wall clock that moves when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Let that much time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class Points:
    """The crash points that were passed, and the one at which to die."""

    deadly: str = ""
    passed: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> None:
        """Pass a point, or die there."""
        self.passed.append(name)
        if name == self.deadly:
            raise ProcessDied(name)


@dataclass
class Books:
    """Everything opened."""

    database: Database
    writer: Writer
    ledger: Ledger
    wakeups: Wakeups
    clock: Clock
    vault: Vault
    policies: Policies

    async def open(self, task_id: str = "t-17", webhook_id: str | None = None, body: str = "", **changes: Any) -> Case:
        """Open a case that must be new."""
        result = await self.ledger.open(a_delivery(task_id, webhook_id, body), opening(a_submission(task_id=task_id, **changes)))
        assert isinstance(result, Opened)
        return result.case


VAULT_KEY = b"v" * 32
"""Of every database that is opened here."""


@asynccontextmanager
async def open_books(
    url: str,
    *,
    clock: Clock | None = None,
    passing: Callable[[str], None] = lambda _name: None,
    load: Callable[[bytes], Policy] = lambda text: load_policy(text, {}),
    entropy: Callable[[int], bytes] | None = None,
    services: Mapping[str, tuple[str, ...]] | None = None,
    policy: bytes | None = None,
) -> AsyncIterator[Books]:
    """Open the database at `url` and start the writer; the policy, `POLICY_TEXT` if none is given, is active."""
    clock = clock or Clock()
    database = await Database.open(url)
    vault, policies, wakeups = Vault(VAULT_KEY), Policies(load), Wakeups()
    more = {name: value for name, value in (("entropy", entropy), ("services", services)) if value is not None}
    writer = Writer(database, Timekeeper.of(clock), vault, policies, wakeups, passing=passing, **cast("Any", more))
    ledger = Ledger(writer)
    writer.start()
    try:
        await ledger.activate(load(policy or POLICY_TEXT))
        yield Books(database, writer, ledger, wakeups, clock, vault, policies)
    finally:
        try:
            await writer.close()
        except ProcessDied:
            pass
        finally:
            await database.close()


def a_submission(**changes: Any) -> Submission:
    """A refund with words that may stand nowhere but in the vault."""
    values: dict[str, Any] = {
        "workflow": "refunds",
        "task_id": "t-17",
        "title": f"Refund: {SECRET}",
        "request": SECRET,
        "action": Action(type="refund.create", params={"amount": "12.00", "note": SECRET}),
    }
    return Submission(**(values | changes))


def a_delivery(task_id: str = "t-17", webhook_id: str | None = None, body: str = "") -> Delivery:
    """The webhook that brought it; another `body` is other content."""
    inside = hashlib.sha256(f"{task_id} {body}".encode()).hexdigest()
    return Delivery("refund-agent", webhook_id or f"msg_{task_id}", inside, "refunds", task_id, inside)


def opening(submission: Submission, destination: str = "review-tier1", *, priority: int = 40, urgent: bool = False) -> OpenStep:
    """Opens a pending case with its card."""

    def step(arrival: Arrival) -> Change:
        case_id, policy, now = arrival.case_id, arrival.policy, arrival.now
        route = Route(
            lane=Lane.REVIEW,
            mode=Mode.ASYNC,
            risk=Risk.MEDIUM,
            priority=priority,
            template=Template.APPROVAL,
            steps=(Work(name="approve"),),
            ladder="standard",
            tiers=(Tier(channel=destination, group="frontline", ack_s=900, decide_s=14_400),),
            start=0,
            policy_version=policy.version,
            policy_sha256=policy.sha256,
        )
        case = Case(
            id=case_id,
            service="refund-agent",
            workflow=submission.workflow,
            task_id=submission.task_id,
            route=route,
            created_at=now,
            action_sha256=submission.action.sha256,
            input_sha256=digest(submission.task_id),
            action_type=submission.action.type,
            tier_since=now,
            clocks=Clocks(acknowledge=now + timedelta(minutes=15), decide=now + timedelta(hours=4)),
        )
        received = Event(EventKind.RECEIVED, Actor("service", "refund-agent"), {"lane": "review"}, submission=submission)
        return Change(case, (received,), (Message(MessageKind.CARD, destination, urgent=urgent),), {"id": case_id, "state": "pending"})

    return step


def deciding(verdict: Verdict = Verdict.APPROVED, by: str = "U0FRONT") -> Step:
    """Decides an open case once, and refuses after."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        if not case.open:
            return Refused("not_open", "The case is decided.")
        after = case.model_copy(update={"state": State.DECIDED, "verdict": verdict, "decided_at": now, "sequence": 1, "clocks": Clocks()})
        events = (Event(EventKind.DECIDED, Actor("human", by), {"verdict": verdict.value}, {"rationale": SECRET}),)
        messages = (
            Message(MessageKind.CARD_UPDATE, case.rung.channel, urgent=True),
            Message(MessageKind.CALLBACK, case.service, callback="case.decided", sequence=1),
        )
        return Change(after, events, messages, {"state": "decided"})

    return step


def commenting(text: str = SECRET, by: str = "U0FRONT") -> Step:
    """Changes nothing but the history."""

    def step(subject: Subject, _now: datetime) -> Change | Refused:
        case = subject.case
        return Change(
            case, (Event(EventKind.COMMENTED, Actor("human", by), {}, {"text": text}),), (Message(MessageKind.NOTE, case.rung.channel),)
        )

    return step


def updating() -> Step:
    """Wants the card brought up to date."""

    def step(subject: Subject, _now: datetime) -> Change | Refused:
        case = subject.case
        return Change(case, (Event(EventKind.REMINDED, SYSTEM),), (Message(MessageKind.CARD_UPDATE, case.rung.channel),))

    return step


def a_press(case: Case, verb: str = "approve", by: str = "U0FRONT") -> Press:
    """One press on the case's current card."""
    return Press(verb=verb, person=Person(by, "T0HOME"), case_id=case.id, face=case.face, team="T0HOME")
