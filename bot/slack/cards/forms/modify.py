"""The form to change an action and the fields a model pre-filled, shown as a difference before it counts. Never judges a change.

The preview holds the same inputs under the difference, so nothing has to be carried along: a submission counts only when what it makes of
both has the digest that the preview showed (`d` in the metadata); any other leads to a new preview. `form_input`
beside it reads both back.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from bot.slack.cards.forms.modals import Seat, field, metadata, modal, overridden, reason_input, summary, text_input
from bot.slack.cards.parts.buttons import action_id
from bot.slack.cards.parts.checklist import author_inputs, confirming
from bot.slack.cards.parts.diff import change_block
from bot.slack.cards.parts.near_duplicates import alone_words
from bot.slack.cards.parts.proposed_action import proposed_params
from bot.slack.cards.parts.spelling import spelled
from bot.slack.cards.parts.text_difference import around
from bot.slack.cards.text.block_kit import Block, bullets, lines, plain, rich, run, small, words
from bot.slack.cards.text.invisible import hidden, needed
from bot.slack.cards.text.limits import TOTAL, total_of
from bot.slack.cards.text.safe_text import Cuts, deceptive, exact, head, weight
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View
from routing.authorize import demands
from routing.canonical import digest
from routing.evaluation.change_limits import large_changes
from routing.number import SAFE_INT
from routing.review.modification import locked_names
from routing.strict_json import pointer
from routing.vocabulary import Verb

Kind = Literal["text", "number", "choice", "json"]

FIELDS_MOST = 60
"""A view has 100 blocks and about 12,000 characters; the rest is for the difference, the reason and the text."""

_AMOUNT = re.compile(r"-?[0-9]+\.[0-9]+")
_VALUE_MOST = 3_000
_LABEL_MOST = 80
_PREFILL_DIFFERENCE_MOST = 1_000
_SCALES = (1.0, 0.5, 0.2)
"""How far the differences may shrink before the form as a whole is too long."""
_BRIEF_MOST = 120
_COMPARED_MOST = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A value that the form can change: a parameter of the action, or a field that the model pre-filled."""

    part: Literal["params", "prefill"]
    key: str
    value: object

    @property
    def block_id(self) -> str:
        """`param:<JSON pointer>` or `prefill:<name>`."""
        return f"param:{pointer(self.key)}" if self.part == "params" else f"prefill:{self.key}"

    @property
    def label(self) -> str:
        """What stands over its input."""
        return _label(self.key) if self.part == "params" else f"{self.key.capitalize()} (filled in by the model)"


def modify_modal(view: View, seat: Seat) -> dict[str, Any]:
    """The form: an input per parameter and pre-filled field, the reason, free text. Submitting it leads to the preview."""
    params, prefill = offered(view)
    return _form(view, metadata(view, seat), params, prefill, [], titles=(labels(view.case).modify or "Modify", "Show changes"))


def preview_modal(view: View, seat: Seat, params: Mapping[str, Any], prefill: Mapping[str, Any]) -> dict[str, Any]:
    """What would be executed and noted instead of what, over the same inputs; submitting it unchanged sends the modification."""
    drawn: dict[str, Any] = {}
    for scale in _SCALES:
        drawn = _preview(view, seat, params, prefill, Cuts(scale))
        if total_of(drawn["blocks"]) <= TOTAL:
            break
    return drawn


def _preview(view: View, seat: Seat, params: Mapping[str, Any], prefill: Mapping[str, Any], cuts: Cuts) -> dict[str, Any]:
    old_params, old_prefill = offered(view)
    legend = run("~ changed   + added   - left out")
    shown: list[Block] = []
    if old_params or params:
        shown.append(rich(lines(run("Instead of what was proposed   ", "bold"), legend), change_block(old_params, params, cuts)))
        shown += [*_compared(view, params), *_too_far(view, params)]
    if prefill != old_prefill:
        difference = change_block(old_prefill, prefill, cuts, _PREFILL_DIFFERENCE_MOST)
        shown.append(rich(lines(run("Instead of what the model filled in", "bold")), difference))
    if cuts.made:
        shown.append(small("Not all of it fits here. What you typed stands in full in the fields below."))
    private = metadata(view, seat, d=change_digest(params, prefill))
    return _form(view, private, params, prefill, shown, titles=("Check your changes", "Send modification"))


def _compared(view: View, params: Mapping[str, Any]) -> list[Block]:
    """Of each changed value what stands now, what was proposed and what it becomes; nothing where the state before does not name it."""
    old, now, proposed = view.submission.action.params or {}, view.submission.action.before or {}, proposed_params(view)
    changed = [key for key in params if key in now and _differs(old, params, key)][:_COMPARED_MOST]
    told = [(_label(key), _briefly(now[key], proposed.get(key), params[key])) for key in changed]
    rows = [f"{label}: now {stands}, proposed {was}, yours {becomes}" for label, (stands, was, becomes) in told]
    return [rich(bullets(rows))] if rows else []


def offered(view: View) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and pre-filled fields that this form can change: what holds nothing masked and, at triage, the pre-filled fields only."""
    shown, whole = view.submission, view.original or view.submission
    params = {} if confirming(view.case) else shown.action.params or {}
    locked = locked_names(view.workflow)
    free = {key: value for key, value in params.items() if key not in locked}
    return _open(free, whole.action.params or {}), _open(shown.prefilled, whole.prefilled)


def _open(shown: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are shown as they are, compared as JSON, which tells 1 from true."""
    return {key: value for key, value in shown.items() if key in whole and digest([value]) == digest([whole[key]])}


def change_digest(params: Mapping[str, Any], prefill: Mapping[str, Any]) -> str:
    """16 hex characters that name a modification, as the metadata of its preview carries them."""
    return digest({"params": dict(params), "prefill": dict(prefill)})[:16]


def places(params: Mapping[str, Any], prefill: Mapping[str, Any]) -> tuple[list[Place], list[Place]]:
    """What has an input of its own, and what has none, because Slack could not hold its name or its value, or they are too many.

    Fields that the model left empty are neither.
    """
    arguments = [Place("params", key, value) for key, value in params.items()]
    filled = [Place("prefill", key, value) for key, value in prefill.items() if value is not None]
    inputs = [place for place in arguments if _fits(place)][: FIELDS_MOST - len(filled)] + [place for place in filled if _fits(place)]
    return inputs, [place for place in (*arguments, *filled) if place not in inputs]


def _form(
    view: View, private: str, params: Mapping[str, Any], prefill: Mapping[str, Any], shown: list[Block], *, titles: tuple[str, str]
) -> dict[str, Any]:
    text = text_input(required=demands(Verb.MODIFY, view.case).text)
    asked = author_inputs(view.case) if shown else []
    alone = [words(alone_words(view))] if view.case.tied else []
    said = [reason_input(view, Verb.MODIFY), text]
    blocks = [summary(view), *overridden(view), *alone, *shown, *_inputs(view, params, prefill), *asked, *said]
    return modal(titles[0], action_id(Verb.MODIFY), private, blocks, submit=titles[1])


def _inputs(view: View, params: Mapping[str, Any], prefill: Mapping[str, Any]) -> list[Block]:
    inputs, fixed = places(params, prefill)
    blocks = [_input(place, _hint(view, place)) for place in sorted(inputs, key=lambda place: _rank(view, place))]
    if fixed:
        names = ", ".join(place.label for place in fixed[:5]) + (" and others" if len(fixed) > 5 else "")
        blocks.append(small(f"Too long or too many to change here, they stay as they are: {names}"))
    return [*blocks, *_kept_locked(view), *_kept_masked(view)]


def _kept_locked(view: View) -> list[Block]:
    """What has no input because the policy locks it, by name."""
    locked = locked_names(view.workflow)
    kept = [] if confirming(view.case) else [_label(key) for key in view.submission.action.params or {} if key in locked]
    return [small(f"Locked by the policy, they stay as they are: {', '.join(kept)}")] if kept else []


def _kept_masked(view: View) -> list[Block]:
    """What has no input because it is masked, by name."""
    content, (params, prefill) = view.submission, offered(view)
    arguments = {} if confirming(view.case) else content.action.params or {}
    kept = [Place("params", key, "") for key in arguments if key not in params and key not in locked_names(view.workflow)]
    kept += [Place("prefill", key, "") for key in content.prefilled if key not in prefill]
    if not kept:
        return []
    names = ", ".join(place.label for place in kept[:5]) + (" and others" if len(kept) > 5 else "")
    return [small(f"Masked, they stay as they are: {names}")]


def _rank(view: View, place: Place) -> int:
    """What the action changes comes first, then what looks like an amount; a vault keeps no order of its own."""
    if place.part == "prefill":
        return 3
    action = view.submission.action
    old, new = (action.before or {}).get(place.key), (action.params or {}).get(place.key)
    if action.before is not None and old != new:
        return 0
    return 1 if _AMOUNT.fullmatch(initial(new)) is not None else 2


def _fits(place: Place) -> bool:
    return len(place.block_id) <= 255 and not deceptive(place.key) and weight(initial(place.value)) <= _VALUE_MOST


def kind_of(value: object) -> Kind:
    """How a value is typed: scalars as themselves; what is nested, null, or would not survive a text field as JSON."""
    match value:
        case bool():
            return "choice"
        case int() | float() if abs(value) <= SAFE_INT and len(_decimal(value)) <= 20:
            return "number"
        case str() if value == value.strip() and "\r" not in value and not deceptive(value):
            return "text"
        case _:
            return "json"


def initial(value: object) -> str:
    """The text that stands in the input at first; JSON spells out what a reader would not see."""
    match kind_of(value):
        case "choice":
            return "true" if value else "false"
        case "number":
            return _decimal(value)
        case "text":
            return str(value)
        case "json":
            return _escaped(json.dumps(value, ensure_ascii=False, indent=1))


def _escaped(text: str) -> str:
    """JSON with an escape (RFC 8259 section 7) for each character that would not be seen and could deceive."""
    if not deceptive(text):
        return text
    honest = needed(text)
    return "".join(json.dumps(char)[1:-1] if hidden(char) and place not in honest else char for place, char in enumerate(text))


def _decimal(value: object) -> str:
    return f"{Decimal(repr(value)):f}"


def _hint(view: View, place: Place) -> str:
    """What stands now and what was proposed, beside what the reviewer makes of it: `Now "129.00", proposed "11.90"`."""
    if place.part == "prefill":
        return ""
    now, proposed = view.submission.action.before or {}, proposed_params(view)
    known = {word: values[place.key] for word, values in (("now", now), ("proposed", proposed)) if place.key in values}
    said = ", ".join(f"{word} {text}" for word, text in zip(known, _briefly(*known.values()), strict=True))
    return said[:1].upper() + said[1:] if place.key in now or _differs(proposed, view.submission.action.params or {}, place.key) else ""


def _differs(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    return digest([one.get(key)]) != digest([other.get(key)])


def _too_far(view: View, params: Mapping[str, Any]) -> list[Block]:
    """The values that are moved beyond a limit of the policy."""
    if view.workflow is None:
        return []
    limits, action = view.workflow.checks, view.submission.action.model_copy(update={"params": dict(params)})
    far = ", ".join(_label(path) for path in large_changes(limits.change_percent, limits.change_amount, action))
    return [rich(lines(run("A large change", "bold"), run(f": {far}, by more than the policy lets pass unnoticed")))] if far else []


def _briefly(*values: object) -> list[str]:
    """Values to hold against each other, long ones cut where they begin to differ."""
    return around([spelled(value) for value in values], _BRIEF_MOST)


def _input(place: Place, beside: str) -> Block:
    value, text, kind = place.value, initial(place.value), kind_of(place.value)
    element: Block = {"type": "plain_text_input", "action_id": "value"}
    match kind:
        case "choice":
            options = [{"text": plain(word), "value": word} for word in ("true", "false")]
            element = {"type": "static_select", "action_id": "value", "options": options, "initial_option": options[0 if value else 1]}
        case "number":
            element = {"type": "number_input", "action_id": "value", "is_decimal_allowed": True, "initial_value": text}
        case "text" | "json":
            element |= {"multiline": kind == "json" or len(text) > 60 or "\n" in text} | ({"initial_value": text} if text else {})
    return field(
        place.block_id,
        place.label,
        element,
        required=kind != "text",
        hint=" · ".join(part for part in ("JSON" if kind == "json" else "", beside) if part),
    )


def _label(key: str) -> str:
    shown = exact(key)
    return (shown if weight(shown) <= _LABEL_MOST else head(shown, _LABEL_MOST - 1) + "…") or "(empty name)"
