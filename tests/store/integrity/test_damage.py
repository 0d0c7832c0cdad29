"""A log that is damaged, cut, reordered or lost in places: whoever reads it gets a sentence with what to do, never a bare error."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.cli.completeness import newest_completeness
from bot.cli.error_sentences import sentence
from store.audit.checkpoint import sign_checkpoint
from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.export import export
from store.audit.signed_note import Signer
from store.audit.stored_tree import frontier, newest_checkpoint
from store.checkpoint_signing import disagreement
from store.integrity.database_check import DatabaseCheck
from store.ledger.writer import CannotRecordError
from store.reads.cases import Reads
from store.reads.receipts import Receipts
from store.schema import checkpoints, leaves, nodes
from tests.store.a_store import Books, commenting, open_books

SIGNER = Signer("tierline/damage", Ed25519PrivateKey.from_private_bytes(b"a key for the log that gets hurt"))
EVENTS = 270

DAMAGE = {
    "no json": ["UPDATE leaves SET body = '{' WHERE idx = 2"],
    "nothing in it": ["UPDATE leaves SET body = '{}' WHERE idx = 2"],
    "a list": ["UPDATE leaves SET body = '[]' WHERE idx = 2"],
    "bytes": ["UPDATE leaves SET body = x'ff00fe' WHERE idx = 2"],
    "missing": ["DELETE FROM leaves WHERE idx = 2"],
    "the first missing": ["DELETE FROM leaves WHERE idx = 0"],
    "the end missing": ["DELETE FROM leaves WHERE idx > 260"],
    "reordered": [
        "UPDATE leaves SET idx = -1 WHERE idx = 2",
        "UPDATE leaves SET idx = 2 WHERE idx = 3",
        "UPDATE leaves SET idx = 3 WHERE idx = -1",
    ],
    "a hash": ["UPDATE leaves SET hash = body WHERE idx = 2"],
    "a short hash": ["UPDATE leaves SET hash = 'x' WHERE idx = 2"],
    "a node": ["UPDATE nodes SET hash = 'x'"],
    "no node": ["DELETE FROM nodes"],
    "the frontier": ["UPDATE head SET frontier = 'x'"],
    "an empty frontier": ["UPDATE head SET frontier = ''"],
    "no head": ["DELETE FROM head"],
    "the note": ["UPDATE checkpoints SET note = 'x'"],
    "the size": ["UPDATE checkpoints SET size = size + 1"],
    "a larger log": ["UPDATE checkpoints SET size = 999"],
}


async def hurt(url: str, statements: list[str]) -> None:
    """Somebody, or a bad disk, writes into the file."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for table in ("leaves", "nodes", "checkpoints"):
            for verb in ("update", "delete", "insert"):
                await connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{verb}"))
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def a_long_log(books: Books, directory: CheckpointDirectory) -> str:
    """A log with a full tile and a checkpoint; gives the case that it is about."""
    case = await books.open()
    while (size := (await books.database.read(frontier)).size) < EVENTS:
        await books.ledger.change(case.id, commenting(f"{size}"))
    edge = await books.database.read(frontier)
    note = sign_checkpoint(edge.size, edge.root(), SIGNER)
    directory.publish(note)
    await books.writer.write(lambda c, _now: c.execute(checkpoints.insert().values(size=edge.size, note=note, at=0)))
    return case.id


async def error_of(one: Callable[[], Awaitable[object]]) -> Exception | None:
    """What it raises, if anything; that nothing can be recorded is said by whoever was to write."""
    try:
        await one()
    except CannotRecordError:
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, there has to be a sentence for it
        return error
    return None


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_a_sentence(sqlite_url: str, tmp_path: Path, what: str) -> None:
    """The check finds it; exporting, proving, comparing and reading either work on what is whole or say what is wrong and what to do."""
    directory = CheckpointDirectory(tmp_path / "checkpoints", [SIGNER.vkey])
    async with open_books(sqlite_url) as books:
        case_id = await a_long_log(books, directory)
        assert await books.database.read(lambda c: c.execute(nodes.select()).first()) is not None
        await hurt(sqlite_url, DAMAGE[what])
        checking = DatabaseCheck(books.database, books.vault, [SIGNER.vkey])
        found = await checking.everything()
        assert [one for one in found.findings if "triggers" not in one.sentence], what
        assert isinstance(await disagreement(books.database, directory, books.writer.seal), str)
        reads = Reads(books.database, books.vault, books.policies)
        receipts = Receipts(books.database, books.vault)
        last = await books.database.read(lambda c: c.execute(leaves.select().order_by(leaves.c.idx.desc())).first())
        tried: list[Callable[[], Awaitable[object]]] = [
            lambda: export(books.database, tmp_path / "out", [SIGNER.vkey]),
            lambda: receipts.receipt(2),
            lambda: receipts.receipt(2 if last is None else last.idx),
            lambda: reads.history(case_id),
            lambda: books.database.read(newest_checkpoint),
            lambda: books.database.read(newest_completeness),
            lambda: books.database.read(frontier),
            lambda: books.ledger.change(case_id, commenting("one more")),
        ]
        raised = [error for one in tried if (error := await error_of(one)) is not None]
        assert [repr(error) for error in raised if sentence(error) is None] == []
