"""What a person typed into a form, as values: the inverse of `bot.cards.modals` and `bot.cards.modify`. Reads strictly, judges nothing.

State values are those of a view_submission: `{block_id: {"value": element state}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.cards.modify import FIELDS_MOST, block_id, is_editable, kind_of
from routing.errors import SubmissionError
from routing.strict import SAFE_INT, loads

_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Typed:
    """The words of a form. `params` is None where it has none; `errors`: block id -> what is wrong, for `response_action: errors`."""

    reason_code: str = ""
    text: str = ""
    params: dict[str, Any] | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


class _NotReadable(ValueError):
    """The text of one input cannot be read; the message goes beside it."""


def read_words(values: Mapping[str, Any]) -> Typed:
    """Reason and text of any form; a question counts as its text."""
    return Typed(reason_code=_given(values, "reason"), text=_given(values, "text") or _given(values, "question"))


def read_modification(values: Mapping[str, Any], params: Mapping[str, Any]) -> Typed:
    """A modification of `params`: what has no input, or no answer, stays as it is."""
    said = read_words(values)
    changed = dict(params)
    errors: dict[str, str] = {}
    editable = [key for key in params if is_editable(key, params[key])][:FIELDS_MOST]
    for key in editable:
        if block_id(key) not in values:
            continue
        try:
            changed[key] = _read(_given(values, block_id(key)), params[key])
        except _NotReadable as error:
            errors[block_id(key)] = str(error)
    return Typed(said.reason_code, said.text, changed, errors)


def _read(text: str, old: object) -> object:
    match kind_of(old):
        case "text":
            return text
        case "choice":
            return text == "true"
        case "number":
            return _number(text)
        case "json":
            return _json(text)


def _number(text: str) -> int | float:
    if _NUMBER.fullmatch(text.strip()) is None or abs(float(text)) > SAFE_INT:
        raise _NotReadable("Please type a number, such as 1240 or 12.50.")
    return float(text) if "." in text else int(text)


def _json(text: str) -> object:
    try:
        found = loads(b'{"value": ' + text.encode() + b"}")
    except (SubmissionError, UnicodeEncodeError):
        raise _NotReadable("This is not valid JSON.") from None
    if set(found) != {"value"}:
        raise _NotReadable("Please type one JSON value.")
    return found["value"]


def _given(values: Mapping[str, Any], name: str) -> str:
    """The text or the chosen option of one input, "" when it was left empty."""
    state = values.get(name, {}).get("value") or {}
    chosen = state.get("selected_option") or {}
    return str(chosen.get("value") or state.get("value") or "")
