"""How a value is asked for in the form to change a case, and how it stands in its input at first. Owns that judgement; `inputs` beside it
draws, and reads what people make of it.

An input's *entry* is what Slack says of it: a text, or the keys of several options.
"""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from bot.slack.cards.forms.fields import Absent, Field
from bot.slack.cards.forms.options import LEFT_OUT, different, key_of, may_be_nothing, offerable
from bot.slack.cards.text.invisible import hidden, needed
from bot.slack.cards.text.safe_text import deceptive
from routing.number import SAFE_INT

Shape = Literal["text", "number", "figure", "choice", "choices", "date", "moment", "lines", "json"]
"""`figure`: a number in the place of a text that is none; `lines`: a list, one entry a line."""

Entry = str | tuple[str, ...]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_YEARS = range(1900, 2101)
_MOMENTS = range(10**9, 10**10)
"""Unix seconds that Slack's picker takes: 10 digits."""


def shape_of(field: Field) -> Shape:  # noqa: C901  # one answer for each kind
    """How a field is asked for: as its schema says where the value that stands there can be shown so, else by that value."""
    value, kind = field.value, field.outline.kind
    match kind:
        case "choice" if offerable(field):
            return "choice"
        case "choice" if isinstance(value, Absent) or (_honest(value) and all(_honest(one.value) for one in field.outline.choices)):
            return "text"
        case "choices" if isinstance(value, list | tuple | None | Absent) and offerable(field) and different(value):
            return "choices"
        case "number" if isinstance(value, None | Absent) or (is_number(value) and len(decimal(value)) <= 20):
            return "number"
        case "number" if isinstance(value, str) and _honest(value):
            return "figure"
        case "date" if isinstance(value, None | Absent) or is_date(value):
            return "date"
        case "moment" if isinstance(value, None | Absent) or seconds(value) is not None:
            return "moment"
        case "lines" if isinstance(value, None | Absent) or is_lines(value, numbers=field.outline.numbers):
            return "lines"
        case "text" | "date" | "moment" if isinstance(value, None | Absent) or is_number(value) or _honest(value):
            return "text"
        case "":
            return _by_value(value)
        case _:
            return "json"


def _by_value(value: object) -> Shape:  # one answer for each type
    """Where no schema speaks; null, objects, and what would not survive a text input, as JSON."""
    match value:
        case bool():
            return "choice"
        case int() | float() if is_number(value) and len(decimal(value)) <= 20:
            return "number"
        case str() if is_date(value):
            return "date"
        case str() if _honest(value):
            return "text"
        case list() | tuple() if value and (is_lines(value, numbers=False) or is_lines(value, numbers=True)):
            return "lines"
        case _:
            return "json"


def initial(field: Field) -> Entry:
    """The entry as it is drawn at first; JSON spells out what a reader would not see."""
    value, shape = field.value, shape_of(field)
    if isinstance(value, Absent) or (value is None and field.outline.kind):
        if shape == "choice":
            return LEFT_OUT if may_be_nothing(field) else ""
        return () if shape == "choices" else ""
    match shape:
        case "choice":
            return key_of(field, value)
        case "choices":
            return tuple(key_of(field, one) for one in value)
        case "moment":
            return str(seconds(value))
        case "lines":
            return "\n".join(_written(one) for one in value)
        case "json":
            return _escaped(json.dumps(value, ensure_ascii=False, indent=1))
        case _:
            return _written(value)


def _honest(value: object) -> bool:
    return isinstance(value, str) and value == value.strip() and "\r" not in value and not deceptive(value)


def is_number(value: object) -> bool:
    """Whether it is a number that every reader keeps."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= SAFE_INT


def is_date(value: object) -> bool:
    """Whether it is a day that Slack's picker can show."""
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        return False
    try:
        return date.fromisoformat(value).year in _YEARS
    except ValueError:
        return False


def seconds(value: object) -> int | None:
    """Unix seconds of a date-time (RFC 3339) that Slack's picker can show."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        return None
    try:
        seconds = int(datetime.fromisoformat(value.upper()).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if seconds in _MOMENTS else None


def is_lines(value: object, *, numbers: bool) -> bool:
    """Whether a list can stand one entry a line, and be read again."""
    if not isinstance(value, list | tuple):
        return False
    if numbers:
        return all(is_number(one) for one in value)
    return all(_honest(one) and bool(one) and "\n" not in one for one in value)


def _written(value: object) -> str:
    return value if isinstance(value, str) else decimal(value) if is_number(value) else json.dumps(value, ensure_ascii=False)


def decimal(value: object) -> str:
    """A number without an exponent."""
    return f"{Decimal(repr(value)):f}"


def _escaped(text: str) -> str:
    """JSON with an escape (RFC 8259 section 7) for each character that would not be seen and could deceive."""
    if not deceptive(text):
        return text
    honest = needed(text)
    return "".join(json.dumps(char)[1:-1] if hidden(char) and place not in honest else char for place, char in enumerate(text))
