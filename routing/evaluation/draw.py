"""Draws that nobody chooses: the same case under the same policy always gets the same one. Owns the lots; never asks for randomness.

A draw is the first 53 bits of a SHA-256, as a fraction in [0, 1): uniform, and unknown to whoever cannot choose the case id, which we
draw ourselves. A case is picked when its draw is below the rate, so a raised rate keeps every earlier pick.
"""

import hashlib

_BITS = 53


def lot(case_id: str, purpose: str) -> float:
    """The draw of a case for a purpose, such as the hash of its policy."""
    return _draw(case_id, purpose)


def second_lot(first: float, purpose: str) -> float:
    """Another draw from a case's lot, independent of it, for whoever holds no case id."""
    return _draw(float(first).hex(), purpose)


def _draw(seed: str, purpose: str) -> float:
    drawn = hashlib.sha256(b"tierline sampling/1\0" + seed.encode() + b"\0" + purpose.encode()).digest()
    return (int.from_bytes(drawn[:8], "big") >> (64 - _BITS)) / (1 << _BITS)
