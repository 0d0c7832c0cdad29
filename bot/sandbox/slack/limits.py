"""What Slack refuses in blocks and views: structure and documented limits. Pure; the same rules for a post, an update, an ephemeral, a
response_url and a view.

Sources: Block Kit reference (docs.slack.dev/reference/block-kit), the types of @slack/types 3.2.0, and, for the total of a message,
slackapi/bolt-js issue 2509 (undocumented: refused somewhere above 12,000 characters).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.limits_elements import ACTIONS, CONTEXT, CONTEXT_ACTIONS, INPUT, SECTION, element_errors, id_errors, text_errors
from bot.sandbox.slack.limits_fields import MODAL, VIEW, field_errors
from bot.sandbox.slack.limits_rich import RICH

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 12_000
MARKDOWN_CHARACTERS = 12_000
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
VIEW_BYTES = 250 * 1024
METADATA_BYTES = 16 * 1024  # the documentation names no figure; the SDKs' examples are far below
ATTACHMENTS = 100

# Blocks that are let through as they are (rich_text but for its elements): nobody reviews in them
OPAQUE = frozenset({"alert", "card", "carousel", "container", "data_table", "file", "plan", "rich_text", "task_card", "video"})
MESSAGES_ONLY = frozenset({"context_actions", "table"})
TABLES = 1
_ROWS = {"context": (10, CONTEXT), "actions": (25, ACTIONS), "context_actions": (5, CONTEXT_ACTIONS)}
KNOWN = OPAQUE | MESSAGES_ONLY | {"actions", "context", "divider", "header", "image", "input", "markdown", "section"}


def check_message(content: Json, text_limit: int) -> None:
    """Check text, blocks, attachments and metadata of a message as far as given. Raises SlackError as Slack names it."""
    text, blocks = content.get("text"), content.get("blocks")
    if not text and not blocks and not content.get("attachments"):
        raise SlackError("no_text")
    if text is not None and len(str(text)) > text_limit:
        raise SlackError("msg_too_long")
    attachments = _attachments(content.get("attachments"))
    everything = [blocks, *(attachment.get("blocks") for attachment in attachments)]
    if sum(isinstance(block, dict) and block.get("type") == "table" for some in everything for block in some or ()) > TABLES:
        raise SlackError("invalid_attachments", ["only_one_table_allowed"])
    for attachment in attachments:
        _refuse("invalid_attachments", list(block_errors(attachment.get("blocks", []), "/attachments/blocks", MESSAGE_BLOCKS)))
    if blocks is not None:
        _refuse_blocks(blocks)
    _check_metadata(content.get("metadata"))


def check_view(view: object, kind: str) -> None:
    """Check a view for views.open, .push, .update (`kind` modal) or views.publish (home). Raises SlackError."""
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ["view must be an object [json-pointer:/view]"])
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    _refuse("invalid_arguments", list(view_errors(view, kind)))


def view_errors(view: Json, kind: str) -> Iterator[str]:
    """Everything wrong with a view."""
    if view.get("type") != kind:
        yield f"must be {kind} [json-pointer:/view/type]"
    yield from field_errors(view, "/view", MODAL if kind == "modal" else VIEW)
    blocks = view.get("blocks")
    yield from block_errors(blocks, "/view/blocks", VIEW_BLOCKS, KNOWN - MESSAGES_ONLY)
    if kind == "modal":
        if "title" not in view:
            yield "missing required field: title [json-pointer:/view]"
        for name in ("title", "submit", "close"):
            if view.get(name) is not None:
                yield from text_errors(view[name], f"/view/{name}", 24, plain=True)
        has_input = isinstance(blocks, list) and any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
        if has_input and not view.get("submit"):
            yield "missing required field: submit [json-pointer:/view]"
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        value = view.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            yield f"must be less than {most + 1} characters [json-pointer:/view/{name}]"


def block_errors(blocks: object, at: str, most: int, known: frozenset[str] | None = None) -> Iterator[str]:
    """Everything wrong with a list of blocks; `at` is its JSON pointer; `known`: the types that the surface takes, else a message's."""
    if not isinstance(blocks, list):
        yield f"must be an array [json-pointer:{at}]"
        return
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}]"
    seen: set[object] = set()
    for i, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(block, dict) or not isinstance(kind, str) or kind not in (known or KNOWN):
            yield f"unsupported type: {kind} [json-pointer:{at}/{i}/type]"
            continue
        yield from field_errors(block, f"{at}/{i}")
        yield from id_errors(block, f"{at}/{i}", "block_id")
        if (name := block.get("block_id")) and str(name) in seen:
            yield f"`block_id` must be unique [json-pointer:{at}/{i}/block_id]"
        seen.add(str(name))
        yield from _one_block(block, f"{at}/{i}")


def characters(blocks: list[Json]) -> int:
    """How many characters of text there are in all."""
    return sum(_count(block) for block in blocks)


def _count(node: object) -> int:
    if isinstance(node, list):
        return sum(_count(item) for item in node)
    if not isinstance(node, dict):
        return 0
    return sum(len(value) if key == "text" and isinstance(value, str) else _count(value) for key, value in node.items())


def _one_block(block: Json, at: str) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from _section(block, at)
        case "header":
            yield from text_errors(block.get("text"), f"{at}/text", 150, plain=True)
        case "markdown":
            text = block.get("text")
            if not isinstance(text, str) or not 0 < len(text) <= MARKDOWN_CHARACTERS:
                yield f"must be less than {MARKDOWN_CHARACTERS + 1} characters [json-pointer:{at}/text]"
        case "context" | "actions" | "context_actions" as kind:
            yield from _elements(block, at, *_ROWS[kind])
        case "image":
            yield from element_errors(block, at)
        case "input":
            yield from text_errors(block.get("label"), f"{at}/label", 2000, plain=True)
            if block.get("hint") is not None:
                yield from text_errors(block["hint"], f"{at}/hint", 2000, plain=True)
            yield from _element(block.get("element"), f"{at}/element", INPUT)
        case "rich_text" | "table" as kind:
            yield from RICH[kind](block, at)
        case _:  # a divider, or opaque
            return


def _section(block: Json, at: str) -> Iterator[str]:
    text, fields = block.get("text"), block.get("fields")
    if text is None and not fields:
        yield f"missing required field: text [json-pointer:{at}]"
    if text is not None:
        yield from text_errors(text, f"{at}/text", 3000)
    if fields is not None:
        if not isinstance(fields, list) or not fields:
            yield f"must be an array of at least 1 item [json-pointer:{at}/fields]"
            return
        if len(fields) > 10:
            yield f"no more than 10 items allowed [json-pointer:{at}/fields]"
        for i, field in enumerate(fields):
            yield from text_errors(field, f"{at}/fields/{i}", 2000)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{at}/accessory", SECTION)


def _elements(block: Json, at: str, most: int, allowed: frozenset[str]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield f"must be an array of at least 1 item [json-pointer:{at}/elements]"
        return
    if len(elements) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}/elements]"
    names = [element.get("action_id") for element in elements if isinstance(element, dict) and element.get("action_id")]
    if len(names) != len({str(name) for name in names}):
        yield f"`action_id` must be unique within a block [json-pointer:{at}/elements]"
    for i, element in enumerate(elements):
        yield from _element(element, f"{at}/elements/{i}", allowed)


def _element(element: object, at: str, allowed: frozenset[str]) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if not isinstance(element, dict) or not isinstance(kind, str) or kind not in allowed:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from field_errors(element, at)
    yield from element_errors(element, at)


def _attachments(attachments: object) -> list[Json]:
    if attachments is None:
        return []
    if not isinstance(attachments, list) or not all(isinstance(attachment, dict) for attachment in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    return attachments


def _check_metadata(metadata: object) -> None:
    if metadata is None or metadata == {}:
        return
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")


def _refuse_blocks(blocks: object) -> None:
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    _refuse("invalid_blocks", list(block_errors(blocks, "/blocks", MESSAGE_BLOCKS)))
    if characters(blocks) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")


def _refuse(error: str, messages: list[str]) -> None:
    if messages:
        raise SlackError(error, messages)
