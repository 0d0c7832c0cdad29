"""The closed list of trigger codes, a sentence for each, and the signals that carry them. Owns the words; never measures.

The same codes stand on cards, in audit leaves and in figures. A sentence says numbers, codes and names from the policy
only: what a service wrote is content and stays in the vault.
"""

from dataclasses import dataclass
from enum import StrEnum, unique
from functools import lru_cache

from routing.case.case import Reason
from routing.vocabulary import Lane


@unique
class Outcome(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105  # a verdict
    REVIEW = "review"
    STOP = "stop"

    level: int
    """0 for pass to 2 for stop; the worst wins."""


for _level, _outcome in enumerate((Outcome.PASS, Outcome.REVIEW, Outcome.STOP)):
    _outcome.level = _level


@unique
class Trigger(StrEnum):
    """Everything that can move a case to people, and the one code that says why it need not."""

    ALL_CLEAR = "all_clear"
    SCORE_CLEAR = "score_clear"
    EXCEPTION_USED = "exception_used"
    CONFIDENCE_MISSING = "confidence_missing"
    CONFIDENCE_INVALID = "confidence_invalid"
    CONFIDENCE_LOW = "confidence_low"
    CONFIDENCE_VERY_LOW = "confidence_very_low"
    CONFIDENCE_NOT_USED = "confidence_not_used"
    RETRIEVAL_WEAK = "retrieval_weak"
    RISK_SCORE_MISSING = "risk_score_missing"
    RISK_SCORE_RAISED = "risk_score_raised"
    RISK_SCORE_HIGH = "risk_score_high"
    BLAST_RADIUS_WIDE = "blast_radius_wide"
    BLAST_RADIUS_EXTREME = "blast_radius_extreme"
    CHECK_WARNED = "check_warned"
    CHECK_FAILED = "check_failed"
    CONTEXT_MISSING = "context_missing"
    CONTEXT_CONFLICT = "context_conflict"
    CONTEXT_STALE = "context_stale"
    SOURCE_STALE = "source_stale"
    RISK_MEDIUM = "risk_medium"
    RISK_HIGH = "risk_high"
    RISK_CRITICAL = "risk_critical"
    NOT_REVERSIBLE = "not_reversible"
    REVERSIBILITY_UNKNOWN = "reversibility_unknown"
    MONEY = "money"
    NEVER_AUTOMATIC = "never_automatic"
    FLAG_UNKNOWN = "flag_unknown"
    SPECIALIST_NEEDED = "specialist_needed"
    PROHIBITED = "prohibited"
    ACTION_NOT_ALLOWED = "action_not_allowed"
    TEMPLATE_PEOPLE = "template_people"
    TEMPLATE_EXPERT = "template_expert"
    SCHEMA_BROKEN = "schema_broken"
    FORBIDDEN_TERM = "forbidden_term"
    REQUIRED_TERM_MISSING = "required_term_missing"
    CITATION_MISSING = "citation_missing"
    CITATION_UNKNOWN = "citation_unknown"
    ENTITY_MISMATCH = "entity_mismatch"
    CHANGE_LARGE = "change_large"
    GENERIC_ANSWER = "generic_answer"
    INSTRUCTIONS_IN_INPUT = "instructions_in_input"
    AUTONOMY = "autonomy"
    AUTOMATION_OFF = "automation_off"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_SHARE = "model_share"
    CAP_REACHED = "cap_reached"
    POLICY_RULE = "policy_rule"
    RULE_ERROR = "rule_error"
    ROUTING_ERROR = "routing_error"
    FIELD_MISSING = "field_missing"
    FACT_UNREADABLE = "fact_unreadable"
    FACTS_LEFT_BEHIND = "facts_left_behind"
    CURRENCY_CHANGED = "currency_changed"
    SKILLS_ELSEWHERE = "skills_elsewhere"
    SKILLS_NOWHERE = "skills_nowhere"
    OPENS_LOWER = "opens_lower"


SENTENCES: dict[Trigger, str] = {
    Trigger.ALL_CLEAR: "The confidence {value} reaches {limit}, the risk is low, the action can be undone and nothing speaks against it.",
    Trigger.SCORE_CLEAR: "The confidence {value} reaches {limit}, the risk score is low, it can be undone and nothing speaks against it.",
    Trigger.EXCEPTION_USED: "An exception to the policy lets this case through: {value}. Nothing else speaks against it.",
    Trigger.CONFIDENCE_MISSING: "The model gave no confidence, which counts as 0.",
    Trigger.CONFIDENCE_INVALID: "The model's confidence {value} is not between 0 and 1, which counts as 0.",
    Trigger.CONFIDENCE_LOW: "The model's confidence {value} is below the {limit} that automation needs.",
    Trigger.CONFIDENCE_VERY_LOW: "The model's confidence {value} is below {limit}.",
    Trigger.CONFIDENCE_NOT_USED: "The policy judges this workflow without the model's confidence, so people decide.",
    Trigger.RETRIEVAL_WEAK: "The retrieval quality {value} is below {limit}.",
    Trigger.RISK_SCORE_MISSING: "The policy goes by the risk score, and none was given.",
    Trigger.RISK_SCORE_RAISED: "The risk score {value} reaches {limit}.",
    Trigger.RISK_SCORE_HIGH: "The risk score {value} reaches {limit}, where only an expert decides.",
    Trigger.BLAST_RADIUS_WIDE: "The blast radius {value} is above {limit}.",
    Trigger.BLAST_RADIUS_EXTREME: "The blast radius {value} is above {limit}, where only an expert decides.",
    Trigger.CHECK_WARNED: "Checks with a warning: {value}.",
    Trigger.CHECK_FAILED: "Checks that failed: {value}.",
    Trigger.CONTEXT_MISSING: "Facts the service knows to be missing: {value}.",
    Trigger.CONTEXT_CONFLICT: "Facts that contradict each other: {value}.",
    Trigger.CONTEXT_STALE: "Facts that are out of date: {value}.",
    Trigger.SOURCE_STALE: "Sources older than the policy allows, or of unknown age: {value}.",
    Trigger.RISK_MEDIUM: "The risk is medium.",
    Trigger.RISK_HIGH: "The risk is high.",
    Trigger.RISK_CRITICAL: "The risk is critical.",
    Trigger.NOT_REVERSIBLE: "The action cannot be undone.",
    Trigger.REVERSIBILITY_UNKNOWN: "Nobody said that the action can be undone.",
    Trigger.MONEY: "The action moves money.",
    Trigger.NEVER_AUTOMATIC: "The case is flagged {value}, which is never automatic.",
    Trigger.FLAG_UNKNOWN: "Risk flags the policy does not know: {value}.",
    Trigger.SPECIALIST_NEEDED: "The case is flagged {value}, which asks for a specialist.",
    Trigger.PROHIBITED: "The case is flagged {value}, which stops the line.",
    Trigger.ACTION_NOT_ALLOWED: "The policy does not allow the action {value} in this workflow.",
    Trigger.TEMPLATE_PEOPLE: "The policy has people decide this case ({value}).",
    Trigger.TEMPLATE_EXPERT: "The policy has an expert decide; the model only advises.",
    Trigger.SCHEMA_BROKEN: "The action's parameters do not have the form the policy asks for: {value}.",
    Trigger.FORBIDDEN_TERM: "Output or action holds what the policy forbids: {value}.",
    Trigger.REQUIRED_TERM_MISSING: "The output lacks what the policy asks for: {value}.",
    Trigger.CITATION_MISSING: "The output cites {value} of its sources; the policy asks for {limit}.",
    Trigger.CITATION_UNKNOWN: "Citations that lead to no source of the case: {value}.",
    Trigger.ENTITY_MISMATCH: "The action may be about somebody else: {value} is no id of this case.",
    Trigger.CHANGE_LARGE: "The action changes {value} by more than the policy lets pass unnoticed.",
    Trigger.GENERIC_ANSWER: "The output reads like a stock answer that says nothing about this case.",
    Trigger.INSTRUCTIONS_IN_INPUT: "Texts in the request or its sources that read like instructions to the model: {value}.",
    Trigger.AUTONOMY: "The policy does not let the model act alone in this workflow ({value}).",
    Trigger.AUTOMATION_OFF: "The workflow's automation is {value}, so people decide.",
    Trigger.MODEL_UNKNOWN: "The policy does not know this version of the model or its prompt, so people review every case of it.",
    Trigger.MODEL_SHARE: "Only {value} of the cases of this model version may be automatic, and this one is not among them.",
    Trigger.CAP_REACHED: "The limit on automatic approvals is reached ({value}).",
    Trigger.POLICY_RULE: "{value}",
    Trigger.RULE_ERROR: "The rule {value} could not be evaluated.",
    Trigger.ROUTING_ERROR: "The case could not be routed, so an expert looks at it.",
    Trigger.FIELD_MISSING: "The workflow requires {value}, which is missing.",
    Trigger.FACT_UNREADABLE: "The policy judges the case by {value}, which is missing or cannot be read.",
    Trigger.FACTS_LEFT_BEHIND: "Somebody changed the action; what the policy goes by still speaks of the proposed one: {value}.",
    Trigger.CURRENCY_CHANGED: "Somebody changed the currency of the action, and no rule of the policy says what an amount means in it.",
    Trigger.SKILLS_ELSEWHERE: "Nobody below tier {value} has the skills it takes ({limit}).",
    Trigger.SKILLS_NOWHERE: "No group of the ladder has the skills it takes ({value}), so an expert decides.",
    Trigger.OPENS_LOWER: "One risk signal alone opens no case above tier {value}, so it starts there; its lane stays.",
}

RISK_SIGNALS: dict[Trigger, str] = {
    Trigger.CONFIDENCE_MISSING: "confidence",
    Trigger.CONFIDENCE_INVALID: "confidence",
    Trigger.CONFIDENCE_LOW: "confidence",
    Trigger.CONFIDENCE_VERY_LOW: "confidence",
    Trigger.RETRIEVAL_WEAK: "retrieval",
    Trigger.RISK_SCORE_RAISED: "risk score",
    Trigger.RISK_SCORE_HIGH: "risk score",
    Trigger.BLAST_RADIUS_WIDE: "blast radius",
    Trigger.BLAST_RADIUS_EXTREME: "blast radius",
    Trigger.CHECK_WARNED: "checks",
    Trigger.CHECK_FAILED: "checks",
    Trigger.CONTEXT_CONFLICT: "context",
    Trigger.CONTEXT_STALE: "context",
    Trigger.SOURCE_STALE: "context",
    Trigger.RISK_MEDIUM: "risk",
    Trigger.RISK_HIGH: "risk",
    Trigger.RISK_CRITICAL: "risk",
    Trigger.NOT_REVERSIBLE: "reversibility",
    Trigger.NEVER_AUTOMATIC: "flags",
    Trigger.SPECIALIST_NEEDED: "flags",
    Trigger.PROHIBITED: "flags",
    Trigger.SCHEMA_BROKEN: "form",
    Trigger.FORBIDDEN_TERM: "terms",
    Trigger.CHANGE_LARGE: "change",
    Trigger.ENTITY_MISMATCH: "entity",
    Trigger.INSTRUCTIONS_IN_INPUT: "input",
    Trigger.POLICY_RULE: "rule",
}
"""What counts as a risk signal where senior people are asked at once (R7), and what it looks at: two that look at the same are one.
That money moves is not among them: the amount is what rules about amounts look at already.
"""

NEVER_ALONE = frozenset(
    {
        *(Trigger.PROHIBITED, Trigger.ACTION_NOT_ALLOWED, Trigger.SPECIALIST_NEEDED, Trigger.NEVER_AUTOMATIC, Trigger.MONEY),
        *(Trigger.RISK_CRITICAL, Trigger.RISK_HIGH, Trigger.NOT_REVERSIBLE),
    },
)
"""What brings a case to people whatever its figures are (R3): of reasons that demand the same lane, these decide."""

FIGURES = frozenset(
    {
        *(Trigger.CONFIDENCE_MISSING, Trigger.CONFIDENCE_INVALID, Trigger.CONFIDENCE_LOW, Trigger.CONFIDENCE_VERY_LOW),
        *(Trigger.RETRIEVAL_WEAK, Trigger.RISK_SCORE_MISSING, Trigger.RISK_SCORE_RAISED),
        *(Trigger.RISK_SCORE_HIGH, Trigger.BLAST_RADIUS_WIDE, Trigger.BLAST_RADIUS_EXTREME),
    },
)
"""Figures against a limit: they decide only where nothing else demands the same lane, for with better ones the case would be here too."""


def decisiveness(trigger: Trigger) -> int:
    """The place of a reason among those that demand the same lane, the one that decides first: 0 for a rule of the policy to 4 for
    what the service can still bring.
    """
    if trigger is Trigger.POLICY_RULE:
        return 0
    if trigger is Trigger.FIELD_MISSING:
        return 4
    return 1 if trigger in NEVER_ALONE else 3 if trigger in FIGURES else 2


CRITICAL = frozenset({Trigger.PROHIBITED, Trigger.RISK_CRITICAL})
"""One of these is enough by itself (R7)."""

WAIVABLE = frozenset(
    {
        Trigger.CONFIDENCE_LOW,
        Trigger.RETRIEVAL_WEAK,
        Trigger.RISK_SCORE_RAISED,
        Trigger.BLAST_RADIUS_WIDE,
        Trigger.CHECK_WARNED,
        Trigger.CONTEXT_STALE,
        Trigger.SOURCE_STALE,
        Trigger.REVERSIBILITY_UNKNOWN,
        Trigger.FLAG_UNKNOWN,
        Trigger.RISK_MEDIUM,
    },
)
"""Codes that an exception may waive (R14): never what R3 says, what stops the line, money, failed checks, the policy's own rules."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that was looked at: its value, the limit it was held against, what that means and the lane it demands.

    `trigger` is None where nothing speaks against automation.
    """

    name: str
    outcome: Outcome
    value: str
    why: str
    trigger: Trigger | None = None
    lane: Lane = Lane.AUTO
    limit: str = ""

    @property
    def reason(self) -> Reason:
        """The trigger and its sentence. Asked of signals with a trigger only."""
        return _reason(self.trigger, self.why)


def passed(name: str, value: object = "", why: str = "", limit: object = "") -> Signal:
    """A signal that speaks for letting the case pass."""
    return _passed(name, str(value), why, str(limit))


def fired(name: str, trigger: Trigger, lane: Lane, value: object = "", limit: object = "") -> Signal:
    """A signal that demands a lane; its gate says review in the review lane and stop beyond it."""
    return _fired(name, trigger, lane, str(value), str(limit))


@lru_cache(maxsize=4_096)  # most cases say what other cases said
def _passed(name: str, value: str, why: str, limit: str) -> Signal:
    return Signal(name, Outcome.PASS, value, why, limit=limit)


@lru_cache(maxsize=4_096)
def _fired(name: str, trigger: Trigger, lane: Lane, value: str, limit: str) -> Signal:
    outcome = {Lane.AUTO: Outcome.PASS, Lane.REVIEW: Outcome.REVIEW}.get(lane, Outcome.STOP)
    return Signal(name, outcome, value, SENTENCES[trigger].format(value=value, limit=limit), trigger, lane, limit)


@lru_cache(maxsize=4_096)
def _reason(trigger: Trigger | None, why: str) -> Reason:
    return Reason(code=str(trigger), text=why)
