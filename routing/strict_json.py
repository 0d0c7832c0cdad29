"""JSON read strictly: what two readers could understand differently is refused here. Owns the form, never the meaning.

Refused are duplicate keys, NaN and infinities (also spelled 1e999), NUL characters, lone surrogates, integers that a
double cannot hold, documents nested too deeply and anything but one object (RFC 8259 leaves these open, RFC 7493 closes
most of them).
"""

import json
from math import isfinite
from typing import Any, NoReturn

from routing.errors import Problem, SubmissionError

SAFE_INT = 2**53 - 1
"""The largest integer every JSON reader keeps exactly (RFC 7493, 2.2)."""


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
        document = json.loads(body.decode("utf-8-sig"), object_pairs_hook=pairs, parse_constant=_refuse_constant)
    except RecursionError:
        raise SubmissionError([_too_deep("", max_depth)]) from None
    except json.JSONDecodeError as error:
        raise SubmissionError([Problem("", f"not JSON: {error.msg} at column {error.colno}", error.lineno)]) from None
    except UnicodeDecodeError as error:
        raise SubmissionError([Problem("", f"not UTF-8 at byte {error.start}")]) from None
    except ValueError as error:  # a forbidden constant, or an integer of thousands of digits
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
    elif kind is int:
        return bool(-SAFE_INT <= value <= SAFE_INT)
    else:
        return kind is not float or isfinite(value)
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
    if isinstance(value, float) and not isfinite(value):
        return "the number is too large"
    if isinstance(value, int) and not -SAFE_INT <= value <= SAFE_INT:
        return "the integer is beyond 2^53 - 1; write it as text"
    return ""


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


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
