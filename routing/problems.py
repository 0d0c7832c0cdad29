"""pydantic's complaints as our problems: a place, and a sentence that says what was expected. Owns the wording; never reads a document."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from routing.errors import Problem
from routing.strict_json import pointer

Place = Sequence[str | int]

_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")
_SAID_PLAINLY = {
    "missing": "is required",
    "string_type": "expected text (put it in quotes)",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "dict_type": "expected a mapping of names to values",
    "tuple_type": "expected a list",
    "model_type": "expected a mapping with the keys of this part",
    "model_attributes_type": "expected a mapping with the keys of this part",
    "timezone_aware": "expected a time with its zone, for example 2026-12-01T12:00:00Z",
}


def problems_of(error: ValidationError, schema: dict[str, Any], line_of: Callable[[Place], int | None] = lambda _: None) -> list[Problem]:
    """Every complaint of `error` as a problem. `schema` is the form's JSON Schema, to name the keys it knows; `line_of` finds lines."""
    problems = []
    complaints = error.errors(include_url=False)
    for complaint in complaints:
        place = [part for part in complaint["loc"] if part != "[key]"]
        kind = complaint["type"]
        if kind == "too_short" and any(
            len(other["loc"]) > len(place) and list(other["loc"][: len(place)]) == place for other in complaints
        ):
            continue  # it is short only because its items are wrong, and they are named
        if kind == "extra_forbidden":
            message = f"unknown key{did_you_mean(str(place[-1]), _keys_at(schema, place[:-1]))}"
        elif kind == "value_error":
            message = str(complaint["ctx"]["error"])
        elif kind in ("enum", "literal_error"):
            expected = _MEMBER.sub(r"\1", str(complaint["ctx"]["expected"]))
            near = did_you_mean(str(complaint["input"]), re.findall(r"'([^']*)'", expected))
            message = f"expected {expected}{near if 'did you mean' in near else ''}"
        else:
            message = _SAID_PLAINLY.get(kind) or complaint["msg"][:1].lower() + complaint["msg"][1:]
        problems.append(Problem(pointer(*place), message, line_of(place)))
    return problems


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean "…"?` for the nearest of the known names; what is known when nothing is near; empty when nothing is known."""
    by_letters = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), by_letters, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{by_letters[near[0]]}"?'
    return f"; known: {', '.join(sorted(known))}" if known else ""


def _keys_at(schema: dict[str, Any], place: Place) -> list[str]:
    """The keys that the schema knows at a place; empty where it knows none."""
    at: Any = schema
    for part in (*place, None):
        while "$ref" in at or "anyOf" in at:
            options = at.get("anyOf", ())
            at = schema["$defs"][at["$ref"].rsplit("/", 1)[-1]] if "$ref" in at else next(o for o in options if o.get("type") != "null")
        if part is None:
            break
        by_pattern = next(iter(at.get("patternProperties", {}).values()), at.get("additionalProperties"))
        found = at.get("items") if isinstance(part, int) else at.get("properties", {}).get(part, by_pattern)
        if not isinstance(found, dict):
            return []
        at = found
    return sorted(at.get("properties", {}))
