"""The vault's cryptography: content opens as what it was sealed as, and commitments bind without telling."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.canonical import encode, parse
from store.audit.commitment import MalformedOpening, Opening, commit
from store.reads.history import check_vault_key
from store.vault.content import seal, unseal
from store.vault.keys import KeyUnusable
from store.vault.vault import CannotOpen, Vault, new_salt
from tests.store.a_store import open_books
from tests.store.audit.small_log import golden

VAULT = Vault(b"k" * 32)
SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | SAFE | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text(), st.text(), st.binary(max_size=300))
def test_what_was_sealed_opens_again(case_id: str, field: str, value: bytes) -> None:
    """After storing the wrapped key, the content of any field comes back, and the same content never looks the same twice."""
    case, wrapped = VAULT.new_case(case_id)
    sealed = case.seal(field, value)
    assert VAULT.open_case(case_id, wrapped).open(field, sealed) == value
    assert case.seal(field, value) != sealed
    assert len(sealed) == 1 + 12 + len(value) + 16


def test_nothing_opens_as_something_else() -> None:
    """Another vault key, case, field or case key opens nothing, however the names are cut."""
    case, wrapped = VAULT.new_case("c1")
    other, other_wrapped = VAULT.new_case("c2")
    sealed = case.seal("request", b"content")
    for vault, case_id, key in (
        (Vault(b"x" * 32), "c1", wrapped),
        (VAULT, "c2", wrapped),
        (VAULT, "c1", other_wrapped),
        (VAULT, "c1", sealed),
    ):
        with pytest.raises(CannotOpen):
            vault.open_case(case_id, key)
    for opener, field in ((other, "request"), (case, "output"), (case, "reques"), (case, "")):
        with pytest.raises(CannotOpen):
            opener.open(field, sealed)
    shifted, shifted_wrapped = VAULT.new_case("c1r")
    assert shifted_wrapped != wrapped
    with pytest.raises(CannotOpen):
        shifted.open("equest", sealed)


def test_every_flipped_bit_and_every_cut_is_noticed() -> None:
    """Sealed bytes are whole or they do not open."""
    case, wrapped = VAULT.new_case("c1")
    sealed = case.seal("request", b"content")
    for original, opens in ((sealed, lambda data: case.open("request", data)), (wrapped, lambda data: VAULT.open_case("c1", data))):
        for bit in range(len(original) * 8):
            flipped = bytearray(original)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(CannotOpen):
                opens(bytes(flipped))
        for size in range(len(original)):
            with pytest.raises(CannotOpen):
                opens(original[:size])


def test_a_vault_key_of_another_length_is_refused() -> None:
    """A 16-byte key would silently be AES-128."""
    for size in (0, 16, 24, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            Vault(b"k" * size)


def test_sealed_format_v1_is_frozen() -> None:
    """What v1 sealed must open for as long as the log lives."""
    vector: dict[str, Any] = golden("vault-v1.json")
    case = Vault(bytes.fromhex(vector["vault_key"])).open_case(vector["case_id"], bytes.fromhex(vector["wrapped_case_key"]))
    assert case.open(vector["field"], bytes.fromhex(vector["sealed"])).decode() == vector["value"]


def test_commitments_bind_salt_and_value() -> None:
    """Another salt, another value or the same bytes cut elsewhere give another commitment."""
    salt = bytes(range(32))
    first = commit(salt, b'"yes"')
    assert len({first, commit(salt, b'"no"'), commit(bytes(32), b'"yes"'), commit(salt[:31] + b'"', b'yes"')}) == 4
    assert first == commit(salt, b'"yes"')
    assert len(new_salt()) == 32
    assert new_salt() != new_salt()
    for size in (0, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            commit(b"s" * size, b"1")


@given(JSON)
def test_an_opening_opens_its_commitment_and_no_other(value: object) -> None:
    """An opening survives JSON and fits one commitment only."""
    opening = Opening(bytes(32), value)
    commitment = opening.commitment()
    assert Opening.from_json(parse(encode(opening.to_json()))).opens(commitment)
    assert not opening.opens(commitment.upper())
    assert not Opening(b"\1" * 32, value).opens(commitment)
    for other in (None, 1, "", "é", commitment[:-1], commit(bytes(32), b"other")):
        assert not opening.opens(other)


def test_an_opening_without_canonical_form_opens_nothing() -> None:
    """NaN is no JSON, and asking is no error."""
    assert not Opening(bytes(32), float("nan")).opens("00" * 32)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"salt": "AA=="},
        {"salt": "AA==", "value": 1},
        {"salt": 1, "value": 1},
        {"salt": "é", "value": 1},
        {"salt": "A" * 43 + "=", "value": 1, "more": 1},
    ],
)
def test_a_misshapen_opening_is_refused(data: object) -> None:
    """Only {"salt", "value"} with 32 bytes of salt is an opening."""
    with pytest.raises(MalformedOpening):
        Opening.from_json(data)


async def test_a_database_written_under_another_vault_key_is_noticed(database_url: str) -> None:
    """Going on would seal new cases under a key with which the old ones cannot be read."""
    async with open_books(database_url) as books:
        await books.database.read(partial(check_vault_key, vault=Vault(b"w" * 32)))
        await books.open()
        await books.database.read(partial(check_vault_key, vault=books.vault))
        with pytest.raises(KeyUnusable):
            await books.database.read(partial(check_vault_key, vault=Vault(b"w" * 32)))


@pytest.mark.parametrize("number", [2.0**53, 1e16, -123456789012345680000.0, 9.99e20, 1e21, 0.1, 2**53 - 1])
def test_a_number_of_before_the_one_domain_comes_back_as_it_was_sealed(number: float) -> None:
    """Canonical JSON spells 1e16 as an integer that no reader of ours takes; what was sealed so still has its digest when it is opened."""
    vault, _ = VAULT.new_case("c1")
    text = encode({"units": number})
    content = unseal(vault, 3, seal(vault, 3, {"params": text}).box)
    assert repr(content) == repr({"params": {"units": number}})
    assert encode(content["params"]) == text
