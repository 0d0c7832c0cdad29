"""Buttons about more than one case and the value they carry. Owns their protocol; never says which stand on what.

Protocol: action_id `tierline:g:<verb>`, value = compact JSON `{"s": subject id, "r": number, "n": figure}`: `r` is the number of the
bulletin the button stands on, where an older one must not act; `n` a figure that the verb needs, such as percent.
"""

import json

from bot.slack.cards.text.block_kit import Block, button
from routing.authority import GovernanceVerb

PREFIX = "tierline:g:"


def governance_button(label: str, verb: GovernanceVerb, subject: str, number: int = 0, *, style: str = "", figure: int = 0) -> Block:
    """A button about `subject`."""
    told: dict[str, str | int] = {"s": subject, "r": number}
    if figure:
        told["n"] = figure
    return button(label, PREFIX + verb.value, json.dumps(told, separators=(",", ":")), style)


def governance_row(buttons: list[Block]) -> list[Block]:
    """The row they stand in; nothing where there are none."""
    return [{"type": "actions", "block_id": "tierline:g", "elements": buttons}] if buttons else []
