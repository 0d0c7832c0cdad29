"""Checkpoints: made in time, kept outside first, and refused when the database is not the log that was signed."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from routing.change import Actor
from routing.vocabulary import EventKind
from store.audit.checkpoint import open_checkpoint
from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.export import NoCheckpointError, export
from store.audit.signed_note import Signer
from store.audit.stored_tree import newest_checkpoint
from store.audit.verify import Verified, verify_export, verify_receipt
from store.checkpoint_signing import GROWTH, IDLE, Signing
from store.ledger.answers import Changed, Opened
from store.ledger.ledger import NotRecordingError
from store.outbox.outbox import Outbox
from store.reads.receipts import Receipts
from tests.store.a_store import SECRET, Books, a_delivery, a_submission, deciding, open_books, opening


@dataclass
class Desk:
    """A signing key and a checkpoint directory."""

    path: Path
    signer: Signer

    def directory(self) -> CheckpointDirectory:
        """The directory, opened anew."""
        return CheckpointDirectory(self.path, [self.signer.vkey])

    def signing(self, books: Books) -> Signing:
        """The signing of one process."""
        return Signing(
            books.database, books.writer, books.ledger, books.wakeups, directory=self.directory(), signer=self.signer, clock=books.clock
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A key of this test alone."""
    return Desk(tmp_path / "checkpoints", Signer("tierline/test", Ed25519PrivateKey.generate()))


async def test_the_first_events_are_signed_at_once_and_lie_outside(database_url: str, desk: Desk) -> None:
    """From the first checkpoint on a cut database is noticed; the answer to the next case carries it."""
    async with open_books(database_url) as books:
        signing = desk.signing(books)
        assert await signing.check() == ""
        checkpoint = await signing.tick()
        assert checkpoint is not None
        assert checkpoint.size == 1
        assert desk.directory().newest() == checkpoint
        result = await books.ledger.open(a_delivery(), opening(a_submission()))
        assert isinstance(result, Opened)
        assert open_checkpoint(str(result.answer["checkpoint"]), [desk.signer.vkey]) == checkpoint


async def test_growth_is_signed_within_ten_seconds_and_a_callback_hurries_it(database_url: str, desk: Desk) -> None:
    """Plain growth waits a little, a decision that a service waits for does not."""
    async with open_books(database_url) as books:
        signing = desk.signing(books)
        await signing.tick()
        case = await books.open()
        assert await signing.tick() is None
        books.clock.forward(GROWTH.total_seconds())
        assert (await signing.tick() or pytest.fail("not signed")).size == 2
        await books.ledger.change(case.id, deciding())
        assert books.wakeups.promised.is_set()
        assert (await signing.tick() or pytest.fail("not signed")).size == 3
        assert timedelta(seconds=10) > GROWTH


async def test_an_idle_log_is_shown_alive_every_hour(database_url: str, desk: Desk) -> None:
    """The same checkpoint is written again, so its file's age says that the signer lives."""
    async with open_books(database_url) as books:
        signing = desk.signing(books)
        await signing.tick()
        assert await signing.tick() is None
        books.clock.forward(IDLE.total_seconds())
        assert (await signing.tick() or pytest.fail("not signed")).size == 1


async def test_one_of_two_processes_signs(postgres_url: str, desk: Desk) -> None:
    """The other takes over when the first ends."""
    async with open_books(postgres_url) as books:
        async with open_books(postgres_url) as other:
            assert await desk.signing(other).tick() is not None
            await books.open()
            books.clock.forward(60)
            assert await desk.signing(books).tick() is None
        signing = desk.signing(books)
        await signing.tick()
        books.clock.forward(60)
        assert await signing.tick() is not None


async def restore_an_older_copy(url: str, desk: Desk, tmp_path: Path) -> None:
    """Open a case, copy the database, open and sign another, put the copy back."""
    path = Path(url.removeprefix("sqlite+aiosqlite:///"))
    async with open_books(url) as books:
        await books.open("t-1")
        await desk.signing(books).tick()
    shutil.copy(path, tmp_path / "backup.db")
    async with open_books(url) as books:
        await books.open("t-2")
        signing = desk.signing(books)
        await signing.tick()
        books.clock.forward(60)
        await signing.tick()
    shutil.copy(tmp_path / "backup.db", path)


async def test_a_restored_database_refuses_to_sign_until_an_operator_looked(sqlite_url: str, desk: Desk, tmp_path: Path) -> None:
    """A backup put back is behind what was signed: no cases and presses, but clocks go on; the recovery is on record."""
    await restore_an_older_copy(sqlite_url, desk, tmp_path)
    async with open_books(sqlite_url) as books:
        signing = desk.signing(books)
        assert "restored" in await signing.check()
        assert await signing.tick() is None
        with pytest.raises(NotRecordingError):
            await books.open("t-3")
        await signing.recover(Actor("human", "ops"), Outbox(books.database, books.writer, books.ledger, "boot-1"))
        await books.open("t-3")
        assert await signing.check() == ""


async def test_a_forked_database_refuses_to_sign(sqlite_url: str, desk: Desk, tmp_path: Path) -> None:
    """A restored database that went on has as many events, but others."""
    await restore_an_older_copy(sqlite_url, desk, tmp_path)
    async with open_books(sqlite_url) as books:
        await books.open("t-4")
        await books.open("t-5")
        assert "not those that were signed" in await desk.signing(books).check()


async def test_a_checkpoint_directory_that_was_emptied_is_noticed(database_url: str, desk: Desk) -> None:
    """Without the checkpoints outside nobody could tell whether the database was restored."""
    async with open_books(database_url) as books:
        await desk.signing(books).tick()
        shutil.rmtree(desk.path)
        assert "no checkpoint" in await desk.signing(books).check()


async def test_a_process_that_died_before_its_first_checkpoint_starts_again(database_url: str, desk: Desk) -> None:
    """Events without any checkpoint yet are no contradiction."""
    async with open_books(database_url) as books:
        await books.open()
        assert await desk.signing(books).check() == ""


async def test_a_receipt_convinces_somebody_who_trusts_only_the_key(database_url: str, desk: Desk) -> None:
    """It proves that the decision is in the log, and opens what its holder may see."""
    async with open_books(database_url) as books:
        case = await books.open()
        changed = await books.ledger.change(case.id, deciding())
        assert isinstance(changed, Changed)
        receipts = Receipts(books.database, books.vault)
        assert await receipts.receipt(changed.indices[0]) is None
        await desk.signing(books).tick()
        receipt = await receipts.receipt(changed.indices[0])
        verified = verify_receipt(receipt, str(desk.signer.vkey))
        assert isinstance(verified, Verified), verified
        assert verified.leaf["event"] == EventKind.DECIDED
        assert verified.openings == {"rationale": SECRET}
        closed = await receipts.receipt(changed.indices[0], names=())
        assert isinstance(verify_receipt(closed, str(desk.signer.vkey)), Verified)
        assert SECRET not in str(closed)


async def test_an_export_is_verified_without_the_database(database_url: str, desk: Desk, tmp_path: Path) -> None:
    """Three hundred events, more than one tile, become a directory in which anyone finds nothing wrong."""
    async with open_books(database_url) as books:
        with pytest.raises(NoCheckpointError):
            await export(books.database, tmp_path / "none", [desk.signer.vkey])
        for number in range(300):
            await books.open(f"t-{number}")
        await desk.signing(books).tick()
        checkpoint = await export(books.database, tmp_path / "export", [desk.signer.vkey])
        assert checkpoint.size == 301
    report = verify_export(tmp_path / "export", trusted_vkey=str(desk.signer.vkey))
    assert report.ok, report.problems
    assert report.events == 301


async def test_a_checkpoint_outside_may_be_newer_than_the_table(database_url: str, desk: Desk) -> None:
    """A process that dies between directory and table has signed what is committed: the next one goes on."""
    async with open_books(database_url) as books:
        await desk.signing(books).tick()
        await books.open()
        signing = desk.signing(books)
        await books.writer.close()
        await signing.tick()
        books.clock.forward(60)
        with pytest.raises(RuntimeError):
            await signing.tick()
        assert (await books.database.read(newest_checkpoint) or pytest.fail("none"))[0] == 1
        newest = desk.directory().newest()
        assert newest is not None
        assert newest.size == 2
    async with open_books(database_url) as books:
        assert await desk.signing(books).check() == ""


async def test_a_database_put_back_while_the_process_runs_is_not_signed(sqlite_url: str, desk: Desk, tmp_path: Path) -> None:
    """It may have grown past the newest checkpoint with another history by the time it is looked at: still nothing is signed."""
    await restore_an_older_copy(sqlite_url, desk, tmp_path)
    async with open_books(sqlite_url) as books:
        for number in range(5):
            await books.open(f"other-{number}")
        signing = desk.signing(books)
        await signing.tick()
        books.clock.forward(60)
        assert await signing.tick() is None
        with pytest.raises(NotRecordingError):
            await books.open("t-3")
