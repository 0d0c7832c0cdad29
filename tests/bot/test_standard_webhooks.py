"""Signatures: what the reference library signs is accepted, everything else is not, and nothing raises."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from standardwebhooks import Webhook

from bot.standard_webhooks import read_envelope, sign
from routing.webhook import BadSecret, read_secret

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "whsec_cmVmdW5kcy1yZWZ1bmRzLXJlZnVuZHMtcmVmdW5kcyE="
OTHER = "whsec_b3RoZXJzLW90aGVycy1vdGhlcnMtb3RoZXJzLW90aGU="
KEY = read_secret(SECRET)
ANY_HEADERS = st.dictionaries(
    st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Id"]),
    st.text(max_size=60) | st.just(str(int(NOW.timestamp()))) | st.from_regex(r"(v1,[A-Za-z0-9+/=]{0,60} ?){0,3}", fullmatch=True),
)


def accepted(headers: dict[str, str], body: bytes, now: datetime = NOW) -> bool:
    """Whether these headers prove this body."""
    envelope = read_envelope(CIMultiDict(headers), now)
    return envelope is not None and envelope.sealed_by(KEY, body)


@settings(deadline=None)
@given(st.from_regex(r"[!-~]{1,256}", fullmatch=True), st.text(st.characters(codec="utf-8")))
def test_both_sides_agree_with_the_reference_library(webhook_id: str, body: str) -> None:
    """What we sign it would sign, what it signs we accept."""
    theirs = Webhook(SECRET).sign(webhook_id, NOW, body)
    ours = sign([KEY], webhook_id, NOW, body.encode())
    assert ours["webhook-signature"] == theirs
    assert accepted(ours, body.encode())


@settings(deadline=None)
@given(ANY_HEADERS, st.binary(max_size=100))
def test_hostile_headers_are_never_accepted_and_never_raise(headers: dict[str, str], body: bytes) -> None:
    """The stock verifiers raise on a signature without comma, on other alphabets, on huge numbers."""
    assert not accepted(headers, body)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 257},
        {"webhook-id": "msg 1"},
        {"webhook-id": "m\u00e9g"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 5_000},
        {"webhook-timestamp": "\u0661\u0662"},
        {"webhook-timestamp": "1e9"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v2," + "A" * 43 + "="},
        {"webhook-signature": "v1," + "A" * 43 + "="},
        {"webhook-signature": "x " * 5_000},
    ],
)
def test_one_wrong_header_is_enough(change: dict[str, str]) -> None:
    """Each header alone can make the signature worthless."""
    good = sign([KEY], "msg_1", NOW, b"{}")
    assert accepted(good, b"{}")
    assert not accepted(good | change, b"{}")


def test_the_time_may_be_five_minutes_off_and_no_more() -> None:
    """An old request is a replay, whatever its signature."""
    good = sign([KEY], "msg_1", NOW, b"{}")
    for seconds, fresh in ((300, True), (-300, True), (301, False), (-301, False)):
        assert accepted(good, b"{}", NOW + timedelta(seconds=seconds)) is fresh


def test_a_header_that_stands_twice_counts_as_none() -> None:
    """A proxy might have checked the other one."""
    headers = CIMultiDict(sign([KEY], "msg_1", NOW, b"{}"))
    headers.add("webhook-id", "msg_1")
    assert read_envelope(headers, NOW) is None


def test_several_keys_sign_side_by_side() -> None:
    """During a rotation a receiver verifies with the secret it has."""
    headers = sign([read_secret(OTHER), KEY], "msg_1", NOW, b"{}")
    for secret in (SECRET, OTHER):
        Webhook(secret)  # the reference library accepts the secret itself
        envelope = read_envelope(CIMultiDict(headers), NOW)
        assert envelope is not None
        assert envelope.sealed_by(read_secret(secret), b"{}")


@pytest.mark.parametrize(
    "text", ["", "whsec_", "secret", "whsec_c2hvcnQ=", "whsec_" + "A" * 200, "whsec_!!!!", SECRET.removeprefix("whsec_"), "whsec_é"]
)
def test_a_weak_or_mistyped_secret_is_refused_without_being_quoted(text: str) -> None:
    """24 to 64 bytes, as the specification asks."""
    with pytest.raises(BadSecret) as refused:
        read_secret(text)
    assert text.removeprefix("whsec_") not in str(refused.value) or len(text) < 8
