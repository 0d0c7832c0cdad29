"""The shapes of events: those of one kind have the same keys, so that one regular expression tells that the bytes of any are canonical.

Owns what is learnt of the events of one log. It only ever says yes: what matches a shape is RFC 8785 by construction (the keys are those
of an event that was found canonical, no string has anything to escape, a number has its one spelling), and what matches none is not
judged here but read as a whole (store.audit.canonical). Standard library only.

Possessive quantifiers stand behind single characters only: behind groups, early releases of Python 3.11 match what they should not. No
expression has two ways to match the same bytes, so that none looks for a second one for long.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from store.audit.canonical import is_canonical_number

LEAF_VERSION = 1
KEY_ROTATED = "key_rotated"
"""The kind of event whose fields are looked at; it is always read as a whole."""

LEARNT_OF = 64
"""Of so many events without a shape one is learnt: making an expression costs as much as reading some dozens of events."""

MOST_MADE = 256
MOST_OF_A_KIND = 6
LONGEST = 8_192
MOST_BRACKETS = 64
"""What a hostile log can make of it: expressions made, tried on one event, and the length and depth of an event that is learnt."""

Said = tuple[object, object, object, object]
"""What an event says of itself: its `v`, `index`, `id` and `time`."""

_PLAIN = re.compile(rb"[ -\[\]-~]*+")
_CHARACTER = r"[ !#-\[\]-~]"
_SCALARS = {str: f'"{_CHARACTER}*+"', type(None): "null", int: "0|-?[1-9][0-9]{0,14}+", bool: "true|false", float: "(-?[0-9][0-9.e+-]*+)"}
_ITEM = f"(?:{'|'.join(part for kind, part in _SCALARS.items() if kind is not float)})"
_LIST = rf"\[(?:{_ITEM}(?:,{_ITEM})*)?\]"
_SAID = {
    "id": f'"(?P<id>{_CHARACTER}{_CHARACTER}*+)"',
    "index": f"(?P<index>{_SCALARS[int]})",
    "time": f'"(?P<time>{_CHARACTER}*+)"',
    "v": str(LEAF_VERSION),
}
_KIND = b'"event":"'

_Path = tuple[str | int, ...]
_Place = tuple[_Path, type | None]
"""Where a value stands, and whether it is an object, a list or a scalar (None)."""


class Shapes:
    """The shapes learnt so far."""

    def __init__(self) -> None:
        self._kinds = dict[bytes, _Kind]()
        self._made = 0
        self._unknown = 0

    def read(self, entry: bytes) -> Said | None:
        """What canonical bytes of a known shape say, which are no `KEY_ROTATED`; else None."""
        if (kind := self._kinds.get(_kind(entry))) is not None:
            for shape in kind.shapes.values():
                if (said := shape.read(entry)) is not None:
                    return said
        return None

    def learn(self, entry: bytes, leaf: Mapping[str, object]) -> None:
        """Be shown an event that has no known shape: its bytes, found canonical, and what they hold."""
        self._unknown += 1
        if self._unknown % LEARNT_OF == 0 and self._made < MOST_MADE and _can_be_learnt(entry, leaf):
            self._made += 1
            self._kinds.setdefault(_kind(entry), _Kind()).learn(leaf)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The expression, and which of its groups are fractions, whose spelling has to be looked at."""

    pattern: re.Pattern[bytes]
    fractions: tuple[int, ...]

    @classmethod
    def of(cls, expression: str) -> "_Shape":
        pattern = re.compile(expression.encode())
        return cls(pattern, tuple(set(range(1, pattern.groups + 1)) - set(pattern.groupindex.values())))

    def read(self, entry: bytes) -> Said | None:
        if (match := self.pattern.fullmatch(entry)) is None:
            return None
        for group in self.fractions:
            if (fraction := match[group]) is not None and not is_canonical_number(fraction.decode()):
                return None
        return LEAF_VERSION, int(match["index"]), match["id"].decode(), match["time"].decode()


@dataclass(frozen=True, slots=True)
class _Kind:
    """Shapes of one kind of event by where their values stand, and of which types each scalar was seen."""

    shapes: dict[frozenset[_Place], _Shape] = field(default_factory=dict)
    types: dict[_Path, set[type]] = field(default_factory=dict)

    def learn(self, leaf: Mapping[str, object]) -> None:
        places = set[_Place]()

        def said(path: _Path, value: object) -> str:
            return f'"{re.escape(str(value))}"' if path == ("event",) else _SAID.get(str(path[0])) or scalars(path, value)

        def scalars(path: _Path, value: object) -> str:
            places.add((path, type(value) if isinstance(value, dict | list) else None))
            match value:
                case dict():
                    return _object(value, path, scalars)
                case list() if all(item is None or isinstance(item, str | int) for item in value):
                    return _LIST
                case list():
                    return rf"\[{','.join(scalars((*path, place), item) for place, item in enumerate(value))}\]"
                case _:
                    types = self.types.setdefault(path, set())
                    types.add(type(value))
                    parts = "|".join(part for kind, part in _SCALARS.items() if kind in types and not (kind is int and float in types))
                    return f"(?:{parts})" if "|" in parts else parts

        expression = _object(leaf, (), said)
        structure = frozenset(places)
        if len(self.shapes) < MOST_OF_A_KIND or structure in self.shapes:
            self.shapes[structure] = _Shape.of(expression)


def _object(value: Mapping[str, object], path: _Path, part: Callable[[_Path, object], str]) -> str:
    """The expression of an object, from the part of each of its members."""
    return r"\{" + ",".join(f'"{re.escape(key)}":{part((*path, key), inner)}' for key, inner in value.items()) + r"\}"


def _kind(entry: bytes) -> bytes:
    """Which shapes to try: a hint, whatever stands there."""
    start = entry.find(_KIND) + len(_KIND)
    return entry[start : entry.find(b'"', start)]


def _can_be_learnt(entry: bytes, leaf: Mapping[str, object]) -> bool:
    return (
        len(entry) <= LONGEST
        and entry.count(b"{") + entry.count(b"[") <= MOST_BRACKETS
        and _PLAIN.fullmatch(entry) is not None
        and type(leaf.get("v")) is int
        and leaf["v"] == LEAF_VERSION
        and type(leaf.get("index")) is int
        and isinstance(leaf.get("id"), str)
        and isinstance(leaf.get("time"), str)
        and isinstance(leaf.get("event"), str)
        and leaf["event"] != KEY_ROTATED
    )
