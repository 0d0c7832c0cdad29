"""One input of the form to change a case: drawing it and reading it are each other's inverse, so they stand together.

What a person leaves as it was drawn is what it was, to the letter; whatever they type arrives in the type that the schema gives it, else in
that of the value that stood there. Elements: https://docs.slack.dev/reference/block-kit/block-elements
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from bot.slack.cards.forms.fields import ABSENT, Field
from bot.slack.cards.forms.modals import field as input_block
from bot.slack.cards.forms.options import LEFT_OUT, Option, options_of
from bot.slack.cards.forms.shapes import Entry, Shape, decimal, initial, is_date, is_lines, is_number, seconds, shape_of
from bot.slack.cards.text.block_kit import Block, plain
from bot.slack.cards.text.safe_text import exact, head, weight
from routing.errors import SubmissionError
from routing.number import NumberError, read_number
from routing.strict_json import loads

ENTRY_MOST = 3_000
"""Characters that an input of Slack's holds."""

PREFILL_MOST = 2_000
"""Characters of a pre-filled field, as in a submission."""

_RADIO_MOST = 4
_MANY = 60
"""Characters of a text that gets an input of several lines."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


class NotReadable(ValueError):
    """The entry of one input cannot be read; the message goes beside it."""


def draw(field: Field, entry: Entry | None = None, *, label: str = "", beside: str = "", brief: bool = False) -> Block:
    """The input of a field with an entry in it, the one it has at first where none is given. `beside` stands in its hint; `brief`: the
    schema's sentence does not.
    """
    shape, at_first = shape_of(field), initial(field)
    many = shape in ("json", "lines") or (field.outline.longest or 0) > 2 * _MANY or len(at_first) > _MANY or "\n" in at_first
    element = _element(field, shape, at_first if entry is None else entry, many=many)
    optional = not field.required or field.outline.nullable or (field.value is not ABSENT and not at_first)
    about = field.abouts[-1] if field.abouts and not brief else ""
    how = {"json": "JSON", "lines": "One per line"}.get(shape, "")
    hint = " · ".join(part for part in (head(exact(about), 300), how, beside) if part)
    return input_block(field.block_id, label or field.label, element, required=not optional, hint=hint)


def refilled(block: Block, state: object) -> Block:
    """An input block of text or of one option, with what was said in it before."""
    element, entry = block["element"], entry_of(state)
    if "options" in element:
        chosen = next((one for one in element["options"] if one["value"] == entry), None)
        return block | {"element": element | ({"initial_option": chosen} if chosen else {})}
    return block | {"element": element | ({"initial_value": entry} if entry else {})}


def holds(entry: Entry) -> bool:
    """Whether Slack's input has room for an entry."""
    return isinstance(entry, tuple) or weight(entry) <= ENTRY_MOST


def _element(field: Field, shape: Shape, shown: Entry, *, many: bool) -> Block:
    text = shown if isinstance(shown, str) else ""
    element: Block = {"type": "plain_text_input", "action_id": "value"}
    match shape:
        case "choice":
            return _menu(field, text)
        case "choices":
            options = [_option(one) for one in options_of(field)]
            chosen = [one for one in options if one["value"] in shown]
            element = {"type": "multi_static_select", "action_id": "value", "options": options}
            return element | ({"initial_options": chosen} if chosen else {})
        case "number":
            element = {"type": "number_input", "action_id": "value", "is_decimal_allowed": not field.outline.whole} | _bounds(field)
            return element | ({"initial_value": text} if _NUMBER.fullmatch(text) else {})
        case "date":
            return {"type": "datepicker", "action_id": "value"} | ({"initial_date": text} if is_date(text) else {})
        case "moment":
            return {"type": "datetimepicker", "action_id": "value"} | ({"initial_date_time": int(text)} if text.isdecimal() else {})
        case _:
            element["multiline"] = many
            return element | ({"initial_value": text} if text else {})


def _menu(field: Field, key: str) -> Block:
    options = [_option(one) for one in options_of(field)]
    kind = "radio_buttons" if len(options) <= _RADIO_MOST else "static_select"
    chosen = next((one for one in options if one["value"] == key), None)
    return {"type": kind, "action_id": "value", "options": options} | ({"initial_option": chosen} if chosen else {})


def _option(one: Option) -> Block:
    return {"text": plain(one.label), "value": one.key}


def _bounds(field: Field) -> Block:
    """The bounds of a number that Slack holds people to; one that the proposed value breaks is left to the check of the whole."""
    least, most = field.outline.least, field.outline.most
    value = Decimal(decimal(field.value)) if is_number(field.value) else None
    kept = {
        "min_value": least if least is not None and (value is None or value >= least) else None,
        "max_value": most if most is not None and (value is None or value <= most) else None,
    }
    return {name: f"{bound:f}" for name, bound in kept.items() if bound is not None}


def entry_of(state: object) -> Entry:
    """What Slack says of an input, whatever its element: the one field of its state that is filled."""
    if not isinstance(state, Mapping):
        return ""
    several = state.get("selected_options")
    if isinstance(several, list):
        return tuple(str(one.get("value") or "") for one in several if isinstance(one, Mapping))
    chosen = state.get("selected_option")
    option = chosen.get("value") if isinstance(chosen, Mapping) else None
    found = next((one for one in (option, state.get("selected_date"), state.get("selected_date_time"), state.get("value")) if one), "")
    return str(found)


def untouched(field: Field, entry: Entry) -> bool:
    """Whether an entry is as it was drawn; a moment is picked to the minute, options come in any order."""
    drawn = initial(field)
    if shape_of(field) == "moment" and entry and drawn:
        return str(entry).isdecimal() and int(str(entry)) // 60 == int(str(drawn)) // 60
    if isinstance(drawn, tuple) or isinstance(entry, tuple):
        return sorted(drawn or ()) == sorted(entry or ())
    return _lined(drawn) == _lined(entry)


def read(field: Field, entry: Entry) -> Any:  # noqa: ANN401  # any JSON value, or ABSENT
    """The value that an entry stands for. Raises `NotReadable` with what is allowed."""
    if untouched(field, entry):
        return field.value
    found = _read(field, entry)
    if not holds(entry):
        raise NotReadable(f"Please type at most {ENTRY_MOST:,} characters, where & < > count as four or five.")
    if field.part == "prefill" and not (isinstance(found, str) and len(found) <= PREFILL_MOST):
        raise NotReadable(f"Please type text of at most {PREFILL_MOST:,} characters.")
    return found


def _read(field: Field, entry: Entry) -> Any:  # noqa: ANN401  # one answer for each shape
    shape = shape_of(field)
    if isinstance(entry, tuple):
        return _chosen(field, entry)
    if not entry or entry == LEFT_OUT:
        return _nothing(field, shape)
    match shape:
        case "choice" | "choices":
            return _chosen(field, (entry,))[0]
        case "number" | "figure":
            return _number(entry, whole=field.outline.whole)
        case "moment":
            return _moment(entry, field.value)
        case "lines":
            return _lines(entry, field)
        case "json":
            return _json(entry)
        case "date" | "text":
            return entry


def _nothing(field: Field, shape: Shape) -> Any:  # noqa: ANN401  # as above
    """What an emptied input leaves: null where the schema takes it, else nothing at all, or the empty value of what has to be there."""
    if field.outline.nullable:
        return None
    if not field.required:
        return ABSENT
    match shape:
        case "choices" | "lines":
            return []
        case "text":
            return ""
        case "json":
            raise NotReadable("Please type one JSON value.")
        case _:
            raise NotReadable("Please fill this in.")


def _chosen(field: Field, keys: tuple[str, ...]) -> list[Any]:
    by_key = {one.key: one.value for one in options_of(field)}
    if any(key not in by_key for key in keys):
        raise NotReadable("Please choose one of the options.")
    before = [key for key in initial(field) if key in keys] if isinstance(initial(field), tuple) else []
    found = [by_key[key] for key in dict.fromkeys((*before, *keys))]
    return found or _nothing(field, "choices")


def _lined(entry: Entry) -> str:
    return str(entry).replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str, *, whole: bool) -> int | float:
    if _NUMBER.fullmatch(text.strip()) is None:
        raise NotReadable("Please type a whole number, such as 12." if whole else "Please type a number, such as 1240 or 12.50.")
    try:
        return read_number(text.strip())
    except NumberError as error:
        raise NotReadable(f"This cannot be kept exactly: {error}.") from None


def _moment(entry: str, old: object) -> str:
    """A picked moment in RFC 3339, in the offset of what stood there, else in UTC."""
    if not entry.isdecimal() or len(entry) > 12:
        raise NotReadable("Please choose a day and a time.")
    zone = UTC
    if isinstance(old, str) and seconds(old) is not None:
        zone = timezone(datetime.fromisoformat(old.upper()).utcoffset() or timedelta())
    return datetime.fromtimestamp(int(entry), zone).isoformat().replace("+00:00", "Z")


def _lines(text: str, field: Field) -> list[Any]:
    numbers = field.outline.numbers if field.outline.kind else is_lines(field.value, numbers=True)
    rows = [row.strip() for row in _lined(text).split("\n")]
    return [_number(row, whole=field.outline.whole) if numbers else row for row in rows if row] or _nothing(field, "lines")


def _json(text: str) -> object:
    try:
        found = loads(b'{"value": ' + text.encode() + b"}")
    except (SubmissionError, UnicodeEncodeError):
        raise NotReadable("This is not valid JSON.") from None
    if set(found) != {"value"}:
        raise NotReadable("Please type one JSON value.")
    return found["value"]
