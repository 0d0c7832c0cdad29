"""The writer under strain: several processes, a database that fails, and the time that it gives."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select, text

from routing.change import Refused
from routing.policy.file import load_policy
from store.database.database import Database
from store.ledger.answers import Changed, Opened
from store.ledger.ledger import Ledger
from store.ledger.timekeeper import Jump, Timekeeper
from store.ledger.writer import CannotRecordError, Writer
from store.policies import Policies
from store.schema import leaves
from store.vault.vault import Vault
from store.wakeups import Wakeups
from tests.store.a_store import NOON, POLICY_TEXT, Books, a_delivery, a_press, a_submission, deciding, open_books, opening
from tests.store.ledger.test_ledger import tree_is_whole


async def test_three_processes_keep_one_log(postgres_url: str) -> None:
    """Replicas write at the same time; indices have no gap, and a case raced for is opened once."""
    async with open_books(postgres_url) as one, open_books(postgres_url) as two, open_books(postgres_url) as three:
        everyone: tuple[Books, ...] = (one, two, three)
        work = [
            books.ledger.open(a_delivery(f"t-{number}"), opening(a_submission(task_id=f"t-{number}")))
            for number in range(60)
            for books in everyone
        ]
        results = await asyncio.gather(*work)
        assert sum(isinstance(result, Opened) for result in results) == 60
        assert await tree_is_whole(one)


async def test_a_case_is_decided_once_whichever_process_hears_it(postgres_url: str) -> None:
    """Two people press at two replicas: one decides, the other is refused."""
    async with open_books(postgres_url) as one, open_books(postgres_url) as two:
        case = await one.open()
        presses = [books.ledger.change(case.id, deciding(), press=a_press(case)) for books in (one, two)]
        assert {type(result) for result in await asyncio.gather(*presses)} == {Changed, Refused}


async def test_a_database_that_is_gone_refuses_and_comes_back(postgres_url: str) -> None:
    """Nothing is acknowledged that is not stored, and no restart is needed afterwards."""
    async with open_books(postgres_url) as books:
        await books.open("t-1")
        other = await Database.open(postgres_url)

        def hang_up(connection: Connection) -> None:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )

        await other.read(hang_up)
        with pytest.raises(CannotRecordError):
            await books.open("t-lost")
        await books.open("t-2")
        assert await tree_is_whole(books)
        await other.close()


async def test_a_full_disk_refuses_and_recovers(sqlite_url: str) -> None:
    """Nothing is half there, and once there is room again cases are taken without a restart."""

    def room(connection: Connection, pages: int) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    async with open_books(sqlite_url) as books:
        await books.open("t-0")
        await books.writer.write(lambda c, _now: room(c, 1))
        long = "x" * 100_000
        with pytest.raises(CannotRecordError):
            await books.open("t-1", request=long)
        assert await tree_is_whole(books)
        await books.writer.write(lambda c, _now: room(c, 1_000_000))
        await books.open("t-1", request=long)
        assert await tree_is_whole(books)


async def test_postgres_tells_the_time(postgres_url: str) -> None:
    """Replicas with clocks apart agree, because the database's clock counts."""
    wrong = NOON - timedelta(days=400)
    database = await Database.open(postgres_url)
    policies = Policies(lambda body: load_policy(body, {}))
    writer = Writer(database, Timekeeper(lambda: wrong, lambda: 0.0, by_database=True), Vault(b"v" * 32), policies, Wakeups())
    writer.start()
    await Ledger(writer).activate(load_policy(POLICY_TEXT, {}))
    at = await database.read(lambda c: c.execute(select(leaves.c.at)).scalar_one())
    seconds = await database.read(lambda c: c.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    assert abs(at / 1e6 - float(seconds)) < 60
    await writer.close()
    await database.close()


class Clocks:
    """A wall clock that can be set, and a steady one that cannot."""

    def __init__(self) -> None:
        self.wall = NOON
        self.steady = 0.0

    def forward(self, seconds: float, *, set_by: float = 0.0) -> tuple[datetime, Jump | None]:
        """Time passes, and somebody sets the wall clock."""
        self.steady += seconds
        self.wall += timedelta(seconds=seconds + set_by)
        return self.keeper.tell(self.wall, self.last)

    def begin(self, last: datetime) -> "Clocks":
        """Start a process after a last leaf."""
        self.last = last
        self.keeper = Timekeeper(lambda: self.wall, lambda: self.steady)
        return self


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_a_clock_set_ahead_does_not_expire_everything() -> None:
    """Two hours forward: time goes on as it did, and the jump is reported once."""
    clocks = Clocks().begin(LONG_AGO)
    assert clocks.forward(0) == (NOON, None)
    now, jump = clocks.forward(10, set_by=7_200)
    assert now == NOON + timedelta(seconds=10)
    assert jump is not None
    assert jump.seconds == 7_200
    assert clocks.keeper.now() == now  # asking consumes nothing and follows nobody who sets the clock
    assert clocks.forward(10) == (NOON + timedelta(seconds=20), None)


def test_a_clock_set_back_does_not_stop_time() -> None:
    """Two hours back: deadlines still come."""
    clocks = Clocks().begin(LONG_AGO)
    clocks.forward(0)
    now, jump = clocks.forward(10, set_by=-7_200)
    assert (now, jump is not None) == (NOON + timedelta(seconds=10), True)
    assert clocks.forward(60) == (NOON + timedelta(seconds=70), None)


def test_small_corrections_are_followed() -> None:
    """A clock that is disciplined by a second is right."""
    clocks = Clocks().begin(LONG_AGO)
    clocks.forward(0)
    assert clocks.forward(10, set_by=1) == (NOON + timedelta(seconds=11), None)


def test_a_start_before_the_last_leaf_goes_on_from_there() -> None:
    """A machine that starts with a clock two hours behind neither goes back nor waits two hours."""
    last = NOON + timedelta(hours=2)
    clocks = Clocks().begin(last)
    now, jump = clocks.forward(0)
    assert (now, jump is not None) == (last, True)
    assert clocks.forward(30) == (last + timedelta(seconds=30), None)


async def test_a_jump_of_the_clock_is_recorded(database_url: str) -> None:
    """The ledger is told, and says so in the log."""
    async with open_books(database_url) as books:
        index = await books.ledger.clock_jumped(Jump(NOON + timedelta(hours=2), NOON))
        kind = await books.database.read(lambda c: c.execute(select(leaves.c.kind).where(leaves.c.idx == index)).scalar_one())
        assert kind == "clock_jumped"
