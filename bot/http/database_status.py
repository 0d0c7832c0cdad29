"""What `/metrics` and `/readyz` show of the database. Owns these reads and the trial write; names no metric (`bot.http.metrics` does)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from bot.http.metrics import DATABASE, Snapshot, Waiting
from bot.readiness import Obstacle
from bot.timeouts import RHYTHM, Rhythm
from store.audit.stored_tree import frontier, unsigned_since
from store.database.database import Database
from store.database.errors import why_unavailable
from store.ledger.ledger import Ledger
from store.ledger.sealed_head import read_ruling
from store.ledger.trial_write import try_to_write
from store.ledger.writer import CannotRecordError, Writer, WriterClosedError
from store.reads.queue import outbox_counts
from store.schema import checkpoints, moment

UNSIGNED = timedelta(seconds=60)
"""Growth is signed within ten seconds; an event that waits for so long has nobody who signs, here or in another replica.
It alarms earlier."""

SILENT = Obstacle(DATABASE, "The database does not answer.")


class DatabaseStatus:
    """Looks at the database when somebody asks. `clock` gives aware UTC times, `steady` seconds that nobody can set."""

    FRESH_S = 1.0
    """One trial write answers for so long: those who ask are not known, and must not have us write as fast as they ask."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        ledger: Ledger,
        clock: Callable[[], datetime],
        steady: Callable[[], float],
        *,
        rhythm: Rhythm = RHYTHM,
    ) -> None:
        self._database = database
        self._writer = writer
        self._ledger = ledger
        self._clock = clock
        self._steady = steady
        self._late = timedelta(seconds=rhythm.late_s)
        self._wrote_at: float | None = None

    async def snapshot(self) -> Snapshot:
        """Outbox, log and checkpoint of this moment. Raises what the database raises."""
        now = self._clock()

        def read(connection: Connection) -> Snapshot:
            newest = connection.execute(select(func.max(checkpoints.c.at))).scalar_one_or_none()
            return Snapshot(
                waiting=[
                    Waiting(one.peer, one.state, one.messages, (now - one.oldest).total_seconds()) for one in outbox_counts(connection)
                ],
                log_size=frontier(connection).size,
                checkpoint_age_s=None if newest is None else (now - moment(newest)).total_seconds(),
            )

        return await self._database.read(read)

    async def recording(self) -> Sequence[Obstacle]:
        """Why cases and presses are refused though they could be written. Raises HeadAlteredError, and what the database raises."""
        await self._database.read(read_ruling)
        return (Obstacle("recording", self._ledger.not_recording),) if self._ledger.not_recording else ()

    async def writing(self) -> Sequence[Obstacle]:
        """Whether the database takes what is written to it, tried a moment ago at most; hangs for as long as the database does."""
        if self._wrote_at is not None and self._steady() - self._wrote_at < self.FRESH_S:
            return ()
        return await self.written()

    async def written(self) -> Sequence[Obstacle]:
        """The same, tried now, the way that all is written."""
        try:
            await self._writer.write(try_to_write)
        except CannotRecordError as error:
            return (Obstacle(DATABASE, f"The database takes no writes: {why_unavailable(error.__cause__)}."),)
        except WriterClosedError:
            return (Obstacle(DATABASE, "The writer has ended; start the bot again."),)
        self._wrote_at = self._steady()
        return ()

    async def signed(self) -> Sequence[Obstacle]:
        """Whether the log is signed as it grows, by whichever replica does that. Raises what the database raises."""
        since = await self._database.read(unsigned_since)
        if since is None or (waits := self._clock() - since) <= self._late:
            return ()
        said = f"The audit log has an event that nobody has signed for {waits.total_seconds():.0f} s."
        return (Obstacle("signing", said, stops=waits > UNSIGNED, escalation=True, for_s=waits.total_seconds()),)
