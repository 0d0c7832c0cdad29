"""Signs how far the log has come, and refuses to when it is not the log that was signed before.

Owns when a checkpoint is made, that it lies outside the database before anybody sees it, and the stop of the ledger when database and
checkpoint directory disagree. One process signs. It never signs what is not committed.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from sqlalchemy import Connection, insert, select

from routing.change import Actor, Event
from routing.vocabulary import EventKind
from store.audit.checkpoint import Checkpoint, sign_checkpoint
from store.audit.checkpoint_directory import Absent, Agrees, Behind, CheckpointDirectory, CheckpointUnreadable, Comparison, Forked
from store.audit.merkle import Frontier, MalformedFrontier, MissingHash
from store.audit.signed_note import Signer
from store.audit.stored_tree import frontier, hashes, newest_checkpoint
from store.database.database import Database
from store.ledger.ledger import Ledger
from store.ledger.sealed_head import HeadAlteredError, read_head, read_ruling, seal_again
from store.ledger.writer import Writer
from store.outbox.outbox import Outbox
from store.schema import UNSETTLED, among, checkpoints, micros, outbox
from store.vault.head_seal import HeadSeal
from store.wakeups import Wakeups

SIGNER_LOCK = 0x7469_6572_0002
"""Key of the PostgreSQL advisory lock that the signing process holds."""

LOOK_EVERY_S = 0.25
"""A callback may wait 500 ms for its checkpoint."""

GROWTH = timedelta(seconds=5)
"""Growth without a callback is signed within 10 s."""

IDLE = timedelta(hours=1)


class Signing:
    """Run `check` before the first case is taken, then `run`."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        ledger: Ledger,
        wakeups: Wakeups,
        *,
        directory: CheckpointDirectory,
        signer: Signer,
        clock: Callable[[], datetime],
    ) -> None:
        """`clock` gives aware UTC times."""
        self._database = database
        self._writer = writer
        self._ledger = ledger
        self._wakeups = wakeups
        self._directory = directory
        self._signer = signer
        self._clock = clock
        self._last: datetime | None = None

    async def check(self) -> str:
        """Compare database and checkpoint directory. Gives why nothing may be recorded, "" when all is well; the ledger is told."""
        reason = await self._disagreement()
        if reason:
            self._ledger.stop_recording(reason)
        else:
            self._ledger.resume_recording()
        return reason

    async def recover(self, by: Actor, outbox: Outbox) -> None:
        """An operator has looked and goes on with the database as it is: put the contradicting checkpoint aside, and say so in the log.

        What was to be sent may have been sent before the restore: all of it becomes ambiguous. Raises CheckpointUnreadable.
        """
        await self._writer.write(partial(seal_again, seal=self._writer.seal))
        aside = await asyncio.to_thread(self._directory.set_aside)
        await outbox.doubt_all()
        await self._ledger.record(Event(EventKind.RECOVERED, by, {"superseded": "" if aside is None else aside.name}))
        self._ledger.resume_recording()
        await self._sign(await self._database.read(frontier))

    async def run(self, report: Callable[[Exception], None], came_round: Callable[[], None] = lambda: None) -> None:
        """Sign as the log grows, until cancelled. `report` is told what went wrong in a round, `came_round` that nothing did."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wakeups.promised.wait(), LOOK_EVERY_S)
            self._wakeups.promised.clear()
            try:
                await self.tick()
            except Exception as problem:  # noqa: BLE001 - whatever it is, signing must go on, and somebody be told
                report(problem)
            else:
                came_round()

    async def tick(self) -> Checkpoint | None:
        """Sign if it is time to and nothing forbids it. Gives the checkpoint, None when none was made.

        Raises CheckpointRefused, BadNote, OSError, CannotRecordError.
        """
        edge, published, promised, self._ledger.checkpoint = await self._database.read(_state)
        if self._ledger.not_recording or not await self._database.hold(SIGNER_LOCK):
            return None
        now = self._clock()
        if self._last is None:
            self._last = now
        waited = now - self._last
        grown = edge.size > published and (promised or waited >= GROWTH or published == 0)
        idle = edge.size == published > 0 and waited >= IDLE
        # A database can be put back while we run: what is signed must go on from what was signed, each time anew.
        if not (grown or idle) or await self.check():
            return None
        return await self._sign(await self._database.read(partial(_sealed, seal=self._writer.seal)))

    async def _sign(self, edge: Frontier) -> Checkpoint:
        note = sign_checkpoint(edge.size, edge.root(), self._signer)
        checkpoint = await asyncio.to_thread(self._directory.publish, note)
        await self._writer.write(partial(_publish, size=edge.size, note=note))
        self._last, self._ledger.checkpoint = self._clock(), note
        self._wakeups.tell((), enqueued=True, promised=False)  # callbacks that waited for it
        return checkpoint

    async def _disagreement(self) -> str:
        return await disagreement(self._database, self._directory, self._writer.seal)


async def disagreement(database: Database, directory: CheckpointDirectory, seal: HeadSeal | None = None) -> str:
    """Why the log in the database is not the one that was signed, or was written by others; "" when all is well."""
    try:
        comparison, published = await database.read(partial(_comparison, directory=directory, seal=seal))
    except (CheckpointUnreadable, HeadAlteredError) as problem:
        return str(problem)
    except (MalformedFrontier, MissingHash) as problem:
        return f"The log in the database is damaged, restore it from a backup: {problem.__doc__}"
    match comparison:
        case Agrees():
            return ""
        case Behind(checkpoint=checkpoint, size=size):
            return f"The database has {size} events; {checkpoint.size} were signed: it was restored from a backup, or cut."
        case Forked(checkpoint=checkpoint):
            return f"The first {checkpoint.size} events in the database are not those that were signed."
        case Absent(size=size):
            # A process that ended before its first checkpoint leaves events and no file; afterwards there is one.
            missing = f"{published} of the {size} events were signed, but the checkpoint directory has no checkpoint."
            return missing if published else ""
        case _:
            assert_never(comparison)


def _state(connection: Connection) -> tuple[Frontier, int, bool, str | None]:
    """The log's edge, how many leaves the newest checkpoint covers, whether a callback waits for a newer one, and its note."""
    newest = newest_checkpoint(connection)
    published, note = (0, None) if newest is None else newest
    waiting = select(outbox.c.id).where(
        outbox.c.peer == "callback", among(outbox.c.state, UNSETTLED), outbox.c.state != "dead", outbox.c.leaf_idx >= published
    )
    return frontier(connection), published, connection.execute(waiting.limit(1)).first() is not None, note


def _sealed(connection: Connection, *, seal: HeadSeal) -> Frontier:
    """The log's edge as its seal covers it: nobody has one signed that we did not write. Raises HeadAlteredError."""
    head, _ = read_head(connection, read_ruling(connection), seal)
    return Frontier.from_bytes(head.frontier)


def _comparison(connection: Connection, *, directory: CheckpointDirectory, seal: HeadSeal | None) -> tuple[Comparison, int]:
    if seal is not None:
        read_head(connection, read_ruling(connection), seal)
    newest = newest_checkpoint(connection)
    return directory.compare(frontier(connection).size, hashes(connection)), 0 if newest is None else newest[0]


def _publish(connection: Connection, now: datetime, *, size: int, note: str) -> None:
    if connection.execute(select(checkpoints.c.size).where(checkpoints.c.size == size)).first() is None:
        connection.execute(insert(checkpoints).values(size=size, note=note, at=micros(now)))
