"""What a leaf commits to opens with what its root salt gives, name by name, also where the salts are made all at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.canonical import canonical
from store.vault.content import opening, seal, unseal
from store.vault.vault import CaseVault
from tests.examples_drawn import examples

NAMES = st.text(st.characters(codec="ascii"), min_size=1, max_size=200)


@settings(max_examples=examples(60))
@given(st.dictionaries(NAMES, st.text("abcdef", max_size=30), max_size=5), st.binary(min_size=32, max_size=32))
def test_each_commitment_opens(content: dict[str, str], key: bytes) -> None:
    """HMAC-SHA256 of the name under the root salt, whatever the names are."""
    case = CaseVault("c_01", key)
    sealed = seal(case, 7, {name: canonical(value) for name, value in content.items()})
    for name, commitment in sealed.commitments.items():
        assert opening(sealed.root_salt, name, content[name]).opens(commitment)
    assert unseal(case, 7, sealed.box) == content
