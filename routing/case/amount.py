"""Amounts of money and of tokens, as decimal strings. Owns their form and how they count towards a limit; never converts a currency.

Eighteen decimals are what tokens on Ethereum have (ERC-20 `decimals`), more than any currency of ISO 4217 and than bitcoin's eight.
"""

import re
from decimal import ROUND_UP, Context, Decimal
from typing import Annotated

from pydantic import StringConstraints

_FORM = r"-?[0-9]{1,15}(\.[0-9]{1,18})?"
_AMOUNT = re.compile(_FORM, re.ASCII)

Amount = Annotated[str, StringConstraints(pattern=f"^{_FORM}$")]

_CURRENCY_FORM = "[A-Z0-9]{2,10}"

Currency = Annotated[str, StringConstraints(pattern=f"^{_CURRENCY_FORM}$")]
"""ISO 4217, or the symbol of a token: `EUR`, `BTC`, `USDC`."""

MILLIONTH = Decimal("0.000001")
_EXACT = Context(prec=40)


def is_amount(text: str) -> bool:
    """Whether this text is an amount of the published form."""
    return _AMOUNT.fullmatch(text) is not None


def is_currency(text: str) -> bool:
    """Whether this text is a currency of the published form."""
    return re.fullmatch(_CURRENCY_FORM, text) is not None


def counted(amount: str | None) -> Decimal:
    """What an amount counts towards a limit: without its sign, so that none makes room for another, in millionths and rounded up."""
    return abs(Decimal(amount or 0)).quantize(MILLIONTH, ROUND_UP, _EXACT)
