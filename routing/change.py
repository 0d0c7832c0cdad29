"""What a step gives back: the case as it will be, what to record, what to send. Owns these values; never applies them (the ledger does)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from typing import Literal

from routing.authority import Automation, IncidentKind
from routing.canonical import Json
from routing.case.break_glass import BreakGlassUse
from routing.case.case import Case
from routing.case.facts import Facts
from routing.case.submission import Submission
from routing.case.workload import Workload
from routing.policy.policy import Policy
from routing.vocabulary import EventKind, Exhausted, Risk


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `id` is a Slack user id, a service's name, a model's name or a part of the system; never a person's name."""

    kind: Literal["human", "model", "service", "system"]
    id: str


SYSTEM = Actor("system", "tierline")


@dataclass(frozen=True, slots=True)
class Event:
    """One leaf to be. `fields` stand open in the log; `sealed` values go to the vault, the leaf holds their commitments.

    `submission` marks the event whose sealed values are the case's new content; the ledger then seals each of its fields.
    """

    kind: EventKind
    actor: Actor
    fields: Mapping[str, Json] = field(default_factory=dict)
    sealed: Mapping[str, Json] = field(default_factory=dict)
    submission: Submission | None = None


@unique
class MessageKind(StrEnum):
    """Everything that can leave through the outbox."""

    CARD = "card"
    """Post the case's card into the channel of `tier`, once."""
    CARD_UPDATE = "card_update"
    """Bring the card posted for `tier` up to date with the case as it is when sending."""
    NOTE = "note"
    """Say in the thread of the card of `tier` what event number `event` of this change records."""
    PAGE = "page"
    EMAIL = "email"
    """Write to the addresses of `tier` that its page of this `round` waits."""
    PAGE_ACKNOWLEDGE = "page_acknowledge"
    PAGE_RESOLVE = "page_resolve"
    CALLBACK = "callback"
    """Tell the service. `callback` is the type, `sequence` counts per case."""
    NOTICE = "notice"
    """Tell the person `destination` (a Slack id) directly that the case waits and that its card cannot be shown, once."""
    PLAYBOOK_NOTICE = "playbook_notice"
    """Tell `destination`, a channel or a person, what step `sequence` of the case's playbook number `round` says, both from 0; once."""
    PLAYBOOK_NOTICE_UPDATE = "playbook_notice_update"
    """Take what the case contained out of such a message: the same row, once the content was erased."""
    TICKET = "ticket"
    """Open a ticket in the system `destination`, as step `sequence` of playbook number `round` asks."""
    BULLETIN = "bulletin"
    """Post what `subject` is (an alert, a proposal, an exception, a workflow's brake) into a channel, once; `tier` tells several apart."""
    BULLETIN_UPDATE = "bulletin_update"
    """Bring the bulletin posted under the same `tier` up to date with its subject as it is when sending."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to send, without content: it is rendered from the case when it is sent.

    `event` is the position in `Change.events` this message speaks of (the ledger turns it into the leaf index),
    unless it speaks of an earlier `leaf` of the case.
    `urgent` messages go before the others of their destination. `subject` is whom it is about: the case when empty, else the id of an
    alert, a proposal, an exception or `w_<workflow>` (see `routing.governance.ruling`).
    """

    kind: MessageKind
    destination: str
    tier: int = 0
    round: int = 0
    callback: str = ""
    sequence: int = 0
    event: int = 0
    leaf: int | None = None
    urgent: bool = False
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """A critical trigger: the workflow's automation is paused in the same transaction (E8). `reason` is one sentence without content,
    `model` the version whose case it was.
    """

    workflow: str
    reason: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class IncidentCause:
    """Something that calls for a postmortem (E12), if the policy says so: what, about which alert or case, `why` in one sentence without
    content. `risk` is that of the case where it matters, `model` the version whose case it was, `rule` that of an alert, with its scope.
    """

    kind: IncidentKind
    about: str
    workflow: str
    why: str
    risk: Risk | None = None
    model: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The case as it will be, its events in order, its messages in order, and the answer to give and to remember.

    `along`: changes of other cases that are there already (tied ones, a parent), made in the same transaction. `opens`: cases to be opened
    with it, each from the id it is given. `stop`: the line is stopped with it. `caught`: a model's error came to light, which raises
    sampling in the workflow (R8). `break_glass`: a use of it, as it is since; the ledger adds to a new one the case that reviews it.
    `incident`: it calls for a postmortem.
    `paging`: a route did not take its page, so operations are told; or one took it after all.
    `exhausted`: a tier that is paged again and again ended unanswered, in this safe state, so operations are told.
    `unproven`: why the log does not prove a decision of the case, without content, so operations are told.
    """

    case: Case
    events: tuple[Event, ...]
    messages: tuple[Message, ...] = ()
    answer: Mapping[str, Json] | None = None
    along: tuple["Change", ...] = ()
    opens: tuple["Opens", ...] = ()
    stop: Stop | None = None
    caught: bool = False
    break_glass: BreakGlassUse | None = None
    incident: IncidentCause | None = None
    paging: Literal["", "failed", "taken"] = ""
    exhausted: Exhausted | None = None
    unproven: str = ""


Opens = Callable[[str], Change]
"""From the id of a new case to what opens it. Its task id must be unique: `<parent>:<kind>`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refusing that is normal. `reason` is a code of the closed list in `routing.authorize`, `text` the sentence for the person."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a step gets to see: the locked case and, where the step asked for it, its content and the policy it lives by.

    A step that does not route again gets no policy, so that an old policy that no longer compiles holds up no clock and no vote.
    `related` are the cases it names (parent, children, tied ones), locked as well; `automation` how far its workflow may act now. With the
    content come `present` facts of the workflow: sampling, exceptions and what was approved automatically so far, as they are now. `dark`
    is Slack's code by every spelling of a channel to which nothing can be sent now. `break_glass` are the uses of it that are remembered;
    with the content comes the `active` policy, which says who may use it now. `workload` is that of whoever gets the case by a press: who
    presses, or to whom it is handed over.
    """

    case: Case
    policy: Policy | None = None
    submission: Submission | None = None
    related: Mapping[str, Case] = field(default_factory=dict)
    automation: Automation = Automation.ON
    present: Facts | None = None
    dark: Mapping[str, str] = field(default_factory=dict)
    break_glass: tuple[BreakGlassUse, ...] = ()
    active: Policy | None = None
    workload: Workload | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the first step of a case gets: its id, the policy it will live by, the facts, the time, and the case it may be tied to.

    `shadow` is a policy that routes it too and does nothing; `dark` as in `Subject`.
    """

    case_id: str
    policy: Policy
    facts: Facts
    now: datetime
    first: Case | None = None
    shadow: Policy | None = None
    dark: Mapping[str, str] = field(default_factory=dict)
