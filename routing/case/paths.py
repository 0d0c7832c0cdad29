"""Dotted paths into a submission, such as `model.confidence` or `action.params.iban`. Owns what exists there; never changes it."""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from routing.case.submission import Submission
from routing.problems import did_you_mean

FREE = frozenset({"action.params", "action.before", "labels"})
"""Paths below which a service may put what it likes."""


def misspelt(path: str) -> str:
    """Why no submission has this path; empty when it can have it. A list is a place of its own: nothing stands below it by name."""
    at: type[BaseModel] | None = Submission
    walked = ""
    for part in path.split("."):
        if at is None:
            return f'"{walked}" has no parts; end the path there'
        if part not in at.model_fields:
            return f'a case has no "{path}"{did_you_mean(part, list(at.model_fields))}'
        walked = f"{walked}.{part}" if walked else part
        if walked in FREE:
            return ""
        at = _part(at, part)
    return ""


def value_at(submission: Submission, path: str) -> object:
    """The value at a path, None where there is none."""
    at: object = submission
    for part in path.split("."):
        at = at.get(part) if isinstance(at, Mapping) else getattr(at, part, None)
    return at


@cache
def _part(form: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The form that a field holds, None for plain values and lists."""
    annotation: Any = form.model_fields[name].annotation
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option if not str(annotation).startswith("tuple") else None
    return None
