"""A secret that the bot takes is one that the receiver kit takes, as the same key, however it is spelled; and the other way round."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.webhook import read_secret
from tests.examples.customer import kit
from tests.examples_drawn import examples

SPELLINGS = {
    "padded": lambda key: b64encode(key).decode(),
    "unpadded": lambda key: b64encode(key).decode().rstrip("="),
    "url-safe": lambda key: urlsafe_b64encode(key).decode(),
    "url-safe, unpadded": lambda key: urlsafe_b64encode(key).decode().rstrip("="),
}
KEYS = [bytes([255 - number] * length) for number, length in enumerate(range(24, 65))]
TEXTS = st.one_of(
    st.binary(min_size=20, max_size=70).map(lambda key: "whsec_" + b64encode(key).decode()),
    st.from_regex(r"(whsec_|WHSEC_|)[A-Za-z0-9+/_-]{28,92}={0,4}", fullmatch=True),
    st.from_regex(r"\s?whsec_[A-Za-z0-9+/_=\s.,é-]{28,60}\s?", fullmatch=True),
    st.text(max_size=100),
)


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_each_spelling_is_the_same_key_to_both(spelled: object) -> None:
    """With padding or without, in either alphabet, keys of any length that is allowed."""
    for key in KEYS:
        text = "whsec_" + spelled(key)  # type: ignore[operator]
        assert read_secret(text) == kit.read_secret(text) == key


@settings(max_examples=examples(300))
@given(TEXTS)
def test_both_take_and_refuse_the_same(text: str) -> None:
    """Whatever is written."""
    assert _read(read_secret, text) == _read(kit.read_secret, text)


@pytest.mark.parametrize("added", ["=", "==", "===", "====", "A", "=A", " A", ".", "\u00e9"])
def test_both_refuse_what_is_damaged(added: str) -> None:
    """A secret that was cut, joined or padded wrongly is none."""
    text = "whsec_" + b64encode(bytes(range(30))).decode() + added
    assert (_read(read_secret, text), _read(kit.read_secret, text)) == (None, None)


def _read(read: object, text: str) -> bytes | None:
    try:
        return bytes(read(text))  # type: ignore[operator]
    except ValueError:
        return None
