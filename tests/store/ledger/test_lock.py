"""Replicas wait for each other on the head of the log: what comes meanwhile is written with what asked for it, and nobody holds it idle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from store.database.database import Database
from store.ledger.answers import Changed
from store.ledger.prefetch import database_clock
from store.ledger.sealed_head import lock_head
from store.ledger.writer import WriterClosedError
from store.schema import head, leaves
from tests.store.a_store import Books, Points, a_press, deciding, open_books
from tests.store.ledger.test_ledger import tree_is_whole

pytestmark = pytest.mark.outside


def _others_wait(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())


def _change_nothing(connection: Connection) -> None:
    connection.execute(update(head).values(last_outbox=head.c.last_outbox))


@asynccontextmanager
async def held(url: str) -> AsyncIterator[None]:
    """Another replica holds the head of the log while the block runs, and writes nothing."""
    other = await Database.open(url)
    try:
        async with other.writing() as transaction:
            await transaction.run(lock_head)
            yield
    finally:
        await other.close()


async def asked(points: Points) -> None:
    """Until the writer has asked for the head."""
    while "writer.lock" not in points.passed:  # noqa: ASYNC110 - it says so by nothing else
        await asyncio.sleep(0)


async def is_free(books: Books) -> bool:
    """Whether nobody holds the head."""

    def take(connection: Connection) -> None:
        connection.execute(select(head.c.id).with_for_update(nowait=True))

    try:
        async with books.database.writing() as transaction:
            await transaction.run(take)
    except DBAPIError:
        return False
    return True


async def test_what_comes_while_the_head_is_waited_for_is_written_at_once(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction takes in all of it, people before cases, where the machine is quick enough for that."""
    monkeypatch.setattr("store.ledger.writer.MAX_WORK_S", 60.0)
    points = Points()
    async with open_books(postgres_url, passing=points) as books:
        case = await books.open("t-0")
        points.passed.clear()
        async with held(postgres_url):
            opening = [asyncio.create_task(books.open("t-1"))]
            await asked(points)
            opening += [asyncio.create_task(books.open(f"t-{number}")) for number in range(2, 12)]
            pressing = asyncio.create_task(books.ledger.change(case.id, deciding(), press=a_press(case)))
            narrow = asyncio.create_task(books.writer.write(lambda _connection, _now: "written"))
            await asyncio.sleep(0)
        await asyncio.gather(*opening)
        assert isinstance(await pressing, Changed)
        assert await narrow == "written"
        assert points.passed.count("writer.after_commit") == 1
        newest = select(leaves.c.kind).order_by(leaves.c.idx.desc()).limit(12)
        assert (await books.database.read(lambda c: list(c.execute(newest).scalars())))[-1] == "decided"
        assert await tree_is_whole(books)


async def test_a_replica_with_nothing_to_write_lets_the_head_go(postgres_url: str) -> None:
    """Whoever waited went away: nothing of theirs is written, and the head is free at once, as it is while nobody wants anything."""
    points = Points()
    async with open_books(postgres_url, passing=points) as books:
        await books.open("t-0")
        assert await is_free(books)
        points.passed.clear()
        async with held(postgres_url):
            gone = asyncio.create_task(books.open("t-1"))
            await asked(points)
            gone.cancel()
            await asyncio.wait({gone})
            assert not await is_free(books)
        async with asyncio.timeout(5):
            while not await is_free(books):  # the writer gets it, and has nothing to write  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert "writer.begin" not in points.passed
        assert books.writer.waiting == 0
        await books.open("t-2")
        found = await books.database.read(lambda c: list(c.execute(select(leaves.c.case_id).distinct()).scalars()))
        assert len(set(found) - {None}) == 2


async def test_the_time_is_told_once_the_head_is_ours(postgres_url: str) -> None:
    """Not when it was asked for: whoever held it meanwhile wrote a later time. And none who holds it and goes leaves an earlier one."""
    for writes in (False, True):
        async with open_books(postgres_url) as books:
            other = await Database.open(postgres_url)
            async with other.writing() as first, books.database.writing() as second:
                await first.run(lock_head)
                waiting = asyncio.create_task(second.run(lock_head))
                while not await first.run(_others_wait):  # noqa: ASYNC110 - PostgreSQL tells nobody
                    await asyncio.sleep(0.01)
                before = await first.run(database_clock)
                if writes:
                    await first.commit(_change_nothing)
                else:
                    await first.run(lambda connection: connection.rollback())
                assert int((await waiting).clock) >= before
            await other.close()


async def test_a_narrow_write_alone_waits_for_nobody(postgres_url: str) -> None:
    """What goes out is noted while another replica writes."""
    async with open_books(postgres_url) as books, held(postgres_url), asyncio.timeout(5):
        assert await books.writer.write(lambda _connection, _now: "written") == "written"


async def test_closing_writes_what_has_asked_for_the_head(postgres_url: str) -> None:
    """The transaction that is under way takes in what waits, and ends before the process does."""
    points = Points()
    async with open_books(postgres_url, passing=points) as books:
        points.passed.clear()
        async with held(postgres_url):
            opening = asyncio.create_task(books.open("t-1"))
            await asked(points)
            closing = asyncio.create_task(books.writer.close())
            await asyncio.sleep(0)
            with pytest.raises(WriterClosedError):
                await books.open("t-2")
        await closing
        assert (await opening).task_id == "t-1"


async def test_what_never_got_the_head_is_certainly_not_there(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is cut off while it waits for another replica had written nothing of it."""
    monkeypatch.setattr("store.ledger.writer.CLOSE_S", 0.0)
    points = Points()
    async with open_books(postgres_url, passing=points) as books, held(postgres_url):
        points.passed.clear()
        opening = asyncio.create_task(books.open("t-1"))
        await asked(points)
        await books.writer.close()
        with pytest.raises(WriterClosedError):
            await opening
