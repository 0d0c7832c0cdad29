"""The living case: everything the ledger keeps about it that is not content, its states and which may follow which.

Owns the frozen values `Case`, `Route`, `Tier` and their parts, and the transition table. It never decides what
happens next (that is `routing.review`) and holds no content: requests, outputs, evidence, parameters, free text and
names live in the vault only.
"""

import operator
from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.authority import Autonomy, Role
from routing.canonical import digest
from routing.case.facts import Facts
from routing.case.playbook import Interim, LegalHold, Playbook
from routing.clock import Calendar
from routing.errors import TransitionError
from routing.vocabulary import CaseKind, ClockName, DrillKind, Exhausted, Lane, Mode, PageRoute, Risk, State, Template, Verdict

TRANSITIONS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.PENDING, State.NEEDS_INFO, State.HELD, State.DECIDED}),
    State.NEEDS_INFO: frozenset({State.PENDING, State.NEEDS_INFO, State.HELD, State.DECIDED}),
    State.HELD: frozenset({State.PENDING, State.NEEDS_INFO, State.HELD, State.DECIDED}),
    State.DECIDED: frozenset({State.DECIDED, State.CLOSED, State.PENDING, State.HELD}),
    State.CLOSED: frozenset({State.CLOSED}),
}
"""From state to the states that may follow. A decided case never reopens, but for a decision that never left: it was kept back
(`Case.withheld`), so that it is void and the case is reviewed afresh, or it was taken back or set aside in time (`Case.undo`). A case
that was frozen while it waited for information waits again."""


CLAIM_S = 900
"""Seconds until a claim that nobody works on ends, unless the policy says otherwise."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Group(_Value):
    """Who belongs: a Slack user group by handle or id, or user ids. An empty group means nobody."""

    usergroup: str | None = None
    users: tuple[str, ...] = ()


class Page(_Value):
    """That a tier pages through PagerDuty, and how loud. The routing key is looked up in the policy when sending."""

    severity: Literal["info", "warning", "error", "critical"] = "error"
    second_key: bool = Field(
        default=False, exclude_if=operator.not_, description="there is another routing key, for pages that this one does not take"
    )


class Repeat(_Value):
    """That a tier is paged again and again, by PagerDuty and e-mail, until somebody has taken the case."""

    every_s: int
    most: int = Field(description="pages in all; after the last one somebody has `every_s` more")


class ClosedHours(_Value):
    """Where a case goes that may not wait for a tier to open: to the tier `to` (0-based, higher), from that risk on."""

    to: int
    risk: Risk


class Tier(_Value):
    """One rung of a ladder: where the card goes, who may act, who owns it and how long they have."""

    channel: str
    group: str
    owner: str | None = None
    backup: str | None = None
    ack_s: int | None = Field(default=None, description="seconds to acknowledge; None: no acknowledge clock")
    decide_s: int = Field(description="seconds to decide before the next tier")
    calendar: Calendar | None = Field(default=None, description="business time; None: elapsed time")
    ack_elapsed: bool = Field(default=False, description="the acknowledge clock runs whatever the calendar says")
    decide_elapsed: bool = Field(default=False, description="the decide clock runs whatever the calendar says")
    page: Page | None = None
    closed: ClosedHours | None = Field(default=None, exclude_if=operator.not_, description="outside its calendar's hours; None: cases wait")
    email: bool = Field(
        default=False,
        exclude_if=operator.not_,
        description="there are addresses for pages that PagerDuty does not take, or that go nowhere else",
    )
    repeat: Repeat | None = Field(default=None, exclude_if=operator.not_, description="None: paged once")

    @property
    def can_page(self) -> bool:
        """Whether there is any way to page it."""
        return self.page is not None or self.email

    def answering(self, away: Collection[str] = ()) -> str | None:
        """Who is named and rung for the tier: its owner, or its backup while the owner is away; None where neither is there."""
        return next((person for person in (self.owner, self.backup) if person and person not in away), None)


class Item(_Value):
    """One thing to verify: passed, failed or not applicable."""

    id: str
    text: str


class Step(_Value):
    """One step of the work: how many different people of which group. Nobody takes two steps of a case."""

    name: Literal["triage", "verify", "approve", "check"]
    group: str | None = Field(default=None, description="None: the group of the tier the case is at")
    people: int = 1
    decide_s: int | None = Field(default=None, description="seconds for this step, at whatever tier; None: those of the tier")
    elapsed: bool = Field(default=False, description="its own clock runs whatever the tier's calendar says")
    checklist: tuple[Item, ...] = Field(default=(), description="each has to be answered; any fail sends the case back or up, never on")


class Reason(_Value):
    """Why a case is where it is: a code from the closed list and one sentence for people."""

    code: str
    text: str


class Route(_Value):
    """The snapshot of the routing decision a case lives by. Frozen format v1."""

    v: int = 1
    lane: Lane
    mode: Mode
    risk: Risk
    priority: int
    template: Template
    steps: tuple[Step, ...]
    ladder: str
    tiers: tuple[Tier, ...]
    start: int = Field(description="0-based tier the case opens at")
    page_at_start: bool = False
    exhausted: Exhausted = Exhausted.HOLD
    hold_s: int = Field(default=14_400, description="seconds until somebody is asked again about a held case")
    information_s: int = Field(default=86_400, description="seconds the service has to supply information")
    total_s: int | None = Field(default=None, description="seconds until the case is decided or safe; None: no such clock")
    business: tuple[ClockName, ...] = Field(default=(), description="those of information, hold and total that count business time")
    requester: Literal["required", "optional"] = "optional"
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    rule: str = Field(default="", description="the winning rule; empty when a built-in decided")
    lost: tuple[str, ...] = Field(default=(), description="rules that fired and lost")
    gates: dict[str, str] = Field(default_factory=dict, description="gate name -> pass, review or stop")
    threshold: float = Field(default=0.92, description="the confidence that automation would need")
    instructions: str = Field(default="", description="reviewer instructions of the workflow, from the policy")
    owner: str = Field(default="", description="the workflow's owner, from the policy")
    groups: dict[str, Group] = Field(default_factory=dict)
    reason_codes: tuple[str, ...] = ()
    autonomy: Autonomy = Autonomy.HUMAN_ASSISTED
    sampled: str = Field(default="", description="why people check the automatic approval afterwards; empty: they do not")
    sampling_rate: float = Field(default=0.0, description="the rate the lot was held against")
    skills: tuple[str, ...] = Field(default=(), description="skills the answering groups had to have")
    exceptions: tuple[str, ...] = Field(default=(), description="ids of the exceptions that were used")
    held_lower: bool = Field(default=False, description="it opens lower than its lane asks: too few independent signals (R7)")
    duplicates_s: int | None = Field(default=None, description="window in which near-duplicates are tied, seconds; None: never")
    reveal: tuple[str, ...] = Field(default=(), description="groups whose members may see what is masked")
    roles: dict[Role, tuple[str, ...]] = Field(default_factory=dict, description="groups by role, as the policy names them")
    playbooks: tuple[Playbook, ...] = Field(default=(), exclude_if=operator.not_, description="those that fit, as the policy writes them")
    undo_s: int = Field(default=0, exclude_if=operator.not_, description="seconds in which an approval may be taken back; 0: none")
    claim_s: int = Field(
        default=CLAIM_S, exclude_if=lambda seconds: seconds == CLAIM_S, description="seconds until a claim that nobody works on ends"
    )
    policy_version: str
    policy_sha256: str


class Vote(_Value):
    """One person's accepted step."""

    step: int
    by: str
    verb: str
    at: AwareDatetime
    checklist: dict[str, str] = Field(default_factory=dict, description="item id -> pass or na")


class PageProgress(_Value):
    """How far a page got: the routes it was given to, in order, those that took it and those that did not."""

    routes: tuple[PageRoute, ...] = (PageRoute.PAGERDUTY,)
    accepted: tuple[PageRoute, ...] = ()
    failed: tuple[PageRoute, ...] = Field(default=(), description="refused it, or did not take it in time; some are tried on")
    since: AwareDatetime | None = Field(default=None, description="when it was wanted first; a repetition keeps it")
    next_at: AwareDatetime | None = Field(default=None, description="when what has not taken it by then counts as failed")

    @property
    def waiting(self) -> tuple[PageRoute, ...]:
        """Routes of which nothing is known yet."""
        return tuple(route for route in self.routes if route not in (*self.accepted, *self.failed))


class OpenPage(PageProgress):
    """One page of the case that is not over: its tier, round and whether somebody at PagerDuty acknowledged it."""

    tier: int
    round: int
    acknowledged_by: str = ""
    heard_at: AwareDatetime | None = Field(
        default=None, exclude_if=operator.not_, description="when its last news happened, by PagerDuty's clock: older ones come too late"
    )
    digest: str = Field(default="", exclude_if=operator.not_, description="the digest that lists it in place of an incident of its own")


class Clocks(_Value):
    """When something happens by itself. `deadline` is the service's, `total` the policy's; neither pauses. The others belong to a state."""

    deadline: AwareDatetime | None = None
    total: AwareDatetime | None = None
    acknowledge: AwareDatetime | None = None
    decide: AwareDatetime | None = None
    reminders: tuple[AwareDatetime, ...] = ()
    information: AwareDatetime | None = None
    hold: AwareDatetime | None = None
    page: AwareDatetime | None = None
    claim: AwareDatetime | None = Field(
        default=None, exclude_if=operator.not_, description="the claim ends unless whoever claimed it does something with it before"
    )
    unseen: AwareDatetime | None = Field(default=None, description="the case leaves the tier, whose channel does not show its card")
    closed: AwareDatetime | None = Field(
        default=None, exclude_if=operator.not_, description="the case leaves the tier, which closes then (`Tier.closed`)"
    )
    left_s: float | None = Field(default=None, description="seconds of the decide clock left while it pauses")
    paused_at: AwareDatetime | None = Field(default=None, exclude_if=operator.not_, description="since when the decide clock pauses")
    paused_s: float = Field(
        default=0.0, exclude_if=operator.not_, description="seconds of its time that the decide clock has paused before, since it began"
    )

    def due(self) -> datetime | None:
        """The earliest of the clocks that run, None when none does."""
        alone = (self.deadline, self.total, self.information, self.hold, self.page, self.claim, self.unseen, self.closed)
        running = (*alone, self.acknowledge, self.decide, *self.reminders[:1])
        return min((at for at in running if at is not None), default=None)


class Undo(_Value):
    """That a decision may be taken back by the person `by` until then. `before`: what of the case it changed, as JSON, as that was."""

    by: str
    until: AwareDatetime
    before: dict[str, Any]


class DrillPart(_Value):
    """What a case plays in its drill, which is its parent."""

    kind: DrillKind
    to: int = Field(description="the tier (0-based) at which an answer ends it; below, it goes on to the next")


class Case(_Value):
    """A case between two changes. Frozen format v1; written as one row by the ledger only."""

    v: int = 1
    id: str
    service: str
    workflow: str
    task_id: str
    kind: CaseKind = CaseKind.CASE
    parent: str = Field(default="", description="the case that this one is about; of a drill's, the drill")
    children: tuple[str, ...] = Field(default=(), description="checks and roll-backs of this case")
    likeness: str = Field(default="", description="digest of what near-duplicates share: service, workflow, action type and subject")
    tied_to: str = Field(default="", description="the first of its near-duplicates: shown and decided with it")
    tied: tuple[str, ...] = Field(default=(), description="near-duplicates with the very same action that are decided with this case")
    linked: tuple[str, ...] = Field(default=(), description="near-duplicates that are decided by themselves")
    held_by: Literal["", "ladder", "quarantine", "frozen", "unproven"] = Field(default="", description="what holds a case")
    withheld: bool = Field(
        default=False, description="decided, and kept back: the workflow is paused, or the log does not prove it (`held_by`)"
    )
    revision: int = 1
    state: State = State.PENDING
    route: Route
    created_at: AwareDatetime
    action_sha256: str
    input_sha256: str = Field(description="hex SHA-256 of the canonical submission")
    output_sha256: str = ""
    action_type: str
    confidence: float | None = None
    latency_ms: float | None = Field(default=None, description="what the model took for its answer")
    model: dict[str, str | None] = Field(default_factory=dict, description="name, version, hash, prompt_version")
    source_ids: tuple[str, ...] = ()
    failed_checks: int = Field(default=0, description="checks of the content that failed; letting the action through then needs words")
    warned_checks: int = Field(default=0, description="checks of the content that warned; letting the action through then needs a reason")
    segment: str = Field(default="", description="the segment its service put it in; set by the ledger")
    requester: str = Field(default="", description="Slack id of the requester, empty when unknown")
    requester_email_sha256: str = Field(default="", description="digest of the requester's address, see `routing.case.address`")
    barred: tuple[str, ...] = Field(default=(), description="others who never decide it: each all names of one, blanks between")
    people: tuple[str, ...] = Field(default=(), description="who took part: each all names of one (Slack ids, a digest), blanks between")
    facts: Facts = Facts()
    tier: int = 0
    tier_since: AwareDatetime | None = None
    first_tier: int = Field(default=0, description="the tier whose channel got the first card; all from there to `tier` may have one")
    step: int = 0
    votes: tuple[Vote, ...] = ()
    clocks: Clocks = Clocks()
    acknowledged_by: str = ""
    claimed_by: str = ""
    break_glass: bool = Field(default=False, description="decided by one person outside the normal path")
    opened_by: tuple[str, ...] = Field(default=(), description="people who opened the details of this revision")
    pages: tuple[OpenPage, ...] = ()
    unseen: bool = Field(default=False, description="the card of this tier could not be shown, so owners were told directly")
    page_rounds: int = Field(default=0, description="pages sent so far")
    closed_there: dict[int, AwareDatetime] = Field(
        default_factory=dict,
        exclude_if=operator.not_,
        description="when somebody resolved the incident of a page at PagerDuty, by its clock; by round",
    )
    verdict: Verdict | None = None
    undo: Undo | None = Field(
        default=None, exclude_if=operator.not_, description="decided, and the service is not told before that is over"
    )
    decided_at: AwareDatetime | None = None
    used_s: float | None = Field(default=None, description="seconds of its time to decide that the deciding tier took")
    reason_code: str = ""
    modified_fields: tuple[str, ...] = ()
    modified_by: str = ""
    sequence: int = Field(default=0, description="callbacks promised so far; each carries the next number")
    outcome: str = ""
    rollback: bool = Field(default=False, description="a roll back is asked for, or was asked of the service")
    rollbacks: int = Field(default=0, description="roll backs asked for so far; the task id of each carries its number")
    playbooks: tuple[Playbook, ...] = Field(default=(), exclude_if=operator.not_, description="those begun, and how far their steps are")
    interim: Interim | None = Field(default=None, exclude_if=operator.not_, description="what the service does while people decide")
    drill: DrillPart | None = Field(default=None, exclude_if=operator.not_, description="of a drill's case alone")
    legal_holds: tuple[LegalHold, ...] = Field(default=(), exclude_if=operator.not_, description="why the content must not be erased")
    erased_at: AwareDatetime | None = Field(default=None, description="when the content was erased for good; nothing is sealed after it")
    content_at: int = Field(default=0, description="index of the leaf that sealed the current content; set by the ledger")
    decided_index: int | None = Field(default=None, description="index of the decided leaf; set by the ledger")

    @property
    def due_at(self) -> datetime | None:
        """When the ticker must look at this case again."""
        if self.undo is not None:
            return self.undo.until
        if self.state in (State.DECIDED, State.CLOSED):
            return None
        return min((at for at in (self.clocks.due(), *(page.next_at for page in self.pages)) if at is not None), default=None)

    @property
    def kept_here(self) -> bool:
        """Whether it is decided, and its service is not told so: a pause keeps the verdict back, or it may still be undone."""
        return self.withheld or self.undo is not None

    @property
    def open(self) -> bool:
        """Whether people or the service still owe an answer."""
        return self.state in (State.PENDING, State.NEEDS_INFO, State.HELD)

    @property
    def model_version(self) -> str:
        """Which model with which prompt, as `name version prompt`; empty when the service names none."""
        return " ".join(part for part in map(self.model.get, ("name", "version", "prompt_version")) if part)

    @property
    def rung(self) -> Tier:
        """The tier the case is at."""
        return self.route.tiers[self.tier]

    @property
    def yes_missing(self) -> int:
        """How many people have to say yes yet, in this step and in those that follow."""
        given = sum(1 for vote in self.votes if vote.step == self.step)
        return sum(step.people for step in self.route.steps[self.step :]) - given

    @property
    def decide_s(self) -> int:
        """Seconds to decide: those of the step where it has its own, else those of the tier."""
        own = self.route.steps[self.step].decide_s if self.route.steps else None
        return self.rung.decide_s if own is None else own

    def calendar(self, clock: ClockName) -> Calendar | None:
        """The calendar in which a clock counts now; None: elapsed time."""
        match clock:
            case ClockName.ACKNOWLEDGE:
                return None if self.rung.ack_elapsed else self.rung.calendar
            case ClockName.INFORMATION | ClockName.HOLD | ClockName.TOTAL:
                return self.rung.calendar if clock in self.route.business else None
            case ClockName.DECIDE | ClockName.ESCALATE | ClockName.VERIFY | ClockName.APPROVE | ClockName.CHECK:
                step = self.route.steps[self.step] if self.route.steps else None
                elapsed = self.rung.decide_elapsed if step is None or step.decide_s is None else step.elapsed
                return None if elapsed else self.rung.calendar

    @property
    def face(self) -> str:
        """Short digest of everything a card shows that makes a press stale when it changes; 16 hex characters."""
        facts = [self.id, self.revision, self.tier, self.step, self.state.value, self.action_sha256]
        return digest([*facts, *self.tied] if self.tied else facts)[:16]


def check_transition(before: State, after: State) -> None:
    """Raise `TransitionError` unless `after` may follow `before`."""
    if after not in TRANSITIONS[before]:
        raise TransitionError(f"{before} -> {after} is not a transition of a case")
