"""What a person typed into a form, as values: the inverse of `modals` and `modify` beside it. Reads strictly, judges nothing.

State values are those of a view_submission: `{block_id: {"value": element state}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.slack.cards.forms.modify import Place, kind_of, offered, places
from bot.slack.cards.parts.checklist import read_answers
from bot.slack.cards.view import View
from routing.canonical import digest
from routing.errors import SubmissionError
from routing.number import NumberError, read_number
from routing.review.modification import wrong_changes
from routing.strict_json import loads

PREFILL_MOST = 2_000
"""Characters of a pre-filled field, as in a submission."""

_ERROR_MOST = 300
"""Characters of an error beside an input: more would hide the form."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Typed:
    """The words of a form. `params`, `prefill` and `checklist` (item id -> pass, fail or na) are None where it has none.

    `verdict` is the decision chosen in the form of break-glass. `errors`: block id -> what is wrong, for `response_action: errors`.
    """

    reason_code: str = ""
    text: str = ""
    params: dict[str, Any] | None = None
    prefill: dict[str, Any] | None = None
    checklist: dict[str, str] | None = None
    verdict: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


class _NotReadable(ValueError):
    """The text of one input cannot be read; the message goes beside it."""


def read_words(values: Mapping[str, Any]) -> Typed:
    """Reason, text and checklist of any form; a question counts as its text."""
    text = _given(values, "text") or _given(values, "question")
    return Typed(reason_code=_given(values, "reason"), text=text, checklist=read_answers(values), verdict=_given(values, "verdict"))


def read_modification(values: Mapping[str, Any], params: Mapping[str, Any], prefill: Mapping[str, Any]) -> Typed:
    """A modification of both: what has no input, or no answer, stays as it is."""
    said = read_words(values)
    changed = {"params": dict(params), "prefill": dict(prefill)}
    errors: dict[str, str] = {}
    inputs, _fixed = places(params, prefill)
    for place in inputs:
        if place.block_id not in values:
            continue
        try:
            changed[place.part][place.key] = _read(_given(values, place.block_id), place)
        except _NotReadable as error:
            errors[place.block_id] = str(error)
    return replace(said, params=changed["params"], prefill=changed["prefill"], errors=errors)


def unmasked(view: View, typed: Typed) -> Typed:
    """A modification of what the form offered, made whole: what had no input, because it is masked or of another step, stays as it is."""
    whole = view.original or view.submission
    params = {**(whole.action.params or {}), **(typed.params or {})}
    return replace(typed, params=params, prefill={**whole.prefilled, **(typed.prefill or {})})


def judged(view: View, typed: Typed, values: Mapping[str, Any]) -> Typed:
    """The same with what the action cannot become said beside its inputs, where the form has one, else beside the words."""
    if typed.errors or typed.params is None:
        return typed
    whole = view.original or view.submission
    if digest(typed.params) == digest(offered(view)[0]):
        return typed
    wrong = wrong_changes(view.workflow, whole, unmasked(view, typed).params or {})
    errors: dict[str, str] = {}
    for one in wrong:
        block_id = Place("params", one.name, None).block_id
        errors.setdefault(*((block_id, one.text) if block_id in values else ("text", f"{one.name}: {one.text}" if one.name else one.text)))
    return replace(typed, errors={block_id: text[:_ERROR_MOST] for block_id, text in errors.items()})


def _read(text: str, place: Place) -> object:
    found = _value(text, place.value)
    if place.part == "prefill" and not (isinstance(found, str) and len(found) <= PREFILL_MOST):
        raise _NotReadable(f"Please type text of at most {PREFILL_MOST:,} characters.")
    return found


def _value(text: str, old: object) -> object:
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
    if _NUMBER.fullmatch(text.strip()) is None:
        raise _NotReadable("Please type a number, such as 1240 or 12.50.")
    try:
        return read_number(text.strip())
    except NumberError as error:
        raise _NotReadable(f"This cannot be kept exactly: {error}.") from None


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
