"""What a reviewer may make of a proposed action: the form that its parameters keep, and what is locked. Owns these rules and their
sentences; routes nothing.

Where the policy has a schema for the action, that binds. Where it has none, the proposal does: each value keeps its type and the form of
its number, objects keep their keys. What was wrong already is nobody's change.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from routing.canonical import digest
from routing.case.submission import Submission
from routing.evaluation.derived_risk import unreadable, untidy_currency
from routing.policy.form.form import Workflow
from routing.policy.params_words import misfits

BELOW = "action.params."

_FIGURE = re.compile(r"(-?)[0-9]+(?:\.([0-9]+))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value that cannot be as somebody wants it: where it is below the parameters, () for the action as a whole, and what is allowed."""

    path: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """The parameter that it is in, "" for the action as a whole."""
        return self.path[0] if self.path else ""


def wrong_changes(workflow: Workflow | None, content: Submission, params: Mapping[str, Any]) -> tuple[Wrong, ...]:
    """Why the action of a case cannot have these parameters; empty where it can. `workflow` as the policy of the case has it."""
    old = content.action.params or {}
    changed = content.model_copy(update={"action": content.action.model_copy(update={"params": dict(params)})})
    schema = workflow.action_schemas.get(content.action.type) if workflow is not None else None
    found = [*_locked(workflow, old, params)]
    if schema is None:
        found += [Wrong(path, text) for path, text in _by_name(old, params)]
    else:
        was = {(misfit.path, misfit.cause) for misfit in misfits(schema, old)}
        new = (misfit for misfit in misfits(schema, params) if (misfit.path, misfit.cause) not in was)
        found += [Wrong(tuple(map(str, misfit.path)), misfit.text) for misfit in new]
    if workflow is not None:
        if path := untidy_currency(workflow, content, changed):
            found.append(Wrong(_below(path), "Please type the currency in capitals, as EUR, BTC or USDC."))
        readable = (path for path in unreadable(workflow, changed) if path not in unreadable(workflow, content))
        found += [Wrong(_below(path), "The policy judges the case by this, and cannot read it so.") for path in readable]
    return tuple({one.path: one for one in reversed(found)}.values())[::-1]


def locked_paths(workflow: Workflow | None) -> frozenset[tuple[str, ...]]:
    """What nobody can change at all, as paths below the parameters; `*` is each item of a list."""
    return frozenset(map(tuple, _locks(workflow)))


def _locks(workflow: Workflow | None) -> list[list[str]]:
    """What is locked, as paths below the parameters: what the policy locks, and the ids by which it knows whom the action is about."""
    if workflow is None:
        return []
    paths = dict.fromkeys((*workflow.locked, *workflow.checks.entity))
    return [path.removeprefix(BELOW).split(".") for path in paths if path.startswith(BELOW)]


def _locked(workflow: Workflow | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Wrong]:
    for path in _locks(workflow):
        if digest(_at(old, path)) != digest(_at(new, path)):
            yield Wrong(tuple(path), f"The policy locks {'.'.join(path)}: if it is wrong, reject the case.")


def _at(value: Any, path: list[str]) -> Any:  # noqa: ANN401  # whatever stands there
    """What stands at a path, wrapped so that nothing there and null are two things; `*` is each item of a list."""
    if not path:
        return [value]
    if path[0] == "*":
        return [_at(item, path[1:]) for item in value] if isinstance(value, list) else []
    return _at(value[path[0]], path[1:]) if isinstance(value, Mapping) and path[0] in value else []


def _by_name(old: Mapping[str, Any], new: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """What does not keep the form of the proposal, by place."""
    for name in sorted(old.keys() | new.keys()):
        path = (*above, name)
        if name not in new:
            yield path, "This is part of the proposed action and cannot be left out."
        elif name not in old:
            yield path, "This is no part of the proposed action."
        elif isinstance(old[name], dict) and isinstance(new[name], dict):
            yield from _by_name(old[name], new[name], path)
        elif text := _misfit(old[name], new[name]):
            yield path, text


def _misfit(old: object, new: object) -> str:  # one answer for each type
    """What was expected of a value in the place of another; "" where it fits."""
    match old:
        case None:
            return "Please leave this a single value." if isinstance(new, dict | list) else ""
        case bool():
            return "" if isinstance(new, bool) else "Please choose true or false."
        case int() | float():
            whole = isinstance(old, int)
            if isinstance(new, bool) or not isinstance(new, int if whole else int | float):
                return f"Please type a {'whole ' if whole else ''}number, as {old}."
            return "Please type a number that is not negative." if new < 0 <= old else ""
        case str():
            return _misfit_text(old, new)
        case list():
            if not isinstance(new, list):
                return "Please leave this a list."
            return next((text for item in new if old and (text := _fits_none(old, item))), "")
        case dict():
            if not isinstance(new, dict):
                return "Please leave this an object."
            return next((f"{'.'.join(path)}: {text}" for path, text in _by_name(old, new)), "")
        case _:
            return ""


def _fits_none(old: list[Any], item: object) -> str:
    """Why an item is like none of a list."""
    wrong = [_misfit(one, item) for one in old]
    return "" if "" in wrong else wrong[0]


def _misfit_text(old: str, new: object) -> str:
    if not isinstance(new, str):
        return "Please leave this text."
    if _DATE.fullmatch(old):
        try:
            date.fromisoformat(new)
        except ValueError:
            return f"Please type a date in the form of {old}."
        return "" if _DATE.fullmatch(new) else f"Please type a date in the form of {old}."
    was, now = _FIGURE.fullmatch(old), _FIGURE.fullmatch(new)
    if was is None:
        return ""
    same = now is not None and len(now[2] or "") == len(was[2] or "") and (now[1] == "" or was[1] == "-")
    return "" if same else f"Please type a number in the form of {old}."


def _below(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(BELOW).split("."))
