"""The export directory has the names and bytes that C2SP tlog-tiles prescribes."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.checkpoint import Checkpoint, open_checkpoint
from store.audit.merkle import Frontier, complete_root, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from store.audit.tiles import (
    BadBundle,
    BadExport,
    TileStack,
    is_tile_path,
    join_entries,
    read_entries,
    read_hashes,
    split_entries,
    tile_path,
    write_export,
)
from tests.store.audit.small_log import ORIGIN, SIGNER, checkpoint_of, export, leaves, shelve


def test_paths_are_those_of_the_specification() -> None:
    """The example of C2SP tlog-tiles: index 1234067 is x001/x234/067."""
    assert tile_path(0, 1_234_067, 256) == "tile/0/x001/x234/067"
    assert tile_path(1, 5, 17) == "tile/1/005.p/17"
    assert tile_path(None, 1000, 256) == "tile/entries/x001/000"


def test_a_tree_of_70_000_has_the_tiles_of_the_specification() -> None:
    """273 full tiles and one of 112; one full and one of 17; one of width 1."""
    stack, hashed = TileStack(), [leaf_hash(b"")] * 256
    full = [path for _ in range(273) for path, _ in stack.push(hashed)] + [path for path, _ in stack.push(hashed[:112])]
    assert [path for path in full if not path.startswith("tile/0/")] == ["tile/1/000"]
    assert len(full) == 274
    assert [path for path, _ in stack.partial()] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert all(is_tile_path(path, 70_000) for path in [*full, "tile/entries/273.p/112"])


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 700])
def test_an_export_reads_back(tmp_path: Path, size: int) -> None:
    """Entries come back in order, every file is one the specification names, and proofs can be made from the files alone."""
    entries = leaves(size)
    directory = export(tmp_path / "export", entries)
    assert [entry for bundle in read_entries(directory, size) for entry in bundle] == entries
    names = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    assert {"checkpoint", "key.vkey"} <= names
    assert all(is_tile_path(name, size) for name in names - {"checkpoint", "key.vkey"})
    checkpoint = open_checkpoint((directory / "checkpoint").read_text(), [SIGNER.vkey])
    read = partial(read_hashes, directory, size)
    for index in {0, size - 1} if size else ():
        assert verify_inclusion(leaf_hash(entries[index]), index, size, inclusion_proof(index, size, read), checkpoint.root)
    old = size // 2
    assert verify_consistency(old, shelve(entries[:old]).frontier.root(), size, checkpoint.root, consistency_proof(old, size, read))


def test_no_other_names_belong_to_an_export() -> None:
    """A name spelt otherwise, out of range or of another width is not part of a log of 257 events."""
    assert is_tile_path("tile/0/000", 257)
    assert is_tile_path("tile/0/001.p/1", 257)
    assert is_tile_path("tile/1/000.p/1", 257)
    for name in (
        "tile/0/002.p/1",
        "tile/0/001",
        "tile/0/000.p/255",
        "tile/0/000.p/256",
        "tile/00/000",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001.p/01",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/64/000",
        "tile/entries/002.p/1",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/000\n",
        "openings.jsonl",
        "",
    ):
        assert not is_tile_path(name, 257), name


def test_an_export_never_mixes_with_another(tmp_path: Path) -> None:
    """Writing into a directory that holds something is refused, before anything is written."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadExport):
        export(tmp_path, leaves(3))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_leaves_that_are_not_those_of_the_checkpoint_get_none(tmp_path: Path) -> None:
    """An export whose leaves are too few or others ends without the checkpoint file."""
    entries = leaves(3)
    checkpoint = Checkpoint(ORIGIN, 3, shelve(entries).frontier.root())
    for name, wrong in (("few", entries[:2]), ("other", [*entries[:2], b"{}"])):
        with pytest.raises(BadExport):
            write_export(tmp_path / name, wrong, checkpoint_of(entries), checkpoint, [SIGNER.vkey])
        assert not (tmp_path / name / "checkpoint").exists()


def test_later_leaves_are_left_out(tmp_path: Path) -> None:
    """A log that grew since its checkpoint exports the checkpoint's leaves."""
    entries = leaves(3)
    checkpoint = Checkpoint(ORIGIN, 2, shelve(entries[:2]).frontier.root())
    write_export(tmp_path / "export", entries, checkpoint_of(entries[:2]), checkpoint, [SIGNER.vkey])
    assert list(read_entries(tmp_path / "export", 2)) == [entries[:2]]


def test_the_longest_leaf_fits_and_a_longer_one_does_not() -> None:
    """A length is a uint16."""
    assert split_entries(join_entries([b"x" * 65_535, b""]), 2) == [b"x" * 65_535, b""]
    with pytest.raises(BadExport):
        join_entries([b"x" * 65_536])


@given(st.lists(st.binary(max_size=5), max_size=5), st.integers(0, 6), st.binary(max_size=3))
def test_a_bundle_is_read_whole_or_not_at_all(entries: list[bytes], count: int, more: bytes) -> None:
    """Entries come back exactly; another count, bytes too many or too few are refused."""
    data = join_entries(entries)
    assert split_entries(data, len(entries)) == entries
    if count != len(entries):
        with pytest.raises(BadBundle):
            split_entries(data, count)
    if more:
        with pytest.raises(BadBundle):
            split_entries(data + more, len(entries))
    if data:
        with pytest.raises(BadBundle):
            split_entries(data[:-1], len(entries))


def test_whole_tiles_are_pushed_by_their_root() -> None:
    """Roots of whole tiles, and then leaf hashes, give the frontier and the tiles above that the leaf hashes one by one give."""
    hashes = [leaf_hash(b"%d" % number) for number in range(256)]
    root = complete_root(hashes)
    assert root == Frontier().extend(hashes).root()
    by_leaf, by_tile = TileStack(), TileStack()
    for _ in range(259):
        above = [tile for tile in by_leaf.push(hashes) if not tile[0].startswith("tile/0/")]
        assert by_tile.push([root], row=1) == above
        assert by_tile.frontier == by_leaf.frontier
    assert by_tile.push(hashes[:5]) == by_leaf.push(hashes[:5])
    assert by_tile.frontier == by_leaf.frontier
    assert by_tile.partial() == by_leaf.partial()
