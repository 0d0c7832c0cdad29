"""JSON read strictly: what two readers could understand differently is refused here. Owns the form, never the meaning.

Refused are duplicate keys, NaN and infinities, numbers outside the domain of `routing.number`, NUL characters, lone surrogates,
documents nested too deeply and anything but one object (RFC 8259 leaves these open, RFC 7493 closes most of them).
"""

import json
from typing import Any, NoReturn

from routing.errors import Problem, SubmissionError
from routing.number import NumberError, read_number

_SHORT_INTEGER = 16
"""Characters of an integer that is certainly within the domain, its sign among them."""


class _NoNumber:
    """Stands in a document where a number stood that is none for us, until its place is known."""

    def __init__(self, why: str) -> None:
        self.why = why


def loads(body: bytes, *, max_depth: int = 32) -> dict[str, Any]:
    """The one JSON object that `body` (UTF-8) holds, nested `max_depth` levels at most. A byte-order mark in front is passed over.

    Raises `SubmissionError`: one problem where the text is no JSON, else every problem there is.
    """
    repeated: list[tuple[dict[str, Any], str]] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items):
            repeated.append((made, _first_repeated(items)))
        return made

    try:
        document = json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=pairs, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number
        )
    except RecursionError:
        raise SubmissionError([_too_deep("", max_depth)]) from None
    except json.JSONDecodeError as error:
        raise SubmissionError([Problem("", f"not JSON: {error.msg} at column {error.colno}", error.lineno)]) from None
    except UnicodeDecodeError as error:
        raise SubmissionError([Problem("", f"not UTF-8 at byte {error.start}")]) from None
    except ValueError as error:  # a forbidden constant
        raise SubmissionError([Problem("", f"not JSON: {error}")]) from None
    if not isinstance(document, dict):
        raise SubmissionError([Problem("", "expected one JSON object")])
    escapes = b"\\u" in body  # only an escape can bring NUL or half a surrogate pair in
    if repeated or not _clean(document, max_depth, escapes=escapes):
        raise SubmissionError(_look(document, max_depth, escapes=escapes, repeated=repeated))
    return document


def pointer(*parts: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a place in a document."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _clean(value: Any, levels: int, *, escapes: bool) -> bool:  # noqa: ANN401  # any JSON value
    """Whether `_look` would find nothing; five times as fast, because it remembers no places."""
    kind = type(value)
    if kind is str:
        return not escapes or _sound(value)
    if kind is dict:
        if levels == 0 or (escapes and not all(map(_sound, value))):
            return False
        items = value.values()
    elif kind is list:
        if levels == 0:
            return False
        items = value
    else:
        return kind is not _NoNumber
    for item in items:  # noqa: SIM110  # a generator costs more than what it would walk
        if not ((type(item) is str and not escapes) or _clean(item, levels - 1, escapes=escapes)):
            return False
    return True


def _look(document: dict[str, Any], max_depth: int, *, escapes: bool, repeated: list[tuple[dict[str, Any], str]]) -> list[Problem]:
    """Every problem of a parsed document, with its place."""
    problems: list[Problem] = []
    left: list[tuple[str, Any, int]] = [("", document, 1)]
    while left:
        where, value, depth = left.pop()
        if not isinstance(value, dict | list):
            trouble = _trouble(value, escapes=escapes)
            problems += [Problem(where, trouble)] if trouble else []
        elif depth > max_depth:
            problems.append(_too_deep(where, max_depth))
        elif isinstance(value, list):
            left.extend((f"{where}/{index}", item, depth + 1) for index, item in enumerate(value))
        else:
            problems += [Problem(where + pointer(key), "the key stands twice") for twice, key in repeated if twice is value]
            problems += [Problem(where, "a key holds NUL or half a surrogate pair") for key in value if escapes and not _sound(key)]
            left.extend((where + pointer(key), item, depth + 1) for key, item in value.items() if not escapes or _sound(key))
    if repeated and not problems:  # an object with a repeated key that itself fell to a repeated key further out
        problems.append(Problem("", "keys stand twice"))
    return sorted(problems, key=lambda problem: problem.pointer)


def _trouble(value: object, *, escapes: bool) -> str:
    """What is wrong with a text or a number; empty when nothing is."""
    if isinstance(value, str) and escapes and not _sound(value):
        return "holds NUL or half a surrogate pair"
    return value.why if isinstance(value, _NoNumber) else ""


def _sound(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _first_repeated(items: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in items:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("called for repeated keys only")


def _too_deep(where: str, max_depth: int) -> Problem:
    return Problem(where, f"nested more than {max_depth} levels deep")


def _integer(token: str) -> int | float | _NoNumber:
    return int(token) if len(token) < _SHORT_INTEGER else _number(token)


def _number(token: str) -> int | float | _NoNumber:
    try:
        return read_number(token)
    except NumberError as error:
        return _NoNumber(f"{error}, so not every reader of JSON keeps it: send it as a decimal string")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
