"""Characters that a reader does not see: which there are, and which of them honest writing needs where they stand.

Owns that judgement, in the context of a text: the same joiner that Persian is spelled with hides between Latin letters. It never decides
what is shown instead. Sources: UTS #51 (emoji sequences), RFC 5892 appendix A (joiners), UAX #9 (direction), UTS #37 (ideographs).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that draw nothing (Unicode 16, Default_Ignorable_Code_Point, plus the empty braille cell)."""

_DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are drawn, such as the end of a verse (Prepended_Concatenation_Mark)."""


WIDE_BLANK = "\u3000"
"""The blank of ideographs."""


@lru_cache(4_096)
def hidden(char: str) -> bool:
    """Whether a character draws nothing, or changes how its neighbours are drawn."""
    point = ord(char)
    if char in "\n\t" or char in _DRAWN:
        return False
    if 0xFE00 <= point <= 0xFE0F or 0x180B <= point <= 0x180F or 0xE0000 <= point <= 0xE0FFF:
        return True  # variation selectors and tags: they can carry a whole hidden text
    return char in _BLANK or unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def needed(text: str) -> set[int]:
    """Where in `text` an invisible character, or the blank of ideographs, stands as honest writing has it: leaving it deceives nobody."""
    inside = (place for match in _SEQUENCES.finditer(text) for place in range(*match.span()))
    found = {place for place in inside if hidden(text[place]) or text[place] == WIDE_BLANK}
    found |= set(_hyphens(text))
    start = 0
    for line in text.split("\n"):
        found |= {start + place for place in _directions(line)}
        start += len(line) + 1
    return found


def _class(*ranges: tuple[int, int], kinds: str = "LMN") -> str:
    """The inside of a character class: what is drawn of these ranges and belongs to a general category of these kinds."""
    chars = (chr(point) for first, last in ranges for point in range(first, last + 1))
    return "".join(re.escape(char) for char in chars if unicodedata.category(char)[0] in kinds and not hidden(char))


_JOINING = _class(
    (0x600, 0xDFF), (0xF00, 0x109F), (0x1780, 0x18AA), (0x1B00, 0x1B7F), (0xA840, 0xA9DF), (0xFB50, 0xFDFB), (0x1E900, 0x1E95F)
)
"""Letters, marks and digits of scripts whose letters join or stack: Arabic, Syriac, N'Ko, those of India and beyond, Mongolian, Adlam."""
_CURSIVE = _class((0x620, 0x7FF), (0x840, 0x8FF), kinds="L")
_VIRAMA = "".join(char for char in map(chr, range(0x900, 0xE00)) if unicodedata.combining(char) == 9)
_UNSPACED = _class((0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Thai, Lao, Burmese and Khmer are written without blanks; U+200B says where a word may end."""
_MONGOLIAN = _class((0x1820, 0x18AA))
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_EASTERN = _HAN + "\u3001-\u303f\u3041-\u312f\u3131-\u3163\u3165-\u318f\u31a0-\u31ff\uac00-\ud7a3\uff01-\uff9f"
_EMOJI = "\xa9\xae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299"
_EMOJI += "\u2190-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
_TONE = "\U0001f3fb-\U0001f3ff"
_ONE_EMOJI = f"[{_EMOJI}](?:[\ufe0e\ufe0f]|[{_TONE}])?"


def _tagged(region: str) -> str:
    """A region as tag characters, with the one that ends them."""
    return "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"


_SEQUENCES = re.compile(
    "|".join(
        (
            rf"\U0001f3f4(?:{'|'.join(map(_tagged, ('gbeng', 'gbsct', 'gbwls')))})",  # the only ones recommended (RGI)
            rf"{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*",
            r"[0-9#*]\ufe0f\u20e3",
            rf"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])",
            rf"(?<=[{_CURSIVE}{_VIRAMA}])\u200d(?=[\s.,)/\u060c]|$)",  # the joined form of a last letter, as in abbreviations
            rf"(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])",
            rf"(?<=[{_MONGOLIAN}])[\u180b-\u180f](?=[{_MONGOLIAN}\s]|$)",
            rf"(?<=[{_HAN}])[\ufe00-\ufe02\U000e0100-\U000e010f]",  # another drawing of the same ideograph, as in names
            rf"(?<=[{_EASTERN}]){WIDE_BLANK}+(?=\S)|(?<!{WIDE_BLANK}){WIDE_BLANK}+(?=[{_EASTERN}])",
        )
    )
)

_SOFT_HYPHEN = "\u00ad"
_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}+(?:\u00ad[^\W\d_]{2,}+)+")
_LONG_WORD = 10
"""Letters of a word that somebody breaks; in a shorter one, or in a text of one word, a soft hyphen only makes it another."""


def _hyphens(text: str) -> Iterator[int]:
    """Soft hyphens inside long words of running text."""
    if _SOFT_HYPHEN not in text or len(text.split()) < 2:
        return
    for match in _WORD.finditer(text):
        around = text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
        letters = len(match[0].replace(_SOFT_HYPHEN, ""))
        if letters >= _LONG_WORD and not any(char in "@./:\\_=" + _SOFT_HYPHEN or char.isdigit() for char in around.rstrip(".:")):
            yield from (match.start() + place for place, char in enumerate(match[0]) if char == _SOFT_HYPHEN)


_MARKS = frozenset("\u200e\u200f\u061c")
_OPENING = {"\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069", "\u202a": "\u202c", "\u202b": "\u202c"}
"""What turns the direction for a while, and what ends it. The overrides U+202D and U+202E turn letters themselves round: never honest."""
_DIRECTIONS = _MARKS | _OPENING.keys() | set(_OPENING.values())


def _directions(line: str) -> Iterable[int]:
    """Marks of direction in a line that is mostly written from right to left; a turn has to end in it, around something, and alone."""
    if _DIRECTIONS.isdisjoint(line):
        return ()
    ways = [unicodedata.bidirectional(char) for char in line]
    if sum(way in {"R", "AL"} for way in ways) < max(ways.count("L"), 1):
        return ()
    found: list[int] = []
    opened: int | None = None
    for place, char in enumerate(line):
        if char in _MARKS:
            if not (0 < place < len(line) - 1 and ways[place - 1] == ways[place + 1] == "L"):
                found.append(place)
        elif char in _OPENING:
            if opened is not None:
                return ()
            opened = place
        elif char in _DIRECTIONS:
            if opened is None or char != _OPENING[line[opened]] or place - opened < 2:
                return ()
            found += [opened, place]
            opened = None
    return found if opened is None else ()
