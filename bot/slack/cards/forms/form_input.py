"""What a person typed into a form, as values: the inverse of `modals` and `modify` beside it. Reads strictly, judges nothing.

State values are those of a view_submission: `{block_id: {"value": element state}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.slack.cards.forms.fields import Field, changed_params, fields_of
from bot.slack.cards.forms.inputs import NotReadable, entry_of, read
from bot.slack.cards.forms.modify import Changes, changeable, changed
from bot.slack.cards.parts.checklist import read_answers
from bot.slack.cards.view import View
from routing.canonical import digest
from routing.review.modification import wrong_changes
from routing.strict_json import pointer

_ERROR_MOST = 300
"""Characters of an error beside an input: more would hide the form."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The words of a form. `params`, `prefill` and `checklist` (item id -> pass, fail or na) are None where it has none.

    `verdict` is the decision chosen in the form of break-glass, `to` the id of whoever is to have the case. `changes`: what of a case was
    changed. `errors`: block id -> what is wrong, for `response_action: errors`.
    """

    reason_code: str = ""
    text: str = ""
    params: dict[str, Any] | None = None
    prefill: dict[str, Any] | None = None
    checklist: dict[str, str] | None = None
    verdict: str = ""
    to: str = ""
    changes: Changes = ()
    errors: Mapping[str, str] = field(default_factory=dict)


def read_words(values: Mapping[str, Any]) -> Typed:
    """Reason, text and checklist of any form; a question counts as its text."""
    text = _given(values, "text") or _given(values, "question")
    verdict, to = _given(values, "verdict"), _given(values, "to")
    return Typed(reason_code=_given(values, "reason"), text=text, checklist=read_answers(values), verdict=verdict, to=to)


def read_modification(view: View, values: Mapping[str, Any]) -> Typed:
    """A modification of both, whole: what has no input, because it is masked, locked or on another page, stays as it is."""
    whole = view.original or view.submission
    found, errors = list[tuple[Field, Any]](), dict[str, str]()
    for one in changed(changeable(fields_of(view)), values):
        try:
            found.append((one, read(one, entry_of(values[one.block_id].get("value")))))
        except NotReadable as error:
            errors[one.block_id] = str(error)
    params, prefill = (
        changed_params(old, {one.path: value for one, value in found if one.part == part})
        for part, old in (("params", whole.action.params or {}), ("prefill", whole.prefilled))
    )
    return replace(read_words(values), params=params, prefill=prefill, changes=tuple(found), errors=errors)


def changes_nothing(view: View, typed: Typed) -> bool:
    """Whether what was typed leaves the case as it is, compared as JSON."""
    whole = view.original or view.submission
    return digest([typed.params, typed.prefill]) == digest([whole.action.params or {}, whole.prefilled])


def judged(view: View, typed: Typed, values: Mapping[str, Any]) -> Typed:
    """The same with what the action cannot become said beside its inputs, where the form has one, else beside the words."""
    whole = view.original or view.submission
    if typed.errors or typed.params is None or digest(typed.params) == digest(whole.action.params or {}):
        return typed
    errors: dict[str, str] = {}
    names = {one.path: one.full_label for one in fields_of(view).open if one.part == "params"}
    for wrong in wrong_changes(view.workflow, whole, typed.params):
        above = [wrong.path[:length] for length in range(len(wrong.path), 0, -1)]
        ids = (f"param:{pointer(*path)}" for path in above)
        block_id = next((one for one in ids if one in values), "text")
        name = next((names[path] for path in above if path in names), ", ".join(wrong.path))
        errors.setdefault(block_id, f"{name}: {wrong.text}" if block_id == "text" and name else wrong.text)
    return replace(typed, errors={block_id: text[:_ERROR_MOST] for block_id, text in errors.items()})


def _given(values: Mapping[str, Any], name: str) -> str:
    """The text or the chosen option of one input, "" when it was left empty."""
    state = values.get(name, {}).get("value") or {}
    chosen = state.get("selected_option") or {}
    return str(chosen.get("value") or state.get("value") or state.get("selected_user") or "")
