"""Every connection is given back: whoever is cancelled, runs out of time or fails, at whichever await, on either database."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text

from store.database.database import Database
from store.database.errors import DatabaseClosedError, is_unavailable
from store.reads.cases import Reads
from tests.store.a_store import Books, a_press, deciding, open_books
from tests.store.database.cutting import each_await
from tests.store.database.faults import (
    GONE,
    POSTGRES_STATES,
    READS,
    SQLITE_FAULTS,
    Faults,
    failing_postgres,
    failing_sqlite,
    postgres_fault,
)
from tests.store.database.line import Line

pytestmark = pytest.mark.outside


def one(connection: Connection) -> int:
    """A read."""
    return int(connection.execute(text("SELECT 1")).scalar_one())


def lent(database: Database) -> int:
    """Connections that somebody has."""
    side: Any = database._side  # noqa: SLF001 - the pools are nobody's business but this test's
    lent: int = side._engine.pool.checkedout() if database.is_postgres else side._readers.lent  # noqa: SLF001
    return lent


async def everything_ended() -> None:
    """Wait for all that goes on though nobody waits for it any more."""
    begun = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and task.get_name() != "writer"]
    if begun:
        await asyncio.wait(begun, timeout=20)


async def all_back(database: Database) -> None:
    """Let what was begun end; then nobody has any."""
    await everything_ended()
    assert lent(database) == 0


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Inside, nothing becomes garbage that somebody should have closed."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(one.message) for one in found if issubclass(one.category, ResourceWarning | RuntimeWarning)] == []


async def test_a_read_that_is_cancelled_at_any_await_gives_its_connection_back(database_url: str) -> None:
    """One statement, a whole case, and what many callers do at once."""
    with nothing_left_behind():
        async with open_books(database_url) as books:
            case = await books.open()
            reads = Reads(books.database, books.vault, books.policies)

            async def many() -> None:
                await asyncio.gather(*(reads.scene(case.id) for _ in range(8)))

            works: tuple[Callable[[], Coroutine[Any, Any, object]], ...] = (
                lambda: books.database.read(one),
                lambda: reads.scene(case.id),
                many,
            )
            for work in works:
                async for _ in each_await(work):
                    assert await books.database.read(one) == 1
                    await all_back(books.database)


async def test_the_engines_own_read_survives_it_too(database_url: str) -> None:
    """Where a process ends without asking, its loop cancels the reads themselves."""
    with nothing_left_behind():
        database = await Database.open(database_url)
        side = database._side  # noqa: SLF001 - what `Database.read` shields
        async for _ in each_await(lambda: side.read(one)):
            await all_back(database)
            assert await database.read(one) == 1
        await database.close()


async def test_opening_that_is_cancelled_at_any_await_closes_what_it_opened(database_url: str) -> None:
    """A process that is told to end while it starts."""

    async def open_and_close() -> None:
        database = await Database.open(database_url)
        await database.close()

    with nothing_left_behind():
        async for _ in each_await(open_and_close):
            await everything_ended()
        await open_and_close()  # and the lock on the file is free again


async def test_a_write_that_is_cancelled_at_any_await_is_whole_or_not_there(database_url: str) -> None:
    """Who asked for it goes away; the writer does not."""
    with nothing_left_behind():
        async with open_books(database_url) as books:
            case = await books.open()
            numbers = iter(range(100))

            async for _ in each_await(lambda: books.open(f"t-{next(numbers)}")):
                assert await books.database.read(one) == 1
            await books.ledger.change(case.id, deciding(), press=a_press(case))
            await all_back(books.database)


async def test_the_lock_of_the_signer_is_given_back(postgres_url: str) -> None:
    """Asked for at every turn of a loop that can be cancelled at any time."""
    with nothing_left_behind():
        one_process, other = await Database.open(postgres_url), await Database.open(postgres_url)
        async for _ in each_await(lambda: one_process.hold(7)):
            assert await one_process.hold(7)
            assert not await other.hold(7)
        assert lent(one_process) == 1
        await one_process.close()
        assert await other.hold(7)
        await other.close()


async def test_closing_waits_for_what_is_being_read_and_nothing_is_read_after(database_url: str) -> None:
    """A connection that came back to a closed pool would never be closed."""
    with nothing_left_behind():
        database = await Database.open(database_url)
        reading = [asyncio.create_task(database.read(one)) for _ in range(8)]
        await asyncio.sleep(0)
        await database.close()
        assert await asyncio.gather(*reading) == [1] * 8
        with pytest.raises(DatabaseClosedError):
            await database.read(one)


async def test_a_database_that_hangs_keeps_nobody_waiting_who_sets_a_bound(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told in their own time; the hanging connections are given up, and once it answers again so do we."""
    monkeypatch.setattr("store.database.postgresql.ANSWER_S", 0.1)
    monkeypatch.setattr("store.database.postgresql.CONNECT_S", 0.5)

    async def bounded(database: Database) -> None:
        async with asyncio.timeout(0.01):
            await database.read(one)

    with nothing_left_behind():
        async with Line(postgres_url) as line:
            database = await Database.open(line.url)
            assert await database.read(one) == 1
            line.hang()
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await bounded(database)
            with pytest.raises(Exception) as hung:  # noqa: PT011 - whichever: connecting, asking, or none was free
                await database.read(one)
            assert is_unavailable(hung.value)
            line.go_on()
            line.cut()
            await _answers(lambda: database.read(one))
            await all_back(database)
            await database.close()


async def _answers(ask: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while (problem := await _problem(ask)) is not None:
            assert is_unavailable(problem)


async def _problem(ask: Callable[[], Awaitable[object]]) -> Exception | None:
    """What it raises, None when it has its answer."""
    try:
        assert await ask() is not None
    except Exception as problem:  # noqa: BLE001 - whichever
        return problem
    return None


KINDS = [*(("sqlite", one.name) for one in SQLITE_FAULTS), *(("postgresql", state) for state in (*POSTGRES_STATES, GONE))]


@pytest.mark.parametrize(("engine", "kind"), KINDS, ids=["-".join(kind) for kind in KINDS])
async def test_every_error_at_every_statement_of_a_read(engine: str, kind: str, request: pytest.FixtureRequest) -> None:
    """It is said to be the database's fault, the connection is given back, and the next read has its answer."""
    url = str(request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url"))
    strike: Any = {one.name: one for one in SQLITE_FAULTS}[kind] if engine == "sqlite" else postgres_fault(kind)
    faults = Faults(strike)
    with nothing_left_behind(), failing_sqlite(faults, READS) if engine == "sqlite" else failing_postgres(faults):
        async with open_books(url) as books:
            case = await books.open()
            reads = Reads(books.database, books.vault, books.policies)
            await _every_statement(books, faults, lambda: reads.scene(case.id), conflicts=kind.startswith("40"))


async def _every_statement(books: Books, faults: Faults, work: Callable[[], Awaitable[object]], *, conflicts: bool) -> None:
    for at in range(200):
        faults.arm(at)
        problem = await _problem(work)
        assert problem is None or conflicts or is_unavailable(problem), problem
        passed = faults.heal()
        assert await work() is not None
        await all_back(books.database)
        if passed <= at:
            assert at > 3
            return
