"""The database as a start would find it, looked at without its lock: there, of which schema, what it remembers. Owns these reads.

Nothing in it is changed, and where a bot serves it nothing is written on trial either: that bot says itself whether it can.
"""

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum, unique
from pathlib import Path
from secrets import token_hex

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from bot.launch.clock import Reading
from bot.launch.finding import Finding, missing, ok, warn
from bot.settings import Settings
from routing.governance.drill_report import Contact
from routing.governance.governance import Governance
from store.audit.stored_tree import newest_checkpoint
from store.database.database import Database
from store.database.errors import UnsafeDatabaseError, why_unavailable
from store.deployment import read_deployment
from store.ledger.sealed_head import HeadAlteredError, head_row, read_ruling
from store.migrate import NewerSchemaError, NoSchemaError, OlderSchemaError, check
from store.reads.drills import last_answers
from store.schema import meta, metadata, moment, policies

MEMORY = ":memory:"
"""No file, and refused for that."""

ROOM, LEAST_ROOM = 100 << 20, 1 << 20
"""Bytes that are free on its disk below which somebody should know, and below which nothing can be relied on."""

OF_OURS = "See that the file is a database of Tierline's, which this user may read and write."
WHERE = "Look at TIERLINE_DATABASE_URL, and whether the database runs and lets this user in."


@unique
class Standing(StrEnum):
    """How far the database has come."""

    NEW = "new"
    """Nothing is in it: the first start makes all of it."""
    OLDER = "older"
    CURRENT = "current"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found. `last`: the time of the newest event; `reading`: PostgreSQL's clock, which SQLite has none of; `answers`: the last
    ones to drills.
    """

    standing: Standing
    found: tuple[Finding, ...] = ()
    size: int = 0
    deployment: str = ""
    last: datetime | None = None
    reading: Reading | None = None
    active: bytes | None = None
    earlier: bytes | None = None
    governance: Governance = field(default_factory=Governance)
    checkpoint: str | None = None
    answers: tuple[Contact, ...] = ()

    @property
    def unused(self) -> bool:
        """Whether it is certain that nothing was ever recorded in it."""
        return self.standing is Standing.NEW or (self.standing is Standing.CURRENT and not self.size)


async def look(settings: Settings, database: Database | None, now: Callable[[], datetime]) -> Stored:
    """The database that the settings name, None where it is a file that is not there yet. Raises what reading raises."""
    if database is None:
        return Stored(Standing.NEW, tuple(_new_file(settings)))
    before = now()
    try:
        stored, clock = await database.read(_read)
    except NoSchemaError:
        return Stored(Standing.NEW, tuple(await database.read(_may_begin)))
    except HeadAlteredError as error:
        return Stored(Standing.UNUSABLE, (missing("database", str(error), "See docs/operating.md on a database that others wrote to."),))
    half = (now() - before) / 2
    reading = Reading("PostgreSQL", clock, before + half, half.total_seconds()) if clock is not None else None
    return replace(stored, reading=reading)


async def open_to_read(settings: Settings) -> Database | None:
    """The database, open for reading; None for a SQLite file that is not there or empty. Raises what opening raises."""
    file = settings.database_file
    if file is not None and file.name != MEMORY and (not file.exists() or (file.is_file() and not file.stat().st_size)):
        return None
    return await Database.open(settings.database_url.get_secret_value(), serving=False, any_schema=True)


async def writable(settings: Settings, stored: Stored, database: Database | None, *, served: bool) -> Sequence[Finding]:
    """The line about the database: reached, of this version, and it takes writes."""
    found = [*stored.found, *_disk(settings)]
    if stored.standing is Standing.UNUSABLE or any(one.mend for one in found):
        return found
    if stored.standing is Standing.NEW:
        where = "the first start makes its tables" if settings.database_file is None else "the first start makes the file"
        return [ok("database", f"It is empty; {where}.")]
    if stored.standing is Standing.OLDER:
        return [warn("database", "It has the schema of an older version.", "Keep a backup, then run: tierline db upgrade")]
    if served and settings.on_sqlite:
        said = f"It has this version's schema and {stored.size} events; the bot that serves it says itself if it cannot write."
        return [ok("database", said)]
    if database is not None and (why := await _refuses(database)):
        return [missing("database", f"It takes no writes: {why}.", "Mend that cause, then run this again.")]
    return [ok("database", f"It has this version's schema, {stored.size} events, and takes writes.")]


def unopened(settings: Settings, error: Exception) -> Stored:
    """What is known of a database that could not be opened or read, by why."""
    match error:
        case OlderSchemaError():
            return Stored(Standing.OLDER)
        case NewerSchemaError():
            said, mend = "It was written by a newer version.", "Install that version, or restore the backup made before the upgrade."
        case UnsafeDatabaseError():
            said, mend = " ".join(str(error).split()), "Keep the database on a local disk, in a folder that this user may write to."
        case _:
            said = f"It cannot be read: {why_unavailable(error)}."
            mend = WHERE if settings.database_file is None else OF_OURS
    return Stored(Standing.UNUSABLE, (missing("database", said, mend),))


def _new_file(settings: Settings) -> Sequence[Finding]:
    file = settings.database_file
    folder = file.resolve().parent if file is not None else None
    if folder is None or folder.is_dir():
        return ()
    return [missing("database", f"There is no folder {folder}.", f"Run: mkdir -p -m 700 {folder}")]


def _disk(settings: Settings) -> Sequence[Finding]:
    """Rights and room where the SQLite file lies. A right that its owner lacks counts, though root would get around it."""
    file = settings.database_file
    if file is None:
        return ()
    folder = file.resolve().parent
    found: list[Finding] = []
    for path, wanted in ((folder, os.W_OK | os.X_OK), (file, os.R_OK | os.W_OK)):
        if path.exists() and not (os.access(path, wanted) and path.stat().st_mode & stat.S_IWUSR):
            found.append(missing("database", f"{path} cannot be written to.", f"Let this user write to it: chmod u+rwX {path}"))
    if folder.is_dir():
        free = shutil.disk_usage(folder).free
        if free < ROOM:
            judged = missing if free < LEAST_ROOM else warn
            found.append(judged("database", f"Its disk has {free >> 20} MiB left.", f"Make room on the disk of {folder}."))
    return found


def _read(connection: Connection) -> tuple[Stored, datetime | None]:
    """What stands in it, and PostgreSQL's time."""
    check(connection)
    head, ruling = head_row(connection), read_ruling(connection)
    newest = newest_checkpoint(connection)
    on_postgres = connection.dialect.name == "postgresql"
    stored = Stored(
        standing=Standing.CURRENT,
        size=head.size,
        deployment=read_deployment(connection),
        last=moment(head.last_time) if head.size else None,
        active=_body(connection, head.policy),
        earlier=_body(connection, next(iter(ruling.governance.activated[-1:]), "")),
        governance=ruling.governance,
        checkpoint=None if newest is None else newest[1],
        answers=tuple(last_answers(connection, ruling.governance)),
    )
    return stored, connection.execute(text("SELECT clock_timestamp()")).scalar_one() if on_postgres else None


def _may_begin(connection: Connection) -> Sequence[Finding]:
    """Whether PostgreSQL lets this user make tables in a database that has none."""
    asked = text("SELECT has_schema_privilege(current_schema(), 'CREATE')")
    if connection.dialect.name != "postgresql" or connection.execute(asked).scalar_one():
        return ()
    return [
        missing("database", "This user may make no tables in it.", "Run in it as its owner: GRANT CREATE ON SCHEMA public TO the user.")
    ]


def _body(connection: Connection, sha256: str) -> bytes | None:
    return connection.execute(select(policies.c.body).where(policies.c.sha256 == sha256)).scalar_one_or_none()


async def _refuses(database: Database) -> str:
    """Why the database takes no writes, empty where it does: a row is written that nobody else looks for, and taken back."""
    try:
        if lacking := await database.read(_lacking):
            return f"this user may not write to {lacking}"
        async with database.writing() as transaction:
            await transaction.run(_write)
    except (DBAPIError, OSError, UnsafeDatabaseError) as error:
        return why_unavailable(error)
    return ""


def _write(connection: Connection) -> None:
    connection.execute(insert(meta).values(key=f"readiness {token_hex(8)}", value=""))


def _lacking(connection: Connection) -> str:
    """A table to which PostgreSQL lets this user not write, empty where there is none."""
    if connection.dialect.name != "postgresql":
        return ""
    asked = text("SELECT has_table_privilege(:name, 'INSERT')")
    return next((name for name in metadata.tables if not connection.execute(asked, {"name": name}).scalar_one()), "")


def folder_of(settings: Settings) -> Path | None:
    """Where the SQLite file lies, None on PostgreSQL."""
    return None if settings.database_file is None else settings.database_file.resolve().parent
