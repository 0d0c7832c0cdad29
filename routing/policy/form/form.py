"""The form of the policy file. Owns every key, its default and its meaning; never reads a file and decides nothing."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from routing.authority import Autonomy, Role
from routing.case.address import DOTLESS
from routing.clock import Calendar
from routing.policy.clocks.presets import ROWS, Preset
from routing.policy.clocks.row import ClockRow, Duration, DurationOrNone
from routing.policy.form.break_glass import BreakGlass
from routing.policy.form.checks import Checklist, Checks, Example, RequiredEvidence
from routing.policy.form.claims import Claims
from routing.policy.form.derived import Modification, ParamPath, RiskFrom
from routing.policy.form.drills import Drills
from routing.policy.form.guardrails import Accountability, Breaker, Caps, Channels, Duplicates, ModelVersion, Sampling, Sensitive
from routing.policy.form.ladders import Ladder, Members, Pages, Paging
from routing.policy.form.parts import LAST, Code, Domain, Name, Part, Sentence, Share, Text, TierNumber, UserId
from routing.policy.form.playbooks import PlaybookForm, TicketSystem
from routing.policy.form.postmortems import Postmortems
from routing.vocabulary import ClockName, Lane, Mode, Risk, Template

HARD_FLAGS = frozenset(
    {
        *("access", "compliance", "credit", "executive", "financial", "hr", "legal", "medical", "money_movement", "payment", "regulated"),
        *("crm", "external_communication", "permissions", "pricing", "public"),  # approval before the side effect
    },
)
"""Risk flags that are never automatic, whatever a policy says (REQUIREMENTS R3). A policy may add to them, never take away."""

PROHIBITED_FLAGS = frozenset({"prohibited_content", "data_exposure", "policy_conflict"})
"""Risk flags that stop the line (R4). A policy may add to them, never take away."""

SPECIALIST_FLAGS = ("regulated", "access", "external_communication", "financial")
"""Risk flags that ask for a specialist unless the policy names its own (R4)."""


class Rule(Part):
    """One CEL condition and what it demands. A rule raises the lane or the template; it never lowers either."""

    name: Name
    when: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    lane: Literal[Lane.REVIEW, Lane.SPECIALIST, Lane.EXPERT, Lane.REJECT, Lane.STOP] | None = None
    template: Literal[Template.APPROVAL, Template.DUAL, Template.EXPERT] | None = None
    skills: tuple[Name, ...] = Field(default=(), max_length=20, description="skills that the answering group must have")
    reason: Sentence

    @model_validator(mode="after")
    def _demands(self) -> "Rule":
        if self.lane is None and self.template is None and not self.skills:
            raise ValueError("expected a lane, a template or skills")
        return self


class Thresholds(Part):
    """Where each figure turns from good to doubtful and, where there are two, from doubtful to bad (R1, R4)."""

    auto: Share = Field(default=0.92, description="confidence from which automation is possible")
    review: Share = Field(default=0.75, description="confidence below which only an expert decides")
    retrieval_quality: Share = Field(default=0.6, description="below it people look; missing is not held against a case")
    risk_score: Share = Field(default=0.6, description="from it people look")
    risk_score_stop: Share = Field(default=0.9, description="from it only an expert decides")
    blast_radius: Share = Field(default=0.3, description="above it people look")
    blast_radius_stop: Share = Field(default=0.6, description="above it only an expert decides")


class Start(Part):
    """The tier a case opens at, by lane; a shorter ladder gives its last tier."""

    review: TierNumber = 1
    specialist: TierNumber = 2
    expert: TierNumber = 2
    stop: TierNumber = LAST


class Clock(Part):
    """A row of the clock table: a clock, how long it lasts and for which cases; or rows with a name."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["clock", "lasts"]}, {"required": ["preset"], "maxProperties": 1}]})

    clock: ClockName | None = None
    lasts: Duration | None = None
    risk: Risk | None = Field(default=None, description="only for this class of risk; none: any")
    mode: Mode | None = Field(default=None, description="only where the service waits (sync) or does not (async); none: either")
    lane: Literal[Lane.REVIEW, Lane.SPECIALIST, Lane.EXPERT, Lane.STOP] | None = Field(default=None, description="only in this lane")
    time: Literal["business", "elapsed"] | None = Field(
        default=None,
        description="business: in the tier's calendar; elapsed: day and night. Default: business for the clocks of a tier that has a "
        "calendar, elapsed for information, hold and total",
    )
    preset: Preset | None = Field(default=None, description="rows with a name, in place of all other keys")

    @model_validator(mode="after")
    def _row_or_preset(self) -> "Clock":
        alone = self.model_fields_set == {"preset"} and self.preset is not None
        if not alone and (self.preset is not None or self.clock is None or self.lasts is None):
            raise ValueError("expected clock and lasts, or preset alone")
        return self

    def rows(self, origin: str) -> tuple[ClockRow, ...]:
        """The rows it stands for. `origin` is its place in the file."""
        if self.preset is not None:
            return tuple(replace(row, origin=f"{origin} ({self.preset})") for row in ROWS[self.preset])
        if self.clock is None or self.lasts is None:
            raise AssertionError("a row without a clock or a length was read")
        return (ClockRow(self.clock, self.lasts, self.risk, self.mode, self.lane, self.time, origin),)


Clocks = Annotated[tuple[Clock, ...], Field(max_length=100)]


class Flags(Part):
    """What risk flags mean. A flag that no list knows makes a case not automatic: unknown is not harmless."""

    never_auto: tuple[str, ...] = Field(default=(), description="added to the built-in ones")
    specialist: tuple[str, ...] = Field(default=SPECIALIST_FLAGS, description="instead of the built-in ones")
    prohibited: tuple[str, ...] = Field(default=(), description="added to the built-in ones")
    harmless: tuple[str, ...] = Field(default=(), description="known and of no consequence")


class Dual(Part):
    """Groups of the two steps of a dual review; none: the group of the tier the case is at."""

    verify: str | None = None
    approve: str | None = None


class Triage(Part):
    """Who confirms or corrects the pre-filled fields; none: the group of the tier the case is at."""

    group: str | None = None


class Expert(Part):
    """Who decides an expert case; none: the group of the tier the case is at."""

    group: str | None = None
    people: int = Field(default=1, ge=1, le=5)


class Defaults(Part):
    """What every workflow takes over and may write for itself, key by key."""

    thresholds: Thresholds = Thresholds()
    start: Start = Start()
    flags: Flags = Flags()
    dual: Dual = Dual()
    expert: Expert = Expert()
    triage: Triage = Triage()
    sampling: Sampling = Sampling()
    caps: Caps = Caps()
    duplicates: Duplicates = Duplicates()
    undo: Annotated[DurationOrNone, Field(ge=0, le=300)] = Field(
        default=10, description="how long whoever approved may take it back before the service is told, at most 5m; 0s: not at all"
    )
    sensitive: Sensitive = Sensitive()
    checks: Checks = Checks()
    checklist: Checklist = Checklist()
    freshness: dict[Literal["record", "document", "quote", "url", "image", "log"], Duration] = Field(
        default_factory=dict,
        description="by kind of source: how old it may be; one that does not say how old it is counts as stale",
    )
    context_missing: Literal["information", "review"] = Field(
        default="information",
        description="what follows when the service says that facts are missing: it is asked for them, or people look",
    )
    router: Literal["by-risk-class", "by-risk-score"] = Field(
        default="by-risk-class",
        description="which documented router the thresholds and the mode follow",
    )
    sync_from: Literal["medium", "high", "critical", "never"] = Field(default="high", description="risk from which the service waits")

    def under(self, own: "Workflow") -> "Workflow":
        """`own` with everything it does not write taken from here."""
        taken: dict[str, object] = {}
        for name in Defaults.model_fields:
            mine, its = getattr(self, name), getattr(own, name)
            if name not in own.model_fields_set:
                taken[name] = mine
            elif isinstance(its, Part):
                written = {key: getattr(its, key) for key in its.model_fields_set}
                taken[name] = type(its).model_construct(**{**dict(mine), **written})
        return own.model_copy(update=taken)


class Shortcut(Part):
    """What a case is that somebody opens from a message in Slack."""

    service: Name = Field(description="the service that is told the verdict and carries it out: one that posts to this workflow")
    action_type: str = Field(min_length=1, max_length=200, description="type of the action; params.proposed is what the person wrote")


class Workflow(Defaults):
    """How the cases of one workflow are routed and worked on."""

    ladder: str
    template: Template = Template.APPROVAL
    requester: Literal["required", "optional"] | None = Field(default=None, description="default: required for dual, expert and money")
    required: tuple[str, ...] = Field(default=(), max_length=50, description="paths without which a case is sent back for information")
    required_evidence: RequiredEvidence = Field(default_factory=dict, description="by kind of source: how many there must be")
    autonomy: Autonomy = Field(default=Autonomy.HUMAN_ASSISTED, description="what the model may do at most (R13)")
    models: tuple[ModelVersion, ...] = Field(default=(), max_length=50, description="known versions; any other is reviewed")
    skills: tuple[Name, ...] = Field(default=(), max_length=20, description="skills that the answering group must have")
    risk_from: RiskFrom = Field(
        default_factory=dict,
        description="facts of the risk that are read from the action as it will be executed, and never taken from the service's word: by "
        "fact a path below action.params, or paths by action type",
    )
    modification: Modification = Modification()
    locked: tuple[ParamPath, ...] = Field(default=(), max_length=50, description="parameters of the action that no reviewer may change")
    action_schemas: dict[str, dict[str, Any]] = Field(default_factory=dict, description="by action type: JSON Schema of its params")
    accountability: Accountability | None = Field(default=None, description="who answers for the workflow and what it may do harm to (R16)")
    examples: tuple[Example, ...] = Field(default=(), max_length=200, description="cases with the lane expected; `policy check` runs them")
    action_types: tuple[str, ...] = Field(default=(), max_length=200, description="the only ones allowed; none: any")
    confidence: Literal["required", "ignore"] = Field(
        default="required",
        description="ignore: the model gives none; the case is judged without it and is never automatic",
    )
    mode: Mode | None = Field(default=None, description="whether the service waits; default: by risk")
    instructions: str = Field(default="", max_length=4_000, description="what reviewers are told")
    owner: str = Field(default="", max_length=200)
    clocks: Clocks = Field(default=(), description="its own clock table; the policy's is asked where no row of it fits")
    rules: tuple[Rule, ...] = Field(default=(), max_length=200)
    shortcut: Shortcut | None = Field(default=None, description="how members send a message in Slack to review; none: they cannot")


class RiskMatrix(Part):
    """Risk class by impact and by how likely it is: unlikely, possible, likely (R2)."""

    low: tuple[Risk, Risk, Risk] = (Risk.LOW, Risk.LOW, Risk.MEDIUM)
    medium: tuple[Risk, Risk, Risk] = (Risk.LOW, Risk.MEDIUM, Risk.HIGH)
    high: tuple[Risk, Risk, Risk] = (Risk.MEDIUM, Risk.HIGH, Risk.CRITICAL)
    critical: tuple[Risk, Risk, Risk] = (Risk.HIGH, Risk.CRITICAL, Risk.CRITICAL)
    possible_from: Share = Field(default=0.2, description="likelihood from which a mistake is possible")
    likely_from: Share = Field(default=0.5, description="likelihood from which a mistake is likely")

    @model_validator(mode="after")
    def _never_falls(self) -> "RiskMatrix":
        levels = [[risk.level for risk in row] for row in (self.low, self.medium, self.high, self.critical)]
        columns = [list(column) for column in zip(*levels, strict=True)]
        if any(line != sorted(line) for line in (*levels, *columns)) or self.possible_from > self.likely_from:
            raise ValueError("more impact or likelihood must never give less risk")
        return self


class Priority(Part):
    """The weights of the priority formula."""

    low: int = Field(default=100, ge=0, le=100_000)
    medium: int = Field(default=300, ge=0, le=100_000)
    high: int = Field(default=600, ge=0, le=100_000)
    critical: int = Field(default=1_000, ge=0, le=100_000)
    stop: int = Field(default=500, ge=0, le=100_000, description="added in the stop lane")
    deadline: int = Field(default=200, ge=0, le=100_000, description="added in full at the deadline, from 0 at 72 h before")
    expected: int = Field(default=100, ge=0, le=10_000, description="added by impact (low 0, critical 3) times likelihood")
    amount: int = Field(default=25, ge=0, le=10_000, description="added per digit of the amount before the decimal point")
    customer: dict[str, Annotated[int, Field(ge=-1_000, le=1_000)]] = Field(
        default={"silver": 25, "gold": 50, "platinum": 75},
        max_length=50,
        description="added by the tier of the subject",
    )


class PolicyForm(Part):
    """The policy file."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    changes: Text = Field(description="what changed against the version before, in a sentence")
    activation: Literal["accept", "file"] = Field(default="accept", description="whether a changed file waits for a second person")
    owners: tuple[UserId, ...] = Field(default=(), description="who may accept a changed policy")
    roles: dict[Role, tuple[Name, ...]] = Field(default_factory=dict, description="groups by role; a role without a group is nobody's")
    channels: Channels = Channels()
    incidents: Paging | None = Field(default=None, description="whom an alert of the level incident pages")
    break_glass: BreakGlass | None = Field(default=None, description="who may decide outside the normal path; none: nobody")
    postmortems: Postmortems | None = Field(default=None, description="what calls for a postmortem; none: nothing does")
    drills: Drills = Drills()
    pages: Pages = Pages()
    claims: Claims = Claims()
    breakers: tuple[Breaker, ...] = Field(default=(), max_length=100, description="besides the built-in ones, or in the place of one")
    playbooks: tuple[PlaybookForm, ...] = Field(
        default=(), max_length=50, description="what is done, and who is told, when something happens"
    )
    tickets: dict[Name, TicketSystem] = Field(default_factory=dict, max_length=20, description="ticket systems that playbooks tell")
    groups: dict[Name, Members] = Field(min_length=1)
    calendars: dict[Name, Calendar] = Field(default_factory=dict)
    ladders: dict[Name, Ladder] = Field(min_length=1)
    workflows: dict[Name, Workflow] = Field(min_length=1)
    clocks: Clocks = Field(default=(), description="the clock table; where no row fits, a tier keeps its own ack and decide")
    defaults: Defaults = Defaults()
    risk: RiskMatrix = RiskMatrix()
    priority: Priority = Priority()
    dotless_domains: tuple[Domain, ...] = Field(
        default=DOTLESS, max_length=100, description="mail domains where dots before the @ mean nothing: a.nna@ is anna@"
    )
    reason_codes: tuple[Code, ...] = Field(default=(), max_length=50, description="added to the built-in ones")
