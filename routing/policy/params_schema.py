"""The JSON Schema that a policy gives for the parameters of an action (draft 2020-12). Owns what it accepts; fetches nothing, ever.

Of `format` only date, email, ipv4, ipv6 and uuid are checked: they need nothing that is not always there, so that a
policy means the same on every machine. `$ref` reaches into the same schema only.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from routing.canonical import canonical
from routing.errors import Problem
from routing.strict_json import pointer

NOTHING: "Registry[Any]" = Registry()
"""Knows no address, so that no schema is looked up elsewhere: the library's own registry would go to the network."""

_FORMATS = FormatChecker(("date", "email", "ipv4", "ipv6", "uuid"))


def malformed(schema: Mapping[str, Any]) -> str:
    """Why this is no schema for the parameters of an action; empty when it is one."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"no JSON Schema (draft 2020-12): {error.message[:200]} at {pointer(*error.absolute_path) or '/'}"
    resolver = NOTHING.with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for target in _references(schema):
        try:
            resolver.lookup(target)
        except Unresolvable:
            return f"{target[:200]} leads nowhere; a $ref reaches into the same schema, as #/$defs/NAME"
    return ""


def problems_in(schema: Mapping[str, Any], params: Mapping[str, Any] | None) -> tuple[Problem, ...]:
    """What is wrong with the parameters of an action: place below `action.params` and what was expected; absent ones count as none given.

    The messages quote what is wrong: they are for whoever wrote it, never for a log.
    """
    return tuple(Problem(pointer(*error.absolute_path), error.message[:300]) for error in errors_in(schema, params))


def broken_names(schema: Mapping[str, Any], params: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The parameters that break the schema, by the names the schema has for them; "params" for what it has no name for."""
    found: dict[str, None] = {}
    for error in errors_in(schema, params):
        found.update(dict.fromkeys(_names(error)))
    return tuple(sorted(found))


def errors_in(schema: Mapping[str, Any], params: Mapping[str, Any] | None) -> list[ValidationError]:
    """Everything that is wrong with the parameters, as the validator has it, in order of the place."""
    return sorted(_validator(canonical(schema)).iter_errors(params or {}), key=lambda error: [str(part) for part in error.absolute_path])


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Draft202012Validator:
    """A compiled schema by its canonical bytes: the few of a policy are used for every case."""
    return Draft202012Validator(json.loads(schema), registry=NOTHING, format_checker=_FORMATS)


def _names(error: ValidationError) -> list[str]:
    """The schema's own words for the place: a name the service made up is content."""
    path = list(error.absolute_schema_path)
    walked = [str(path[index + 1]) for index in range(len(path) - 1) if path[index] == "properties"]
    if error.validator == "required" and isinstance(error.validator_value, list) and isinstance(error.instance, dict):
        return [".".join([*walked, name]) for name in error.validator_value if name not in error.instance]
    return [".".join(walked) or "params"]


def _references(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        yield from (str(part[name]) for name in ("$ref", "$dynamicRef") if isinstance(part.get(name), str))
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
