"""Slack's text as HTML: mrkdwn, plain_text, the markdown block.

Everything a message holds is hostile: each leaf is escaped here, once, and nowhere trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from typing import Protocol

from markupsafe import Markup, escape

from bot.sandbox.page.emoji import with_emoji

Inline = Callable[[str], Markup]

_ADDRESS = re.compile(r"(https?://[^\s<>|\"'`]+)")
_FENCE = re.compile(r"```(.*?)```", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<token>[^<>\n]+)>"
    rf"|(?P<url>{_ADDRESS.pattern[1:-1]})"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])"
)
_MARKDOWN = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<href>[^()\s]+)\)"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|(?<![\w*])\*(?P<italic>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic2>[^_\n]+)_(?![\w_])"
    r"|~~(?P<strike>[^~\n]+)~~"
)
_LINKED = ("http://", "https://", "mailto:")
_DATES = {
    "{date_num}": "%Y-%m-%d",
    "{date_slash}": "%m/%d/%Y",
    "{date_short}": "%b %-d, %Y",
    "{date_long}": "%A, %B %-d, %Y",
    "{date_long_full}": "%B %-d, %Y",
    "{date_short_pretty}": "%b %-d, %Y",
    "{date_long_pretty}": "%A, %B %-d, %Y",
    "{date_pretty}": "%B %-d, %Y",
    "{date}": "%B %-d, %Y",
    "{day_divider_pretty}": "%A, %B %-d",
    "{time_secs}": "%H:%M:%S",
    "{time}": "%H:%M",
}

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


class Names(Protocol):
    """What ids are called, as this reader sees them; None: unknown here. `now`: unix seconds."""

    timezone: tzinfo
    now: float

    def user(self, user_id: str) -> str | None:
        """The display name of a person."""

    def channel(self, channel_id: str) -> str | None:
        """The name of a channel, without #."""

    def group(self, group_id: str) -> str | None:
        """The handle of a user group, without @."""


def plain(text: str, *, emoji: bool = True) -> Markup:
    """A plain_text object: no markup at all, emoji unless switched off."""
    return escape(with_emoji(text) if emoji else text)


def mention(kind: str, name: str) -> Markup:
    """A pill with the name of a person, group or channel."""
    return Markup('<span class="mention {}">{}</span>').format(kind, name)


def place(channel_id: str, name: str) -> Markup:
    """A channel one can go to."""
    return Markup('<button type="button" class="mention channel" data-channel="{}">#{}</button>').format(channel_id, name)


def link(address: str, label: str) -> Markup:
    """A link if the address is one that a browser may open; otherwise its label as text."""
    if not address.lower().startswith(_LINKED):
        return escape(label)
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>').format(address, label)


def with_links(text: str) -> Markup:
    """Text as somebody wrote it, its addresses as links."""
    parts = _ADDRESS.split(text)
    return Markup("").join(link(part, part) if index % 2 else escape(part) for index, part in enumerate(parts))


def date(at: object, form: str, names: Names, fallback: str = "", address: str = "") -> Markup:
    """Unix seconds in Slack's date formatting (https://docs.slack.dev/messaging/formatting-message-text), in the reader's zone, as a link
    where there is an `address`; `fallback` if they are none.
    """
    try:
        when = datetime.fromtimestamp(int(str(at)), names.timezone)
    except (ValueError, OverflowError, OSError):
        return escape(fallback)
    now = datetime.fromtimestamp(names.now, names.timezone)
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((when.date() - now.date()).days)
    for token, strf in _DATES.items():
        form = form.replace(token, near if near and token.endswith("_pretty}") else when.strftime(strf))
    form = form.replace("{ago}", _ago((when - now).total_seconds()))
    return link(address, form) if address else escape(form)


def _ago(seconds: float) -> str:
    """How far away that is, in one unit, as Slack says it."""
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "second"))
    count = int(abs(seconds) // size)
    much = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {much}" if seconds > 0 else f"{much} ago"


class Mrkdwn:
    """Slack's mrkdwn as HTML for one reader."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def render(self, text: str) -> Markup:
        """The whole text: preformatted parts, quotes, lines."""
        parts = _FENCE.split(text)
        drawn = (self._preformatted(part) if index % 2 else self._lines(part) for index, part in enumerate(parts))
        return Markup("").join(drawn)

    def _preformatted(self, text: str) -> Markup:
        return Markup('<pre class="pre">{}</pre>').format(_decoded(text.strip("\n")))

    def _lines(self, text: str) -> Markup:
        return Markup("").join(_quoted(text, ("&gt;", ">"), self.inline))

    def inline(self, text: str) -> Markup:
        """One run of text without line structure."""
        return Markup("").join(self._runs(text, 0))

    def _runs(self, text: str, depth: int) -> Iterator[Markup]:
        at = 0
        for found in _INLINE.finditer(text):
            yield _leaf(text[at : found.start()])
            at = found.end()
            yield self._run(found, depth)
        yield _leaf(text[at:])

    def _run(self, found: re.Match[str], depth: int) -> Markup:
        kind, inner = str(found.lastgroup), found[str(found.lastgroup)]
        match kind:
            case "code":
                return Markup("<code>{}</code>").format(_decoded(inner))
            case "token":
                return self._token(inner)
            case "url":
                return link(_decoded(inner), _decoded(inner))
            case _ if depth >= len(_TAGS):  # each tag once inside the others; deeper is no formatting but an attack
                return _leaf(found[0])
            case _:
                tag = Markup(_TAGS[kind])  # noqa: S704  # a constant of this module
                return Markup("<{0}>{1}</{0}>").format(tag, Markup("").join(self._runs(inner, depth + 1)))

    def _token(self, token: str) -> Markup:
        target, _, label = token.partition("|")
        target, label = _decoded(target), _decoded(label)
        match target[:1]:
            case "@":
                return mention("user", "@" + (self._names.user(target[1:]) or label or target[1:]))
            case "#":
                name = self._names.channel(target[1:])
                return place(target[1:], name) if name else mention("channel", "#" + (label or target[1:]))
            case "!":
                return self._special(target[1:], label)
            case _ if target.lower().startswith(_LINKED):
                return link(target, label or target.removeprefix("mailto:"))
            case _:
                return _leaf(f"<{token}>")

    def _special(self, target: str, label: str) -> Markup:
        if target in ("here", "channel", "everyone"):
            return mention("broadcast", "@" + target)
        if target.startswith("subteam^"):
            group = target.removeprefix("subteam^")
            return mention("group", "@" + (self._names.group(group) or label.removeprefix("@") or group))
        if target.startswith("date^"):
            at, form, address = [*target.split("^", 3), "", ""][1:4]
            return date(at, form, self._names, label, address)
        return escape(label or f"<!{target}>")


_TAGS = {"bold": "strong", "italic": "em", "strike": "s", "italic2": "em"}


class Markdown:
    """The standard Markdown of a `markdown` block, as far as Slack draws it."""

    def render(self, text: str) -> Markup:
        """Headings, lists, quotes, fences, lines."""
        parts = re.split(r"^```[^\n]*\n(.*?)^```[^\n]*$", text, flags=re.DOTALL | re.MULTILINE)
        return Markup("").join(
            Markup('<pre class="pre">{}</pre>').format(part.rstrip("\n")) if index % 2 else self._block(part)
            for index, part in enumerate(parts)
        )

    def _block(self, text: str) -> Markup:
        return Markup("").join(_quoted(text, (">",), self._line))

    def _line(self, line: str) -> Markup:
        if heading := re.match(r"(#{1,6}) (.*)", line):
            return Markup('<strong class="heading">{}</strong>').format(self._inline(heading[2]))
        if item := re.match(r"( *)(?:[-*+]|(\d{1,9})\.) (.*)", line):
            return Markup('<span class="item">{} {}</span>').format(f"{item[2]}." if item[2] else "•", self._inline(item[3]))
        return self._inline(line)

    def _inline(self, text: str) -> Markup:
        drawn, at = [], 0
        for found in _MARKDOWN.finditer(text):
            drawn.append(plain(text[at : found.start()]))
            at = found.end()
            kind, inner = str(found.lastgroup), found[str(found.lastgroup)]
            if kind == "code":
                drawn.append(Markup("<code>{}</code>").format(inner))
            elif kind == "href":
                drawn.append(link(inner, found["label"]))
            else:
                tag = Markup(_TAGS[kind])  # noqa: S704  # a constant of this module
                drawn.append(Markup("<{0}>{1}</{0}>").format(tag, plain(inner)))
        drawn.append(plain(text[at:]))
        return Markup("").join(drawn)


def _quoted(text: str, marks: tuple[str, ...], inline: Inline) -> Iterator[Markup]:
    """Lines, with runs of quoted ones in one block quote; a line break only between two unquoted ones."""
    quote: list[Markup] = []
    lines: list[Markup] = []
    for line in text.split("\n"):
        mark = next((mark for mark in marks if line.startswith(mark)), None)
        if mark is None:
            if quote:
                yield Markup("<blockquote>{}</blockquote>").format(Markup("<br>").join(quote))
                quote = []
            lines.append(inline(line))
        else:
            if lines:
                yield Markup("<br>").join(lines)
                lines = []
            quote.append(inline(line.removeprefix(mark).removeprefix(" ")))
    if quote:
        yield Markup("<blockquote>{}</blockquote>").format(Markup("<br>").join(quote))
    yield Markup("<br>").join(lines)


def _leaf(text: str) -> Markup:
    return escape(with_emoji(_decoded(text)))


def _decoded(text: str) -> str:
    """Slack decodes these three and no other entity."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
