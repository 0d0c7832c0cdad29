"""What a request could get before anything is generated for it (REQUIREMENTS I3): the freest lane, and what is missing.

Owns the assumptions about what is not known yet. It stores nothing and promises nothing: the answer is the lane at best, and the
case itself is routed when it comes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from routing.case.action import Action
from routing.case.facts import Facts
from routing.case.submission import Model, Name, Submission
from routing.errors import SubmissionError
from routing.evaluation.derived_risk import derived, unreadable
from routing.evaluation.route import route
from routing.policy.expressions import Failure, variables
from routing.policy.form.checks import Checks
from routing.policy.form.derived import path_of
from routing.policy.form.form import Workflow
from routing.policy.form.guardrails import ModelVersion
from routing.policy.policy import Policy
from routing.problems import problems_of
from routing.vocabulary import Lane, Risk

_UNKNOWN = "unknown"


class PlannedAction(Action):
    """The action as far as it is known."""

    type: str = Field(default=_UNKNOWN, min_length=1, max_length=120, description="none: the first that the workflow allows")


class Inquiry(Submission):
    """A case with whatever is known so far; only the workflow must be said."""

    task_id: Name = _UNKNOWN
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)] = _UNKNOWN
    action: PlannedAction = PlannedAction()


@dataclass(frozen=True, slots=True)
class Prospect:
    """`allowed` is the lane at best, `missing` what the workflow requires and was not said, `reasons` why it is no freer lane."""

    allowed: Lane
    missing: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    """Trigger codes with their sentences."""


def read_inquiry(document: Mapping[str, Any]) -> Inquiry:
    """Turn a parsed JSON object into an Inquiry. Raises `SubmissionError` with every wrong field at once."""
    try:
        return Inquiry.model_validate_json(json.dumps(document))  # JSON mode: only there are lists and times strict
    except ValidationError as error:
        raise SubmissionError(problems_of(error, _schema())) from None


def prospect(policy: Policy, inquiry: Inquiry, facts: Facts, now: datetime) -> Prospect:
    """What a request could get. Raises `LookupError` for a workflow that the policy does not have.

    Best of all is assumed of what was not said: a sure and known model, low risk, an action that can be undone and fits its schema,
    an output with everything it needs. A rule that cannot be evaluated without what is not known is left out.
    """
    workflow = policy.workflow(inquiry.workflow)
    if workflow is None:
        raise LookupError(f"the policy has no workflow {inquiry.workflow}")
    known = inquiry if "type" in inquiry.action.model_fields_set else _with_action(inquiry, workflow)
    best = route(_at_ease(policy, workflow, known, now), _at_best(known, workflow), facts.model_copy(update={"lot": 0.0}), now)
    unsaid = [path for path in workflow.required if path in _SAID_BY_DEFAULT and not _said(inquiry, path)]
    missing = dict.fromkeys((*unsaid, *route(policy, known, facts, now).missing))
    return Prospect(best.lane, tuple(missing), tuple((reason.code, reason.text) for reason in best.reasons))


_SAID_BY_DEFAULT = frozenset({"task_id", "title", "action", "action.type"})
"""What a case always has and an inquiry need not."""


def _said(inquiry: Inquiry, path: str) -> bool:
    first, _, rest = path.partition(".")
    return first in inquiry.model_fields_set and (not rest or rest in inquiry.action.model_fields_set)


def _with_action(inquiry: Inquiry, workflow: Workflow) -> Inquiry:
    kind = next(iter(workflow.action_types), _UNKNOWN)
    return inquiry.model_copy(update={"action": inquiry.action.model_copy(update={"type": kind})})


def _at_best(inquiry: Inquiry, workflow: Workflow) -> Inquiry:
    """The inquiry with the best that can still come."""
    risk: dict[str, object] = {"impact": Risk.LOW, "likelihood": 0.0, "recoverability": "easy", "score": 0.0}
    context = inquiry.context
    return inquiry.model_copy(
        update={
            "action": _filled(inquiry.action, {"reversible": True}),
            "model": _filled(inquiry.model, {**_known_version(inquiry.model, workflow.models), "confidence": 1.0}),
            "risk": _filled(inquiry.risk, risk),
            "context": context.model_copy(update={"missing": ()}) if workflow.context_missing == "information" else context,
        }
    )


def _known_version(model: Model, known: tuple[ModelVersion, ...]) -> dict[str, object]:
    """The known version with the largest share that does not contradict what was said of the model."""
    fitting = [
        one
        for one in known
        if model.name in (None, one.name)
        and model.version in (None, one.version)
        and (one.prompt_version is None or model.prompt_version in (None, one.prompt_version))
    ]
    best = max(fitting, key=lambda one: one.share, default=None)
    return {"name": best.name, "version": best.version, "prompt_version": best.prompt_version} if best else {}


Filled = TypeVar("Filled", bound=BaseModel)


def _filled(part: Filled, best: Mapping[str, object]) -> Filled:
    """The part with the best for what it does not say."""
    return part.model_copy(update={name: value for name, value in best.items() if getattr(part, name) is None})


def _at_ease(policy: Policy, workflow: Workflow, inquiry: Inquiry, now: datetime) -> Policy:
    """The policy without what nobody can meet yet: what is missing is told beside, and may still come."""
    checks: dict[str, object] = {"citations": 0} if inquiry.output is not None else {"citations": 0, "required": ()}
    eased = workflow.model_copy(
        update={
            "required": (),
            "required_evidence": {},
            "requester": "optional",
            "checks": Checks.model_construct(**{**dict(workflow.checks), **checks}),
            "risk_from": {
                fact: place
                for fact, place in workflow.risk_from.items()
                if path_of(workflow.risk_from, fact, inquiry.action.type) not in unreadable(workflow, inquiry)
            },
            "action_schemas": workflow.action_schemas if inquiry.action.params is not None else {},
            "models": tuple(one.model_copy(update={"share": 1.0 if one.share else 0.0}) for one in workflow.models),
        }
    )
    bound = variables(derived(eased, _at_best(inquiry, workflow)), [], now)
    rules = tuple(
        (rule, condition) for rule, condition in policy.expressions[inquiry.workflow] if not isinstance(condition.evaluate(bound), Failure)
    )
    return replace(
        policy,
        workflows={**policy.workflows, inquiry.workflow: eased},
        expressions={**policy.expressions, inquiry.workflow: rules},
    )


@cache
def _schema() -> dict[str, Any]:
    return Inquiry.model_json_schema()
