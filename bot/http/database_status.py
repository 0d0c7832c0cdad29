"""What `/metrics` and `/readyz` show of the database. Owns these reads; names no metric (`bot.http.metrics` does)."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection, func, select

from bot.http.metrics import Snapshot, Waiting
from store.audit.stored_tree import frontier
from store.database.database import Database
from store.ledger.ledger import Ledger
from store.reads.queue import outbox_counts
from store.schema import checkpoints, moment

_LOG = structlog.get_logger("tierline.database_status")


class DatabaseStatus:
    """Reads the figures when somebody asks for them. `clock` gives aware UTC times."""

    def __init__(self, database: Database, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock

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

    async def obstacles(self) -> Sequence[str]:
        """What keeps cases and presses from being recorded, in sentences; empty when nothing does."""
        obstacles = [self._ledger.not_recording] if self._ledger.not_recording else []
        try:
            await self._database.read(frontier)
        except Exception:  # noqa: BLE001  # whatever is wrong with it, whoever asks gets the answer and not an error
            _LOG.exception("the database does not answer")
            obstacles.append("The database does not answer.")
        return obstacles
