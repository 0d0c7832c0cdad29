"""The limits of what holds structured text: rich_text and table blocks. Pure; see `limits` for sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bot.sandbox.slack.errors import Json
from bot.sandbox.slack.limits_fields import COLUMN, field_errors

TABLE_ROWS, TABLE_COLUMNS = 100, 20
_RICH_TEXT = frozenset({"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"})
_CELLS = frozenset({"raw_number", "raw_text", "rich_text"})
_ALIGNMENTS = ("left", "center", "right")


def _rich_text(block: Json, at: str) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list):
        yield f"missing required field: elements [json-pointer:{at}]"
        return
    for i, element in enumerate(elements):
        if not isinstance(element, dict) or element.get("type") not in _RICH_TEXT or not isinstance(element.get("elements"), list):
            yield f"unsupported type [json-pointer:{at}/elements/{i}]"
            continue
        inner = [x for part in element["elements"] if isinstance(part, dict) for x in (part.get("elements") or [part])]
        if any(x.get("type") == "text" and not x.get("text") for x in inner if isinstance(x, dict)):
            yield f"must be more than 0 characters [json-pointer:{at}/elements/{i}]"


def _table(block: Json, at: str) -> Iterator[str]:
    rows, columns = block.get("rows"), block.get("column_settings", [])
    if not isinstance(rows, list) or not 0 < len(rows) <= TABLE_ROWS:
        yield f"must be an array of 1 to {TABLE_ROWS} items [json-pointer:{at}/rows]"
        return
    for i, row in enumerate(rows):
        if not isinstance(row, list) or not 0 < len(row) <= TABLE_COLUMNS:
            yield f"must be an array of 1 to {TABLE_COLUMNS} items [json-pointer:{at}/rows/{i}]"
            continue
        for j, cell in enumerate(row):
            yield from _cell(cell, f"{at}/rows/{i}/{j}")
    if not isinstance(columns, list) or len(columns) > TABLE_COLUMNS:
        yield f"no more than {TABLE_COLUMNS} items allowed [json-pointer:{at}/column_settings]"
        return
    for i, column in enumerate(columns):
        if not isinstance(column, dict):
            continue  # Slack takes null for a column that stays as it is
        yield from field_errors(column, f"{at}/column_settings/{i}", COLUMN)
        if column.get("align", "left") not in _ALIGNMENTS:
            yield f"must be one of {', '.join(_ALIGNMENTS)} [json-pointer:{at}/column_settings/{i}/align]"


def _cell(cell: object, at: str) -> Iterator[str]:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if not isinstance(cell, dict) or kind not in _CELLS:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from field_errors(cell, at)
    if kind == "rich_text":
        yield from _rich_text(cell, at)
        return
    if not isinstance(cell.get("text"), str) or not cell["text"]:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    if kind == "raw_number" and not isinstance(cell.get("value"), int | float):
        yield f"missing required field: value [json-pointer:{at}]"


RICH: Mapping[str, Callable[[Json, str], Iterator[str]]] = {"rich_text": _rich_text, "table": _table}
"""Everything wrong with a block, by its type; takes the block and its JSON pointer."""
