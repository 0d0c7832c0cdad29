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
from enum import StrEnum

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

Examine = Callable[[Mapping[str, object]], str]
"""What is to be remarked about an event, if anything. It may depend on which keys there are, on the event's kind and its actor's, and for
each other value by itself on whether it is null, empty, zero or false; not on those that the event says of itself, nor on items of a list.
"""

_PLAIN = re.compile(rb"[ -\[\]-~]*+")
_CHARACTER = r"[ !#-\[\]-~]"
_TEXT = f"{_CHARACTER}{_CHARACTER}*+"
_ITEM = f'(?:"{_CHARACTER}*+"|0|-?[1-9][0-9]{{0,14}}+|null|true|false)'
_SAID = {"id": f'"(?P<id>{_TEXT})"', "index": "(?P<index>0|[1-9][0-9]{0,14}+)", "time": f'"(?P<time>{_TEXT})"', "v": str(LEAF_VERSION)}
_KINDS = (("event",), ("actor", "kind"))
"""Where it stands of which kind an event and its actor are; what is known of one kind is not known of another."""

_KIND = b'"event":"'
_Path = tuple[str | int, ...]


class _Plain(StrEnum):
    """What a value without values of their own in it may be, as far as an `Examine` may tell them apart, and how it is spelt."""

    TEXT = f'"{_TEXT}"'
    EMPTY = '""'
    NULL = "null"
    ZERO = "0"
    WHOLE = "-?[1-9][0-9]{0,14}+"
    FRACTION = r"(-?(?:0\.|[1-9])[0-9.e+-]*+)"  # whole ones too
    TRUE = "true"
    FALSE = "false"
    LIST = rf"\[{_ITEM}(?:,{_ITEM})*\]"
    NO_ITEMS = r"\[\]"


def nothing(_leaf: Mapping[str, object]) -> str:
    """Examine no event."""
    return ""


class Shapes:
    """The shapes learnt so far."""

    def __init__(self) -> None:
        self._kinds = dict[bytes, _Kind]()
        self._made = 0
        self._unknown = 0

    def read(self, entry: bytes) -> Said | None:
        """What these bytes say if they have a known shape: then they are canonical, no `KEY_ROTATED`, and nothing is to be remarked."""
        if (kind := self._kinds.get(_kind(entry))) is not None:
            for shape in kind.shapes.values():
                if (said := shape.read(entry)) is not None:
                    return said
        return None

    def learn(self, entry: bytes, leaf: Mapping[str, object]) -> None:
        """Be shown an event that has no known shape and about which nothing is to be remarked: its canonical bytes and what they hold."""
        self._unknown += 1
        if self._unknown % LEARNT_OF == 0 and self._made < MOST_MADE and _can_be_learnt(entry, leaf):
            self._made += 1
            self._kinds.setdefault(_kind(entry), _Kind()).learn(leaf)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The expression, and which of its groups, counted from 0, are id, index, time, and fractions, whose spelling has to be looked at."""

    pattern: re.Pattern[bytes]
    said: tuple[int, int, int]
    fractions: tuple[int, ...]

    @classmethod
    def of(cls, expression: str) -> "_Shape":
        pattern = re.compile(expression.encode())
        name, index, time = (pattern.groupindex[key] - 1 for key in ("id", "index", "time"))
        return cls(pattern, (name, index, time), tuple({*range(pattern.groups)} - {name, index, time}))

    def read(self, entry: bytes) -> Said | None:
        if (match := self.pattern.fullmatch(entry)) is None:
            return None
        groups = match.groups()
        for fraction in self.fractions:
            if (token := groups[fraction]) is not None and not is_canonical_number(token.decode()):
                return None
        name, index, time = self.said
        return LEAF_VERSION, int(groups[index]), groups[name].decode(), groups[time].decode()


@dataclass(frozen=True, slots=True)
class _Kind:
    """Shapes of one kind of event, by which values stand where, and what was seen in each plain one's place."""

    shapes: dict[frozenset[object], _Shape] = field(default_factory=dict)
    seen: dict[_Path, set[_Plain]] = field(default_factory=dict)

    def learn(self, leaf: Mapping[str, object]) -> None:
        places = set[object]()
        expression = _object({key: _SAID.get(key) or self._value((key,), value, places) for key, value in leaf.items()})
        structure = frozenset(places)
        if len(self.shapes) < MOST_OF_A_KIND or structure in self.shapes:
            self.shapes[structure] = _Shape.of(expression)

    def _value(self, path: _Path, value: object, places: set[object]) -> str:
        """The expression for this value and what was seen in its place before. Adds to the places."""
        match value:
            case str() if path in _KINDS:
                places.add((path, value))
                return f'"{re.escape(value)}"'
            case dict():
                places.add((path, dict))
                return _object({key: self._value((*path, key), inner, places) for key, inner in value.items()})
            case list() if not all(item is None or isinstance(item, str | int) for item in value):
                places.add((path, list))
                return rf"\[{','.join(self._value((*path, place), item, places) for place, item in enumerate(value))}\]"
            case _:
                places.add(path)
                seen = self.seen.setdefault(path, set())
                seen.add(_plain(value))
                parts = [plain for plain in _Plain if plain in seen and (plain is not _Plain.WHOLE or _Plain.FRACTION not in seen)]
                return f"(?:{'|'.join(parts)})" if len(parts) > 1 else parts[0]


def _plain(value: object) -> _Plain:
    match value:
        case None:
            return _Plain.NULL
        case bool():
            return _Plain.TRUE if value else _Plain.FALSE
        case str():
            return _Plain.TEXT if value else _Plain.EMPTY
        case int() | float() if value == 0:
            return _Plain.ZERO
        case int():
            return _Plain.WHOLE
        case float():
            return _Plain.FRACTION
        case _:
            return _Plain.LIST if value else _Plain.NO_ITEMS


def _object(members: Mapping[str, str]) -> str:
    """The expression of an object, from those of its members."""
    parts = ",".join(f'"{re.escape(key)}":{part}' for key, part in members.items())
    return rf"\{{{parts}\}}"


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
        and leaf.get("event") == _kind(entry).decode() != KEY_ROTATED
    )
