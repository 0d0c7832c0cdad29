"""The last look before Slack: whatever is posted, updated or opened fits Slack's limits, or a typed error names the place.

Owns the limits (https://docs.slack.dev/reference/block-kit, and about 12,000 characters in all, which Slack does not document).
Lengths are those of `bot.slack.cards.text.safe_text.weight`: as if Slack counted entities and UTF-16 units. It never repairs anything.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from bot.slack.cards.text.block_kit import Block
from bot.slack.cards.text.safe_text import units, weight

TOTAL = 12_000
_COUNT = {"actions": 25, "context": 10}
_OPTIONS = {"static_select": 100, "multi_static_select": 100, "radio_buttons": 10, "overflow": 5}
_IDS = ("action_id", "block_id", "callback_id")
_MODAL_TEXT = 24
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class LimitError(ValueError):
    """Slack would refuse this drawing; nothing was sent."""

    def __init__(self, where: str, problem: str) -> None:
        """`where` is a path such as `blocks[3].elements[0].text`."""
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


def check_message(text: str, blocks: list[Block]) -> None:
    """A post, an update or an ephemeral message: raises `LimitError` at the first thing Slack would refuse."""
    if not text.strip():
        _refuse("text", "empty: notifications would show nothing")
    _at_most("text", units(text), 3_000)
    _check_blocks(blocks, 50)


def check_view(view: Mapping[str, Any]) -> None:
    """A modal or a home view: raises `LimitError` at the first thing Slack would refuse."""
    blocks: list[Block] = view["blocks"]
    if view["type"] == "modal":
        for name in ("title", "submit", "close"):
            if name in view:
                _check_text(name, view[name], _MODAL_TEXT)
        if "title" not in view:
            _refuse("title", "missing")
        if "submit" not in view and any(block["type"] == "input" for block in blocks):
            _refuse("submit", "missing, although there are inputs")
    _at_most("private_metadata", len(view.get("private_metadata", "")), 3_000)
    _at_most("callback_id", len(view.get("callback_id", "")), 255)
    _check_blocks(blocks, 100)


def total_of(blocks: list[Block]) -> int:
    """Length of all text in some blocks, as Slack may count it."""
    return sum(_length(node) for _, node in _walk("", blocks) if node.get("type") in {"mrkdwn", "plain_text", "text", "link"})


def _length(node: Mapping[str, Any]) -> int:
    """Of a text object; mrkdwn has its entities already."""
    text = node.get("text") or ""
    return units(text) if node.get("type") == "mrkdwn" else weight(text)


def _check_blocks(blocks: list[Block], most: int) -> None:
    if not blocks:
        _refuse("blocks", "empty")
    _at_most("blocks", len(blocks), most)
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        _refuse("blocks", f"block_id {next(one for one in ids if ids.count(one) > 1)!r} twice")
    for where, node in _walk("blocks", blocks):
        _check_node(where, node)
    _at_most("blocks", total_of(blocks), TOTAL)


def _check_node(where: str, node: Mapping[str, Any]) -> None:
    for name in _IDS:
        if name in node and not 1 <= len(node[name]) <= 255:
            _refuse(f"{where}.{name}", "empty or longer than 255")
    match node.get("type"):
        case "mrkdwn" | "plain_text" | "text":
            _check_text(where, node, 3_000)
        case "header":
            _at_most(f"{where}.text", weight(node["text"]["text"]), 150)
        case "section":
            _check_section(where, node)
        case "actions" | "context" as kind:
            _check_elements(where, node["elements"], _COUNT[kind])
        case _:
            _check_interactive(where, node)


def _check_interactive(where: str, node: Mapping[str, Any]) -> None:
    match node.get("type"):
        case "button":
            _at_most(f"{where}.text", weight(node["text"]["text"]), 75)
            _at_most(f"{where}.value", len(node.get("value", "")), 2_000)
        case "static_select" | "multi_static_select" | "radio_buttons" | "overflow" as kind:
            _check_options(where, node, _OPTIONS[kind])
        case "input" | "plain_text_input" | "number_input":
            _check_input(where, node)
        case "datepicker" | "datetimepicker":
            _check_picker(where, node)
        case kind:
            if str(kind).startswith("rich_text"):
                _check_elements(where, node["elements"], 300)


def _check_input(where: str, node: Mapping[str, Any]) -> None:
    for name in ("label", "hint"):
        _at_most(f"{where}.{name}", weight(node.get(name, {}).get("text", "")), 2_000)
    _at_most(f"{where}.initial_value", weight(node.get("initial_value", "")), 3_000)
    _at_most(f"{where}.max_length", node.get("max_length", 0), 3_000)


def _check_picker(where: str, node: Mapping[str, Any]) -> None:
    if _DAY.fullmatch(str(node.get("initial_date", "2026-12-01"))) is None:
        _refuse(f"{where}.initial_date", "not in the form YYYY-MM-DD")
    if not 10**9 <= node.get("initial_date_time", 10**9) < 10**10:
        _refuse(f"{where}.initial_date_time", "not 10 digits")


def _check_section(where: str, node: Mapping[str, Any]) -> None:
    fields = node.get("fields", [])
    if "text" not in node and not fields:
        _refuse(where, "neither text nor fields")
    _at_most(f"{where}.fields", len(fields), 10)
    for position, field in enumerate(fields):
        _at_most(f"{where}.fields[{position}]", _length(field), 2_000)


def _check_elements(where: str, elements: list[Any], most: int) -> None:
    if not elements:
        _refuse(f"{where}.elements", "empty")
    _at_most(f"{where}.elements", len(elements), most)
    actions = [element["action_id"] for element in elements if "action_id" in element]
    if len(set(actions)) < len(actions):
        _refuse(f"{where}.elements", "an action_id twice")


def _check_options(where: str, node: Mapping[str, Any], most: int) -> None:
    options = node["options"]
    if not options:
        _refuse(f"{where}.options", "empty")
    _at_most(f"{where}.options", len(options), most)
    for position, option in enumerate(options):
        _at_most(f"{where}.options[{position}].text", weight(option["text"]["text"]), 75)
        if not 1 <= len(option["value"]) <= 150:
            _refuse(f"{where}.options[{position}].value", "empty or longer than 150")
    values = [option["value"] for option in options]
    if len(set(values)) < len(values):
        _refuse(f"{where}.options", "a value twice")
    for name in ("initial_option", "initial_options"):
        chosen = node.get(name, [])
        if any(one not in options for one in (chosen if isinstance(chosen, list) else [chosen])) or (name in node and not chosen):
            _refuse(f"{where}.{name}", "not among the options")


def _check_text(where: str, node: Mapping[str, Any], most: int) -> None:
    if not node["text"]:
        _refuse(where, "empty text")
    _at_most(where, _length(node), most)


def _at_most(where: str, length: int, most: int) -> None:
    if length > most:
        _refuse(where, f"{length:,} where Slack takes {most:,}")


def _refuse(where: str, problem: str) -> NoReturn:
    raise LimitError(where, problem)


def _walk(where: str, node: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        yield where, node
        for key, value in node.items():
            yield from _walk(f"{where}.{key}", value)
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _walk(f"{where}[{position}]", value)
