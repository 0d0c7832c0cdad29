"""Shares and changes in per cent, rounded so that they stay true: never to 0 or 100, and never to what they are held against."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

_PLACES_MOST = 12
_DIGITS_MOST = 15
"""Figures before the point, above which a share says nothing: what changed is read beside it."""
_NONE, _WHOLE = Decimal(0), Decimal(100)


def percent(share: float, *held_against: float) -> str:
    """`83 %`, of a share from 0 to 1; decimals only where they say something, as that 0.8999 is not the 0.9 beside it."""
    about, figure = _rounded(_hundredfold(share), [_hundredfold(other) for other in held_against])
    return f"{about}{figure} %"


def change(old: Decimal, new: Decimal) -> str:
    """`(-91 %)`, with a minus sign of its own; "" where nothing changes, begins at 0, or grows beyond all proportion."""
    if old in (0, new):
        return ""
    by = (new - old) / abs(old) * 100
    if by.adjusted() >= _DIGITS_MOST:
        return ""
    about, figure = _rounded(abs(by), (), 0 if abs(by) >= 1 else -by.adjusted())
    return f"({about}{'+' if by > 0 else '−'}{figure} %)"  # noqa: RUF001  # a minus sign


def _hundredfold(share: float) -> Decimal:
    return Decimal(repr(share)) * 100


def _rounded(value: Decimal, apart: Sequence[Decimal], places: int = 1) -> tuple[str, str]:
    """With as few decimals, `places` at least, as keep it from what it is not; behind words where none do."""
    others = [other for other in (_NONE, _WHOLE, *apart) if other != value]
    for digits in range(places, _PLACES_MOST + 1):
        shown = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
        if shown not in others:
            return "", _plain(shown)
    near = min(others, key=lambda other: abs(value - other))
    return ("just over " if value > near else "just under "), _plain(near)


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").removesuffix(".") if "." in text else text
