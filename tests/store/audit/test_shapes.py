"""A shape says yes only where reading the whole event says the same, and says yes of the events that a log is made of."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from re import Pattern
from re import compile as compile_pattern
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from store.audit.canonical import NotCanonical, parse
from store.audit.shapes import LEARNT_OF, MOST_MADE, MOST_OF_A_KIND, Said, Shapes
from tests.checkout import GOLDEN
from tests.examples_drawn import examples
from tests.store.audit.small_log import a_leaf

SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(max_codepoint=126, min_codepoint=31), max_size=4) | st.text(max_size=3)
SCALAR = st.none() | st.booleans() | SAFE | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=12)
FIELDS = st.dictionaries(TEXT | st.sampled_from(["id", "index", "time", "v", "event", "a", "z"]), VALUE, max_size=5)
OWN = st.fixed_dictionaries(
    {}, optional={"v": SCALAR, "index": SCALAR, "id": SCALAR, "time": SCALAR, "event": st.just("key_rotated") | SCALAR, "fields": VALUE}
)
PIECES = [
    b'"',
    b"\\",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"-",
    b"0",
    b".0",
    b"e",
    b"E+",
    b" ",
    b"\n",
    b"\x7f",
    b"\x80",
    b"null",
    b"true",
    b"1.50",
]


def shown(*entries: bytes) -> Shapes:
    """Shapes after these events, each of which is learnt if it can be."""
    shapes = Shapes()
    for entry in entries:
        leaf = json.loads(entry)
        for _ in range(LEARNT_OF):
            shapes.learn(entry, leaf)
    return shapes


def read_whole(entry: bytes) -> Said | None:
    """The judgement that a shape must not contradict."""
    try:
        leaf = parse(entry)
    except NotCanonical:
        return None
    if not isinstance(leaf, dict) or leaf.get("event") == "key_rotated":
        return None
    return leaf.get("v"), leaf.get("index"), leaf.get("id"), leaf.get("time")


def same(fast: Said | None, entry: bytes) -> bool:
    """Whether a shape said nothing, or the same as reading the whole, to the type."""
    return fast is None or repr(fast) == repr(read_whole(entry))


def damaged(entry: bytes, lot: Random) -> Iterator[bytes]:
    """Bytes that are nearly these: one place replaced, filled, emptied, repeated or exchanged with another."""
    for _ in range(40):
        start = lot.randrange(len(entry))
        end = min(len(entry), start + lot.choice([0, 1, 1, 2, 7]))
        other = lot.randrange(len(entry))
        piece = lot.choice(
            [b"", lot.choice(PIECES), bytes([lot.randrange(256)]), entry[other : other + lot.randrange(9)], entry[start:end] * 2]
        )
        yield entry[:start] + piece + entry[end:]


@settings(max_examples=examples(60))
@given(FIELDS, OWN, FIELDS, OWN, st.randoms(use_true_random=False))
def test_a_shape_never_says_yes_where_reading_says_no(
    fields: dict[str, Any], own: dict[str, Any], others: dict[str, Any], their: dict[str, Any], lot: Random
) -> None:
    """Of any JSON, learnt from any other, and of whatever comes of damaging it, both ways of judging tell the same."""
    first, second = a_leaf(7, **fields | own), a_leaf(8, **others | their)
    shapes = shown(first, second, a_leaf(9))
    for entry in (first, second, a_leaf(9)):
        assert same(shapes.read(entry), entry)
        for bytes_like_it in damaged(entry, lot):
            assert same(shapes.read(bytes_like_it), bytes_like_it)


@settings(max_examples=examples(60))
@given(VALUE, VALUE)
def test_values_of_other_types_where_a_shape_has_one(value: object, other: object) -> None:
    """Every value in the place of every other is judged as by reading, and once it was learnt with it, known."""
    first, second = a_leaf(1, fields={"a": value, "b": 1}), a_leaf(2, fields={"a": other, "b": 1})
    shapes = shown(first)
    assert same(shapes.read(second), second)
    shapes = shown(first, second)
    for entry in (first, second):
        known = shapes.read(entry)
        assert same(known, entry)
        assert (known is not None) == (shown(entry).read(entry) is not None), "learning one kept the other from being known"


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 17))
def test_fractions_have_one_spelling(number: float, digits: int) -> None:
    """Whatever digits stand where a fraction stood: only those that RFC 8785 gives are taken."""
    shapes = shown(a_leaf(1, fields={"share": 0.5}))
    for spelling in (
        rfc8785.dumps(number).decode(),
        repr(number),
        f"{number:.{digits}f}",
        f"{number:.{digits}e}",
        f"0{number}",
        f"{number}0",
    ):
        entry = a_leaf(2, fields={"share": 0.5}).replace(b"0.5", spelling.encode())
        assert same(shapes.read(entry), entry)
    assert shapes.read(a_leaf(2, fields={"share": number})) is not None or number == 0 or abs(number) > 2**53


@pytest.mark.parametrize("place", [b"in a string", b"in a list", b"in a key", b"e7", b"2026-11-20T00:00:07.000000Z", b"opened", b"c1"])
def test_every_byte_in_every_string(place: bytes) -> None:
    """At the beginning, inside and at the end of every string, keys included: what has to be escaped, or is no character, is not taken."""
    entry = a_leaf(7, fields={"a": "in a string", "b": ["in a list", 1], "in a key": 1})
    shapes = shown(entry)
    for byte in range(256):
        for spelling in (bytes([byte]), b"\\" + bytes([byte]), b"\\u%04x" % byte):
            for at in (0, 1, len(place)):
                other = entry.replace(place, place[:at] + spelling + place[at:])
                assert same(shapes.read(other), other)


@pytest.mark.parametrize("key", ['"', "\\", "\n", "\x1f", "\x7f", "é", "\u2028", "\U0001f600"])
def test_keys_that_have_something_to_escape_are_not_learnt(key: str) -> None:
    """Whatever stands for the key afterwards: no spelling of it is taken that reading would refuse."""
    entry = a_leaf(1, fields={key: 1, "a": 2})
    shapes, written = shown(entry), rfc8785.dumps(key)[1:-1]
    for spelling in (written, key.encode(), b"\\u%04x" % ord(key[0])):
        other = entry.replace(b'"%s":1' % written, b'"%s":1' % spelling)
        assert same(shapes.read(other), other)


ALIKE: list[list[Any]] = [["x", "other"], [""], [None], [0], [1, -5, 10**15 - 1], [True], [False], [[]], [["x"], [1, None, "", True]]]
ALIKE += [[0.5, -1e-7, 1e22], [{}], [{"x": 1}, {"x": 2}], [[[]]], [[{"x": 1}], [{"x": 3}]]]
"""Values that nobody may tell apart by whether they are null, empty, zero or false."""


@pytest.mark.parametrize("alike", ALIKE, ids=repr)
def test_what_was_learnt_is_known_and_nothing_else(alike: list[Any]) -> None:
    """In the place of a value, those like it are known and no others: they may be worth a remark. Where several were seen, all are."""
    known = shown(a_leaf(1, fields={"a": alike[0]}))
    assert all(known.read(a_leaf(2, fields={"a": value})) for value in alike)
    for others in ALIKE:
        if others is not alike and not (isinstance(alike[0], float) and others[0] == 1):  # where fractions stand, whole numbers may
            assert not any(known.read(a_leaf(2, fields={"a": value})) for value in others)
        both = shown(a_leaf(1, fields={"a": alike[0]}), a_leaf(1, fields={"a": others[0]}))
        assert all(both.read(a_leaf(2, fields={"a": value})) for value in [*alike, *others])


@pytest.mark.parametrize(
    "spelling", ["0", "1", "-1", "-0", "01", "00", "+1", "1.0", "1e3", "9" * 15, "9" * 16, str(2**53), "1" * 400, "", "-"]
)
def test_whole_numbers_have_one_spelling(spelling: str) -> None:
    """Wherever a whole number stood, the event's own index included."""
    shapes = shown(a_leaf(5, fields={"tier": 5, "tiers": [5, "a", None]}), a_leaf(5, fields={"tier": 0, "tiers": []}))
    for place in (b'"tier":5', b"[5", b'"index":5', b'"v":1'):
        entry = a_leaf(5, fields={"tier": 5, "tiers": [5, "a", None]}).replace(place, place[:-1] + spelling.encode())
        assert same(shapes.read(entry), entry)


def test_the_events_of_a_log_are_known(tmp_path: Path) -> None:
    """Every event that the golden log holds is known once it was learnt, whatever its strings, and never a rotation of the key."""
    for text in json.loads((GOLDEN / "log-v1.json").read_bytes())["leaves"]:
        leaf = json.loads(text)
        shapes = shown(text.encode())
        known = shapes.read(rfc8785.dumps(leaf | {"id": "another", "index": 12_345, "time": "2027-01-01T00:00:00.5Z"}))
        assert (known == (1, 12_345, "another", "2027-01-01T00:00:00.5Z")) == (text.isascii() and "\\" not in text)
    rotation = a_leaf(1, event="key_rotated", fields={})
    assert shown(rotation).read(rotation) is None


def test_few_events_are_not_learnt_from() -> None:
    """A log of a few events is not worth an expression; of many like each other one is made."""
    shapes = Shapes()
    for index in range(LEARNT_OF - 1):
        shapes.learn(a_leaf(index), json.loads(a_leaf(index)))
    assert shapes.read(a_leaf(9)) is None
    shapes.learn(a_leaf(9), json.loads(a_leaf(9)))
    assert shapes.read(a_leaf(10)) == (1, 10, "e10", "2026-11-20T00:00:10.000000Z")


def test_what_a_hostile_log_can_make_of_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that are all different, long or deep make a bounded number of expressions, and few are tried on each event."""
    made = list[bytes]()

    def counted(pattern: bytes) -> Pattern[bytes]:
        made.append(pattern)
        return compile_pattern(pattern)

    monkeypatch.setattr("store.audit.shapes.re.compile", counted)
    nested: object = 1
    for _ in range(100):
        nested = [nested]
    entries = [a_leaf(0, fields={"long": "x" * 10_000}), a_leaf(0, fields={"deep": nested})]
    entries += [a_leaf(0, fields={f"key{number}": number}) for number in range(20)]
    entries += [a_leaf(0, event=f"kind{number}") for number in range(MOST_MADE + 20)]
    shown(*entries)
    assert MOST_OF_A_KIND < len(made) <= MOST_MADE
    assert sum(b"key" in pattern for pattern in made) == MOST_OF_A_KIND
    assert max(map(len, made)) < 10_000
