"""The checkpoint directory: set, out of the database's reach, writable, and in agreement with the log. Owns this line; signs nothing."""

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.launch.finding import Finding, missing, ok
from bot.launch.stored import Standing, Stored, folder_of
from bot.settings import Settings
from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.signed_note import Signer
from store.checkpoint_signing import disagreement
from store.database.database import Database
from store.vault.keys import KeyUnusable, signing_key

SETTING = "TIERLINE_CHECKPOINT_DIR"
TRIES = 3
"""A bot that serves may sign between our look at the database and that at the directory."""


async def checkpoints(settings: Settings, stored: Stored, database: Database | None) -> Sequence[Finding]:
    """Where the newest checkpoint lies, or would."""
    path, beside = settings.checkpoint_path.resolve(), folder_of(settings)
    found: list[Finding] = []
    if settings.checkpoint_dir is None:
        said = f"{SETTING} is not set, so {path} is taken."
        found.append(missing("checkpoints", said, f"Set {SETTING} to a directory on other storage than the database's."))
    elif beside is not None and path.is_relative_to(beside):
        said = f"{path} lies in the database's folder: whoever restores the one restores the other, and nothing is noticed."
        found.append(missing("checkpoints", said, f"Set {SETTING} to a directory outside {beside}, best on other storage."))
    if why := _unwritable(path):
        found.append(missing("checkpoints", why, f"Make a directory that this user may write to, and set {SETTING} to it."))
    elif database is not None and stored.standing is Standing.CURRENT and (reason := await _apart(settings, stored, database, path)):
        found.append(missing("checkpoints", reason, "See docs/operating.md on what to do when database and checkpoints disagree."))
    return found or [ok("checkpoints", f"{path} is out of the database's reach and can be written to.")]


def _unwritable(path: Path) -> str:
    """Why nothing can be kept there, empty where it can. A directory that is not there yet is made by the bot."""
    if path.exists() and not path.is_dir():
        return f"{path} is no directory."
    if not path.exists():
        above = next(parent for parent in path.parents if parent.exists())
        return "" if above.is_dir() and _may_write(above) else f"{path} is not there and cannot be made."
    if not _may_write(path):
        return f"{path} cannot be written to."
    try:
        with tempfile.TemporaryFile(dir=path):
            return ""
    except OSError as error:
        return f"{path} cannot be written to: {error.strerror}."


def _may_write(directory: Path) -> bool:
    """Whether this user may, and would also if it were not root, who gets around every mode."""
    return os.access(directory, os.W_OK | os.X_OK) and bool(directory.stat().st_mode & stat.S_IWUSR)


async def _apart(settings: Settings, stored: Stored, database: Database, path: Path) -> str:
    """How the log parts from what was signed, empty where it does not, or where the key that tells is not there."""
    try:
        signer = Signer(f"tierline/{stored.deployment}", signing_key(settings.signing_key_path, create=False))
    except (KeyUnusable, OSError):
        return ""
    reason = ""
    for _ in range(TRIES):
        reason = await disagreement(database, CheckpointDirectory(path, [signer.vkey]))
        if not reason:
            return ""
    return reason
