"""The two key files: the Ed25519 key that signs checkpoints and the key that wraps the vault's case keys.

Owns making them once, safely, and refusing files that others could read. It never prints, logs or replaces a key: a key lost or swapped
behind the log's back is an incident, so making one happens only where the caller says that none has been used yet.
"""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from store.vault.vault import KEY_SIZE

MAX_FILE_BYTES = 16_384
FORBIDDEN_BITS = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
"""Reading by the group is let through: Kubernetes gives a mounted secret to a process that is not root by the group alone."""


class KeyUnusable(RuntimeError):
    """The key file is missing, open to others, or not a key of the kind expected."""


def signing_key(path: Path, *, create: bool) -> Ed25519PrivateKey:
    """The signing key, a PKCS#8 PEM file without passphrase. `create` makes it (mode 0600) if missing. Raises KeyUnusable, OSError."""
    data = _load_or_create(path, _new_signing_key, create=create)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise KeyUnusable(f"{path}: not a PKCS#8 PEM private key without passphrase") from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{path}: not an Ed25519 key (make one: openssl genpkey -algorithm ed25519)")
    return key


def vault_key(path: Path, *, create: bool) -> bytes:
    """The vault key, a file of 32 random bytes. `create` makes it (mode 0600) if missing. Raises KeyUnusable, OSError."""
    key = _load_or_create(path, _new_vault_key, create=create)
    if len(key) != KEY_SIZE:
        raise KeyUnusable(f"{path}: has {len(key)} bytes, a vault key has {KEY_SIZE} (make one: head -c {KEY_SIZE} /dev/urandom)")
    return key


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_vault_key() -> bytes:
    return secrets.token_bytes(KEY_SIZE)


def _load_or_create(path: Path, new: Callable[[], bytes], *, create: bool) -> bytes:
    if create and not path.exists():
        _create(path, new())
    if not path.exists():
        raise KeyUnusable(f"{path}: no such file; restore the key from your backup, or name the right file")
    if not path.is_file():
        raise KeyUnusable(f"{path}: not a plain file")
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & FORBIDDEN_BITS:
            raise KeyUnusable(f"{path}: mode {stat.S_IMODE(mode):04o} lets others at the key; run: chmod 600 {path}")
        return file.read(MAX_FILE_BYTES)


def _create(path: Path, data: bytes) -> None:
    """Write beside the place, flush, then link: the file appears whole or not at all, and a key that is there first is kept."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):  # another process was first; its key is the one
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
