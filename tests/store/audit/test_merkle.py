"""The tree: other people's vectors, another implementation as oracle, and every proof of every small tree."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from store.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    MalformedFrontier,
    MissingHash,
    Node,
    OutOfTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.store.audit.small_log import Shelf, leaves, shelve

# The eight leaves and roots that implementations of Certificate Transparency test each other with.
CT_LEAVES = [
    bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SMALL = 34


def test_roots_are_those_of_certificate_transparency() -> None:
    """Our roots are the ones that every RFC 6962 implementation computes."""
    shelf = shelve(CT_LEAVES)
    assert root_at(0, shelf.read) == EMPTY_ROOT == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert [root_at(size, shelf.read).hex() for size in range(1, 9)] == CT_ROOTS


def test_proofs_are_those_of_rfc_6962() -> None:
    """The proofs of RFC 6962 section 2.1.3 come out hash for hash."""
    hashed = [leaf_hash(leaf) for leaf in CT_LEAVES[:7]]
    a, b, c, d, e, f, j = hashed  # the names of the figure
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, whole = node_hash(g, h), node_hash(node_hash(g, h), node_hash(i, j))
    read = shelve(CT_LEAVES[:7]).read
    assert root_at(7, read) == whole
    assert inclusion_proof(0, 7, read) == [b, h, node_hash(i, j)]
    assert inclusion_proof(3, 7, read) == [c, g, node_hash(i, j)]
    assert inclusion_proof(4, 7, read) == [f, j, k]
    assert inclusion_proof(6, 7, read) == [i, k]
    assert consistency_proof(3, 7, read) == [c, d, g, node_hash(i, j)]
    assert consistency_proof(4, 7, read) == [node_hash(i, j)]
    assert consistency_proof(6, 7, read) == [i, j, k]


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 300, 511, 513])
def test_another_implementation_agrees(size: int) -> None:
    """Roots and inclusion proofs equal pymerkle's, on both sides of a tile's end."""
    oracle = InmemoryTree(algorithm="sha256")
    oracle.append_entries(leaves(size))
    shelf = shelve(leaves(size))
    assert shelf.frontier.root() == oracle.get_root()
    for index in {0, size // 2, size - 1}:
        path = oracle.prove_inclusion(index + 1, size).path  # begins with the leaf itself
        assert sorted([leaf_hash(leaves(size)[index]), *inclusion_proof(index, size, shelf.read)]) == sorted(path)
    assert all(root_at(prior, shelf.read) == oracle.get_root(prior) for prior in range(1, size + 1, 7))


def test_every_small_tree_proves_exactly_its_own() -> None:
    """In all trees up to 34 leaves each leaf is proven at its place, and at no other place, size or content."""
    hashed = [leaf_hash(leaf) for leaf in leaves(SMALL)]
    shelf = shelve(leaves(SMALL))
    roots = [root_at(size, shelf.read) for size in range(SMALL + 1)]
    for size in range(1, SMALL + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, shelf.read)
            assert verify_inclusion(hashed[index], index, size, proof, roots[size])
            assert not any(verify_inclusion(hashed[index], other, size, proof, roots[size]) for other in range(size) if other != index)
            assert not verify_inclusion(hashed[index - 1], index, size, proof, roots[size]) or size == 1
            assert not verify_inclusion(hashed[index], index, size, [*proof, hashed[0]], roots[size])
            assert not verify_inclusion(hashed[index], index, size, proof[:-1], roots[size]) or size == 1
            assert not verify_inclusion(hashed[index], index, size, proof, roots[size - 1])


def test_every_small_tree_is_consistent_with_its_own_past_only() -> None:
    """All pairs of sizes up to 34 prove consistent, and none with a changed root, size or proof."""
    shelf = shelve(leaves(SMALL))
    roots = [root_at(size, shelf.read) for size in range(SMALL + 1)]
    for new in range(SMALL + 1):
        for old in range(new + 1):
            proof = consistency_proof(old, new, shelf.read)
            assert verify_consistency(old, roots[old], new, roots[new], proof)
            assert not verify_consistency(old, leaf_hash(b"forged"), new, roots[new], proof)
            assert not verify_consistency(old, roots[old], new, leaf_hash(b"forged"), proof) or old == 0
            assert not verify_consistency(old, roots[old], new, roots[new], [*proof, roots[old]])
            assert not verify_consistency(old, roots[old], new, roots[new], proof[:-1]) or not proof
            assert old == new or not verify_consistency(new, roots[new], old, roots[old], proof)


def test_proofs_hold_across_tiles() -> None:
    """Past 65,536 leaves, where three rows of stored hashes meet, proofs still hold."""
    size = 65_536 + 256 + 3
    hashed = [leaf_hash(index.to_bytes(4, "big")) for index in range(size)]
    shelf = Shelf()
    shelf.add(hashed)
    assert {level: len(row) for level, row in shelf.rows.items()} == {0: size, 8: 257, 16: 1}
    root = shelf.frontier.root()
    assert root_at(size, shelf.read) == root
    for index in (0, 255, 256, 65_535, 65_536, 65_792, size - 1):
        assert verify_inclusion(hashed[index], index, size, inclusion_proof(index, size, shelf.read), root)
    for old in (1, 255, 256, 257, 65_535, 65_536, 65_537, size - 1):
        assert verify_consistency(old, root_at(old, shelf.read), size, root, consistency_proof(old, size, shelf.read))


@given(st.lists(st.integers(0, 600), max_size=6))
def test_appending_in_any_portions_gives_one_tree(portions: list[int]) -> None:
    """However the writer batches, frontier and stored nodes are the same, and survive storage in between."""
    entries = [leaf_hash(index.to_bytes(4, "big")) for index in range(sum(portions))]
    shelf, start = Shelf(), 0
    for portion in portions:
        shelf.add(entries[start : start + portion])
        start += portion
        shelf.frontier = Frontier.from_bytes(shelf.frontier.to_bytes())
    assert shelf.frontier == Frontier().extend(entries)
    assert len(shelf.rows.get(8, [])) == len(entries) // 256
    assert shelf.frontier.root() == root_at(len(entries), shelf.read)


def test_a_tile_is_reported_when_it_is_full() -> None:
    """The 256th leaf completes the first node of level 8, not earlier and not again."""
    hashed = [leaf_hash(leaf) for leaf in leaves(257)]
    grown = Frontier().extend(hashed[:255]).grow(hashed[255:])
    assert grown.nodes == (Node(8, 0, Frontier().extend(hashed[:256]).root()),)
    assert Frontier().grow(hashed[:255]).nodes == ()


def test_one_by_one_is_the_same_as_together() -> None:
    """`append` and `extend` give the same frontier, and a frontier is never changed by growing."""
    hashed = [leaf_hash(leaf) for leaf in leaves(9)]
    frontiers = [Frontier()]
    for each in hashed:
        frontiers.append(frontiers[-1].append(each))
    assert frontiers == [Frontier().extend(hashed[:size]) for size in range(10)]
    assert len({frontier.root() for _, frontier in pairwise(frontiers)}) == 9


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 8 + b"x" * 32, b"\0" * 7 + b"\x03" + b"x" * 32, b"\0" * 7 + b"\x01" + b"x" * 33])
def test_a_damaged_frontier_is_refused(data: bytes) -> None:
    """A frontier whose hashes do not fit its size never comes back from the database."""
    with pytest.raises(MalformedFrontier):
        Frontier.from_bytes(data)


def test_the_impossible_is_refused() -> None:
    """Places outside the tree and stores that lost hashes are errors, not proofs."""
    shelf = shelve(leaves(5))
    for index, size in ((-1, 5), (5, 5), (0, 0)):
        with pytest.raises(OutOfTree):
            inclusion_proof(index, size, shelf.read)
    for old, new in ((-1, 5), (4, 3)):
        with pytest.raises(OutOfTree):
            consistency_proof(old, new, shelf.read)
    with pytest.raises(OutOfTree):
        root_at(-1, shelf.read)
    with pytest.raises(MissingHash):
        root_at(6, shelf.read)
    with pytest.raises(MissingHash):
        root_at(2, lambda _level, _first, count: [b"short"] * count)


@given(st.integers(-3, 40), st.integers(-3, 40), st.lists(st.binary(max_size=33), max_size=8))
def test_verifiers_never_raise(one: int, other: int, proof: list[bytes]) -> None:
    """Whatever a stranger calls a proof, the answer is no."""
    assert not verify_inclusion(b"x" * 32, one, other, proof, b"y" * 32)
    assert not verify_consistency(one, b"x" * 32, other, b"y" * 32, proof)
    assert not verify_consistency(0, b"x" * 32, 0, b"x" * 32, [])


MISSHAPEN = (None, True, 1.0, "1", b"\x01", -1, 1 << 63, 1 << 200, [1], float("nan"))
"""What a size or an index never is."""

NO_HASH = (None, "", "a" * 32, b"", b"a" * 31, b"a" * 33, b"a" * 64, bytearray(32), 7, [1] * 32)
NO_PROOF = (None, 7, "a" * 32, b"a" * 32, {b"a" * 32: 1}, *([one] for one in NO_HASH), [b"a" * 32] * 65, [b"a" * 32] * 10_000)


@pytest.mark.parametrize("number", MISSHAPEN, ids=repr)
def test_what_is_no_place_in_a_tree_proves_nothing_and_is_refused_by_name(number: Any) -> None:  # noqa: ANN401 - of whatever kind
    """Each size and index in turn is of a wrong kind: verifiers say no, makers of proofs raise the one error they document."""
    shelf = shelve(leaves(5))
    root, proof = shelf.frontier.root(), inclusion_proof(2, 5, shelf.read)
    one, since = root_at(1, shelf.read), consistency_proof(1, 5, shelf.read)
    hashed = leaf_hash(leaves(5)[2])
    assert verify_inclusion(hashed, 2, 5, proof, root)
    assert verify_consistency(1, one, 5, root, since)
    assert not verify_inclusion(hashed, number, 5, proof, root)
    assert not verify_inclusion(hashed, 2, number, proof, root)
    assert not verify_consistency(number, one, 5, root, since)
    assert not verify_consistency(1, one, number, root, since)
    for ask in (
        lambda: root_at(number, shelf.read),
        lambda: inclusion_proof(number, 5, shelf.read),
        lambda: inclusion_proof(2, number, shelf.read),
        lambda: consistency_proof(number, 5, shelf.read),
        lambda: consistency_proof(1, number, shelf.read),
    ):
        with pytest.raises(OutOfTree):
            ask()


@pytest.mark.parametrize("other", NO_HASH, ids=repr)
def test_what_is_no_hash_proves_nothing(other: Any) -> None:  # noqa: ANN401 - of whatever kind
    """Leaf, roots and every step have 32 bytes: an inner node whose two halves are handed in as a leaf of 64 bytes proves nothing."""
    hashed = [leaf_hash(leaf) for leaf in leaves(2)]
    shelf = shelve(leaves(2))
    root = shelf.frontier.root()
    assert not verify_inclusion(other, 0, 2, [hashed[1]], root)
    assert not verify_inclusion(hashed[0], 0, 2, [hashed[1]], other)
    assert not verify_inclusion(other, 0, 1, [], other)
    assert not verify_consistency(1, other, 2, root, [hashed[1]])
    assert not verify_consistency(1, hashed[0], 2, other, [hashed[1]])
    assert not verify_consistency(2, other, 2, other, [])
    with pytest.raises(MissingHash):
        root_at(1, lambda _level, _first, count: [other] * count)
    with pytest.raises(MissingHash):
        inclusion_proof(0, 2, lambda _level, _first, count: [other] * count)


@pytest.mark.parametrize("proof", NO_PROOF, ids=lambda proof: repr(proof)[:40])
def test_what_is_no_list_of_hashes_proves_nothing(proof: Any) -> None:  # noqa: ANN401 - of whatever kind
    """A proof is a list of hashes, and no longer than the largest tree could make it."""
    shelf = shelve(leaves(3))
    root = shelf.frontier.root()
    assert not verify_inclusion(leaf_hash(leaves(3)[0]), 0, 3, proof, root)
    assert not verify_consistency(1, root_at(1, shelf.read), 3, root, proof)
