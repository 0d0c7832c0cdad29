"""The parts of the policy form that tie facts to the action: where each is read, and what holds for a changed one. Owns these keys."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from routing.policy.form.parts import Part

ParamPath = Annotated[str, StringConstraints(pattern=r"^action\.params\.[^.\s]+(\.[^.\s]+)*$", max_length=300)]
"""A path below `action.params`; `*` stands for each item of a list."""

RiskFact = Literal["amount", "currency", "impact", "likelihood", "recoverability", "blast_radius", "score", "novelty", "flags"]
"""Facts of the risk that can be read from an action."""

RiskFrom = dict[RiskFact, ParamPath | dict[str, ParamPath]]
"""By fact, the path it is read from; or, where actions of a workflow differ, the path by action type."""


Said = Literal[
    "checks",
    "evidence",
    "context",
    "labels",
    "risk.amount",
    "risk.currency",
    "risk.impact",
    "risk.likelihood",
    "risk.recoverability",
    "risk.blast_radius",
    "risk.score",
    "risk.novelty",
    "risk.flags",
    "risk.segment",
]
"""What a service says of the action that it proposes."""


class Modification(Part):
    """What becomes of the service's word when a reviewer changes the action: by default it holds no more, and the case goes a lane up."""

    fixed: tuple[Said, ...] = Field(default=(), max_length=14, description="what holds whatever the parameters of the action are")
    up: tuple[Said, ...] = Field(
        default=(), max_length=14, description="what is known not to hold for a changed action: as if not named, without a warning"
    )


def path_of(given: RiskFrom, fact: str, action_type: str) -> str:
    """Where a fact of such an action is read, "" where the policy does not tie it to the action."""
    for name, place in given.items():
        if name == fact:
            return place.get(action_type, "") if isinstance(place, dict) else place
    return ""
