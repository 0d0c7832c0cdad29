"""Checkpoints outside the database: never lost once published, never backwards, and a restored or forked database stands out."""

from pathlib import Path

import pytest

from store.audit.checkpoint import Checkpoint
from store.audit.checkpoint_directory import Absent, Agrees, Behind, CheckpointDirectory, CheckpointRefused, CheckpointUnreadable, Forked
from store.audit.signed_note import BadNote
from tests.store.audit.small_log import ORIGIN, SECOND_SIGNER, SIGNER, STRANGER, a_leaf, checkpoint_of, leaves, shelve

ENTRIES = leaves(9)


def directory_with(path: Path, size: int) -> CheckpointDirectory:
    """A checkpoint directory whose newest checkpoint is over this many of the entries."""
    directory = CheckpointDirectory(path / "checkpoints", [SIGNER.vkey])
    directory.publish(checkpoint_of(ENTRIES[:size]))
    return directory


def test_the_newest_checkpoint_comes_back(tmp_path: Path) -> None:
    """What was published last is what a new process finds, and no draft is left behind."""
    directory = directory_with(tmp_path, 3)
    directory.publish(checkpoint_of(ENTRIES[:7]))
    again = CheckpointDirectory(tmp_path / "checkpoints", [SIGNER.vkey])
    assert again.newest() == Checkpoint(ORIGIN, 7, shelve(ENTRIES[:7]).frontier.root())
    assert again.newest_note() == checkpoint_of(ENTRIES[:7])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint"]


def test_a_crash_while_publishing_leaves_the_one_before(tmp_path: Path) -> None:
    """A half-written draft is neither read nor in the way."""
    directory = directory_with(tmp_path, 3)
    (tmp_path / "checkpoints" / ".checkpoint.draft").write_text(checkpoint_of(ENTRIES)[:50])
    newest = directory.newest()
    assert newest is not None
    assert newest.size == 3
    assert directory.publish(checkpoint_of(ENTRIES[:4])).size == 4


def test_a_checkpoint_never_goes_back(tmp_path: Path) -> None:
    """Smaller, or the same size with another root, is refused and the newest stays; the same tree again is fine."""
    directory = directory_with(tmp_path, 5)
    for note in (checkpoint_of(ENTRIES[:4]), checkpoint_of([*ENTRIES[:4], a_leaf(4, event="forged")])):
        with pytest.raises(CheckpointRefused):
            directory.publish(note)
    assert directory.publish(checkpoint_of(ENTRIES[:5])).size == 5
    assert directory.newest_note() == checkpoint_of(ENTRIES[:5])


def test_only_our_own_checkpoints_are_kept(tmp_path: Path) -> None:
    """What no key of this log signed is neither published nor, once lying there, believed."""
    directory = directory_with(tmp_path, 5)
    with pytest.raises(BadNote):
        directory.publish(checkpoint_of(ENTRIES, STRANGER))
    for text in (checkpoint_of(ENTRIES, STRANGER), "", "\ud7ff", checkpoint_of(ENTRIES)[:-1]):
        (tmp_path / "checkpoints" / "checkpoint").write_text(text)
        with pytest.raises(CheckpointUnreadable):
            directory.newest()
    (tmp_path / "checkpoints" / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(CheckpointUnreadable):
        directory.compare(9, shelve(ENTRIES).read)


def test_a_checkpoint_of_the_key_before_still_counts(tmp_path: Path) -> None:
    """After a rotation the last checkpoint of the old key is still what the tree is compared with."""
    directory_with(tmp_path, 5)
    directory = CheckpointDirectory(tmp_path / "checkpoints", [SIGNER.vkey, SECOND_SIGNER.vkey])
    assert isinstance(directory.compare(9, shelve(ENTRIES).read), Agrees)
    assert directory.publish(checkpoint_of(ENTRIES, SECOND_SIGNER)).size == 9


def test_a_tree_that_grew_agrees(tmp_path: Path) -> None:
    """At every size from the checkpoint on, the log it was taken of agrees."""
    directory = directory_with(tmp_path, 5)
    newest = directory.newest()
    for size in range(5, 10):
        assert directory.compare(size, shelve(ENTRIES[:size]).read) == Agrees(newest)


def test_a_restored_database_is_behind(tmp_path: Path) -> None:
    """A database with fewer leaves than were signed is told apart, at every size."""
    directory = directory_with(tmp_path, 5)
    newest = directory.newest()
    assert newest is not None
    for size in range(5):
        assert directory.compare(size, shelve(ENTRIES[:size]).read) == Behind(newest, size)


def test_a_changed_database_is_forked(tmp_path: Path) -> None:
    """Any changed leaf under the checkpoint shows; one after it does not matter."""
    directory = directory_with(tmp_path, 5)
    for at in range(9):
        changed = shelve([*ENTRIES[:at], a_leaf(at, event="forged"), *ENTRIES[at + 1 :]])
        assert isinstance(directory.compare(9, changed.read), Forked if at < 5 else Agrees)


def test_an_empty_directory_is_right_for_an_empty_log_only(tmp_path: Path) -> None:
    """A first start agrees; a log with events and no checkpoint does not."""
    directory = CheckpointDirectory(tmp_path / "none", [SIGNER.vkey])
    assert directory.newest_note() is None
    assert directory.compare(0, shelve([]).read) == Agrees(None)
    assert directory.compare(9, shelve(ENTRIES).read) == Absent(9)


def test_a_recovery_sets_the_lost_checkpoint_aside(tmp_path: Path) -> None:
    """After an operator's word the shorter log may be signed again, and the evidence of the longer one stays."""
    directory = directory_with(tmp_path, 5)
    aside = directory.set_aside()
    assert aside is not None
    assert aside.read_text() == checkpoint_of(ENTRIES[:5])
    assert aside.name.startswith("superseded-5-")
    assert directory.newest() is None
    assert directory.set_aside() is None
    assert directory.publish(checkpoint_of(ENTRIES[:3])).size == 3
