"""Buttons about more than one case and the value they carry. Owns their protocol; never says which stand on what.

Protocol: action_id `tierline:g:<verb>`, value = compact JSON `{"s": subject id, "r": number, "n": figure}`: `r` is the number of the
bulletin the button stands on, where an older one must not act; `n` a figure that the verb needs, such as percent.
"""

from bot.slack.cards.text.block_kit import Block, button, button_row, carried
from routing.authority import GovernanceVerb

PREFIX = "tierline:g:"


def governance_button(label: str, verb: GovernanceVerb, subject: str, number: int = 0, *, style: str = "", figure: int = 0) -> Block:
    """A button about `subject`."""
    figures = {"n": figure} if figure else {}
    return button(label, PREFIX + verb.value, carried(s=subject, r=number, **figures), style)


def governance_row(buttons: list[Block]) -> list[Block]:
    """The row they stand in; nothing where there are none."""
    return [button_row("tierline:g", buttons)] if buttons else []
