"""A stretch of text that is to be masked, and what stands in its place. Owns the value and the plain spelling that detectors read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import Match, Pattern
from typing import Literal

Kind = Literal["email", "phone", "card", "iban", "national_id", "secret"]

HIDDEN = "••••••"
"""In place of what is masked entirely."""

_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DASHES = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_FULL_WIDTH = {point: point - 0xFEE0 for point in range(0xFF01, 0xFF5F)}
_PLAIN = _FULL_WIDTH | dict.fromkeys(map(ord, _SPACES), ord(" ")) | dict.fromkeys(map(ord, _DASHES), ord("-"))


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a text; `shown` stands there instead."""

    start: int
    end: int
    kind: Kind
    shown: str = HIDDEN


def plain_spelling(text: str) -> str:
    """`text` with every kind of space and dash, and full-width letters, as ASCII writes them; character for character."""
    return text if text.isascii() else text.translate(_PLAIN)


def scan(pattern: Pattern[str], text: str, judge: Callable[[Match[str]], Span | None]) -> Iterator[Span]:
    """The spans that `judge` makes of the matches. After a match that is none, the search goes on one character further."""
    at = 0
    while (match := pattern.search(text, at)) is not None:
        span = judge(match)
        at = match.start() + 1 if span is None else max(span.end, match.start() + 1)
        if span is not None:
            yield span
