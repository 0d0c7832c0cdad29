"""The process may die anywhere: what is opened afterwards is whole, and what was answered is there."""

import asyncio

import pytest
from sqlalchemy import Connection, func, select

from routing.vocabulary import State
from store.ledger.answers import Opened, Repeated
from store.ledger.writer import WriterClosedError
from store.outbox.delivery import Delivered
from store.outbox.outbox import Outbox
from store.reads.cases import Reads
from store.schema import case_keys, cases, inbox, leaves, outbox, vault
from tests.store.a_store import Books, Points, ProcessDied, a_delivery, a_press, a_submission, deciding, open_books, opening
from tests.store.ledger.test_ledger import tree_is_whole

WRITER_POINTS = ("writer.lock", "writer.begin", "writer.flush", "writer.before_commit", "writer.after_commit")


async def counts(books: Books) -> dict[str, int]:
    """Rows of the tables that one new case adds one row to each."""

    def read(connection: Connection) -> dict[str, int]:
        tables = (cases, case_keys, vault, inbox, outbox)
        return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}

    return await books.database.read(read)


@pytest.mark.parametrize("point", WRITER_POINTS)
async def test_a_case_is_there_whole_or_not_at_all(database_url: str, point: str) -> None:
    """Whenever the process dies while opening a case, sending it again gives exactly one whole case."""
    points = Points()
    async with open_books(database_url, passing=points) as books:
        points.deadly = point
        with pytest.raises((ProcessDied, WriterClosedError)):
            await books.open()
        with pytest.raises((ProcessDied, WriterClosedError)):
            await books.open("t-other")
    async with open_books(database_url) as books:
        there = point == "writer.after_commit"
        assert set((await counts(books)).values()) == {1 if there else 0}
        assert await tree_is_whole(books)
        result = await books.ledger.open(a_delivery(), opening(a_submission()))
        assert isinstance(result, Repeated if there else Opened)
        assert set((await counts(books)).values()) == {1}
        assert await tree_is_whole(books)


@pytest.mark.parametrize("point", WRITER_POINTS)
async def test_a_press_is_recorded_whole_or_not_at_all(database_url: str, point: str) -> None:
    """A decision, its event and its messages survive together."""
    points = Points()
    async with open_books(database_url, passing=points) as books:
        case = await books.open()
        points.deadly = point
        with pytest.raises((ProcessDied, WriterClosedError)):
            await books.ledger.change(case.id, deciding(), press=a_press(case))
    async with open_books(database_url) as books:
        decided = point == "writer.after_commit"
        found = await Reads(books.database, books.vault, books.policies).case(case.id)
        assert found is not None
        assert found.state is (State.DECIDED if decided else State.PENDING)
        kinds = await books.database.read(lambda c: list(c.execute(select(leaves.c.kind).where(leaves.c.case_id == case.id)).scalars()))
        assert kinds == (["received", "decided"] if decided else ["received"])
        assert (await counts(books))["outbox"] == (3 if decided else 1)
        assert await tree_is_whole(books)


async def send(box: Outbox) -> None:
    """What the courier does with one message."""
    (row,) = await box.claim("slack")
    await box.trying(row)
    await box.settle(row, Delivered())


@pytest.mark.parametrize(
    ("point", "expected"), [("outbox.claimed", "ready"), ("outbox.trying", "ambiguous"), ("outbox.settle", "ambiguous")]
)
async def test_a_message_is_never_blindly_sent_twice(sqlite_url: str, point: str, expected: str) -> None:
    """A process that dies once a try was noted leaves doubt; before that, the message is simply sent."""
    points = Points()
    async with open_books(sqlite_url) as books:
        await books.open()
        box = Outbox(books.database, books.writer, books.ledger, "boot-1", passing=points)
        points.deadly = point
        with pytest.raises(ProcessDied):
            await send(box)
    async with open_books(sqlite_url) as books:
        box = Outbox(books.database, books.writer, books.ledger, "boot-2")
        await box.start()
        (row,) = await box.claim("slack")
        assert row.doubtful is (expected == "ambiguous")


async def test_closing_lets_the_transaction_under_way_end(database_url: str) -> None:
    """Who still waits when the process ends is told so; nothing is half there."""
    async with open_books(database_url) as books:
        waiting = [asyncio.create_task(books.open(f"t-{number}")) for number in range(200)]
        await asyncio.sleep(0)
        await books.writer.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result).__name__ for result in results} <= {"Case", "WriterClosedError"}
        assert await tree_is_whole(books)
