"""How somebody in front of a card finds what to press: a button, or an entry of its menu. Owns no expectations."""

import json
from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.slack import actions_of
from bot.slack.cards.parts.buttons import MORE

PREFIX = "tierline:"


def _entries(surface: Mapping[str, Any]) -> dict[str, str]:
    """What the menus of a card offer: verb -> value of its entry."""
    elements = [one for block in surface.get("blocks") or [] for one in block.get("elements", []) if one.get("action_id") == MORE]
    values = [option["value"] for menu in elements for option in menu["options"]]
    return {json.loads(value)["v"]: value for value in values}


def offered_by(surface: Mapping[str, Any]) -> list[str]:
    """The action ids of everything that can be pressed on a card, entries of menus as if they were buttons."""
    buttons = [action for action in actions_of(dict(surface)) if action != MORE]
    return [*buttons, *(f"{PREFIX}{verb}" for verb in _entries(surface))]


def place_of(surface: Mapping[str, Any], verb: str) -> tuple[str, str | None]:
    """Where to press for a verb: the action id, and the entry where it is one of a menu."""
    entry = _entries(surface).get(verb)
    return (MORE, entry) if entry is not None else (f"{PREFIX}{verb}", None)
