"""Which elements of a longer and a shorter sequence are the same ones: what a difference of lists, and of the lines of a text, stands on.

Owns the pairing. It never knows what the elements are: they come as texts, equal where they are the same.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

_CLOSELY = 40_000
"""Pairs of elements that are compared with each other; above that only what occurs once holds both sides together."""
_IN_ALL = 10 * _CLOSELY
"""The same for all stretches between what occurs once: a few tenths of a second, whatever somebody sends."""


def aligned(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places (in `old`, in `new`) of equal elements, rising in both: what stays where it is when one becomes the other."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    inside = [(start + i, start + j) for i, j in _inside(left, right)]
    tail = [(len(old) - back, len(new) - back) for back in range(end, 0, -1)]
    return [*((place, place) for place in range(start)), *inside, *tail]


def rising(places: Sequence[int]) -> set[int]:
    """Positions of a longest run of `places` that rises (patience sorting); the others are those that moved."""
    tops: list[int] = []
    piles: list[int] = []
    below: list[int] = []
    for position, place in enumerate(places):
        pile = bisect_left(tops, place)
        below.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [place]
        piles[pile : pile + 1] = [position]
    at, found = (piles[-1] if piles else -1), set()
    while at >= 0:
        found.add(at)
        at = below[at]
    return found


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many elements both begin with."""
    most = min(len(left), len(right))
    return next((place for place in range(most) if left[place] != right[place]), most)


def _inside(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    if len(left) * len(right) <= _CLOSELY:
        return _close(left, right)
    found: list[tuple[int, int]] = []
    at_left = at_right = spent = 0
    for i, j in [*_anchors(left, right), (len(left), len(right))]:
        cost = (i - at_left) * (j - at_right)
        if cost <= _CLOSELY and spent + cost <= _IN_ALL:
            spent += cost
            found += [(at_left + a, at_right + b) for a, b in _close(left[at_left:i], right[at_right:j])]
        found += [(i, j)] if i < len(left) else []
        at_left, at_right = i + 1, j + 1
    return found


def _close(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    if not left or not right:
        return []
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    return [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]


def _anchors(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """What stands once on either side, as far as it is in the same order."""
    once, here = Counter(left), Counter(right)
    where = {text: place for place, text in enumerate(right) if here[text] == 1}
    pairs = [(place, where[text]) for place, text in enumerate(left) if once[text] == 1 and text in where]
    kept = rising([j for _, j in pairs])
    return [pair for position, pair in enumerate(pairs) if position in kept]
