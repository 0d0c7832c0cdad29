"""What somebody typed behind `/review`, read as they meant it: pasted, quoted, in capitals, with a letter too many.

Owns which marks around a word belong to no name and no id. It never changes the words of a reason, and looks nothing up.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

COMMAND = "/review"

_AROUND = "`´'\"‘’‚‛“”„‟«»‹›「」『』()[]{}<>*~,;:!?….\u00b7"  # noqa: RUF001  # quotation marks of many languages
"""Marks that stand around a name in a sentence or come along when it is copied. No id of ours has one."""

_BESIDE_LINKS = _AROUND.translate({ord(char): None for char in "<>"})

_LINK = re.compile(r"<(?P<at>[^|<>]*)(?:\|(?P<shown>[^<>]*))?>")
"""As Slack writes links, channels and people: `<https://…|shown>`, `<#C123|name>`."""

_PERMALINK = re.compile(r"https?://[^/\s]+/archives/(?P<channel>[A-Z0-9]+)/p(?P<seconds>[0-9]{10})(?P<micros>[0-9]{6})\b")
_CHANNEL, _PERSON = re.compile(r"[CG][A-Z0-9]{6,}"), re.compile(r"[UW][A-Z0-9]{6,}")
_OWN_ID = re.compile(r"[A-Za-z]_[0-9A-Za-z]{26}")


_DASHES = str.maketrans(dict.fromkeys("_‐‑‒–—−", "-"))  # noqa: RUF001  # what keyboards make of a hyphen


def words_of(text: str, known: Collection[str] = ()) -> list[str]:
    """The words, the first of them bare, in small letters and with plain hyphens; `/review` itself in front of it is passed over. Of the
    `known` words one with a hyphen is also understood in two words, or in one.
    """
    words = text.split()
    run_together = {one.replace("-", ""): one for one in known if "-" in one}
    while words:
        first, rest = plainly(words[0]), words[1:]
        if rest and f"{first}-{plainly(rest[0])}" in known:
            return [f"{first}-{plainly(rest[0])}", *rest[1:]]
        if first not in ("", COMMAND, COMMAND[1:]):
            return [run_together.get(first, first), *rest]
        words = rest
    return []


def plainly(word: str) -> str:
    """A word of ours, however it was typed: bare, in small letters, with plain hyphens."""
    return bare(word).lower().translate(_DASHES)


def channel_meant(word: str) -> tuple[str, str]:
    """Id and name of a channel as it was typed or escaped: `<#C123|name>`, `#name`, `C123`; "" for what was not said."""
    return _sigil(word, "#", _CHANNEL)


def person_meant(word: str) -> tuple[str, str]:
    """Id and name of a person as they were typed or escaped: `<@U123|name>`, `<@U123>`, `@name`; "" for what was not said."""
    return _sigil(word, "@", _PERSON)


def _sigil(word: str, sigil: str, id_form: re.Pattern[str]) -> tuple[str, str]:
    plain = html.unescape(word).strip(_BESIDE_LINKS)
    if (link := _LINK.fullmatch(plain)) is not None and link["at"].startswith(sigil):
        return link["at"][1:], link["shown"] or ""
    name = bare(word).removeprefix(sigil)
    return (name, "") if id_form.fullmatch(name) is not None else ("", name)


def bare(word: str) -> str:
    """A name or an id without what it was wrapped in: quotes, backticks, brackets, invisible characters, Slack's own `<…|…>`."""
    plain = html.unescape(word)
    if (link := _LINK.fullmatch(plain.strip(_BESIDE_LINKS))) is not None:
        plain = link["shown"] or link["at"]
    visible = "".join(char for char in plain if unicodedata.category(char) not in {"Cf", "Cc"})
    return visible.strip(_AROUND)


def id_typed(word: str) -> str:
    """An id of ours, bare and in small letters; anything else bare, a link as it is."""
    if permalink([word]) is not None:
        return word
    inside = _OWN_ID.search(plain := bare(word))
    return inside[0].lower() if inside is not None else plain


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


_SYNONYMS = {
    **dict.fromkeys(("queue", "list", "show", "tiers", "channels", "waiting"), "status"),
    **dict.fromkeys(("take", "take-next", "todo", "work", "start", "begin"), "next"),
    **dict.fromkeys(("claims", "claimed", "my", "me", "own"), "mine"),
    **dict.fromkeys(("find", "open", "view", "get"), "case"),
    **dict.fromkeys(("stop", "halt", "hold"), "pause"),
    **dict.fromkeys(("unpause", "continue", "unfreeze", "restart"), "resume"),
    **dict.fromkeys(("unquarantine", "free"), "release"),
    **dict.fromkeys(("waiver", "waive", "exceptions"), "exception"),
    **dict.fromkeys(("ack", "alert"), "acknowledge"),
    **dict.fromkeys(("vacation", "holiday", "absent", "ooo", "out"), "away"),
    **dict.fromkeys(("postmortem", "postmortems", "incidents"), "incident"),
    **dict.fromkeys(("hilfe", "?", "usage", "commands", "how"), "help"),
}
"""Words that people type for ours."""


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word that was probably meant, "" where none is near."""
    if (meant := _SYNONYMS.get(word, "")) in known:
        return meant
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.6)), "")


def spelled_as(name: str, known: Iterable[str]) -> str:
    """The known name that differs in capitals and hyphens at most, where it is only one; else the name as it is."""
    known = list(known)
    alike = [one for one in known if plainly(one) == plainly(name)]
    return alike[0] if name not in known and len(alike) == 1 else name
