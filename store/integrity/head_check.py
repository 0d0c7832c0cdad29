"""The few rows that everything hangs on: the head of the log under its seal, the governance, the newest checkpoint, the stored policies and
the triggers that keep the log append-only. Owns these comparisons; reads only.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from sqlalchemy import Connection, func, select, text

from store.audit.checkpoint import open_checkpoint
from store.audit.merkle import Frontier, MalformedFrontier, MissingHash, OutOfTree, root_at
from store.audit.proven_leaves import DamagedTreeError, ProvenLeaves
from store.audit.signed_note import BadNote, VerifierKey
from store.audit.stored_tree import hashes, newest_checkpoint
from store.integrity.findings import Finding
from store.ledger.sealed_head import HeadAlteredError, UnreadableGovernanceError, head_row, read_head, read_ruling
from store.schema import checkpoints, governance, leaves, policies
from store.vault.head_seal import HeadSeal

LOG = "the log"
_REVISION = select(governance.c.revision).where(governance.c.id == 1)
TABLES = ("leaves", "nodes", "checkpoints")
SQLITE_TRIGGERS = {f"{table}_{verb}" for table in TABLES for verb in ("update", "delete", "insert")}
POSTGRESQL_TRIGGERS = {f"{table}_{rows}" for table in TABLES for rows in ("rows", "all")}


def stored_tree(connection: Connection, known: dict[tuple[int, int], tuple[bytes, ...]]) -> ProvenLeaves:
    """The tree whose edge the head names. Raises MalformedFrontier."""
    return ProvenLeaves(Frontier.from_bytes(head_row(connection).frontier), hashes(connection), known)


def check_head(connection: Connection, seal: HeadSeal, keys: Sequence[VerifierKey]) -> Iterator[Finding]:
    """Head, governance, newest checkpoint, policies, triggers."""
    try:
        head = head_row(connection)
        Frontier.from_bytes(head.frontier)
    except (HeadAlteredError, MalformedFrontier):
        yield Finding("the head of the log", "it is missing or damaged; restore the database from a backup")
        return
    try:
        ruling = read_ruling(connection)
        revisions = {ruling.governance.revision, connection.execute(_REVISION).scalar_one()}
        if revisions != {head.governance}:
            yield Finding("governance", f"its row is of another revision than {head.governance}, which the head names")
        read_head(connection, ruling, seal)
    except UnreadableGovernanceError:
        yield Finding("governance", "its row is missing or cannot be read; restore the database from a backup")
    except HeadAlteredError as error:
        yield Finding("the head of the log", str(error))
    yield from _size(connection)
    yield from _newest(connection, keys)
    yield from _policies(connection)
    yield from _triggers(connection)


def _size(connection: Connection) -> Iterator[Finding]:
    head = head_row(connection)
    size = Frontier.from_bytes(head.frontier).size
    if size != head.size:
        yield Finding("the head of the log", f"it names {head.size} events, its frontier {size}")
    if beyond := connection.execute(select(func.count()).select_from(leaves).where(leaves.c.idx >= size)).scalar_one():
        yield Finding(LOG, f"{beyond} events stand behind its end; nobody recorded them")
    if size:
        try:
            stored_tree(connection, {}).hash(size - 1)
        except DamagedTreeError as problem:
            yield Finding(LOG, str(problem))


def _newest(connection: Connection, keys: Sequence[VerifierKey]) -> Iterator[Finding]:
    newest = newest_checkpoint(connection)
    if newest is None:
        return
    about = f"checkpoint of {newest[0]} events"
    try:
        checkpoint = open_checkpoint(newest[1], keys)
        if checkpoint.size != newest[0]:
            yield Finding(about, f"its note is of {checkpoint.size}")
        elif root_at(checkpoint.size, hashes(connection)) != checkpoint.root:
            yield Finding(about, "the events before it are not those that were signed")
    except BadNote:
        yield Finding(about, "it is not signed by the key of this log")
    except (MissingHash, OutOfTree):
        yield Finding(about, "the log is shorter, or hashes of it are missing")


def check_notes(connection: Connection, keys: Sequence[VerifierKey]) -> Iterator[Finding]:
    """Every checkpoint that was published: signed, and of the size it is filed under."""
    for row in connection.execute(select(checkpoints.c.size, checkpoints.c.note)):
        try:
            wrong = open_checkpoint(row.note, keys).size != row.size
        except BadNote:
            wrong = True
        if wrong:
            yield Finding(f"checkpoint of {row.size} events", "its note is another, or not signed by the key of this log")


def _policies(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(select(policies.c.sha256, policies.c.body)):
        if sha256(row.body).hexdigest() != row.sha256:
            yield Finding(f"policy {row.sha256[:12]}", "its stored text is another")
    active = head_row(connection).policy
    if active and connection.execute(select(policies.c.sha256).where(policies.c.sha256 == active)).first() is None:
        yield Finding(f"policy {active[:12]}", "it is in force and its text is missing")


def _triggers(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "postgresql":
        wanted = POSTGRESQL_TRIGGERS
        found = text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'")
    else:
        wanted = SQLITE_TRIGGERS
        found = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT%'")
    if gone := sorted(wanted - set(connection.execute(found).scalars())):
        yield Finding("the database", f"triggers that keep the log append-only are missing or off: {', '.join(gone)}")
