"""What changes in a text, line by line and inside of a line. Owns finding and showing the place; what is left out around it is said.

Of two long texts a card shows the changed lines, and of two long lines what stands around their first difference.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bot.slack.cards.parts.alignment import aligned
from bot.slack.cards.parts.spelling import BAR, in_lines, spelled

_INLINE_MOST = 100
_LINE_MOST = 160
_LEAD = 40
_TOKEN_MOST = 30
_AROUND = 1
_AROUND_LEFT = 3
"""So many lines are not worth leaving out."""
_SIDE_MOST = 6
"""Lines of one side on a card, so that the other one has room."""
_NUMBERED_MOST = 20
_TWINS_MOST = 20
_BESIDE_MOST = 60
"""A line longer than this has its change named once more, by itself."""


def text_difference(old: str, new: str, *, whole: bool) -> tuple[tuple[str, ...], bool]:
    """The lines that stand behind the path of a text that changes, and whether anything of both was left out. `whole`: nothing is."""
    short = max(len(old), len(new)) <= _INLINE_MOST and not any(end in text for text in (old, new) for end in "\r\n")
    if short:
        return (f"{spelled(old)} → {spelled(new)}{_alike(old, new)}",), False
    before, after = in_lines(old), in_lines(new)
    told = _Told(whole)
    for line in _blocks(before.shown, after.shown, told):
        told.lines.append(BAR + line)
    ends = f", {before.ends or 'lines end in LF'} → {after.ends or 'lines end in LF'}" if before.ends != after.ends else ""
    return (f"{_size(old, before.shown)} → {_size(new, after.shown)}{ends}", *told.lines), told.cut


def _alike(old: str, new: str) -> str:
    """The differing characters by number, where two texts may look alike: composed in another way, with characters of another script, or
    with others of the same that many fonts draw alike.
    """
    one, other = (_drawn(text) for text in (old, new))
    if len(one) != len(other) or not all(left == right or _may_pass(left, right) for left, right in zip(one, other, strict=True)):
        return ""
    start = next((place for place, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))
    most = min(len(old), len(new)) - start
    end = next((back for back in range(most) if old[-1 - back] != new[-1 - back]), most)
    pieces = [text[start : len(text) - end] for text in (old, new)]
    numbers = ["".join(f"⟨U+{ord(char):04X}⟩" for char in piece[:_NUMBERED_MOST]) or "nothing" for piece in pieces]
    more = [f" and {len(piece) - _NUMBERED_MOST:,} more" if len(piece) > _NUMBERED_MOST else "" for piece in pieces]
    return f"   (may look alike: {numbers[0]}{more[0]} → {numbers[1]}{more[1]})"


def twin_note(text: str, others: Sequence[str]) -> str:
    """The note where a text may look like one of `others`, of which the first few are looked at; "" where it looks like none."""
    return next(filter(None, (_alike(other, text) for other in others[:_TWINS_MOST] if other != text)), "")


def _drawn(text: str) -> str:
    """A text by what is seen of it, one character for all that are drawn alike, also for two that are drawn as one.

    Source: the prototypes of Unicode's confusable characters (UTS #39, https://www.unicode.org/reports/tr39/) that are in ASCII.
    """
    return re.sub("rn|vv", lambda pair: _PAIRS[pair[0]], unicodedata.normalize("NFKC", text)).translate(_ONE_FOR_ALL)


_PAIRS = {"rn": "m", "vv": "w"}
_ONE_FOR_ALL = str.maketrans("1I|0`", "lllO'")


def _may_pass(one: str, other: str) -> bool:
    """Whether a character could be taken for one of another script: two letters or figures, two marks, of which one is not in ASCII."""
    if one.isascii() and other.isascii():
        return False
    if one.isalnum() and other.isalnum():
        return _script(one) != _script(other)
    kinds = [unicodedata.category(char) for char in (one, other)]
    return all(kind[0] == "P" or kind == "Sm" for kind in kinds)


def _script(char: str) -> str:
    script = unicodedata.name(char, "").partition(" ")[0]
    return "LATIN" if script == "DIGIT" else script


def around(texts: Sequence[str], most: int) -> list[str]:
    """Texts to be held against each other, each at most `most` characters: of long ones what stands around their first difference."""
    if max(map(len, texts), default=0) <= most:
        return list(texts)
    first = next((place for place, chars in enumerate(zip(*texts, strict=False)) if len(set(chars)) > 1), min(map(len, texts)))
    start = max(first - _LEAD, 0) if len(texts) > 1 else 0
    pieces = [text[start : start + most - 2] for text in texts]
    return [
        f"{'…' if start else ''}{piece}{'…' if len(text) > start + len(piece) else ''}" for text, piece in zip(texts, pieces, strict=True)
    ]


class _Told:
    """What is told of a text as it grows."""

    def __init__(self, whole: bool) -> None:  # noqa: FBT001  # one value of one caller
        self.whole = whole
        self.cut = False
        self.lines: list[str] = []

    def window(self, text: str, start: int, end: int) -> str:
        """A line, or of a long one what stands around the places from `start` to `end`."""
        if self.whole or len(text) <= _LINE_MOST:
            return text
        first = max(start - _LEAD, 0)
        last = min(max(end + _LEAD, first + _LINE_MOST), first + 2 * _LINE_MOST, len(text))
        self.cut = self.cut or first > 0 or last < len(text)
        return f"{'… ' if first else ''}{text[first:last]}{' …' if last < len(text) else ''}"


def _size(text: str, lines: Sequence[str]) -> str:
    return f"{len(lines):,} lines" if len(lines) > 1 else f"{len(text):,} characters"


def _blocks(before: Sequence[str], after: Sequence[str], told: _Told) -> Iterator[str]:
    at = beyond = 0
    for i, j in [*_runs(aligned(before, after)), ((len(before), 0), (len(after), 0))]:
        yield from _became(before[at : i[0]], after[beyond : j[0]], told)
        first, last = i[0], i[0] + i[1]
        yield from _same(before[first:last], told, leads=at == first == 0, trails=last == len(before) and j[0] + j[1] == len(after))
        at, beyond = last, j[0] + j[1]


def _runs(pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """(start, length) on either side of what stays, run by run."""
    start = 0
    for place in range(1, len(pairs) + 1):
        if place == len(pairs) or pairs[place] != (pairs[place - 1][0] + 1, pairs[place - 1][1] + 1):
            length = place - start
            yield (pairs[start][0], length), (pairs[start][1], length)
            start = place


def _same(lines: Sequence[str], told: _Told, *, leads: bool, trails: bool) -> Iterator[str]:
    """Lines that stay; only those beside a change, where not the whole is told."""
    after, before = (0 if leads else _AROUND), (0 if trails else _AROUND)
    left = len(lines) - after - before
    if told.whole or left <= _AROUND_LEFT:
        yield from (f"  {told.window(line, 0, 0)}" for line in lines)
        return
    told.cut = True
    yield from (f"  {told.window(line, 0, 0)}" for line in lines[:after])
    yield f"⋯ {left:,} lines stay"
    yield from (f"  {told.window(line, 0, 0)}" for line in lines[len(lines) - before :])


def _became(old: Sequence[str], new: Sequence[str], told: _Told) -> Iterator[str]:
    """Lines that are removed and added; in equal number, each beside what it becomes."""
    if len(old) != len(new):
        for sign, lines, others in (("-", old, ()), ("+", new, old)):
            some = lines if told.whole else lines[:_SIDE_MOST]
            for line in some:
                yield f"{sign} {told.window(line, 0, 0)}{twin_note(line, others)}"
            if len(some) < len(lines):
                told.cut = True
                yield f"⋯ {len(lines) - len(some):,} more such lines"
        return
    for one, other in zip(old, new, strict=True):
        start, end = _place(one, other)
        yield f"- {told.window(one, start, len(one) - end)}"
        yield f"+ {told.window(other, start, len(other) - end)}{_alike(one, other)}"
        if max(len(one), len(other)) > _BESIDE_MOST:
            pieces = [spelled(text[start : len(text) - end]) for text in (one, other)]
            if told.whole or max(map(len, pieces)) <= _INLINE_MOST:
                yield f"  here: {pieces[0]} → {pieces[1]}"


def _place(one: str, other: str) -> tuple[int, int]:
    """How many characters both begin and end with alike, up to whole words and figures."""
    most = min(len(one), len(other))
    start = next((place for place in range(most) if one[place] != other[place]), most)
    end = next((back for back in range(most - start) if one[-1 - back] != other[-1 - back]), most - start)
    return _word(one[:start][::-1], start), _word(one[len(one) - end :], end)


def _word(text: str, size: int) -> int:
    """`size` without the part of a word that the text begins with."""
    part = next((place for place, char in enumerate(text[:_TOKEN_MOST]) if not (char.isalnum() or char in "._-")), 0)
    return size - part
