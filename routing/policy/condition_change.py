"""Whether a changed limit makes a condition hold in more cases or in fewer. Owns that one judgement; everything else it cannot tell.

It knows conditions that are the same but for numbers, each compared by order with something, and joined by `&&`, `||`, `exists` and `all`
only: there a lower limit of `>` holds wherever the higher one did. Whatever else is written is unknown.
"""

import re
from decimal import Decimal
from typing import Literal

Holds = Literal["more", "fewer", "unknown"]

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|(?P<text>[rRbB]{0,2}(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))|(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?u?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}])"""
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ORDERS = ("<", "<=", ">", ">=")
_JOINS = ("&&", "||")
_APART = frozenset({*_ORDERS, "==", "!=", "?", ":", "in", "!"})


def change_of(before: str, after: str) -> Holds:
    """What becomes of a condition: it holds in more cases than before or in as many, in fewer or as many, or nobody can tell."""
    old, new = _tokens(before), _tokens(after)
    if old is None or new is None or len(old) != len(new):
        return "unknown"
    changed = [index for index, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    found = {_moved(old, index, new[index]) for index in changed}
    return found.pop() if len(found) == 1 else "unknown"


def _moved(tokens: list[str], index: int, now: str) -> Holds:
    was = tokens[index]
    if _NUMBER.fullmatch(was) is None or _NUMBER.fullmatch(now) is None or not _positive(tokens, index):
        return "unknown"
    if was.isdigit() != now.isdigit():  # of another type: what could not be compared before may be now, or no longer
        return "unknown"
    left, right = tokens[index - 1] if index else "", tokens[index + 1] if index + 1 < len(tokens) else ""
    lower = Decimal(now) < Decimal(was)
    if left in _ORDERS and _ends(right):
        return "more" if lower == left.startswith(">") else "fewer"
    if right in _ORDERS and (not left or left in (*_JOINS, "(", ",")):
        return "more" if lower == right.startswith("<") else "fewer"
    return "unknown"


def _ends(token: str) -> bool:
    return not token or token in (*_JOINS, ")")


def _positive(tokens: list[str], index: int) -> bool:
    """Whether the comparison at a place makes the whole hold when it holds: nothing around it turns it over, or takes it as a value."""
    first, last = index, index
    depth = 0
    while first > 0 and not (depth == 0 and tokens[first - 1] in (*_JOINS, "(", ",")):
        first -= 1
        depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(tokens[first], 0)
    depth = 0
    while last + 1 < len(tokens) and not (depth == 0 and tokens[last + 1] in (*_JOINS, ")", ",")):
        last += 1
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(tokens[last], 0)
    if sum(token in _APART for token in tokens[first : last + 1]) != 1:  # the comparison itself
        return False
    return _open(tokens, first, last)


def _open(tokens: list[str], first: int, last: int) -> bool:
    """Whether what stands from first to last is joined, at every level around it, in a way that keeps its direction."""
    depth, start = 0, first
    while start > 0 and depth >= 0:
        start -= 1
        depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(tokens[start], 0)
        if depth == 0 and tokens[start] in _APART and not _beside(tokens, start, first):
            return False
    if depth >= 0:
        return not any(token in ("?", ":") for token in tokens)
    end, depth = last, 0
    while end + 1 < len(tokens) and depth >= 0:
        end += 1
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(tokens[end], 0)
    if depth >= 0 or tokens[start] != "(":
        return False
    around = tokens[start - 1] if start else ""
    if around in ("exists", "all") and tokens[start - 2] == ".":
        while start > 0 and tokens[start - 1] not in (*_JOINS, "(", ",", "!"):
            start -= 1
        around = tokens[start - 1] if start else ""
    elif around and around not in (*_JOINS, "(", ","):
        return False
    after = tokens[end + 1] if end + 1 < len(tokens) else ""
    return around != "!" and _ends(after) and _open(tokens, start, end)


def _beside(tokens: list[str], at: int, first: int) -> bool:
    """Whether a join stands between another comparison and ours, on the same level."""
    depth = 0
    for token in tokens[at:first]:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
        if depth == 0 and token in _JOINS:
            return True
    return False


def _tokens(text: str) -> list[str] | None:
    """The tokens of a condition, None for what is no token or stands in a macro that counts."""
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        if token.lastgroup is not None:
            found.append(token[0])
    return None if {"filter", "map", "exists_one", "?"} & set(found) else found
