"""Notes, keys and checkpoints: another implementation's vectors, and no freedom in how they are spelt."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from store.audit.key_rotation import announce_key, is_announced
from store.audit.signed_note import BadKey, BadNote, Signer, VerifierKey, open_note
from tests.store.audit.small_log import ORIGIN, SECOND_SIGNER, SIGNER, STRANGER, golden

# The example of Go's golang.org/x/mod/sumdb/note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_NOTE = (
    f"{NEUMANN_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ROOT = bytes(range(32))
NOTE = sign_checkpoint(7, ROOT, SIGNER)


def test_a_note_of_another_implementation_opens() -> None:
    """A note that Go signed opens with the key that Go printed."""
    key = VerifierKey.parse(NEUMANN)
    assert str(key) == NEUMANN
    assert open_note(NEUMANN_NOTE, [key]) == NEUMANN_TEXT


def test_checkpoint_format_is_frozen() -> None:
    """Checkpoint, key and signature of v1 stay byte for byte what they were."""
    vector = golden("log-v1.json")
    assert str(SIGNER.vkey) == vector["vkey"]
    assert sign_checkpoint(7, ROOT, SIGNER) == vector["checkpoint"]
    assert NOTE.splitlines()[:4] == [ORIGIN, "7", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]


def test_a_checkpoint_comes_back() -> None:
    """What was signed is what is read, also when a witness added a line."""
    assert open_checkpoint(NOTE, [SIGNER.vkey]) == Checkpoint(ORIGIN, 7, ROOT)
    witnessed = NOTE + "— witness.example/w " + STRANGER.sign("x\n").rpartition(" ")[2]
    assert open_checkpoint(witnessed, [SECOND_SIGNER.vkey, SIGNER.vkey]).size == 7


def test_every_flipped_bit_is_refused() -> None:
    """No bit of a checkpoint or of a key can change."""
    for original, opens in ((NOTE, lambda text: open_checkpoint(text, [SIGNER.vkey])), (str(SIGNER.vkey), VerifierKey.parse)):
        raw = original.encode()
        for bit in range(len(raw) * 8):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises((BadKey, BadNote, UnicodeDecodeError)):
                opens(flipped.decode())


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.partition("\n\n")[0] + "\n\n",
        NOTE.replace("—", "-"),
        NOTE.replace("7", "07", 1),
        NOTE.replace("7", "-7", 1),
        NOTE.replace("\n7\n", "\n\u0667\n"),
        NOTE + "not a signature\n",
        NOTE + NOTE.rpartition("\n\n")[2] * 16,
        "\ud800" + NOTE,
        "\x00" + NOTE,
        NOTE.replace("\n", "\r\n"),
        "x" * 20_000 + NOTE,
    ],
)
def test_a_misshapen_note_is_refused(note: str) -> None:
    """Every departure from the format is an error of ours, never another exception."""
    with pytest.raises(BadNote):
        open_checkpoint(note, [SIGNER.vkey])


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n7\nAAAA\n",
        f"{ORIGIN}\n7\nno base64\n",
        f"{ORIGIN}\n{'9' * 20}\n{'A' * 43}=\n",
        f"{ORIGIN}\n7\n{'A' * 43}=\nextension\n",
        "a\nb\nc\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    """A signature does not make a checkpoint of any text."""
    with pytest.raises(BadNote):
        open_checkpoint(SIGNER.sign(text), [SIGNER.vkey])


def test_only_known_keys_count() -> None:
    """A note by a stranger, by nobody known or for another origin is refused, and so is one false signature among true ones."""
    for keys in ([], [STRANGER.vkey], [SECOND_SIGNER.vkey]):
        with pytest.raises(BadNote):
            open_checkpoint(NOTE, keys)
    with pytest.raises(BadNote):
        open_checkpoint(SIGNER.sign(Checkpoint("tierline/another", 7, ROOT).text()), [SIGNER.vkey])
    false_line = SECOND_SIGNER.sign("something else\n").rpartition("\n\n")[2]
    with pytest.raises(BadNote):
        open_checkpoint(NOTE + false_line, [SIGNER.vkey, SECOND_SIGNER.vkey])


@pytest.mark.parametrize("name", ["", "two words", "plus+sign", "new\nline", "no\u00a0break", "\ud800"])
def test_a_key_name_that_breaks_the_format_is_refused(name: str) -> None:
    """A deployment cannot be given a name that its own checkpoints could not carry."""
    with pytest.raises(BadKey):
        Signer(name, STRANGER._key)  # noqa: SLF001 -- any key will do


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", "a+b+c", NEUMANN.replace("c74f20a3", "c74f20a4"), NEUMANN.upper(), NEUMANN[:-4], NEUMANN + "\n", "\ud800" + NEUMANN],
)
def test_a_misshapen_key_is_refused(text: str) -> None:
    """A key is what it says it is, or no key."""
    with pytest.raises(BadKey):
        VerifierKey.parse(text)


def test_bytes_that_are_no_point_of_the_curve_verify_nothing() -> None:
    """A well-formed key line may hold 32 bytes that are no public key."""
    assert not VerifierKey("x", b"\xff" * 32).verifies(b"\0" * 64, "text\n")


def test_a_text_that_cannot_be_a_note_is_not_signed() -> None:
    """Nothing is signed that could not be opened again."""
    for text in ("no line end", "bell\x07\n", "\ud800\n"):
        with pytest.raises(BadNote):
            SIGNER.sign(text)


def test_a_key_announces_its_successor_and_nobody_elses() -> None:
    """An announcement holds for exactly one pair of keys, and is never a checkpoint."""
    note = announce_key(SECOND_SIGNER.vkey, SIGNER)
    assert is_announced(note, SECOND_SIGNER.vkey, SIGNER.vkey)
    assert not is_announced(note, STRANGER.vkey, SIGNER.vkey)
    assert not is_announced(note, SECOND_SIGNER.vkey, STRANGER.vkey)
    assert not is_announced(NOTE, SECOND_SIGNER.vkey, SIGNER.vkey)
    with pytest.raises(BadNote):
        open_checkpoint(note, [SIGNER.vkey])


def test_key_ids_are_those_of_the_specification() -> None:
    """The id in key and signature line is the truncated hash of name, newline, type and key."""
    assert b64decode(NOTE.rpartition(" ")[2])[:4] == SIGNER.vkey.id


@given(st.text())
def test_reading_never_raises_anything_else(text: str) -> None:
    """Any text at all gives our error."""
    with pytest.raises(BadNote):
        open_checkpoint(text, [SIGNER.vkey])
    with pytest.raises(BadKey):
        VerifierKey.parse(text)
