"""The announcement by which an old signing key names its successor, as a signed note. Owns its format; never decides which key to trust."""

from store.audit.signed_note import BadNote, Signer, VerifierKey, open_note


def announce_key(new: VerifierKey, signer: Signer) -> str:
    """The note by which the key in use names its successor; it goes into the `key_rotated` leaf as `fields.announcement`."""
    return signer.sign(_announcement(signer.vkey.name, new))


def is_announced(note: str, new: VerifierKey, old: VerifierKey) -> bool:
    """Whether `old` announced `new` in this note. Never raises."""
    try:
        return open_note(note, [old]) == _announcement(old.name, new)
    except BadNote:
        return False


def _announcement(origin: str, new: VerifierKey) -> str:
    # The second line is no number, so this text can never be taken for a checkpoint.
    return f"{origin}\nkey rotated\n{new}\n"
