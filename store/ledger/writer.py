"""The one writer of this process: takes what is waiting, writes it in one transaction, tells each caller that its own work is committed.

Owns when a transaction begins, its time, that one poisoned item fails alone, and that whoever asked learns what became of it, also when
nobody can know. It never waits for more work to gather, and never decides what is written.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import Connection

from routing.change import Arrival
from store.database.database import Database
from store.database.errors import CommitUnclearError, is_conflict, is_unavailable
from store.database.transaction import Transaction
from store.ledger.arrival import arrive
from store.ledger.arrival_limits import Arriving
from store.ledger.draft import Draft
from store.ledger.high_water import HighWater
from store.ledger.identifiers import NOISE_SIZE, case_id
from store.ledger.prefetch import Known, database_clock, prefetch
from store.ledger.sealed_head import HeadAlteredError, HeadRow, Ruling, lock_head
from store.ledger.timekeeper import Jump, Timekeeper
from store.ledger.unit_of_work import UnitOfWork
from store.ledger.waiting import Entry, Item, Narrow, Rank, Waiting
from store.policies import Policies
from store.schema import moment
from store.vault.vault import Vault
from store.wakeups import Wakeups

T = TypeVar("T")

Passing = Callable[[str], None]

MAX_WORK_S = 0.020
MAX_AT_ONCE_S = 0.004
"""Of work in a row; then whoever else has something to do on the event loop does it."""

CLOSE_S = 5.0
"""How long a transaction that is under way may take to end before `close` cuts it off."""

_NOTHING = Draft()
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class CannotRecordError(RuntimeError):
    """The database cannot be written to at the moment; nothing was recorded. Try again later."""


class UnclearError(CannotRecordError):
    """The database was lost while it committed: whether this was recorded cannot be said now. Sent again, it counts once."""


class WriterClosedError(RuntimeError):
    """The writer has ended; nothing more is recorded by this process."""


class Writer:
    """Started by `start`, ended by `close`; in between `submit` and `write` commit work."""

    def __init__(
        self,
        database: Database,
        timekeeper: Timekeeper,
        vault: Vault,
        policies: Policies,
        wakeups: Wakeups,
        *,
        passing: Passing = lambda _name: None,
        entropy: Callable[[int], bytes] = os.urandom,
        services: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        """`passing` is called with a name at each step that touches the database, on SQLite in its thread: there tests let us die.
        `services` are the names of the services that post to each workflow.
        """
        self._database = database
        self._timekeeper = timekeeper
        self._policies = policies
        self.seal = vault.head_seal
        """The seal of the log's head, as this process makes it."""
        self._wakeups = wakeups
        self._passing = passing
        self._entropy = entropy
        self._unit = partial(UnitOfWork, vault=vault, policies=policies, entropy=entropy, services=services)
        self._ruling = Ruling()  # as of the last transaction; the head of the log tells whether another process changed it
        self._foreseen = Known(0, b"", 0, 0, "")  # what a case that comes now would be routed by, as of then
        self._ask_clock = timekeeper.by_database and database.is_postgres
        self._own_time = Timekeeper(timekeeper.wall, timekeeper.steady)  # not the ledger's where the database has a clock
        self._high_water = HighWater()
        self._waiting = Waiting()
        self._arrived = asyncio.Event()
        self._batch: list[Entry] = []
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._on_jump: Callable[[Jump], None] = lambda _jump: None

    def start(self, on_jump: Callable[[Jump], None] | None = None) -> None:
        """Begin to write. `on_jump` is told of a wall clock that was set."""
        self._on_jump = on_jump or self._on_jump
        self._own_time.tell(self._own_time.wall(), _LONG_AGO)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="writer")

    async def close(self) -> None:
        """End after the transaction that is under way; what still waits gets WriterClosedError, and UnclearError what had to be cut off."""
        if self._task is None:
            return
        self._closing = True
        self._arrived.set()
        await asyncio.wait({self._task}, timeout=CLOSE_S)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    @property
    def waiting(self) -> int:
        """How many pieces of work are queued."""
        return len(self._waiting)

    async def submit(self, item: Item[T], rank: Rank) -> T:
        """Apply an item and give its result once it is committed.

        Raises what the item raised, CannotRecordError when the database fails (UnclearError when it was lost while it committed),
        WriterClosedError.
        """
        result: T = await self._enqueue(Entry(asyncio.get_running_loop().create_future(), item=item), rank)
        return result

    async def write(self, narrow: Narrow[T], rank: Rank = Rank.NARROW) -> T:
        """Run a narrow write in the next transaction and give its result once it is committed. Raises as `submit` does."""
        result: T = await self._enqueue(Entry(asyncio.get_running_loop().create_future(), narrow=narrow), rank)
        return result

    def foresee(self, arriving: Arriving) -> Arrival | None:
        """What a case that comes now would get, as of this process's last transaction; None where no policy is known yet."""
        policy = self._policies.compiled(self._foreseen.policy)
        if policy is None:
            return None
        now, known = self._timekeeper.now(), self._foreseen
        return arrive(case_id(now, self._entropy(NOISE_SIZE)), arriving, policy, now, known=known, kept=_NOTHING, policies=self._policies)

    async def look_at_clock(self) -> None:
        """Notice a wall clock that was set, also while there is nothing to write: the ledger's, and this machine's where that is another.

        Raises what the database raises.
        """
        if self._ask_clock:
            self._report(self._own_time.tell(self._own_time.wall(), _LONG_AGO)[1])
        asked_s = self._timekeeper.steady()
        self._tell(await self._database.read(database_clock) if self._ask_clock else None, _LONG_AGO, asked_s)

    @property
    def clock_off_s(self) -> float:
        """By how many seconds the machine's clock, or the database's where that is another, was off when it was last looked at."""
        return max(self._timekeeper.off_s, self._own_time.off_s, key=abs)

    def _enqueue(self, entry: Entry, rank: Rank) -> asyncio.Future[Any]:
        if self._task is None or self._closing or self._task.done():
            raise WriterClosedError(WriterClosedError.__doc__)
        self._waiting.add(entry, rank)
        self._arrived.set()
        return entry.future

    async def _run(self) -> None:
        try:
            while not self._closing:
                await self._arrived.wait()
                self._batch = []
                if any(self._waiting):
                    await self._process(self._batch)
                else:
                    self._arrived.clear()
                    self._waiting.take()  # of those who went away
        except BaseException as end:
            self._abandon(end)
            raise
        self._abandon(None)

    async def _process(self, batch: list[Entry]) -> None:
        """Write what is in the batch, or, where nothing is, what is queued once it can be written; and tell the callers."""
        try:
            done = await self._transact(batch)
        except Exception as problem:  # noqa: BLE001 - it is handed to the callers
            if not batch:  # it could not even begin
                batch += self._waiting.take()
            if is_unavailable(problem) or isinstance(problem, HeadAlteredError) or (is_conflict(problem) and len(batch) == 1):
                for entry in batch:
                    entry.fail(_cannot(problem))
            elif len(batch) == 1:
                batch[0].fail(problem)
            else:  # one of them is poisoned: each in a transaction of its own, so that it fails alone
                for entry in batch:
                    await self._process([entry])
            return
        for entry in done:
            entry.tell()

    async def _transact(self, batch: list[Entry]) -> list[Entry]:
        """Write one transaction. Gives the entries it settled; those for which no time was left are queued again, in front."""
        unit: UnitOfWork | None = None
        async with self._database.writing() as transaction:
            asked_s = self._timekeeper.steady()
            locked = None if batch else await self._begin(transaction, batch)
            if not batch:
                return []  # whoever waited went away
            items = [entry for entry in batch if entry.item is not None]
            narrow = [entry for entry in batch if entry.narrow is not None]
            self._passing("writer.begin")
            if items:
                needs = [entry.item.needs for entry in items if entry.item is not None]
                about = self._timekeeper.now()
                read = partial(prefetch, needs=needs, at_hand=self._policies, cached=self._ruling, about=about, locked=locked)
                known = await transaction.run(partial(read, seal=self.seal, ask_clock=self._ask_clock))
                self._high_water.lift(known)
                now = self._tell(known.clock, moment(known.last_time), asked_s)
                unit = self._unit(known, now)
                late = await self._apply(unit, items)
            else:
                now = self._tell(await transaction.run(database_clock) if self._ask_clock else None, _LONG_AGO, asked_s)
                late = []
            self._passing("writer.flush")
            await transaction.commit(partial(self._flush, unit=unit, narrow=narrow, now=now))
        self._passing("writer.after_commit")
        if unit is not None:
            self._ruling, self._foreseen = unit.ruling, Known(0, b"", 0, 0, unit.policy, unit.ruling)
            unit.raise_to(self._high_water)
            self._wakeups.tell(unit.changed, enqueued=unit.enqueued, promised=unit.promised)
        self._waiting.put_back(late)
        return [entry for entry in batch if entry not in late]

    async def _begin(self, transaction: Transaction, batch: list[Entry]) -> HeadRow | None:
        """Fill the batch. Where replicas wait for each other on the head, it is locked before: what comes meanwhile is written with the
        rest, so that transactions are the larger the longer they wait. Gives the head if it was locked.
        """
        self._passing("writer.lock")
        locked = None
        if self._database.is_postgres and any(entry.item is not None for entry in self._waiting):
            locked = await transaction.run(lock_head)
        batch += self._waiting.take()
        return locked

    async def _apply(self, unit: UnitOfWork, items: list[Entry]) -> list[Entry]:
        """Apply the items, letting others have their turn now and then. Gives those for which there was no time."""
        loop = asyncio.get_running_loop()
        worked_s, begun = 0.0, loop.time()
        for position, entry in enumerate(items):
            here_s = loop.time() - begun
            if position and worked_s + here_s > MAX_WORK_S:
                return items[position:]
            if here_s > MAX_AT_ONCE_S:
                await asyncio.sleep(0)
                worked_s, begun = worked_s + here_s, loop.time()
            entry.problem = None
            try:
                entry.result = entry.item.apply(unit) if entry.item is not None else None
            except Exception as problem:  # noqa: BLE001 - it is handed to the caller, whose item added nothing
                entry.problem = problem
        return []

    def _flush(self, connection: Connection, unit: UnitOfWork | None, narrow: list[Entry], now: datetime) -> None:
        if unit is not None:
            unit.flush(connection)
        for entry in narrow:
            entry.result = entry.narrow(connection, now) if entry.narrow is not None else None
        self._passing("writer.before_commit")

    def _tell(self, clock: int | None, last: datetime, asked_s: float) -> datetime:
        """The time, by what the database's clock said to a question of then, or by our own."""
        if clock is None:
            now, jump = self._timekeeper.tell(self._timekeeper.wall(), last)
        else:
            now, jump = self._timekeeper.tell(moment(clock), last, self._timekeeper.steady() - asked_s)
        self._report(jump)
        return now

    def _report(self, jump: Jump | None) -> None:
        if jump is not None:
            asyncio.get_running_loop().call_soon(self._on_jump, jump)

    def _abandon(self, end: BaseException | None) -> None:
        """Nothing more is written. What was under way when it was cut off may have been committed."""
        self._waiting.fail(WriterClosedError(WriterClosedError.__doc__))
        for entry in self._batch:
            entry.fail(UnclearError(UnclearError.__doc__) if end is None or isinstance(end, asyncio.CancelledError) else end)


def _cannot(problem: Exception) -> CannotRecordError:
    """Why the ledger wrote nothing, or that nobody knows whether it did."""
    kind = UnclearError if isinstance(problem, CommitUnclearError) else CannotRecordError
    cannot = kind(kind.__doc__)
    cannot.__cause__ = problem
    return cannot
