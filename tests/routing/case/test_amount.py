"""Amounts with more decimals than money has, tokens, and addresses that no browser opens: taken as what they are."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.cards.text.safe_text import address
from bot.slack.cards.text.wording import amount_text
from routing.case.amount import MILLIONTH, counted
from routing.case.submission import read_submission
from routing.errors import SubmissionError
from tests.examples_drawn import examples

CASE = {"workflow": "refunds", "task_id": "t-1", "title": "Pay", "action": {"type": "pay"}}


@pytest.mark.parametrize(
    ("figure", "currency", "shown"),
    [
        ("0.00000001", "BTC", "0.00000001 BTC"),
        ("1234.000000000000000001", "ETH", "1,234.000000000000000001 ETH"),
        ("250.5", "USDC", "250.5 USDC"),
        ("7", "1INCH", "7 1INCH"),
        ("1240.00", "USD", "1,240.00 USD"),
    ],
)
def test_amounts_are_shown_to_the_last_decimal(figure: str, currency: str, shown: str) -> None:
    """As sent, with thousands set apart."""
    submission = read_submission(CASE | {"risk": {"amount": figure, "currency": currency}})
    assert amount_text(submission.risk, {"amount", "currency"}) == shown


@given(st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=18, allow_nan=False, allow_infinity=False))
@settings(max_examples=examples(100))
def test_what_counts_towards_a_limit_is_never_less_than_the_amount(figure: Decimal) -> None:
    """Rounded up to a millionth, whatever its sign, and by less than one."""
    assert abs(figure) <= counted(f"{figure:f}") < abs(figure) + MILLIONTH


@pytest.mark.parametrize(
    "where",
    [
        "s3://reports-2026/week_47/notes.pdf",
        "gs://bucket/x",
        "abfss://lake@account.dfs.core.windows.net/x",
        "jdbc:postgresql://db/x",
        "urn:isbn:9780131103627",
        "arn:aws:s3:::bucket/key",
        "doi:10.1000/182",
        "file:///srv/mails/7.eml",
        "https://crm.example/8841",
    ],
)
def test_a_source_is_kept_wherever_it_is(where: str) -> None:
    """The address is shown as it is."""
    (source,) = read_submission(CASE | {"evidence": [{"id": "s", "kind": "document", "url": where}]}).evidence
    assert source.url == where
    assert address(where).endswith(where)


@pytest.mark.parametrize("where", ["javascript:alert(1)", "DATA:text/html,x", "vbscript:x", "not an address", "s3://a b", "//host/x"])
def test_what_is_no_address_is_refused(where: str) -> None:
    """Nor is what holds a program, or the content itself."""
    with pytest.raises(SubmissionError):
        read_submission(CASE | {"evidence": [{"id": "s", "kind": "url", "url": where}]})
