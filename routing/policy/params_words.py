"""What the schema of an action allows, said to the person who typed something else. Owns these sentences; `params_schema` beside it judges.

The sentences quote the schema, never the value. Keywords: JSON Schema draft 2020-12, Validation, section 6.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError

from routing.policy.params_schema import errors_in

_LISTED_MOST = 12
_PATTERN_MOST = 120

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
_FORMATS = {
    "date": "a date such as 2026-12-01",
    "email": "an e-mail address",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uuid": "a UUID",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place below the parameters whose value the schema does not allow, and the sentence that says what it allows.

    `cause` tells one fault from another of the same place; it quotes the value, so it is never shown.
    """

    path: tuple[str | int, ...]
    text: str
    cause: str


def misfits(schema: Mapping[str, Any], params: Mapping[str, Any] | None) -> tuple[Misfit, ...]:
    """Everything that the schema does not allow in some parameters, each at the place where a person can mend it."""
    return tuple(one for error in errors_in(schema, params) for one in _of(error))


def _of(error: ValidationError) -> Iterator[Misfit]:
    path = tuple(error.absolute_path)
    limit, instance = error.validator_value, error.instance
    match error.validator:
        case "required" if isinstance(limit, list) and isinstance(instance, dict):
            # one error for each name that is missing; the library says which only in its message
            missing = (name for name in limit if name not in instance and error.message.startswith(repr(name)))
            yield Misfit((*path, *list(missing)[:1]), "Please fill this in.", error.message)
        case "additionalProperties" | "unevaluatedProperties" | "propertyNames":
            yield Misfit(path, "Please leave out what the policy's schema does not name here.", error.message)
        case "anyOf" | "oneOf" if error.context:
            said = dict.fromkeys(one.text.removesuffix(".").removeprefix("Please ") for each in error.context for one in _of(each))
            yield Misfit(path, f"Please {', or '.join(list(said)[:3])}.", error.message)
        case _:
            yield Misfit(path, _sentence(str(error.validator), limit), error.message)


def _sentence(keyword: str, limit: Any) -> str:  # noqa: ANN401, C901, PLR0912  # a row each
    match keyword:
        case "type":
            kinds = [_TYPES.get(str(one), str(one)) for one in (limit if isinstance(limit, list) else [limit])]
            return f"Please type {' or '.join(kinds)}."
        case "enum" | "const":
            allowed = [str(one) for one in (limit if keyword == "enum" else [limit])]
            more = f" and {len(allowed) - _LISTED_MOST} more" if len(allowed) > _LISTED_MOST else ""
            return f"Please choose one of {', '.join(allowed[:_LISTED_MOST])}{more}."
        case "minimum":
            return f"Please type {limit} or more."
        case "maximum":
            return f"Please type {limit} or less."
        case "exclusiveMinimum":
            return f"Please type more than {limit}."
        case "exclusiveMaximum":
            return f"Please type less than {limit}."
        case "multipleOf":
            return f"Please type a multiple of {limit}."
        case "minLength":
            return f"Please type at least {_count(limit, 'character')}."
        case "maxLength":
            return f"Please type at most {_count(limit, 'character')}."
        case "pattern":
            return f"Please type text of the form {str(limit)[:_PATTERN_MOST]}"
        case "format":
            return f"Please type {_FORMATS.get(str(limit), f'text of the format {limit}')}."
        case "minItems":
            return f"Please give at least {_count(limit, 'entry')}."
        case "maxItems":
            return f"Please give at most {_count(limit, 'entry')}."
        case "uniqueItems":
            return "Please give every entry once only."
        case "minProperties":
            return f"Please give at least {_count(limit, 'value')}."
        case "maxProperties":
            return f"Please give at most {_count(limit, 'value')}."
        case _:
            return f"The policy's schema does not allow this ({keyword})."


def _count(number: object, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{number} {noun}s"
