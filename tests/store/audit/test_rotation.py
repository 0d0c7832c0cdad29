"""The signing key changes hands in the open: the old key names the new one in the log, or the export is refused."""

from pathlib import Path

from store.audit.key_rotation import announce_key
from store.audit.verify import verify_export
from tests.store.audit.small_log import SECOND_SIGNER, SIGNER, STRANGER, a_leaf, checkpoint_of, export, findings, leaves


def rotation(index: int, **changes: object) -> bytes:
    """The event by which the first key hands over to the second."""
    fields = {"new_vkey": str(SECOND_SIGNER.vkey), "announcement": announce_key(SECOND_SIGNER.vkey, SIGNER)} | changes
    return a_leaf(index, event="key_rotated", fields=fields)


def test_a_rotated_key_is_followed(tmp_path: Path) -> None:
    """An export with both keys verifies, against old and new checkpoints, whichever key one trusts."""
    keys = [SIGNER.vkey, SECOND_SIGNER.vkey]
    entries = [a_leaf(0), rotation(1), a_leaf(2)]
    directory = export(tmp_path / "export", entries, SECOND_SIGNER, keys)
    assert findings(directory, checkpoint_of(entries[:1])) == ""
    assert findings(directory, checkpoint_of(entries[:2], SECOND_SIGNER)) == ""
    assert all(verify_export(directory, trusted_vkey=str(key)).ok for key in keys)


def test_a_key_that_was_not_announced_is_found(tmp_path: Path) -> None:
    """A later key needs the word of the key before; a rotation needs the key in the list; an old key signs no new checkpoint."""
    keys = [SIGNER.vkey, SECOND_SIGNER.vkey]
    entries = [a_leaf(0), rotation(1), a_leaf(2)]
    assert "0 announced" in findings(export(tmp_path / "silent", leaves(3), SECOND_SIGNER, keys))
    forged = rotation(1, announcement=announce_key(SECOND_SIGNER.vkey, STRANGER))
    assert "did not sign" in findings(export(tmp_path / "forged", [a_leaf(0), forged], SECOND_SIGNER, keys))
    assert "not the next" in findings(
        export(tmp_path / "other", [a_leaf(0), rotation(1, new_vkey=str(STRANGER.vkey))], SECOND_SIGNER, keys)
    )
    assert "not the next" in findings(export(tmp_path / "unlisted", entries, SECOND_SIGNER))
    assert "not the next" in findings(export(tmp_path / "twice", [a_leaf(0), rotation(1), rotation(2)], SECOND_SIGNER, keys))
    assert "not the next" in findings(export(tmp_path / "empty", [a_leaf(0), a_leaf(1, event="key_rotated")], SIGNER))
    assert "not a checkpoint signed" in findings(export(tmp_path / "retired", entries, SIGNER, keys))
    assert "not a list" in findings(export(tmp_path / "repeated", entries, SIGNER, [SIGNER.vkey, SIGNER.vkey]))
