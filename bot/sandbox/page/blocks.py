"""Block Kit as HTML for one reader: `Drawing` prepares texts and options, templates/blocks.html lays them out.

It sends nothing and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from bot.sandbox.page.rich_text import RichText
from bot.sandbox.page.text import Markdown, Mrkdwn, Names, plain

Json = Mapping[str, Any]

_PEOPLE = frozenset({"users_select", "multi_users_select"})
_CHANNELS = frozenset({"channels_select", "multi_channels_select", "conversations_select", "multi_conversations_select"})
_INPUT_TYPES = {
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
    "number_input": "number",
    "email_text_input": "email",
    "url_text_input": "url",
}


class Drawing:
    """Draws blocks for `reader`. `people` and `channels`: (id, label) pairs that menus of people and channels offer."""

    def __init__(
        self,
        environment: Environment,
        names: Names,
        people: Iterable[tuple[str, str]] = (),
        channels: Iterable[tuple[str, str]] = (),
        *,
        reader: str = "",
    ) -> None:
        self._reader = reader
        self._macros = environment.get_template("blocks.html").module
        self._mrkdwn = Mrkdwn(names)
        self._rich = RichText(names)
        self._people = tuple(people)
        self._channels = tuple(channels)

    def blocks(self, blocks: Iterable[Json], errors: Mapping[str, str] | None = None, of: str = "") -> Markup:
        """All `blocks`; `errors`: what an app answered about inputs, by block_id; `of`: what tells their message from others."""
        wrong = errors or {}
        return Markup("").join(self._block(block, wrong.get(str(block.get("block_id", "")), ""), of) for block in blocks)

    def message(self, message: Json) -> Markup:
        """The body of a message: its blocks, or its text when it has none; then its attachments."""
        of, attachments = str(message.get("ts", "")), message.get("attachments") or ()
        attached = [Markup('<div class="attachment">{}</div>').format(self._content(item, of)) for item in attachments]
        return Markup("").join([self._content(message, of), *attached])

    def mrkdwn(self, text: str) -> Markup:
        """A text in Slack's own markup."""
        return Markup('<div class="text">{}</div>').format(self._mrkdwn.render(text))

    # What the templates ask

    def text(self, text: object) -> Markup:
        """A text object of either kind; a bare string is plain."""
        if not isinstance(text, Mapping):
            return escape("" if text is None else str(text))
        written = str(text.get("text", ""))
        return self._mrkdwn.render(written) if text.get("type") == "mrkdwn" else plain(written, emoji=text.get("emoji") is not False)

    def question(self, dialog: Json) -> dict[str, str]:
        """A confirm dialog: its texts as HTML."""
        return {name: self.text(dialog.get(name)) for name in ("title", "text", "confirm", "deny")} | {
            "style": str(dialog.get("style", ""))
        }

    def rich(self, block: Json) -> Markup:
        """A rich_text block."""
        return self._rich.render(block)

    def markdown(self, text: str) -> Markup:
        """A markdown block's text."""
        return Markdown().render(text)

    def sees(self, element: Json) -> bool:
        """Whether this reader is shown an icon button."""
        return self._reader in element.get("visible_to_user_ids", [self._reader])

    def align(self, table: Json, column: int) -> str:
        """How a column of a table block stands: a class of its own, empty for the default."""
        columns = table.get("column_settings") or []
        setting = (columns[column] if column < len(columns) else None) or {}
        align = str(setting.get("align", ""))
        return f"{align if align in ('center', 'right') else ''}{' wrapped' if setting.get('is_wrapped') else ''}".strip()

    def cell(self, cell: Json) -> Markup:
        """One cell of a table block."""
        return self.rich(cell) if cell.get("type") == "rich_text" else plain(str(cell.get("text", "")))

    def input_type(self, element: Json) -> str:
        """The HTML input that stands for an element."""
        return _INPUT_TYPES.get(str(element.get("type")), "text")

    def initial(self, element: Json) -> str:
        """The value an input starts with."""
        names = ("initial_value", "initial_date", "initial_time", "initial_date_time")
        found = next((element[name] for name in names if element.get(name) is not None), "")
        if element.get("type") == "datetimepicker" and found:
            return datetime.fromtimestamp(int(found), UTC).strftime("%Y-%m-%dT%H:%M")
        return "" if isinstance(found, Mapping) else str(found)

    def groups(self, element: Json) -> list[tuple[str, list[tuple[str, Markup, bool]]]]:
        """A menu's options as (group label, [(value, label, chosen)]); one group with an empty label when it has none."""
        kind, chosen = str(element.get("type")), _chosen(element)
        if kind in _PEOPLE or kind in _CHANNELS:
            offered = self._people if kind in _PEOPLE else self._channels
            return [("", [(value, escape(label), value in chosen) for value, label in offered])]
        grouped = element.get("option_groups") or [{"options": element.get("options") or []}]
        return [
            (
                str((group.get("label") or {}).get("text", "")),
                [
                    (str(option.get("value")), self.text(option.get("text")), str(option.get("value")) in chosen)
                    for option in group["options"]
                ],
            )
            for group in grouped
        ]

    def descriptions(self, element: Json) -> dict[str, Markup]:
        """The small print of options, by value."""
        return {
            str(option["value"]): self.text(option["description"]) for option in element.get("options") or () if option.get("description")
        }

    def _content(self, content: Json, of: str) -> Markup:
        blocks = content.get("blocks") or ()
        return self.blocks(blocks, of=of) if blocks else self.mrkdwn(str(content.get("text") or content.get("fallback") or ""))

    def _block(self, block: Json, error: str, of: str) -> Markup:
        return Markup(self._macros.block(self, block, error, of))  # type: ignore[attr-defined]  # noqa: S704  # a macro of an autoescaping template


def _chosen(element: Json) -> set[str]:
    single = [element.get(name) for name in ("initial_option", "initial_user", "initial_channel", "initial_conversation")]
    many = [
        item
        for name in ("initial_options", "initial_users", "initial_channels", "initial_conversations")
        for item in element.get(name) or ()
    ]
    return {str(item["value"] if isinstance(item, Mapping) else item) for item in (*single, *many) if item}
