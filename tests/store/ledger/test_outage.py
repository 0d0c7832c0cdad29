"""A database that fails: nothing is acknowledged that is not stored, and the moment it works again everything is written again."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text

from store.ledger.answers import Changed, Opened, Repeated
from store.ledger.writer import CannotRecordError, UnclearError, WriterClosedError
from store.schema import cases
from tests.conftest import sqlite_path
from tests.store.a_store import Books, a_delivery, a_press, a_submission, deciding, open_books, opening
from tests.store.database.faults import GONE, POSTGRES_STATES, SQLITE_FAULTS, Faults, failing_postgres, failing_sqlite, postgres_fault
from tests.store.database.line import Line
from tests.store.ledger.test_ledger import tree_is_whole

pytestmark = pytest.mark.outside

KINDS = [*(("sqlite", one.name) for one in SQLITE_FAULTS), *(("postgresql", state) for state in (*POSTGRES_STATES, GONE))]


@pytest.fixture(params=KINDS, ids="-".join)
def failing(request: pytest.FixtureRequest) -> Iterator[tuple[str, Faults]]:
    """A database, and what makes it fail in one of all ways."""
    engine, kind = request.param
    url = str(request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url"))
    strike: Any = {one.name: one for one in SQLITE_FAULTS}[kind] if engine == "sqlite" else postgres_fault(kind)
    faults = Faults(strike)
    with failing_sqlite(faults) if engine == "sqlite" else failing_postgres(faults):
        yield url, faults


async def stored(books: Books) -> int:
    """How many cases there are."""
    return await books.database.read(lambda c: int(c.execute(select(func.count()).select_from(cases)).scalar_one()))


async def test_every_error_at_every_statement_is_refused_once_and_leaves_nothing(failing: tuple[str, Faults]) -> None:
    """A new case, a press and a narrow write: what failed can be sent again at once, and counts once."""
    url, faults = failing
    async with open_books(url) as books:

        async def open_case(number: int) -> object:
            return await books.ledger.open(a_delivery(f"t-{number}"), opening(a_submission(task_id=f"t-{number}")))

        async def press(number: int) -> object:
            case = await books.open(f"p-{number}") if number not in pressed else pressed[number]
            pressed[number] = case
            return await books.ledger.change(case.id, deciding(), press=a_press(case))

        pressed: dict[int, Any] = {}
        for work in (open_case, press):
            at, opened = 0, await stored(books)
            while True:
                if work is press:
                    pressed[at] = await books.open(f"p-{at}")
                faults.arm(at)
                try:
                    result = await work(at)
                except CannotRecordError as refused:
                    there = isinstance(refused, UnclearError)
                    assert faults.passed[at] == "COMMIT" or not there, "only a commit may be unclear"
                else:
                    if faults.heal() <= at:
                        assert isinstance(result, Opened | Changed)
                        break
                    pytest.fail(f"{faults.passed[at]} failed, and nobody was told")
                faults.heal()
                again = await work(at)
                assert isinstance(again, Opened | Changed | Repeated)
                at += 1
            assert at > 3
            assert await stored(books) > opened
        assert await tree_is_whole(books)


async def test_an_outage_that_lasts_ends_by_itself(failing: tuple[str, Faults]) -> None:
    """Everything is refused while it lasts, however it began; afterwards the next write goes through."""
    url, faults = failing
    async with open_books(url) as books:
        for at in range(3):
            faults.arm(at, lasting=True)
            for number in range(3):
                with pytest.raises(CannotRecordError):
                    await books.open(f"t-{at}-{number}")
            faults.heal()
            await books.open(f"t-{at}-0")
        assert await stored(books) == 3
        assert await tree_is_whole(books)


async def test_a_file_that_somebody_else_holds_is_written_to_once_it_is_free(sqlite_url: str) -> None:
    """A backup, or a hand on the file: each write waits and is refused; afterwards one is whole or not there, as ever."""

    def impatient(connection: Connection, _now: object) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")

    def half(connection: Connection, _now: object) -> None:
        connection.execute(text("UPDATE head SET size = size + 1"))
        raise KeyError("the other half")

    async with open_books(sqlite_url) as books:
        await books.writer.write(impatient)
        with closing(sqlite3.connect(sqlite_path(sqlite_url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):
                with pytest.raises(CannotRecordError):
                    await books.open(f"t-{number}")
            other.execute("ROLLBACK")
        with pytest.raises(KeyError):
            await books.writer.write(half)
        await books.open("t-0")
        assert await tree_is_whole(books)


async def test_a_commit_whose_answer_was_lost_on_sqlite_is_said_to_be_unclear(sqlite_url: str) -> None:
    """It is stored: whoever is told that nothing was would be told a lie. Sent again it counts once."""
    faults = Faults({one.name: one for one in SQLITE_FAULTS}["flush error"], late=True)
    with failing_sqlite(faults):
        async with open_books(sqlite_url) as books:
            await books.open("t-0")
            await _is_unclear_and_counts_once(books, faults)


async def test_a_commit_whose_answer_was_lost_on_postgres_is_said_to_be_unclear(postgres_url: str) -> None:
    """The same, where the line breaks after the server has committed and before it has said so."""
    async with Line(postgres_url) as line, open_books(line.url) as books:
        await books.open("t-0")
        line.lose_answer_to(b"COMMIT")
        await _is_unclear_and_counts_once(books, None)


async def _is_unclear_and_counts_once(books: Books, faults: Faults | None) -> None:
    delivery, step = a_delivery("t-1"), opening(a_submission(task_id="t-1"))
    if faults is not None:
        faults.arm(1_000)
        await books.open("t-count")
        commits = faults.passed.index("COMMIT")
        faults.arm(commits)
    with pytest.raises(UnclearError, match="cannot be said"):
        await books.ledger.open(delivery, step)
    if faults is not None:
        faults.heal()
    assert isinstance(await books.ledger.open(delivery, step), Repeated)
    assert await tree_is_whole(books)


async def test_what_is_cut_off_at_the_end_is_unclear_and_what_waited_is_not(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends while the database hangs says of what it was writing that it may be there, and of the rest that it is not."""
    monkeypatch.setattr("store.ledger.writer.CLOSE_S", 0.0)
    begun = asyncio.Event()

    def hang(name: str) -> None:
        if name == "writer.begin" and hangs:  # with the first, and not yet with the second
            line.hang()
            begun.set()

    hangs = False
    async with Line(postgres_url) as line, open_books(line.url, passing=hang) as books:
        hangs = True
        writing = asyncio.create_task(books.open("t-1"))
        await begun.wait()
        waiting = asyncio.create_task(books.open("t-2"))
        await asyncio.sleep(0)
        await books.writer.close()
        outcomes = await asyncio.gather(writing, waiting, return_exceptions=True)
        assert [type(one) for one in outcomes] == [UnclearError, WriterClosedError]
        line.cut()
