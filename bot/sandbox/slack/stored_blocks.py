"""How Slack keeps the blocks it was sent: every block gets an id, text objects their defaults. So what history returns is never byte for
byte what was posted.
"""

from __future__ import annotations

from uuid import uuid4

from bot.sandbox.slack.errors import Json


def store_blocks(blocks: list[Json]) -> list[Json]:
    """`blocks` (already checked) as Slack returns them."""
    return [{**_with_defaults(block), "block_id": block.get("block_id") or uuid4().hex[:5]} for block in blocks]


def _with_defaults(node: Json) -> Json:
    filled = {key: _fill(value) for key, value in node.items()}
    if node.get("type") == "plain_text":
        filled.setdefault("emoji", True)
    if node.get("type") == "mrkdwn":
        filled.setdefault("verbatim", False)
    if "element" in node and node.get("type") == "input":
        filled.setdefault("optional", False)
        filled.setdefault("dispatch_action", False)
    if node.get("type") in _INTERACTIVE:
        filled.setdefault("action_id", uuid4().hex[:5])
    return filled


def _fill(value: object) -> object:
    if isinstance(value, dict):
        return _with_defaults(value)
    return [_fill(item) for item in value] if isinstance(value, list) else value


_INTERACTIVE = frozenset(
    f"{many}{kind}_select" for many in ("", "multi_") for kind in ("static", "external", "users", "conversations", "channels")
) | {
    "button",
    "checkboxes",
    "datepicker",
    "datetimepicker",
    "email_text_input",
    "feedback_buttons",
    "icon_button",
    "number_input",
    "overflow",
    "plain_text_input",
    "radio_buttons",
    "rich_text_input",
    "timepicker",
    "url_text_input",
    "workflow_button",
}
