"""How a value and its place are written for people: as JSON on one line, or, for text with lines, line by line. Nothing is lost in it.

Owns the spelling. A string cannot pass for a number, a line of a text not for a row (each begins with │), and what cannot be seen and could
deceive is spelled out. It never cuts anything.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.cards.text.safe_text import exact
from routing.errors import SubmissionError
from routing.strict_json import loads

BAR = "│ "
_DEEP = 3
_ESCAPES = 4
"""So many escapes make one line of JSON harder to read than the text itself."""

_LOOKED_INTO = 32_768
"""Characters of a text that is unfolded at most: it is read at every drawing, since nothing of a case is kept in memory."""

_ON_ONE_LINE: tuple[dict[str, Any], ...] = ({"separators": (",", ":")}, {"separators": (", ", ": ")})
_INDENTED = re.compile(r"[{\[]\n( {1,8}|\t)(?=\S)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of the parameters and where it is (`flights[0].date`)."""

    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Lines:
    """A text as lines; `ends` names how they end where that is not a line feed everywhere."""

    shown: tuple[str, ...]
    ends: str = ""


def spelled(value: object) -> str:
    """One line of JSON in which every character can be seen."""
    return exact(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


def leaves(value: object, path: str = "") -> tuple[Leaf, ...]:
    """Every scalar (and every empty list or object) under `value`, in the order of the document."""
    if isinstance(value, Mapping) and value:
        return tuple(leaf for key, inner in value.items() for leaf in leaves(inner, joined(path, str(key))))
    if isinstance(value, list | tuple) and value:
        return tuple(leaf for position, inner in enumerate(value) for leaf in leaves(inner, numbered(path, position)))
    return (Leaf(path, value),)


def joined(path: str, key: str) -> str:
    """A key of plain letters and digits follows a dot, any other stands quoted in brackets, so that no two paths look alike."""
    if key.isascii() and key.replace("_", "a").replace("-", "a").isalnum():
        return f"{path}.{key}" if path else key
    return f"{path}[{spelled(key)}]"


def numbered(path: str, position: int) -> str:
    """The place of an element of a list."""
    return f"{path}[{position}]"


def written(value: object, *, whole: bool = False, deep: int = 0) -> tuple[str, ...]:
    """A value as it stands behind its path: JSON on one line, or what it is and then its lines, each behind a bar.

    Text that holds JSON is unfolded where that loses nothing but its layout; with `whole` the text itself stands there too.
    """
    if not isinstance(value, str):
        return (spelled(value),)
    inner = unfolded(value) if deep < _DEEP else None
    if inner is not None and (inner.faithful or whole):
        rows = [BAR + row for leaf in leaves(inner.value) for row in row_lines(leaf, whole=whole, deep=deep + 1)]
        first, *rest = raw(value)
        itself = [BAR + row for row in (f"as it stands: {first}", *rest)] if whole else []
        return ("JSON inside of a text", *rows, *itself)
    escapes = spelled(value).count("\\")
    if "\n" in value or "\r" in value or escapes >= _ESCAPES:
        return raw(value)
    return (spelled(value),)


def row_lines(leaf: Leaf, *, whole: bool = False, deep: int = 0) -> tuple[str, ...]:
    """A value with its path in front of the first line."""
    first, *rest = written(leaf.value, whole=whole, deep=deep)
    return (f"{leaf.path}: {first}" if leaf.path else first, *rest)


def raw(text: str) -> tuple[str, ...]:
    """A text as it is: how many lines it has, then each behind a bar."""
    lines = in_lines(text)
    count = f"text of {len(lines.shown):,} lines" if len(lines.shown) > 1 else "text"
    return (f"{count}{f', {lines.ends}' if lines.ends else ''}", *(BAR + line for line in lines.shown))


def in_lines(text: str) -> Lines:
    """The lines of a text, exactly: a blank at the end of one and every tab are spelled out, and so is a strange line end."""
    windows = text.count("\r\n")
    if windows and windows == text.count("\n") == text.count("\r"):
        return Lines(tuple(map(_line, text.split("\r\n"))), "lines end in CR LF")
    return Lines(tuple(map(_line, text.split("\n"))))


def _line(text: str) -> str:
    shown = exact(text).replace("\t", "⟨U+0009⟩")
    return f"{shown[:-1]}⟨U+0020⟩" if shown.endswith(" ") else shown


@dataclass(frozen=True, slots=True)
class Unfolded:
    """The object or list that a text holds as JSON; `faithful` where only its layout is lost when the value is written instead."""

    value: Any
    faithful: bool


def unfolded(text: str) -> Unfolded | None:
    """What a text holds as JSON; None for any other text, for a very long one, for JSON that two readers could understand differently, and
    for {} and [].
    """
    if len(text) > _LOOKED_INTO or re.match(r"\s*[{\[]", text) is None:
        return None
    try:
        found = loads(b'{"value": ' + text.encode() + b"}")
    except (SubmissionError, UnicodeEncodeError):
        return None
    if set(found) != {"value"} or not found["value"]:
        return None
    value = found["value"]
    return Unfolded(value, text in _as_programs_write(value, text))


def _as_programs_write(value: object, text: str) -> Iterator[str]:
    """The value as a program writes it that begins as the text does: indented as there, else on one line with or without blanks."""
    indented = _INDENTED.match(text)
    styles: tuple[dict[str, Any], ...] = ({"indent": indented[1]},) if indented is not None else _ON_ONE_LINE
    return (json.dumps(value, ensure_ascii=text.isascii(), **style) for style in styles)
