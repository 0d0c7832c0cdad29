"""The parts of the policy form that check a case before and after the model worked. Owns keys and defaults; checks nothing itself."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from routing.case.submission import Moment
from routing.policy.form.parts import Name, Part
from routing.vocabulary import Lane

Kind = Literal["record", "document", "quote", "url", "image", "log"]
RequiredEvidence = dict[Kind, Annotated[int, Field(ge=1, le=100)]]
ParamPath = Annotated[str, StringConstraints(min_length=1, max_length=200)]
DecimalText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,6})?$")]
Term = Annotated[str, StringConstraints(min_length=1, max_length=200)]

DEFAULT_CHECKLIST = {
    "evidence": "The evidence is there and supports the action.",
    "policy": "Policy version and risk class are right.",
    "sensitive": "Sensitive data was looked for.",
    "prohibited": "Nothing in it is prohibited.",
    "entity": "Request, evidence and action are about the same person or thing.",
    "accurate": "Figures, names and dates are right.",
    "wording": "The wording fits whoever will read it.",
    "downstream": "What follows from it downstream is safe.",
}
"""Item id -> sentence (REQUIREMENTS V5)."""


class Checklist(Part):
    """What whoever verifies answers item by item: pass, fail or not applicable."""

    items: dict[Name, Annotated[str, StringConstraints(min_length=1, max_length=150)]] = Field(default=DEFAULT_CHECKLIST, max_length=12)
    steps: tuple[Literal["triage", "verify", "approve", "check"], ...] = Field(
        default=("verify", "check"),
        description="steps at which it is asked",
    )


class Checks(Part):
    """Checks of what the model proposes (I4); each that fires is a named signal on the card."""

    forbidden: tuple[Term, ...] = Field(default=(), max_length=200, description="terms that neither output nor action may hold")
    required: tuple[Term, ...] = Field(default=(), max_length=50, description="terms that the output must hold")
    citations: int = Field(default=0, ge=0, le=50, description="evidence ids the output must cite, as [id]")
    entity: tuple[str, ...] = Field(default=(), max_length=20, description="paths whose value must be an id of the subject or an entity")
    change_percent: dict[ParamPath, Annotated[int, Field(ge=0, le=100_000)]] = Field(
        default_factory=dict, max_length=50, description="by parameter (dotted path below action.params): change in per cent that passes"
    )
    change_amount: dict[ParamPath, DecimalText] = Field(
        default_factory=dict, max_length=50, description="by parameter: change in its own unit that passes, as decimal text"
    )
    heuristics: bool = Field(default=True, description="generic answers and text in the input that reads like instructions to the model")


class Example(Part):
    """A case and where it has to go."""

    name: Name
    case: dict[str, Any] = Field(description="as a service would post it; workflow, task_id and title may be left out")
    at: Moment | None = Field(default=None, description="when it comes, where that matters, as to the age of sources; none: now")
    lane: Lane
    missing: tuple[str, ...] | None = Field(default=None, description="paths that have to be missing; none: not looked at")
    reasons: tuple[str, ...] = Field(default=(), description="trigger codes that have to be among the reasons")
