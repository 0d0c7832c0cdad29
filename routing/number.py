"""The one domain of numbers: what is read of a number here is what every later reader reads. Owns that rule, for JSON and what people type.

A number is an IEEE 754 double (RFC 8259 section 6) and as an integer at most 2^53 - 1 (RFC 7493 section 2.2). Beyond that readers part: the
canonical form (RFC 8785) writes 1e16 as 10000000000000000, which some read exactly, some rounded and some not at all. A whole number is an
integer however it was spelled, as it is after its canonical form was read: 1.0 is 1 and -0.0 is 0.
"""

from decimal import Context, Decimal

SAFE_INT = 2**53 - 1
"""The largest integer every JSON reader keeps exactly (RFC 7493 section 2.2)."""

_SURE = 15
"""So many digits and no exponent: a double keeps them all (DBL_DIG of IEEE 754 binary64)."""

_EXACT = Context(prec=2_000, Emax=999_999_999_999_999_999, Emin=-999_999_999_999_999_999)
"""Room for every digit of a double and of what is held against it."""


class NumberError(ValueError):
    """The number is none that every reader keeps; the message says why."""


def read_number(token: str) -> int | float:
    """The value of a number as JSON spells it (RFC 8259 section 6).

    Raises `NumberError` for what would become another number: one beyond 2^53 - 1, one that becomes 0, and digits that a double loses. How
    many digits were written does not matter, only that the double written with as many is the same number again.
    """
    number = float(token)
    if not -SAFE_INT <= number <= SAFE_INT:
        raise NumberError("the number is beyond 2^53 - 1")
    if not _same(token, number):
        raise NumberError("the number is too near to 0" if number == 0 else "the number has more digits than a double keeps")
    return int(number) if number.is_integer() else number


def _same(token: str, number: float) -> bool:
    """Whether the double, written with as many digits, is what was written."""
    if len(token) <= _SURE and "e" not in token and "E" not in token:
        return True
    if len(token) > _EXACT.prec:
        return False
    written = Decimal(token)
    if Decimal(repr(number)) == written:  # the shortest spelling, which the canonical form is; at a power of 2 it may not be the nearest
        return True
    digits = len(written.normalize(_EXACT).as_tuple().digits)
    return Decimal(number).normalize(Context(prec=digits, Emax=_EXACT.Emax, Emin=_EXACT.Emin)) == written
