"""What somebody typed behind `/review`, read as they meant it: pasted, quoted, in capitals, with a letter too many.

Owns which marks around a word belong to no name and no id. It never changes the words of a reason, and looks nothing up.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches

COMMAND = "/review"

_AROUND = "`´'\"‘’‚‛“”„‟«»‹›「」『』()[]{}<>*~,;:!?….\u00b7"  # noqa: RUF001  # quotation marks of many languages
"""Marks that stand around a name in a sentence or come along when it is copied. No id of ours has one."""

_BESIDE_LINKS = _AROUND.translate({ord(char): None for char in "<>"})

_LINK = re.compile(r"<(?P<at>[^|<>]*)(?:\|(?P<shown>[^<>]*))?>")
"""As Slack writes links, channels and people: `<https://…|shown>`, `<#C123|name>`."""

_PERMALINK = re.compile(r"https?://[^/\s]+/archives/(?P<channel>[A-Z0-9]+)/p(?P<seconds>[0-9]{10})(?P<micros>[0-9]{6})\b")
_OWN_ID = re.compile(r"[A-Za-z]_[0-9A-Za-z]{26}")


def words_of(text: str) -> list[str]:
    """The words, the first of them bare and in small letters; `/review` itself in front of it is passed over."""
    words = text.split()
    while words and bare(words[0]).lower() in ("", COMMAND, COMMAND[1:]):
        del words[0]
    return [bare(words[0]).lower(), *words[1:]] if words else []


def bare(word: str) -> str:
    """A name or an id without what it was wrapped in: quotes, backticks, brackets, invisible characters, Slack's own `<…|…>`."""
    plain = html.unescape(word)
    if (link := _LINK.fullmatch(plain.strip(_BESIDE_LINKS))) is not None:
        plain = link["shown"] or link["at"]
    visible = "".join(char for char in plain if unicodedata.category(char) not in {"Cf", "Cc"})
    return visible.strip(_AROUND)


def spellings(typed: Sequence[str]) -> list[str]:
    """What a case may be called that was named with these words, likeliest first: as typed, bare, an id in small letters."""
    whole = " ".join(typed)
    inside = _OWN_ID.search(whole)
    found = [whole, bare(whole), *([inside[0].lower()] if inside is not None else [])]
    return [one for one in dict.fromkeys(found) if one]


def permalink(typed: Sequence[str]) -> tuple[str, str] | None:
    """Channel and ts of the message whose link was pasted, None where it is no link to a message."""
    found = _PERMALINK.search(html.unescape(" ".join(typed)))
    return (found["channel"], f"{found['seconds']}.{found['micros']}") if found is not None else None


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that was probably meant, "" where none is near."""
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), "")
