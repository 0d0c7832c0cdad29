"""Facts of the risk that the policy ties to the action (`risk_from`), read from its parameters as they will be executed. Owns the reading,
and which facts a modification leaves behind; judges no value but the spelling of a currency.

What cannot be read is not there: the service's own word never takes its place.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from routing.case.amount import is_amount, is_currency
from routing.case.submission import RiskFacts, Submission
from routing.policy.expressions import Expression
from routing.policy.form.derived import path_of
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy

ABOUT_THE_PROPOSED = ("checks", "evidence", "context", "labels")
"""Parts of a case that speak of the action as it was proposed: whoever changes the action does not change them."""

FIGURES = frozenset({"likelihood", "blast_radius", "score", "novelty"})

MEASURES = ("amount", "blast_radius", "score")
"""Facts that say how much the action does, and count whether or not a rule reads them."""


def derived(workflow: Workflow, submission: Submission) -> Submission:
    """The case with the facts that its action says; one that cannot be read from it is absent."""
    paths = _paths(workflow, submission)
    if not paths:
        return submission
    facts = {fact: _read(fact, path, submission) for fact, path in paths.items()}
    return submission.model_copy(update={"risk": submission.risk.model_copy(update=facts)})


def unreadable(workflow: Workflow, submission: Submission) -> tuple[str, ...]:
    """The paths below `action.params` that the policy reads facts from, and that hold nothing it can read, in the order of the policy."""
    return tuple(path for fact, path in _paths(workflow, submission).items() if _read(fact, path, submission) is None)


def said(workflow: Workflow, submission: Submission) -> tuple[tuple[str, str, str], ...]:
    """Each fact that is read from the action: its name, its path and its value in words."""
    found = ((fact, path, _read(fact, path, submission)) for fact, path in _paths(workflow, submission).items())
    return tuple((fact, path, "cannot be read" if value is None else str(value)) for fact, path, value in found)


def left_behind(policy: Policy, submission: Submission) -> tuple[str, ...]:
    """What the lane of such a case depends on and a modification of its action does not move: facts that say how much it does, given by the
    service and not tied to the action, and whatever else the rules of its workflow read that speaks of the proposed action. Dotted names.
    """
    workflow = policy.workflows[submission.workflow]
    tied = _paths(workflow, submission)
    given = (f"risk.{fact}" for fact in MEASURES if getattr(submission.risk, fact) is not None)
    read = (name for _rule, expression in policy.expressions[submission.workflow] for name in fixed(expression))
    held = {*workflow.modification.fixed, *(f"risk.{fact}" for fact in tied)}
    return tuple(name for name in dict.fromkeys((*given, *read)) if name not in held)


def new_currency(policy: Policy, before: Submission, after: Submission) -> bool:
    """Whether a modification changed the currency of amounts, and nothing in the policy says what that means: no rule of the workflow reads
    it, and it is not `fixed`. Nobody converts, so a limit for an amount holds in the one it was written for only.

    Where the policy reads the amount from the action and not its currency, that is the service's word, wherever it stands in the action.
    """
    workflow = policy.workflows[before.workflow]
    paths, given = _paths(workflow, before), before.risk.currency
    judged = any("risk.currency" in expression.reads for _rule, expression in policy.expressions[before.workflow])
    if judged or "risk.currency" in workflow.modification.fixed:
        return False
    if (path := paths.get("currency")) is not None:
        return bool(_read("currency", path, before) != _read("currency", path, after))
    if "amount" not in paths or given is None:
        return False
    was, now = ([*_texts(one.action.params)].count(given) for one in (before, after))
    return now < was


def untidy_currency(workflow: Workflow, before: Submission, after: Submission) -> str:
    """The path of the currency where a modification spells it otherwise than `Currency` has it, "" where it does not. What was proposed may
    stay; where that is in small letters, another may be too.
    """
    path = _paths(workflow, before).get("currency", "")
    was, now = ([*_at(one.action.params or {}, path.split(".")[2:])] if path else [] for one in (before, after))
    small = any(isinstance(one, str) and one.islower() for one in was)

    def tidy(value: object) -> bool:
        return isinstance(value, str) and is_currency(value.upper() if small and value.isascii() and value.islower() else value)

    return "" if all(one in was or tidy(one) for one in now) else path


def fixed(expression: Expression) -> tuple[str, ...]:
    """What a condition reads that the service said of the proposed action: `risk.NAME` each, and whole parts."""
    return tuple(name for name in expression.reads if name.startswith("risk.") or name in ABOUT_THE_PROPOSED)


def _paths(workflow: Workflow, submission: Submission) -> dict[str, str]:
    if not workflow.risk_from:
        return {}
    found = {fact: path_of(workflow.risk_from, fact, submission.action.type) for fact in workflow.risk_from}
    return {fact: path for fact, path in found.items() if path}


def _read(fact: str, path: str, submission: Submission) -> Any:  # noqa: ANN401  # of whatever type the fact is
    """The value of a fact as the form of a case has it, None where there is none or it cannot be read. Amounts of a list are added up, its
    flags joined; any other fact has to be the same in every item.
    """
    values = list(_at(submission.action.params or {}, path.split(".")[2:]))
    value = _joined(fact, values)
    if value is None:
        return None
    try:
        return getattr(RiskFacts.model_validate_json(json.dumps({fact: value})), fact)
    except ValidationError:
        return None


def _joined(fact: str, values: list[object]) -> object:
    if not values or None in values:
        return None
    if fact == "amount":
        numbers = [number for value in values if (number := _number(value)) is not None]
        return f"{sum(numbers):f}" if len(numbers) == len(values) else None
    if fact == "flags":
        return [flag for value in values for flag in (value if isinstance(value, list) else [value])]
    value = values[0]
    if any(other != value for other in values):
        return None
    if fact in FIGURES:
        number = _number(value)
        return None if number is None else float(number)
    if isinstance(value, str):
        if fact == "currency":
            return value.upper() if value.isascii() else None  # other letters become Latin ones in capitals
        return value.lower()
    return None


def _number(value: object) -> Decimal | None:
    """A number or a decimal string of the published form."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value if isinstance(value, str) else f"{Decimal(repr(value)):f}"
    return Decimal(text) if is_amount(text) else None


def _texts(value: object) -> Iterator[str]:
    """Every text of the parameters, in capitals."""
    if isinstance(value, str):
        yield value.upper()
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _at(value: object, path: list[str]) -> Iterator[object]:
    """Everything at a path; an item that lacks its part gives None, so that it cannot go unnoticed."""
    if not path:
        yield value
    elif path[0] == "*":
        for item in value if isinstance(value, list) else (None,):
            yield from _at(item, path[1:])
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _at(value[path[0]], path[1:])
    else:
        yield None
