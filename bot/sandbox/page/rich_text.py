"""rich_text blocks as HTML: sections, lists, quotes, preformatted text.

Every leaf is escaped; an element it does not know is named, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from bot.sandbox.page.emoji import EMOJI
from bot.sandbox.page.text import Names, date, link, mention, place

_STYLES = {"bold": "strong", "italic": "em", "strike": "s", "underline": "u", "code": "code"}


class RichText:
    """Draws rich_text for one reader."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def render(self, block: Mapping[str, Any]) -> Markup:
        """A whole rich_text block (or the value of a rich_text_input)."""
        return Markup("").join(self._part(part) for part in block.get("elements", ()))

    def _part(self, part: Mapping[str, Any]) -> Markup:
        inner = part.get("elements", ())
        match part.get("type"):
            case "rich_text_section":
                return Markup('<div class="rt">{}</div>').format(self._runs(inner))
            case "rich_text_quote":
                return Markup("<blockquote>{}</blockquote>").format(self._runs(inner))
            case "rich_text_preformatted":
                return Markup('<pre class="pre">{}</pre>').format(self._plain(inner))
            case "rich_text_list":
                return self._list(part)
            case kind:
                return _unknown(kind)

    def _list(self, part: Mapping[str, Any]) -> Markup:
        tag = Markup("ol") if part.get("style") == "ordered" else Markup("ul")
        items = Markup("").join(Markup("<li>{}</li>").format(self._runs(item.get("elements", ()))) for item in part.get("elements", ()))
        start = Markup(' start="{}"').format(int(part["offset"]) + 1) if part.get("offset") and tag == "ol" else ""
        return Markup('<{0} class="indent-{1}"{2}>{3}</{0}>').format(tag, min(int(part.get("indent", 0)), 8), start, items)

    def _runs(self, elements: Any) -> Markup:  # noqa: ANN401  # JSON
        return Markup("").join(self._run(element) for element in elements)

    def _plain(self, elements: Any) -> str:  # noqa: ANN401  # JSON
        return "".join(str(element.get("text") or element.get("url") or "") for element in elements)

    def _run(self, element: Mapping[str, Any]) -> Markup:
        drawn = self._leaf(element)
        for style, tag in _STYLES.items():
            if element.get("style", {}).get(style):
                drawn = Markup("<{0}>{1}</{0}>").format(Markup(tag), drawn)  # noqa: S704  # a constant of this module
        return drawn

    def _leaf(self, element: Mapping[str, Any]) -> Markup:
        match element.get("type"):
            case "text":
                return escape(element.get("text", ""))
            case "link":
                return link(str(element.get("url", "")), str(element.get("text") or element.get("url", "")))
            case "emoji":
                name = str(element.get("name", ""))
                return escape(EMOJI.get(name, f":{name}:"))
            case "date":
                form, fallback = str(element.get("format", "{date}")), str(element.get("fallback", ""))
                return date(element.get("timestamp"), form, self._names, fallback, str(element.get("url", "")))
            case "color":
                return Markup("<code>{}</code>").format(element.get("value", ""))
            case "user" | "usergroup" | "channel" | "broadcast":
                return self._mention(element)
            case kind:
                return _unknown(kind)

    def _mention(self, element: Mapping[str, Any]) -> Markup:
        match element.get("type"):
            case "user":
                person = str(element.get("user_id"))
                return mention("user", "@" + (self._names.user(person) or person))
            case "usergroup":
                group = str(element.get("usergroup_id"))
                return mention("group", "@" + (self._names.group(group) or group))
            case "channel":
                channel = str(element.get("channel_id"))
                name = self._names.channel(channel)
                return place(channel, name) if name else mention("channel", "#" + channel)
            case _:
                return mention("broadcast", "@" + str(element.get("range", "")))


def _unknown(kind: object) -> Markup:
    return Markup('<span class="unknown">[{}]</span>').format(str(kind))
