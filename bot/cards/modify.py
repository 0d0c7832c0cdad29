"""The form to change an action: pre-filled from its parameters, shown as a difference before it counts. Never judges a change.

The preview holds the same inputs under the difference, so nothing has to be carried along: a submission counts only when its parameters
have the digest that the preview showed (`d` in the metadata); any other one leads to a new preview. `bot.cards.typed` reads both back.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from bot.cards.buttons import action_id
from bot.cards.diff import change_block
from bot.cards.drawing import Block, lines, plain, rich, run, small
from bot.cards.modals import Seat, field, metadata, modal, reason_input, summary, text_input
from bot.cards.text import Cuts, exact, head, invisible, weight
from bot.cards.view import View
from routing.canonical import digest
from routing.strict import SAFE_INT, pointer
from routing.vocabulary import Verb

Kind = Literal["text", "number", "choice", "json"]

FIELDS_MOST = 60
"""A view has 100 blocks and about 12,000 characters; the rest is for the difference, the reason and the text."""

_VALUE_MOST = 3_000
_LABEL_MOST = 80


def modify_modal(view: View, seat: Seat) -> dict[str, Any]:
    """The form: one input per parameter, the reason, free text. Submitting it leads to the preview."""
    return _form(view, metadata(view, seat), view.submission.action.params or {}, [], titles=("Modify", "Show changes"))


def preview_modal(view: View, seat: Seat, params: Mapping[str, Any]) -> dict[str, Any]:
    """What would be executed instead of what, over the same inputs; submitting it unchanged sends the modification."""
    cuts = Cuts()
    difference = change_block(view.submission.action.params or {}, params, cuts)
    shown = [rich(lines(run("Instead of what was proposed   ", "bold"), run("~ changed   + added   - left out")), difference)]
    if cuts.made:
        shown.append(small("Not all of it fits here. What you typed stands in full in the fields below."))
    return _form(view, metadata(view, seat, d=params_digest(params)), params, shown, titles=("Check your changes", "Send modification"))


def params_digest(params: Mapping[str, Any]) -> str:
    """16 hex characters that name some parameters, as the metadata of a preview carries them."""
    return digest(dict(params))[:16]


def _form(view: View, private: str, params: Mapping[str, Any], shown: list[Block], *, titles: tuple[str, str]) -> dict[str, Any]:
    blocks = [summary(view), *shown, *_inputs(params), reason_input(view), text_input(required=False)]
    return modal(titles[0], action_id(Verb.MODIFY), private, blocks, submit=titles[1])


def _inputs(params: Mapping[str, Any]) -> list[Block]:
    editable = [key for key in params if is_editable(key, params[key])]
    fixed = [key for key in params if key not in editable[:FIELDS_MOST]]
    blocks = [_input(key, params[key]) for key in editable[:FIELDS_MOST]]
    if fixed:
        names = ", ".join(_label(key) for key in fixed[:5]) + (" and others" if len(fixed) > 5 else "")
        blocks.append(small(f"Too long or too many to change here, they stay as they are: {names}"))
    return blocks


def is_editable(key: str, value: object) -> bool:
    """Whether a parameter has an input of its own: not where Slack could not hold its name or its value."""
    return len(block_id(key)) <= 255 and not invisible(key) and weight(initial(value)) <= _VALUE_MOST


def block_id(key: str) -> str:
    """`param:<JSON pointer>` of a parameter."""
    return f"param:{pointer(key)}"


def kind_of(value: object) -> Kind:
    """How a value is typed: scalars as themselves; what is nested, null, or would not survive a text field as JSON."""
    match value:
        case bool():
            return "choice"
        case int() | float() if abs(value) <= SAFE_INT and len(_decimal(value)) <= 20:
            return "number"
        case str() if value == value.strip() and "\r" not in value and not invisible(value):
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
            readable = json.dumps(value, ensure_ascii=False, indent=1)
            return json.dumps(value, indent=1) if invisible(readable) else readable


def _decimal(value: object) -> str:
    return f"{Decimal(repr(value)):f}"


def _input(key: str, value: object) -> Block:
    text = initial(value)
    kind = kind_of(value)
    element: Block = {"type": "plain_text_input", "action_id": "value"}
    match kind:
        case "choice":
            options = [{"text": plain(word), "value": word} for word in ("true", "false")]
            element = {"type": "static_select", "action_id": "value", "options": options, "initial_option": options[0 if value else 1]}
        case "number":
            element = {"type": "number_input", "action_id": "value", "is_decimal_allowed": True, "initial_value": text}
        case "text" | "json":
            element |= {"multiline": kind == "json" or len(text) > 60 or "\n" in text} | ({"initial_value": text} if text else {})
    return field(block_id(key), _label(key), element, required=kind != "text", hint="JSON" if kind == "json" else "")


def _label(key: str) -> str:
    shown = exact(key)
    return (shown if weight(shown) <= _LABEL_MOST else head(shown, _LABEL_MOST - 1) + "…") or "(empty name)"
