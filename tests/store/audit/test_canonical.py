"""Canonical JSON and base64: the same bytes as the reference, and no other spelling is taken."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from store.audit.canonical import NotCanonical, decode_base64, encode, parse, parse_all

SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | SAFE | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_canonical_bytes_are_those_of_the_reference(value: object) -> None:
    """Our canonical JSON equals the `rfc8785` library's, comes back, and is recognised alone and among others."""
    data = encode(value)
    assert data == rfc8785.dumps(value)  # type: ignore[arg-type]  # its own alias for JSON
    assert encode(parse(data)) == data
    assert parse_all([data, b"1", data])[1] == 1


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25).map(float))
def test_numbers_are_written_as_ecmascript_does(number: float) -> None:
    """All doubles, the large whole ones included, are spelt as RFC 8785 says."""
    assert encode(number) == rfc8785.dumps(number)
    assert parse(encode(number)) == number


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1,2",
        b"01",
        b"-0",
        b"1.0",
        b"1e2",
        b"1E+2",
        b"0.10",
        b"1e999",
        b"NaN",
        b"Infinity",
        b"9007199254740993",
        b"1" * 5000,
        b'"\\/"',
        b'"\\u0061"',
        b'"\\u000A"',
        b'"\\u001F"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\x01"',
        b'"\x80"',
        b"\xef\xbb\xbf1",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b'{"\xef\xac\xb3":1,"\xf0\x9f\x98\x80":2}',
        b"[" * 60_000,
        b"[" * 60_000 + b"]" * 60_000,
    ],
)
def test_every_other_spelling_is_refused(data: bytes) -> None:
    """Bytes that a JSON parser would take, but that are not the canonical ones, are refused, alone and among others."""
    for batch in ([data], [b"1", data, b"2"]):
        with pytest.raises(NotCanonical):
            parse_all(batch)


def test_keys_are_sorted_by_utf_16_units() -> None:
    """A character beyond U+FFFF sorts before U+FB33, unlike in Python; such leaves are recognised as canonical."""
    data = '{"\U0001f600":2,"\ufb33":1}'.encode()
    assert encode({"\ufb33": 1, "\U0001f600": 2}) == data
    assert parse(data) == {"\ufb33": 1, "\U0001f600": 2}


@pytest.mark.parametrize("batch", [[b'{"a":1},{"b":2}', b"3"], [b'{"a":[1', b"2]}", b'{"b":1},{"c":2}'], [b"[", b"]"], [b"1,2"]])
def test_values_are_not_recognised_across_items(batch: list[bytes]) -> None:
    """Items that are JSON only when put together are refused."""
    with pytest.raises(NotCanonical):
        parse_all(batch)


def test_what_json_cannot_hold_has_no_canonical_form() -> None:
    """Unsafe integers, infinities, lone surrogates, endless nesting and foreign objects are refused."""
    endless: list[object] = []
    endless.append(endless)
    for value in (2**53, -(2**53), float("inf"), float("nan"), "\ud800", {"\udfff": 1}, {1: 1}, b"bytes", {1}, endless):
        with pytest.raises(NotCanonical):
            encode(value)


@pytest.mark.parametrize("text", ["AA", "AB==", "AAA", "A A=", "AA==\n", "é", "-_==", "AAAA===="])
def test_only_one_spelling_of_base64_is_read(text: str) -> None:
    """Spare bits, white space and other alphabets are refused."""
    assert decode_base64("AA==") == b"\0"
    with pytest.raises(NotCanonical):
        decode_base64(text)


@given(st.binary(max_size=40))
def test_reading_never_raises_anything_else(data: bytes) -> None:
    """Any bytes are canonical JSON, or our error."""
    try:
        assert encode(parse(data)) == data
    except NotCanonical:
        assert data != b"null"
