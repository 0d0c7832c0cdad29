"""Offline verification finds every change that the log covers, raises on none, and finds nothing wrong with a good export."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.checkpoint import open_checkpoint, sign_checkpoint
from store.audit.commitment import Opening
from store.audit.merkle import leaf_hash
from store.audit.tiles import TileStack, join_entries, tile_path
from store.audit.verify import KEY_NOT_PINNED, TAIL_NOT_PROVEN, Verified, verify_export, verify_receipt
from tests.checkout import ROOT
from tests.store.audit.small_log import ORIGIN, SIGNER, STRANGER, a_leaf, checkpoint_of, export, findings, golden, leaves, shelve

NOT_AS_EVENTS_ARE = [
    (b"", "not a JSON object"),
    (b"[]", "not a JSON object"),
    (b"\xff", "not a JSON object"),
    (b"[" * 60_000, "not a JSON object"),
    (a_leaf(1) + b"\n", "not a JSON object"),
    (a_leaf(1).replace(b":1,", b":1 ,"), "not a JSON object"),
    (a_leaf(1).replace(b'{"case"', b'{"zcase"'), "not a JSON object"),
    (a_leaf(1).replace(b'"v":1', b'"v":1,"v":1'), "not a JSON object"),
    (a_leaf(1).replace(b'"v":1', b'"v":1.0'), "not a JSON object"),
    (a_leaf(1).replace(b'"v":1', b'"v":NaN'), "not a JSON object"),
    (a_leaf(1).replace(b"e1", b"\\u0065"), "not a JSON object"),
    (a_leaf(1).replace(b"e1", b"\\ud800"), "not a JSON object"),
    (a_leaf(1, v=2), "version"),
    (a_leaf(1, v=True), "version"),
    (a_leaf(1, index=2), "says it is another"),
    (a_leaf(1, index=True), "says it is another"),
    (a_leaf(1, id=""), "no id"),
    (a_leaf(1, id=1), "no id"),
    (a_leaf(1, id="e0"), "used before"),
    (a_leaf(1, time="2026-11-19T00:00:00.000000Z"), "earlier"),
    (a_leaf(1, time="2026-11-20T00:00:01.000000"), "no time"),
    (a_leaf(1, time="yesterday"), "no time"),
    (a_leaf(1, time=None), "no time"),
]
"""Leaves in place of event 1, and what is found."""


def rewrite(directory: Path, entries: list[bytes]) -> None:
    """What a forger without the signing key does: new entries and rightly computed tiles under the old checkpoint."""
    for path in directory.glob("tile/**/*"):
        if path.is_file():
            path.unlink()
    stack = TileStack()
    for at in range(0, len(entries), 256):
        bundle = entries[at : at + 256]
        tiles = stack.push([leaf_hash(entry) for entry in bundle])
        for name, data in [*tiles, (tile_path(None, at // 256, len(bundle)), join_entries(bundle))]:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(data)
    for name, data in stack.partial():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)


# --- good exports ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*range(12), 255, 256, 257, 512, 770])
def test_a_good_export_is_good(tmp_path: Path, size: int) -> None:
    """Nothing is found wrong at any size, with every older checkpoint, and progress reaches the end."""
    entries, seen = leaves(size), list[tuple[int, int]]()
    directory = export(tmp_path / "export", entries)
    report = verify_export(directory, progress=lambda done, total: seen.append((done, total)))
    assert (report.ok, report.problems, report.events, report.size) == (True, (), size, size)
    assert report.root == shelve(entries).frontier.root()
    assert report.notes == (TAIL_NOT_PROVEN, KEY_NOT_PINNED)
    assert seen == [(min(done, size), size) for done in range(256, size + 256, 256)]
    for older in {0, size // 3, size // 2, max(0, size - 1), size}:
        report = verify_export(directory, checkpoint_of(entries[:older]))
        assert (report.problems, report.notes) == ((), ())


def test_no_false_alarms(tmp_path: Path, full: bool) -> None:
    """Good exports of whatever content the writer may store stay good."""
    lot = Random(1)  # noqa: S311 -- repeatable content, not a secret
    alphabet = 'aé€😀"\\\x01\x7f\n/<>&\u2028\ufb33'
    for repetition in range(10_000 if full else 50):
        entries = list[bytes]()
        for index in range(lot.randint(0, 9)):
            name, text = "".join(lot.choices(alphabet, k=3)), "".join(lot.choices(alphabet, k=lot.randint(0, 9)))
            number = lot.choice([lot.uniform(-1, 1), 10.0 ** lot.randint(-30, 30), lot.randint(-(2**53) + 1, 2**53 - 1), None, True])
            entries.append(a_leaf(index, fields={name: number}, note=text))
        assert findings(export(tmp_path / str(repetition), entries)) == ""


def test_an_expected_key_is_looked_for(tmp_path: Path) -> None:
    """With the key one expects, an export signed by another is found out; without, the report says that nobody looked."""
    ours = export(tmp_path / "ours", leaves(3))
    theirs = export(tmp_path / "theirs", leaves(3), STRANGER)
    assert verify_export(ours, trusted_vkey=f"{SIGNER.vkey}\n").notes == (TAIL_NOT_PROVEN,)
    assert verify_export(ours, trusted_vkey=str(SIGNER.vkey)).ok
    assert not verify_export(theirs, trusted_vkey=str(SIGNER.vkey)).ok
    assert KEY_NOT_PINNED in verify_export(theirs).notes
    assert "not signed by a key of this log" in findings(theirs, checkpoint_of(leaves(2)))


# --- tampering ------------------------------------------------------------------------------------------------------------------


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    """Each single bit of each file of an export is covered."""
    directory = export(tmp_path / "export", leaves(3))
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        original = path.read_bytes()
        for bit in range(len(original) * 8):
            flipped = bytearray(original)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            assert not verify_export(directory).ok, f"bit {bit} of {path.name}"
        path.write_bytes(original)
    assert verify_export(directory).ok


def test_flipped_bits_of_a_large_export_are_found(tmp_path: Path) -> None:
    """Bits all over an export with full and partial tiles on two levels are covered."""
    directory = export(tmp_path / "export", leaves(600))
    lot = Random(2)  # noqa: S311 -- repeatable choice, not a secret
    for path in [path for path in directory.rglob("*") if path.is_file()]:
        original = path.read_bytes()
        for bit in lot.sample(range(len(original) * 8), 12):
            flipped = bytearray(original)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            assert not verify_export(directory).ok, f"bit {bit} of {path}"
        path.write_bytes(original)
    assert verify_export(directory).ok


@pytest.mark.parametrize("size", [2, 5, 257])
def test_every_structural_edit_is_found(tmp_path: Path, size: int) -> None:
    """Removing, repeating, inserting or swapping any event is found, although the forger recomputed all tiles."""
    entries = leaves(size)
    directory = export(tmp_path / "export", entries)
    for at in {*range(min(size, 5)), size - 1}:
        removed = entries[:at] + entries[at + 1 :]
        repeated = entries[: at + 1] + entries[at:]
        inserted = [*entries[:at], a_leaf(at, id="new"), *entries[at:]]
        swapped = [*entries]
        swapped[at], swapped[at - 1] = swapped[at - 1], swapped[at]
        replaced = [*entries[:at], a_leaf(at, event="forged"), *entries[at + 1 :]]
        shifted = [repeated[:size]] if at < size - 1 else []
        for forged in (removed, repeated, *shifted, inserted, inserted[:size], swapped, replaced):
            rewrite(directory, forged)
            assert findings(directory)
    rewrite(directory, entries)
    assert findings(directory) == ""


def test_a_log_signed_anew_contradicts_every_older_checkpoint(tmp_path: Path) -> None:
    """Whoever has the signing key and rewrites the past is found by anyone who kept a checkpoint of after the change."""
    entries = leaves(20)
    for at in range(20):
        directory = export(tmp_path / str(at), [*entries[:at], a_leaf(at, event="forged"), *entries[at + 1 :]])
        assert findings(directory) == ""  # consistent in itself: only the outside can tell
        for older in range(21):
            assert bool(findings(directory, checkpoint_of(entries[:older]))) == (older > at)


def test_a_log_cut_to_any_size_is_found(tmp_path: Path) -> None:
    """With one receipt's checkpoint, every truncation below it is found, although rightly signed; without, the report says so."""
    entries = leaves(260)
    older = checkpoint_of(entries)
    for size in range(260):
        directory = export(tmp_path / str(size), entries[:size])
        assert findings(directory, older) == f"cut: the older checkpoint has 260 events, the export {size}"
    assert verify_export(tmp_path / "259").notes == (TAIL_NOT_PROVEN, KEY_NOT_PINNED)


def test_missing_and_foreign_files_are_found(tmp_path: Path) -> None:
    """Each file is needed, and no other is passed over in silence."""
    directory = export(tmp_path / "export", leaves(300))
    for path in [path for path in directory.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        path.unlink()
        assert findings(directory), f"without {path}"
        path.write_bytes(data)
    for name in (
        "openings.jsonl",
        "tile/0/001",
        "tile/0/000.p/44",
        "tile/0/002",
        "tile/2/000.p/1",
        "tile/entries/001.p/45",
        ".hidden",
        "tile/x",
    ):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        assert findings(directory), f"with {name}"
        path.unlink()
    assert findings(directory) == ""


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    """Links and pipes are findings; a pipe would make a careless reader wait for ever."""
    directory = export(tmp_path / "export", leaves(3))
    for name in ("checkpoint", "key.vkey", "tile/entries/000.p/3", "tile/0/000.p/3"):
        path, kept = directory / name, tmp_path / "kept"
        path.rename(kept)
        path.symlink_to(kept)
        assert "plain file" in findings(directory)
        path.unlink()
        os.mkfifo(path)
        assert "plain file" in findings(directory)
        path.unlink()
        kept.rename(path)
    assert findings(directory) == ""


@pytest.mark.parametrize(("leaf", "finding"), NOT_AS_EVENTS_ARE)
def test_an_event_that_is_not_as_events_are_is_found(tmp_path: Path, leaf: bytes, finding: str) -> None:
    """Even a rightly signed log is held to the form of its events, alone and at the end of a bundle."""
    assert finding in findings(export(tmp_path / "export", [a_leaf(0), leaf, a_leaf(2)]))


@pytest.mark.parametrize(("leaf", "finding"), NOT_AS_EVENTS_ARE)
def test_it_is_found_as_well_where_the_shape_of_events_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaf: bytes, finding: str
) -> None:
    """What was learnt of a thousand good events changes no sentence about a bad one: all is as where nothing is ever learnt."""
    directory = export(tmp_path / "export", [a_leaf(0), leaf, *(a_leaf(index) for index in range(2, 300)), leaf])
    monkeypatch.setattr("store.audit.shapes.LEARNT_OF", 1)
    learning = verify_export(directory)
    monkeypatch.setattr("store.audit.shapes.MOST_MADE", 0)
    assert learning == verify_export(directory)
    assert finding in "; ".join(learning.problems)


def test_ids_and_times_are_compared_across_bundles(tmp_path: Path) -> None:
    """An id used 300 events ago is found, and so is a time before the bundle before."""
    entries = leaves(301)
    assert "used before" in findings(export(tmp_path / "id", [*entries[:300], a_leaf(300, id="e0")]))
    late = [a_leaf(index, time="2026-11-20T23:00:00Z") for index in range(256)]
    assert "earlier" in findings(export(tmp_path / "time", [*late, a_leaf(256)]))


def test_a_hostile_export_cannot_fill_the_memory(tmp_path: Path) -> None:
    """A checkpoint over 10**18 events, or 600 bad events, gives few findings and ends at once."""
    directory = export(tmp_path / "bad", [b"[]"] * 600)
    assert len(verify_export(directory).problems) == 100
    directory = export(tmp_path / "huge", leaves(3))
    (directory / "checkpoint").write_text(sign_checkpoint(10**18, b"x" * 32, SIGNER))
    assert "missing" in findings(directory)
    assert not verify_export(tmp_path / "nothing").ok
    assert not verify_export(tmp_path / "huge" / "checkpoint").ok


def test_a_deep_export_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    """A file below more directories than Python has stack frames is a finding like any other."""
    directory = export(tmp_path / "export", leaves(3))
    deep = [directory]
    for _ in range(1200):
        deep.append(deep[-1] / "d")
        deep[-1].mkdir()
    (deep[-1] / "file").touch()
    assert "no such file belongs" in findings(directory)
    (deep[-1] / "file").unlink()
    for path in reversed(deep[1:]):  # what removes temporary directories does recurse
        path.rmdir()
    assert findings(directory) == ""


@given(st.sampled_from(["checkpoint", "key.vkey", "tile/0/000.p/3", "tile/entries/000.p/3"]), st.binary(max_size=200))
def test_verification_never_raises(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    """Any bytes in any file, and any text as older checkpoint, are findings."""
    directory = export(tmp_path_factory.mktemp("hostile") / "export", leaves(3))
    (directory / name).write_bytes(data)
    assert not verify_export(directory, older_checkpoint=data.decode("latin-1")).ok


# --- what must not change -------------------------------------------------------------------------------------------------------


def test_format_v1_is_frozen(tmp_path: Path) -> None:
    """Leaves, frontier, root, commitment and receipt of v1 stay verifiable byte for byte."""
    vector: dict[str, Any] = golden("log-v1.json")
    entries = [leaf.encode() for leaf in vector["leaves"]]
    frontier = shelve(entries).frontier
    assert frontier.to_bytes().hex() == vector["frontier"]
    assert frontier.root().hex() == vector["root"]
    assert Opening.from_json(vector["opening"]).commitment() == vector["commitment"]
    verified = verify_receipt(vector["receipt"], vector["vkey"])
    assert isinstance(verified, Verified)
    assert verified.openings == {"rationale": vector["opening"]["value"]}
    assert open_checkpoint(vector["receipt"]["checkpoint"], [SIGNER.vkey]).origin == ORIGIN
    assert findings(export(tmp_path / "export", entries), vector["receipt"]["checkpoint"]) == ""


@pytest.mark.outside
def test_verification_needs_nothing_but_python_and_ed25519() -> None:
    """An auditor runs it with the standard library and `cryptography`; no other package of ours or anybody's is loaded."""
    program = (
        "import sys; before = set(sys.modules); import store.audit.verify; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    parts_of_cryptography, alias_of_multiprocessing = {"_cffi_backend", "_openssl"}, {"__mp_main__"}
    assert set(run.stdout.split()) <= {"store", "cryptography"} | parts_of_cryptography | alias_of_multiprocessing
