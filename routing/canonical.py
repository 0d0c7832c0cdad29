"""Canonical JSON (RFC 8785) and the digests made from it. Owns the one spelling of a value; never reads or writes anything."""

import hashlib
from collections.abc import Mapping

import orjson
import rfc8785

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_MAX_SAFE_INTEGER = (1 << 53) - 1


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value.

    Raises `rfc8785.CanonicalizationError` for what JSON cannot hold exactly: NaN, infinities, lone surrogates and integers
    beyond 2^53 - 1.
    """
    try:
        if type(value) is str or _is_plain(value):  # then the other library, many times as fast, writes the same
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # a lone surrogate, which this one refuses in its own words, or nested deeper than that one goes
        pass
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # its alias spells recursion differently from ours


def joined(texts: Mapping[str, bytes]) -> bytes:
    """The RFC 8785 bytes of an object from those of its values. Its names are ASCII."""
    return b"{" + b",".join(canonical(name) + b":" + texts[name] for name in sorted(texts)) + b"}"


def digest(value: object) -> str:
    """Hex SHA-256 of the canonical bytes of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same value, as JSON has it: 1 is not true, 1.0 is 1, and the order of names does not count."""
    return canonical(one) == canonical(other)


def _is_plain(value: object) -> bool:
    """Whether orjson's order of keys and spelling of numbers are those of RFC 8785.

    They are for ASCII keys (RFC 8785 sorts by UTF-16 unit), for integers below 2^53 and for numbers with a fraction that
    neither orjson nor ECMAScript (ECMA-262, Number::toString) writes with an exponent.
    """
    kind = type(value)
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]  # a dict
            if type(key) is not str or not key.isascii() or not (type(item) is str or _is_plain(item)):
                return False
        return True
    if kind is list or kind is tuple:
        for item in value:  # type: ignore[attr-defined]  # noqa: SIM110  # a list; a generator costs more than what it would walk
            if not (type(item) is str or _is_plain(item)):
                return False
        return True
    if kind is int:
        return -_MAX_SAFE_INTEGER <= value <= _MAX_SAFE_INTEGER  # type: ignore[operator]  # an int
    if kind is float:
        return 1e-4 <= abs(value) < _MAX_SAFE_INTEGER and not value.is_integer()  # type: ignore[arg-type, attr-defined]  # a float
    return value is None or kind is bool or isinstance(value, str)  # an enumeration's member is written as its value by both
