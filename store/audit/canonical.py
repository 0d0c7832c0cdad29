"""Canonical encodings with the standard library alone: JSON after RFC 8785 and base64 after RFC 4648 section 3.5.

Owns two questions: what are the canonical bytes of a value, and are these bytes canonical. It never decides what a value means. It is
here, beside the faster libraries used elsewhere, because offline verification must need nothing but Python and Ed25519.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from math import isfinite

MAX_SAFE_INTEGER = (1 << 53) - 1
"""Beyond this an integer does not survive an IEEE 754 double (RFC 8785 section 3.2.2.3, I-JSON RFC 7493 section 2.2)."""


class NotCanonical(ValueError):
    """The bytes are not in canonical form, or the value has none."""


def encode(value: object) -> bytes:
    """RFC 8785 bytes of a JSON value. Raises NotCanonical for what JSON cannot hold (NaN, unsafe integers, lone surrogates)."""
    try:
        return _encode(value).encode()
    except (UnicodeEncodeError, RecursionError) as problem:
        raise NotCanonical(str(problem)) from problem


def parse(data: bytes) -> object:
    """The value these bytes hold. Raises NotCanonical unless they are exactly its RFC 8785 form."""
    return parse_all([data])[0]


def parse_all(batch: Sequence[bytes]) -> list[object]:
    """The value of each item. Raises NotCanonical if any is not exactly RFC 8785. One call for many is several times faster."""
    try:
        texts = [data.decode() for data in batch]
        values = [_parse_text(text) for text in texts]
        joined = ",".join(texts)
        # JSON values delimit themselves and each text is one whole value, so equality of the joined texts is equality of each.
        # Python sorts keys by code point, RFC 8785 by UTF-16 unit; the two differ only where characters beyond U+FFFF occur.
        if (joined.isascii() or max(joined) <= "\uffff") and _FAST.encode(values) == f"[{joined}]":
            return values
        if all(encode(value) == data for value, data in zip(values, batch, strict=True)):
            return values
    except (ValueError, RecursionError) as problem:
        raise NotCanonical(str(problem)) from problem
    raise NotCanonical


def is_canonical_number(token: str) -> bool:
    """Whether a token of a JSON number's characters is how RFC 8785 spells the double that it is read as."""
    try:
        number = float(token)
        return (repr(number) == token and "e" not in token and token[-2:] != ".0") or _format_number(number) == token
    except ValueError:
        return False


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64. Raises NotCanonical for any spelling but the one an encoder gives."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as problem:
        raise NotCanonical(str(problem)) from problem
    if b64encode(data).decode() != text:
        raise NotCanonical
    return data


def _parse_text(text: str) -> object:
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise NotCanonical
    return value


def _canonical_integer(token: str) -> int | float:
    number = int(token)
    return number if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER else _canonical_float(token)


def _canonical_float(token: str) -> float:
    if not is_canonical_number(token):
        raise NotCanonical
    return float(token)


def _refuse_constant(token: str) -> object:
    raise NotCanonical(token)


_DECODER = json.JSONDecoder(parse_int=_canonical_integer, parse_float=_canonical_float, parse_constant=_refuse_constant)
_FAST = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


def _encode(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return encode_basestring(value)
        case int():
            if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                raise NotCanonical
            return str(value)
        case float():
            return _format_number(value)
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise NotCanonical
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return "{" + ",".join(f"{encode_basestring(key)}:{_encode(value[key])}" for key in keys) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_encode, value)) + "]"
        case _:
            raise NotCanonical


def _format_number(number: float) -> str:
    """ECMAScript's Number::toString (ECMA-262 section 6.1.6.1.20), which RFC 8785 section 3.2.2.3 prescribes."""
    if not isfinite(number):
        raise NotCanonical
    if number == 0:
        return "0"  # also for minus zero
    if number < 0:
        return "-" + _format_number(-number)
    # repr gives the shortest digits that read back as the same double, as ECMAScript does; only the layout of exponents differs
    if "e" not in (text := repr(number)):
        return text.removesuffix(".0")
    parts = Decimal(text).as_tuple()
    digits = "".join(map(str, parts.digits))
    point = len(digits) + int(parts.exponent)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{digits.rjust(len(digits) - point, '0')}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
