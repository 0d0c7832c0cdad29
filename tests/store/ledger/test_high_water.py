"""Somebody sets back what caps and exceptions count by, while the bot runs: it makes no room."""

import pytest
from sqlalchemy import Executable, delete, update

from store.schema import tallies, waiver_uses
from tests.store.a_store import NOON, Books, Clock, open_books
from tests.store.ledger.test_arrival import CAPPED, Openings, a_waiver, govern

SET_BACK: dict[str, Executable] = {
    "sums": update(tallies).values(whole=0, millionths=0),
    "sums below nothing": update(tallies).values(whole=-1_000),
    "days": delete(tallies),
    "uses": delete(waiver_uses),
    "uses of another": update(waiver_uses).values(waiver_id="x_9"),
}


async def set_back(books: Books, how: str) -> None:
    """Written by a client of the database."""
    await books.writer.write(lambda connection, _now: connection.execute(SET_BACK[how]))


@pytest.mark.parametrize("how", SET_BACK)
async def test_what_was_counted_stays_counted(database_url: str, how: str) -> None:
    """After every approval anew: the next case meets the same limits as if nobody had written."""
    async with open_books(database_url, policy=CAPPED) as books:
        openings = Openings(books)
        await govern(books, waivers=(a_waiver(most=3),))
        for number in range(3):
            facts = (await openings.open(auto="12.50", used=("x_1",))).facts
            assert (facts.amount_day, [one.id for one in facts.waived]) == (f"{12.5 * number:g}", ["x_1"])
            await set_back(books, how)
        facts = (await openings.open()).facts
        assert (facts.amount_day, facts.waived) == ("37.5", ())


async def test_a_new_day_begins_at_nothing(sqlite_url: str) -> None:
    """What is remembered is of a day, as what is counted is."""
    clock = Clock(NOON)
    async with open_books(sqlite_url, clock=clock, policy=CAPPED) as books:
        openings = Openings(books)
        await openings.open(auto="12.50")
        clock.forward(86_400)
        assert (await openings.open(auto="1")).facts.amount_day == "0"
        assert (await openings.open()).facts.amount_day == "1"


async def test_what_another_replica_counted_is_counted_here(postgres_url: str) -> None:
    """Of two that serve one database, each sees the other's approvals, and remembers them."""
    async with open_books(postgres_url, policy=CAPPED) as one, open_books(postgres_url, policy=CAPPED) as other:
        openings = Openings(one)
        await openings.open(auto="10")
        openings.books = other
        assert (await openings.open(auto="20")).facts.amount_day == "10"
        openings.books = one
        assert (await openings.open(auto="30")).facts.amount_day == "30"
        await set_back(one, "days")
        assert (await openings.open()).facts.amount_day == "60"
