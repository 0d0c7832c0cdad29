"""Looking for words in text as a person would: case, width and invisible characters do not matter, parts of words are no find.

Owns what counts as the same text; never knows why somebody looks.
"""

import re
from unicodedata import normalize

_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
"""Characters that join, part or turn text and show nothing; between two letters they would hide a word."""

_APOSTROPHES = re.compile("[\u2018\u2019\u02bc]")

_UNSPACED = 0x2E80
"""From here on (CJK radicals and what follows) scripts put no space between words, or glue particles to them."""


def folded(text: str) -> str:
    """The text as it is compared: NFKC, case-folded (Unicode 3.13, D145 and D147), without invisible characters, one space at a time."""
    if not text.isascii():
        text = _APOSTROPHES.sub("'", normalize("NFKC", normalize("NFKC", _INVISIBLE.sub("", text)).casefold()))
    return " ".join(text.casefold().split())


def holds(text: str, term: str) -> bool:
    """Whether a folded text holds a folded term as words of its own; where words are not spaced, anywhere."""
    at = text.find(term) if term else -1
    while at >= 0:
        if _ends(text, at, term[0], before=True) and _ends(text, at + len(term), term[-1], before=False):
            return True
        at = text.find(term, at + 1)
    return False


def _ends(text: str, at: int, edge: str, *, before: bool) -> bool:
    """Whether a find that begins or ends at `at` with the character `edge` does not cut through a word."""
    if not edge.isalnum() or ord(edge) >= _UNSPACED:
        return True
    beside = at - 1 if before else at
    return not 0 <= beside < len(text) or not (text[beside].isalnum() or text[beside] == "_")
