"""One domain of numbers: what gets in is what everybody reads later, and what two readers would read differently never gets in."""

import json
from decimal import Decimal
from math import nextafter
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.files.cases import read_cases
from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.form_input import read_modification
from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.forms.modify import modify_modal
from routing.canonical import canonical
from routing.case.submission import read_submission
from routing.errors import SubmissionError
from routing.number import SAFE_INT, NumberError, read_number
from routing.strict_json import loads
from routing.strict_yaml import read_yaml
from store.audit.canonical import encode, parse
from tests.bot.slack.cards.factory import REFUND, a_view
from tests.bot.slack.cards.forms.test_modals import untouched
from tests.examples.customer import kit
from tests.examples_drawn import examples

doubles = st.floats(allow_nan=False, allow_infinity=False)
edges = st.sampled_from(["0", "-0", "-0.0", "0e999", "1.0", "1E2", "12.50", "5e-324", "1e-7", "0.10000000000000001", str(SAFE_INT), "1e15"])
beyond = st.sampled_from(
    ["1e16", "9007199254740992", "9007199254740992.0", "-9007199254740993", "1e21", "1e400", "-1e999999999", "9" * 5_000]
)
lost = st.sampled_from(["1e-400", "0.12345678901234567890", "9007199254740991.4", "1240.00000000000000001", "1.2345e-320"])
tokens = st.one_of(
    edges,
    doubles.map(repr),
    st.integers(-1_074, 52).map(lambda power: repr(2.0**power)),
    doubles.map(lambda number: f"{number:.17g}"),
    doubles.filter(lambda number: abs(number) < 1e300).map(lambda number: f"{number:.25f}"),
    st.integers(-SAFE_INT, SAFE_INT).map(str),
    st.integers(-(10**12), 10**12).flatmap(lambda figure: st.integers(-9, 9).map(lambda power: f"{figure}e{power}")),
    st.decimals(-(10**9), 10**9, places=4).map(str),
    st.one_of(beyond, lost),
)


@settings(max_examples=examples(60))
@given(tokens)
def test_every_reader_reads_the_number_that_was_taken(token: str) -> None:
    """The edge, the digest, the vault, `send`, the receiver kit and a form that nobody touched: one value, whole numbers as integers."""
    try:
        number = read_number(token)
    except NumberError:
        with pytest.raises(SubmissionError):
            loads(b'{"x": ' + token.encode() + b"}")
        return
    assert abs(number) <= SAFE_INT
    assert isinstance(number, int) == float(number).is_integer()
    assert float(token) == number
    assert abs(number) < 1e-300 or abs(Decimal(number) / Decimal(token) - 1) < Decimal("1e-15")  # nearer to 0, doubles have fewer digits
    assert (number == 0) == (Decimal(token) == 0)
    body = json.dumps(REFUND).replace('"1240.00"', token, 1).encode()
    submission = read_submission(loads(body))
    params = submission.action.params or {}
    assert repr(params["amount"]) == repr(number)
    written = submission.texts["action"]
    assert written == rfc8785.dumps(json.loads(written)) == encode(json.loads(written)) == kit._canonical(json.loads(written))  # noqa: SLF001
    assert repr(loads(written)["params"]["amount"]) == repr(number)
    assert parse(written) is not None
    (sent,) = read_cases(body, lines=False)
    assert read_submission(loads(sent.body)).texts == submission.texts
    view = a_view(json.loads(body) | {"action": loads(written)})
    form = untouched(modify_modal(view, Seat("C0T1", "1.2")))
    assert repr(read_modification(view, form).params) == repr(loads(written)["params"])


@settings(max_examples=examples(20))
@given(st.integers(-(10**6), 10**6), st.sampled_from(["{}.0", "{}e0", "{}.000", "{}0E-1"]))
def test_another_spelling_of_the_same_number_is_the_same_case(figure: int, spelling: str) -> None:
    """Same digest, same content, same card."""

    def read(token: str) -> dict[str, Any]:
        return loads(json.dumps(REFUND).replace('"1240.00"', token, 1).encode())

    one, other = read(str(figure)), read(spelling.format(figure))
    assert repr(one) == repr(other)
    assert read_submission(one).action.sha256 == read_submission(other).action.sha256
    assert draw_card(a_view(one)) == draw_card(a_view(other))


@pytest.mark.parametrize(
    ("token", "why"), [("1e16", "2^53"), ("9" * 5_000, "2^53"), ("1e-400", "near to 0"), ("0.12345678901234567890", "digits")]
)
def test_who_sends_another_number_is_told_what_to_do(token: str, why: str) -> None:
    """The place, the reason and the remedy; a person's form says it in its own words."""
    with pytest.raises(SubmissionError) as refused:
        loads(b'{"action": {"params": {"units": [1, ' + token.encode() + b"]}}}")
    (problem,) = refused.value.problems
    assert problem.pointer == "/action/params/units/1"
    assert why in problem.message
    assert "send it as a decimal string" in problem.message
    params = {"units": 1}
    view = a_view(REFUND | {"action": {"type": "x", "params": params}})
    values = untouched(modify_modal(view, Seat("C0T1", "1.2"))) | {"param:/units": {"value": {"value": f"{Decimal(token):f}"}}}
    assert "kept exactly" in read_modification(view, values).errors["param:/units"]


def test_a_number_of_the_policy_is_read_alike() -> None:
    """What a schema compares with is a number that everybody reads alike, too."""
    assert read_yaml(b"maximum: 9007199254740991", {}).value == {"maximum": SAFE_INT}
    (problem,) = read_yaml(b"ok: 1.5\nmaximum: 9007199254740993", {}).problems
    assert (problem.line, "2^53" in problem.message) == (2, True)


def test_every_power_of_two_comes_back() -> None:
    """There the shortest spelling of a double is not always the nearest of its length (2^-44 among them)."""
    for power in range(-1_074, 53):
        for number in (2.0**power, -(2.0**power), nextafter(2.0**power, 0)):
            token = canonical(number).decode()
            assert read_number(token) == read_number(f"{number:.17e}") == number
