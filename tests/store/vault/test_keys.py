"""The key files: made once, whole and closed to others; never replaced, never read when open to others."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from store.vault.keys import KeyUnusable, signing_key, vault_key


def test_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    """A first start makes both keys, readable by the owner alone and with nothing left beside them; the next start uses them."""
    signing, vault = tmp_path / "keys" / "signing.pem", tmp_path / "keys" / "vault.key"
    first = signing_key(signing, create=True).public_key().public_bytes_raw(), vault_key(vault, create=True)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (signing, vault)] == [0o600, 0o600]
    assert signing.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert len(vault.read_bytes()) == 32
    for create in (True, False):
        assert (signing_key(signing, create=create).public_key().public_bytes_raw(), vault_key(vault, create=create)) == first
    assert {path.name for path in signing.parent.iterdir()} == {"signing.pem", "vault.key"}


def test_a_wide_umask_changes_nothing(tmp_path: Path) -> None:
    """The file is closed from its first moment, whatever the process's umask."""
    before = os.umask(0)
    try:
        vault_key(tmp_path / "vault.key", create=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "vault.key").stat().st_mode) == 0o600


def test_a_missing_key_is_not_replaced(tmp_path: Path) -> None:
    """Where a key was in use, its absence is an error that says what to do, and no file appears."""
    for load in (signing_key, vault_key):
        with pytest.raises(KeyUnusable, match="restore the key from your backup"):
            load(tmp_path / "key", create=False)
    assert list(tmp_path.iterdir()) == []


def test_starting_twice_at_once_gives_one_key(tmp_path: Path) -> None:
    """Of several first starts one makes the key and all use it."""
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: vault_key(tmp_path / "vault.key", create=True), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["vault.key"]


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o660, 0o666, 0o601, 0o602, 0o777])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """The message names file, mode and remedy."""
    path = tmp_path / "vault.key"
    vault_key(path, create=True)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match=rf"{path}: mode {mode:04o} lets others at the key; run: chmod 600 {path}"):
        vault_key(path, create=False)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_a_mounted_secret_is_accepted(tmp_path: Path, mode: int) -> None:
    """Modes that Kubernetes gives a secret for a group are fine, also through the link it mounts."""
    path = tmp_path / "vault.key"
    key = vault_key(path, create=True)
    path.chmod(mode)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert vault_key(link, create=True) == key


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    """Other lengths, other kinds of keys, passphrases, garbage, directories and pipes get a clear no."""
    path = tmp_path / "key"
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase"))
    for data, message in (
        (curve, "not an Ed25519 key"),
        (locked, "without passphrase"),
        (b"", "not a PKCS#8"),
        (b"\xff" * 99, "not a PKCS#8"),
    ):
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(KeyUnusable, match=message):
            signing_key(path, create=True)
        with pytest.raises(KeyUnusable, match="a vault key has 32"):
            vault_key(path, create=True)
    with pytest.raises(KeyUnusable, match="not a plain file"):
        vault_key(tmp_path, create=True)
