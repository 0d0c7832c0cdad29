"""The parts of the policy form that limit what happens by itself: sampling, caps, breakers, masking. Owns keys and defaults."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from routing.authority import AlertLevel, Automation
from routing.policy.clocks.row import Duration
from routing.policy.form.parts import Name, Part, Sentence, Share, UserId
from routing.vocabulary import Risk

DecimalText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,6})?$")]

Measured = Literal[
    "override_rate",
    "false_positives",
    "critical_confidence",
    "mean_confidence_drop",
    "review_latency",
    "drift",
    "stale_data",
    "violations",
    "model_latency",
    "audit_completeness",
    "queue_growth",
    "unowned",
    "review_time",
    "approval_rate",
    "budget",
]
"""What a breaker can measure; `routing.governance.breakers` says how."""


class Sampling(Part):
    """Which automatic approvals people check afterwards (R8)."""

    rate: Share = Field(default=0.05, description="share of automatic approvals")
    lasts: Duration = Field(default=28_800, description="time to check; business time where the tier has a calendar (8h: one business day)")
    uncertain: Share = Field(default=0.02, description="confidence so close above the threshold is always checked")
    novelty: Share = Field(default=0.8, description="novelty from which a case is always checked")


class Caps(Part):
    """Limits on automatic approvals of one workflow (G6); the excess goes to review. None: no limit."""

    per_hour: int | None = Field(default=None, ge=0)
    amount_per_day: DecimalText | None = None


class Duplicates(Part):
    """Near-duplicates (I7): same service, workflow, action type and subject within a window."""

    tie: bool = True
    window: Duration = 86_400


class Sensitive(Part):
    """What is masked on cards, pages and in logs (I6), and who may look."""

    paths: tuple[str, ...] = Field(default=(), max_length=100, description="paths always masked, besides those a case names itself")
    detect: tuple[Literal["email", "phone", "card", "iban", "national_id", "secret"], ...] = Field(
        default=("email", "phone", "card", "iban", "national_id", "secret"),
        description="kinds that are found and masked wherever they stand",
    )
    reveal: tuple[Name, ...] = Field(default=(), max_length=20, description="groups whose members may see what is masked; none: nobody")


class ModelVersion(Part):
    """A model and prompt version that is known, and what share of its cases may be automatic."""

    name: str
    version: str
    prompt_version: str | None = Field(default=None, description="none: any")
    share: Share = Field(default=1.0, description="share of its cases that may be automatic; the others go to review")
    report: str = Field(default="", max_length=300, description="where the test report or replay is that it was admitted by")
    accepted_by: tuple[UserId, ...] = Field(default=(), max_length=9)


class Accountability(Part):
    """Who answers for a workflow and what is at stake (R16)."""

    product: str = Field(min_length=1, max_length=200, description="owner of the product")
    operations: str = Field(min_length=1, max_length=200, description="owner of the operation")
    governance: str = Field(min_length=1, max_length=200, description="owner of the rules")
    harms: tuple[Sentence, ...] = Field(min_length=1, max_length=20)
    worst_case: Sentence
    service_tier: Literal["informational", "customer_facing_reversible", "irreversible_or_regulated"]


class Channels(Part):
    """Where what is about more than one case is said; none: it is only recorded."""

    operations: str | None = Field(default=None, description="alerts, pauses, exceptions")
    owners: str | None = Field(default=None, description="proposed policies, exceptions to approve, the weekly list")
    window: int = Field(
        default=20, ge=1, le=1_000, description="open cards that a tier's channel shows at a time; the others wait behind its board"
    )


class Breaker(Part):
    """A circuit breaker (G1). One with the name of a built-in takes its place; `action: on` only alerts."""

    name: Name
    measure: Measured
    above: float | None = Field(default=None, description="trips when the figure is above")
    below: float | None = Field(default=None, description="trips when the figure is below")
    window: Duration = 3_600
    minimum: int = Field(default=20, ge=1, description="cases in the window without which it does not judge")
    baseline: Duration = Field(default=28 * 86_400, description="how far back the figure it is compared with reaches")
    reset: float = Field(default=0.8, gt=0, le=1, description="hysteresis: it clears once the figure is back within this part of the limit")
    level: AlertLevel = AlertLevel.ACTION
    action: Automation | None = Field(default=None, description="the level it takes the workflow to; none: the next safer one")
    workflows: tuple[Name, ...] = Field(default=(), max_length=200, description="none: every workflow")
    impact: Risk | None = Field(default=None, description="only cases of this class of risk")
    by_model: bool = Field(default=False, description="judged for each model version by itself")
    off: bool = False

    @model_validator(mode="after")
    def _one_side(self) -> "Breaker":
        if not self.off and (self.above is None) == (self.below is None):
            raise ValueError("expected either above or below")
        return self
