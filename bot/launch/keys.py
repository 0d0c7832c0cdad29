"""The two key files, and whether they are those of this database. Owns these lines; makes no key and never shows one."""

import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bot.launch.finding import Finding, missing, ok, warn
from bot.launch.stored import Standing, Stored
from bot.settings import PREFIX, Settings
from store.audit.checkpoint import open_checkpoint
from store.audit.signed_note import BadNote, Signer
from store.database.database import Database
from store.ledger.sealed_head import HeadAlteredError, read_head, read_ruling
from store.reads.history import check_vault_key
from store.vault.keys import FORBIDDEN_BITS, KeyUnusable, signing_key, vault_key
from store.vault.vault import Vault

MAKE = {
    "signing_key_file": "openssl genpkey -algorithm ed25519 -out {path} && chmod 600 {path}",
    "vault_key_file": "head -c 32 /dev/urandom > {path} && chmod 600 {path}",
}
"""How each key is made by hand, as PostgreSQL wants it."""


async def keys(settings: Settings, stored: Stored, database: Database | None) -> Sequence[Finding]:
    """Both files: there, a key, for this user alone, and the one that this database was written with."""
    signing = _file(settings, stored, "signing_key_file", settings.signing_key_path, partial(signing_key, create=False))
    if not signing.mend and stored.checkpoint is not None and not _signed(settings.signing_key_path, stored):
        said = "It is not the key that signed this log."
        signing = missing("signing key", said, "Restore the signing key of this database from your backup, or name its file.")
    vault = _file(settings, stored, "vault_key_file", settings.vault_key_path, partial(vault_key, create=False))
    if not vault.mend and database is not None and stored.standing is Standing.CURRENT and settings.vault_key_path.exists():
        vault = await database.read(partial(_opened, vault=Vault(vault_key(settings.vault_key_path, create=False)), otherwise=vault))
    return [signing, vault]


def _file(settings: Settings, stored: Stored, name: str, path: Path, read: Callable[[Path], object]) -> Finding:
    about = name.removesuffix("_file").replace("_", " ")
    by_hand = MAKE[name].format(path=path)
    try:
        if not path.exists():
            return _absent(settings, stored, name, path, by_hand)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & FORBIDDEN_BITS:
            return missing(about, f"{path} has mode {mode:04o}: others can get at it.", f"Run: chmod 600 {path}")
        if not mode & stat.S_IRUSR:  # root would get around it
            return missing(about, f"{path} has mode {mode:04o}: not even its owner can read it.", f"Run: chmod 600 {path}")
        read(path)
    except KeyUnusable as error:
        return missing(about, f"{' '.join(str(error).split())}.", _instead(stored, by_hand))
    except OSError as error:
        return missing(
            about, f"{path} cannot be read: {error.strerror}.", f"Let this user read it, or name another file in {_setting(name)}."
        )
    if mode & stat.S_IRGRP:
        return warn(about, f"{path} has mode {mode:04o}: its group can read it.", f"Unless that is meant, run: chmod 600 {path}")
    return ok(about, f"{path} is there, for this user alone.")


def _absent(settings: Settings, stored: Stored, name: str, path: Path, by_hand: str) -> Finding:
    about = name.removesuffix("_file").replace("_", " ")
    if stored.size:
        said = f"{path} is not there, and {stored.size} events were written with it."
        return missing(about, said, f"Restore the key from your backup, or name its file in {_setting(name)}.")
    if not stored.unused:
        return missing(
            about, f"{path} is not there.", "Restore it from your backup if the database was used; if not, have that be readable first."
        )
    if not settings.on_sqlite:
        return missing(about, f"{path} is not there.", f"Run: {by_hand}")
    if not path.resolve().parent.is_dir():
        return missing(about, f"There is no folder {path.resolve().parent}.", f"Run: mkdir -p -m 700 {path.resolve().parent}")
    return ok(about, f"The first start makes {path}.")


def _instead(stored: Stored, by_hand: str) -> str:
    return f"Move that file away and run: {by_hand}" if stored.unused else "Restore the key of this database from your backup."


def _setting(name: str) -> str:
    return PREFIX + name.upper()


def _signed(path: Path, stored: Stored) -> bool:
    """Whether the newest checkpoint in the database was signed with this key."""
    if stored.checkpoint is None or not path.exists():
        return True
    try:
        open_checkpoint(stored.checkpoint, [Signer(f"tierline/{stored.deployment}", signing_key(path, create=False)).vkey])
    except BadNote:
        return False
    return True


def _opened(connection: Connection, *, vault: Vault, otherwise: Finding) -> Finding:
    """What is wrong with a vault key for this database, `otherwise` where it opens it."""
    try:
        check_vault_key(connection, vault=vault)
    except KeyUnusable:
        said = "It does not open what is stored: this database was written under another vault key."
        return missing("vault key", said, "Restore the vault key of this database from your backup, or name its file.")
    try:
        read_head(connection, read_ruling(connection), vault.head_seal)
    except HeadAlteredError:
        said = "The log's head was not sealed with it: the key is another one, or somebody else wrote to the database."
        return missing(
            "vault key", said, "Restore the vault key from your backup; if it is the right one, see docs/operating.md on recovery."
        )
    return otherwise
