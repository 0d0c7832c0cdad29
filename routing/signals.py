"""The closed list of trigger codes, a sentence for each, and the signals that carry them. Owns the words; never measures.

The same codes stand on cards, in audit leaves and in figures. A sentence says numbers, codes and names from the policy
only: what a service wrote is content and stays in the vault.
"""

from dataclasses import dataclass
from enum import StrEnum, unique
from functools import lru_cache

from routing.case import Reason
from routing.vocabulary import Lane


@unique
class Outcome(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105  # a verdict
    REVIEW = "review"
    STOP = "stop"

    @property
    def level(self) -> int:
        """0 for pass to 2 for stop; the worst wins."""
        return _OUTCOME_ORDER[self]


_OUTCOME_ORDER = {Outcome.PASS: 0, Outcome.REVIEW: 1, Outcome.STOP: 2}


@unique
class Trigger(StrEnum):
    """Everything that can move a case to people, and the one code that says why it need not."""

    ALL_CLEAR = "all_clear"
    CONFIDENCE_MISSING = "confidence_missing"
    CONFIDENCE_INVALID = "confidence_invalid"
    CONFIDENCE_LOW = "confidence_low"
    CONFIDENCE_VERY_LOW = "confidence_very_low"
    CONFIDENCE_NOT_USED = "confidence_not_used"
    RETRIEVAL_WEAK = "retrieval_weak"
    RISK_SCORE_RAISED = "risk_score_raised"
    RISK_SCORE_HIGH = "risk_score_high"
    BLAST_RADIUS_WIDE = "blast_radius_wide"
    BLAST_RADIUS_EXTREME = "blast_radius_extreme"
    CHECK_WARNED = "check_warned"
    CHECK_FAILED = "check_failed"
    CONTEXT_MISSING = "context_missing"
    CONTEXT_CONFLICT = "context_conflict"
    CONTEXT_STALE = "context_stale"
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
    POLICY_RULE = "policy_rule"
    RULE_ERROR = "rule_error"
    ROUTING_ERROR = "routing_error"
    FIELD_MISSING = "field_missing"


SENTENCES: dict[Trigger, str] = {
    Trigger.ALL_CLEAR: "The confidence {value} reaches {limit}, the risk is low, the action can be undone and nothing speaks against it.",
    Trigger.CONFIDENCE_MISSING: "The model gave no confidence, which counts as 0.",
    Trigger.CONFIDENCE_INVALID: "The model's confidence {value} is not between 0 and 1, which counts as 0.",
    Trigger.CONFIDENCE_LOW: "The model's confidence {value} is below the {limit} that automation needs.",
    Trigger.CONFIDENCE_VERY_LOW: "The model's confidence {value} is below {limit}.",
    Trigger.CONFIDENCE_NOT_USED: "The policy judges this workflow without the model's confidence, so people decide.",
    Trigger.RETRIEVAL_WEAK: "The retrieval quality {value} is below {limit}.",
    Trigger.RISK_SCORE_RAISED: "The risk score {value} reaches {limit}.",
    Trigger.RISK_SCORE_HIGH: "The risk score {value} reaches {limit}, where only an expert decides.",
    Trigger.BLAST_RADIUS_WIDE: "The blast radius {value} is above {limit}.",
    Trigger.BLAST_RADIUS_EXTREME: "The blast radius {value} is above {limit}, where only an expert decides.",
    Trigger.CHECK_WARNED: "Checks with a warning: {value}.",
    Trigger.CHECK_FAILED: "Checks that failed: {value}.",
    Trigger.CONTEXT_MISSING: "Facts the service knows to be missing: {value}.",
    Trigger.CONTEXT_CONFLICT: "Facts that contradict each other: {value}.",
    Trigger.CONTEXT_STALE: "Facts that are out of date: {value}.",
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
    Trigger.POLICY_RULE: "{value}",
    Trigger.RULE_ERROR: "The rule {value} could not be evaluated.",
    Trigger.ROUTING_ERROR: "The case could not be routed, so an expert looks at it.",
    Trigger.FIELD_MISSING: "The workflow requires {value}, which is missing.",
}


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
    outcome = Outcome.REVIEW if lane is Lane.REVIEW else Outcome.STOP
    return Signal(name, outcome, value, SENTENCES[trigger].format(value=value, limit=limit), trigger, lane, limit)


@lru_cache(maxsize=4_096)
def _reason(trigger: Trigger | None, why: str) -> Reason:
    return Reason(code=str(trigger), text=why)
