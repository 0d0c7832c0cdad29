"""Text from outside made safe to show: nothing in it can mention, link, reverse, hide or break what stands around it.

Owns cleaning, measuring and visible cutting. Outside text goes into `plain_text` and `rich_text` elements, which Slack does not
parse; `escaped` is for the few places that are mrkdwn by nature. It never decides what is shown where.
"""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from bot.slack.cards.text.invisible import WIDE_BLANK, hidden, needed

T = TypeVar("T")

_OWN_ID = re.compile(r"[a-z]_[0-9a-z]{1,40}")

_OWN_ID_INSIDE = re.compile(r"(?<![0-9A-Za-z_])([a-z]_[0-9a-z]{26})(?![0-9A-Za-z_])")
"""An id between other words. Its underscore stands between letters, where it starts no italics."""

_HARMLESS = re.compile(r"[\n\t -~]*")

_MARKS = frozenset({"Mn", "Me"})

_MARKS_IN_A_ROW = 3
"""Vietnamese and Hebrew need up to three combining marks on a letter; more only paint over the neighbouring lines."""

_COMMON = frozenset("\ufe0f\r\u00ad\ufeff")
"""What honest programs leave behind: taken out or spelled out as any other, and no reason for a warning."""

_NOTATION = "⟨U+"
_NOTATION_SPELLED = "⟨U+27E8⟩U+"
_BLANKS = re.compile(rf"[^\S{WIDE_BLANK}]+")

_GLUED_MOST = 40
"""Characters of the longest emoji or stack of marks that is not cut through."""

_NOTE = 60
"""More than the longest note on a cut takes."""

_LOOKALIKES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "_": "＿", "~": "∼", "`": "ˋ"})  # noqa: RUF001  # meant


def _tamed(text: str, *, spell: bool) -> str:
    if _HARMLESS.fullmatch(text) is not None:  # nearly every text
        return text
    categories = {char: unicodedata.category(char) for char in set(text)}
    changed = {ord(char): _instead(char, category, spell=spell) for char, category in categories.items()}
    honest = needed(text) if any(char == WIDE_BLANK or hidden(char) for char in categories) else frozenset()
    if not honest and not _MARKS.intersection(categories.values()):
        return text.translate(changed)
    out: list[str] = []  # a microsecond a character: only where marks have to be counted, or neighbours looked at
    marks = 0
    for place, char in enumerate(text):
        marks = marks + 1 if categories[char] in _MARKS else 0
        if place in honest:
            out.append(char)
        else:
            out.append(_removed(char, spell=spell) if marks > _MARKS_IN_A_ROW else changed[ord(char)])
    return "".join(out)


def _instead(char: str, category: str, *, spell: bool) -> str:
    """What stands in place of a character: mostly itself; a blank for any other blank; nothing, or its number, for what draws nothing."""
    if hidden(char) or (spell and category == "Zs" and char != " "):
        return _removed(char, spell=spell)
    return " " if category == "Zs" else char


def _removed(char: str, *, spell: bool) -> str:
    return f"⟨U+{ord(char):04X}⟩" if spell else ""


def clean(text: str) -> str:
    """`text` without control, bidi, zero-width and other invisible characters, but for those that honest writing needs where they stand.

    Line ends are kept, empty lines only one in a row.
    """
    shown = _tamed(text.replace("\r\n", "\n").replace("\r", "\n"), spell=False)
    return re.sub(r"\n\s*\n", "\n\n", shown).strip()


def line(text: str) -> str:
    """`text` cleaned and on one line."""
    return _BLANKS.sub(" ", clean(text)).strip()


def exact(text: str) -> str:
    """`text` with every invisible character that could deceive spelled out as ⟨U+202E⟩: for what will be executed.

    Nothing is left out, and the spelling itself cannot be forged: no two texts come out alike.
    """
    return _NOTATION_SPELLED.join(_tamed(part, spell=True) for part in text.split(_NOTATION))


def deceptive(text: str) -> bool:
    """Whether `text` holds characters that a reader would not see and honest writing does not need where they stand."""
    return bool(_deceiving(text))


def suspicious(text: str) -> bool:
    """Whether `text` hides characters that honest writing has no use for, and honest programs do not leave behind."""
    return not _deceiving(text) <= _COMMON


def _deceiving(text: str) -> set[str]:
    if _HARMLESS.fullmatch(text) is not None or not any(map(hidden, set(text))):
        return set()
    honest = needed(text)
    return {char for place, char in enumerate(text) if hidden(char) and place not in honest}


def escaped(text: str, most: int = 200) -> str:
    """`text` on one line for mrkdwn and notifications: `& < >` as Slack asks, and nothing left that starts bold, strike, italics or code.

    For names, codes and titles: what weighs more than `most` ends in an ellipsis. Ids that we drew stay as they are, to be copied.
    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    parts = _OWN_ID_INSIDE.split(brief(text, most))  # every other part is an id
    return "".join(part if number % 2 else part.translate(_LOOKALIKES) for number, part in enumerate(parts))


def own_id(text: str) -> str:
    """An id that we drew, as it can be copied from mrkdwn; anything else as `escaped`."""
    return text if _OWN_ID.fullmatch(text) is not None else escaped(text, 60)


def brief(text: str, most: int) -> str:
    """`text` on one line, with an ellipsis where it weighs more than `most`."""
    shown = line(text)
    return shown if weight(shown) <= most else head(shown, most - 1) + "…"


def weight(text: str) -> int:
    """How long Slack may take `text` to be: UTF-16 units, with `& < >` counted as their entities."""
    extra = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    return units(text) + extra


def units(text: str) -> int:
    """Length of `text` in UTF-16 units, which is what a JavaScript client counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def head(text: str, most: int) -> str:
    """The longest beginning of `text` that weighs at most `most` and does not end inside of what is drawn as one."""
    start = text[: max(most, 0)]  # no character weighs less than one
    end = max(bisect_right(range(len(start) + 1), most, key=lambda length: weight(start[:length])) - 1, 0)
    whole = next((cut for cut in range(end, max(end - _GLUED_MOST, 0), -1) if not _glued(text, cut)), end)
    return start[:whole]


def _glued(text: str, cut: int) -> bool:
    """Whether what stands on either side of a cut belongs together: an emoji of several characters, a letter and its marks."""
    return 0 < cut < len(text) and any(hidden(char) or unicodedata.category(char) in {"Mn", "Me", "Sk"} for char in text[cut - 1 : cut + 1])


@dataclass(slots=True)
class Cuts:
    """The scissors of one drawing. `made` tells afterwards whether anything was cut; `scale` shrinks every limit alike."""

    scale: float = 1.0
    made: bool = False

    def cut(self, text: str, most: int, *, lines: int = 20) -> str:
        """`text` within `most` (as `weight` counts) and so many lines, its end replaced by a visible note when it is longer."""
        most = max(int(most * self.scale), 2 * _NOTE)
        kept = text if weight(text) <= most else head(text, most - _NOTE)
        kept = "\n".join(kept.split("\n")[:lines])
        if kept == text:
            return text
        self.made = True
        kept = head(kept, most - _NOTE)
        return f"{kept}… cut, {len(text) - len(kept):,} more characters: open Details"

    def few(self, items: tuple[T, ...], most: int) -> tuple[tuple[T, ...], str]:
        """The first `most` items and the visible note on the others, "" when there are none."""
        left = len(items) - most
        if left <= 0:
            return items, ""
        self.made = True
        return items[:most], f"… {left:,} more: open Details"


def address(url: str) -> str:
    """A URL or another address as text that cannot mislead: where its host does not simply stand in front, that comes first, in ASCII.
    What is invisible in it is spelled out.

    Browsers read a backslash as a slash (WHATWG URL), so do we. Hosts in other scripts are shown in punycode (RFC 3492).
    """
    shown = _BLANKS.sub(" ", exact(url)).strip().replace("\\", "/")
    try:
        host = urlsplit(shown).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        host = ""
    plainly = re.match(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+)(?:[:/?#]|$)", shown, re.ASCII | re.IGNORECASE)
    if plainly is not None and plainly[1].lower() == host:
        return shown
    return f"really {_ascii_host(host)} · {shown}" if host else shown


def _ascii_host(host: str) -> str:
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in host.split("."))


def channel_name(channel: str) -> str:
    """`#review-tier1` for a channel of the policy."""
    return "#" + line(channel).removeprefix("#")
