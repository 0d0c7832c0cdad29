"""What is handed to a sender: blocks with the text that notifications show. Owns `Drawing` and the small builders of Block Kit parts.

It never judges lengths (that is `bot.slack.cards.text.limits`) and builds nothing that Slack would parse out of outside text.
Shapes: https://docs.slack.dev/reference/block-kit
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from routing.canonical import digest as digest_of

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A message: `text` is shown in notifications and by screen readers (already escaped), `blocks` in the channel. `same` stands for the
    blocks where something in them is no reason to draw the message again: of two that say the same, none is sent.
    """

    text: str
    blocks: list[Block]
    same: str = ""

    @property
    def digest(self) -> str:
        """Digest of the blocks; the same one again needs no update."""
        return digest_of(self.same) if self.same else digest(self.blocks)


def digest(blocks: list[Block]) -> str:
    """Hex SHA-256 of the canonical form of some blocks."""
    return digest_of(blocks)


def plain(text: str) -> Block:
    """A `plain_text` object; `:names:` in it stay text."""
    return {"type": "plain_text", "text": text, "emoji": False}


def header(text: str) -> Block:
    """A `header` block."""
    return {"type": "header", "text": plain(text)}


def mrkdwn(text: str) -> Block:
    """A `mrkdwn` object of our own words. Outside text may come in through `escaped` only."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def words(text: str) -> Block:
    """A `section` of our own words in mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def small(*texts: str) -> Block:
    """A `context` block of outside text, one element each; empty ones are left out."""
    return {"type": "context", "elements": [plain(text) for text in texts if text]}


def small_words(text: str) -> Block:
    """A `context` block of our own words in mrkdwn."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def run(text: str, *styles: str) -> Block:
    """A `text` element of rich text; styles are bold, italic, strike, code."""
    element: Block = {"type": "text", "text": text}
    return element | {"style": dict.fromkeys(styles, True)} if styles else element


def date(at: datetime) -> Block:
    """A moment in rich text, as each reader's client shows it: `today at 16:00`; `2026-11-20 15:00 UTC` where it cannot."""
    shown = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return {"type": "date", "timestamp": int(at.timestamp()), "format": "{date_short_pretty} at {time}", "fallback": shown}


def rich(*elements: Block) -> Block:
    """A `rich_text` block."""
    return {"type": "rich_text", "elements": list(elements)}


def lines(*runs: Block) -> Block:
    """A paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(runs)}


def quote(text: str) -> Block:
    """A quotation of rich text."""
    return {"type": "rich_text_quote", "elements": [run(text)]}


def typewriter(text: str) -> Block:
    """A preformatted part of rich text."""
    return {"type": "rich_text_preformatted", "elements": [run(text)]}


def bullets(items: Iterable[str | list[Block]]) -> Block:
    """A bulleted list of rich text, each item a text or its runs."""
    elements = [lines(*([run(item)] if isinstance(item, str) else item)) for item in items]
    return {"type": "rich_text_list", "style": "bullet", "elements": elements}


def button(label: str, action_id: str, value: str, style: str = "", extra: Mapping[str, Any] | None = None) -> Block:
    """A `button` element; `style` is "", primary or danger."""
    element: Block = {"type": "button", "text": plain(label), "action_id": action_id, "value": value}
    return element | ({"style": style} if style else {}) | dict(extra or {})


def button_row(block_id: str, buttons: list[Block]) -> Block:
    """An `actions` block; Slack breaks the row where a window is narrow."""
    return {"type": "actions", "block_id": block_id, "elements": buttons}


def carried(**fields: str | int) -> str:
    """What a button or a form tells us again when it is pressed: compact JSON, because Slack keeps 2,000 characters."""
    return json.dumps(fields, separators=(",", ":"))
