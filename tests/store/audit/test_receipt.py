"""A receipt proves one event to whoever holds it and a pinned key; nothing of it can be exchanged."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.commitment import Opening
from store.audit.verify import Problem, Verified, verify_receipt
from tests.store.audit.small_log import SIGNER, STRANGER, a_leaf, a_receipt, checkpoint_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OPENING = Opening(b"s" * 32, {"text": "Fine – 1,240.00", "share": 0.5})
ENTRIES = [a_leaf(0), a_leaf(1, sealed={"rationale": OPENING.commitment(), "note": "00" * 32}), a_leaf(2)]
RECEIPT = a_receipt(ENTRIES, 1, {"rationale": OPENING.to_json()})
VKEY = str(SIGNER.vkey)


def test_a_receipt_proves_its_event_and_opens_what_it_may() -> None:
    """The holder of a receipt sees event, checkpoint and contents, with any of several pinned keys."""
    verified = verify_receipt(RECEIPT, VKEY)
    assert isinstance(verified, Verified)
    assert verified.leaf["id"] == "e1"
    assert verified.openings == {"rationale": {"text": "Fine – 1,240.00", "share": 0.5}}
    assert verified.checkpoint.size == 3
    assert verify_receipt(RECEIPT, f"{STRANGER.vkey}\n{VKEY}\n") == verified
    assert isinstance(verify_receipt(RECEIPT | {"openings": {}}, VKEY), Verified)


@pytest.mark.parametrize(
    "changes",
    [
        {"leaf": ENTRIES[0].decode()},
        {"leaf": "\ud800"},
        {"leaf": None},
        {"leaf": "x" * 70_000},
        {"index": 0},
        {"index": True},
        {"index": -1},
        {"index": "1"},
        {"proof": []},
        {"proof": ["AAAA"]},
        {"proof": [1]},
        {"proof": ["é"]},
        {"proof": ["A" * 43 + "="] * 100},
        {"checkpoint": checkpoint_of(ENTRIES, STRANGER)},
        {"checkpoint": checkpoint_of(ENTRIES[:2])},
        {"checkpoint": ""},
        {"openings": []},
        {"openings": {"rationale": {"salt": "AA==", "value": 1}}},
        {"openings": {"rationale": OPENING.to_json() | {"value": "Not fine"}}},
        {"openings": {"rationale": OPENING.to_json() | {"value": float("nan")}}},
        {"openings": {"note": OPENING.to_json()}},
        {"openings": {"unknown": OPENING.to_json()}},
        {"openings": {"rationale": None}},
    ],
)
def test_a_changed_receipt_is_refused(changes: dict[str, Any]) -> None:
    """Nothing of a receipt can be exchanged."""
    assert isinstance(verify_receipt(RECEIPT | changes, VKEY), Problem)


def test_a_leaf_must_be_an_event_of_ours_at_its_index() -> None:
    """Inclusion alone is not enough: the leaf says its own version and index."""
    for leaf in (b"[]", b"{ }", a_leaf(0, v=2), a_leaf(1)):
        assert isinstance(verify_receipt(a_receipt([leaf, a_leaf(1)], 0), VKEY), Problem)


@pytest.mark.parametrize("name", ["leaf", "checkpoint"])
def test_every_flipped_bit_of_a_receipt_is_found(name: str) -> None:
    """Each bit of leaf and checkpoint is covered."""
    original = str(RECEIPT[name]).encode()
    for bit in range(len(original) * 8):
        flipped = bytearray(original)
        flipped[bit // 8] ^= 1 << bit % 8
        assert isinstance(verify_receipt(RECEIPT | {name: flipped.decode("utf-8", "surrogateescape")}, VKEY), Problem)


@given(JSON, st.sampled_from(["leaf", "index", "proof", "checkpoint", "openings"]), st.text())
def test_receipts_never_raise(junk: object, name: str, key: str) -> None:
    """Any JSON as a receipt or as part of one, and any text as a key, is an answer, not an exception."""
    assert isinstance(verify_receipt(junk, VKEY), Problem)
    assert isinstance(verify_receipt(RECEIPT, key), Problem)
    assert isinstance(verify_receipt(RECEIPT | {name: junk}, VKEY), Problem | Verified)
