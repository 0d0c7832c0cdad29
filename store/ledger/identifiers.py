"""Names that the ledger gives: case ids and event ids, both in order of time. Owns their spelling; never draws randomness or time."""

from datetime import datetime

from store.schema import micros

NOISE_SIZE = 10
"""Random bytes that each name takes."""

CASE = "c_"
"""What the id of a case begins with, and no other id."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_SHIFTS = range(120, -1, -10)
_PAIRS = [high + low for high in _CROCKFORD for low in _CROCKFORD]


def case_id(at: datetime, noise: bytes) -> str:
    """`CASE` and a bare id."""
    return CASE + bare_id(at, noise)


def bare_id(at: datetime, noise: bytes) -> str:
    """26 lower-case characters of Crockford's base 32: 48 bits of milliseconds since 1970, then 80 random bits (as in ULID)."""
    number = micros(at) // 1000 << 80 | int.from_bytes(noise, "big")
    return "".join([_PAIRS[number >> shift & 0x3FF] for shift in _SHIFTS])


def event_id(at: datetime, noise: bytes) -> str:
    """A UUID version 7 (RFC 9562 section 5.7): 48 bits of milliseconds since 1970, 74 of the random bits."""
    random = int.from_bytes(noise, "big")
    number = micros(at) // 1000 << 80 | 7 << 76 | (random >> 64 & 0xFFF) << 64 | 2 << 62 | random & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
