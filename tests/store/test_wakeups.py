"""What one replica commits wakes those that wait in another; what gets lost on the way costs nothing but the time of the next look."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.signed_note import Signer
from store.checkpoint_signing import Signing
from store.database.database import Database
from store.wakeups import MOST_NAMED, Wakeups
from tests.store.a_store import Books, deciding, open_books
from tests.store.database.cutting import each_await
from tests.store.database.line import Line
from tests.store.database.test_giving_back import all_back, nothing_left_behind

_LISTENING = "FROM pg_stat_activity WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query LIKE '%pg_notify(%')"
_LISTENING += " AND pid <> pg_backend_pid()"


async def listening(database: Database) -> int:
    """How many replicas listen."""
    return await database.read(lambda c: int(c.execute(text(f"SELECT count(*) {_LISTENING}")).scalar_one()))


async def until(met: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(20):
        while True:
            if met():
                return
            await asyncio.sleep(0.01)


async def until_listening(database: Database, replicas: int) -> None:
    """Wait until so many hear each other."""
    async with asyncio.timeout(20):
        while True:
            if await listening(database) == replicas:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sharing(*books: tuple[Wakeups, Database]) -> AsyncIterator[None]:
    """These replicas tell each other."""
    tasks = [asyncio.create_task(wakeups.share(database)) for wakeups, database in books]
    try:
        await until_listening(books[0][1], len(books))
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def replicas(*urls: str) -> AsyncIterator[list[Books]]:
    """One for each URL, all of one database."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(open_books(url)) for url in urls]
        await stack.enter_async_context(sharing(*((books.wakeups, books.database) for books in found)))
        yield found


async def test_all_that_waits_in_another_replica_is_woken(postgres_url: str) -> None:
    """Whatever is to be sent, promised or changed; nothing else, and each only of what others did."""
    async with replicas(postgres_url, postgres_url) as (here, there):
        case = await here.open()
        await until(there.wakeups.outbox.is_set)
        assert not there.wakeups.promised.is_set()
        with there.wakeups.case(case.id) as changed, there.wakeups.case("c_another") as other:
            await here.ledger.change(case.id, deciding())
            await until(lambda: there.wakeups.promised.is_set() and changed.is_set())
            assert not other.is_set()
        here.wakeups.outbox.clear()
        with here.wakeups.case("c_of_theirs") as changed:
            there.wakeups.tell(["c_of_theirs"], enqueued=False, promised=False)
            await until(changed.is_set)  # and what this one said came before that
        assert not here.wakeups.outbox.is_set()


async def test_more_than_one_hint_takes_names_the_first(postgres_url: str) -> None:
    """What is to be sent is told however many cases changed; a case that is not named is looked at in its own time."""
    async with replicas(postgres_url, postgres_url) as (here, there):
        here.wakeups.tell([f"c_{number:026}" for number in range(5 * MOST_NAMED)], enqueued=True, promised=True)
        await until(lambda: there.wakeups.outbox.is_set() and there.wakeups.promised.is_set())
        with there.wakeups.case("c_later") as changed:
            here.wakeups.tell(["c_later"], enqueued=False, promised=False)
            await until(changed.is_set)


async def test_a_line_that_broke_is_opened_again(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the server, by the network, or with nobody there for a while; what was told meanwhile is not told later."""
    monkeypatch.setattr("store.wakeups.AGAIN_S", 0.01)
    async with Line(postgres_url) as line, replicas(postgres_url, line.url) as (here, there):

        async def end_all() -> None:
            end = f"SELECT pg_terminate_backend(pid) {_LISTENING}"
            await here.writer.write(lambda connection, _now: connection.execute(text(end)).all())

        async def cut() -> None:
            line.cut()

        for number, breaks in enumerate((end_all, cut, end_all)):
            await breaks()
            await until_listening(here.database, 2)
            with there.wakeups.case("c_1") as changed:
                for _ in range(200):  # until both have theirs again: a line that is cut is listened to for a moment more
                    here.wakeups.tell(["c_1"], enqueued=False, promised=False)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), 0.1)
                        break
                assert changed.is_set()
            await here.open(f"t-{number}")


async def test_a_checkpoint_that_a_callback_waits_for_is_signed_by_another_replica(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that signs never looks by itself here; whose callback it is learns that it may go."""
    monkeypatch.setattr("store.checkpoint_signing.LOOK_EVERY_S", 3_600)
    signer, problems = Signer("tierline/test", Ed25519PrivateKey.generate()), list[Exception]()
    async with replicas(postgres_url, postgres_url) as (here, there):
        directory = CheckpointDirectory(tmp_path / "checkpoints", [signer.vkey])
        signing = Signing(there.database, there.writer, there.ledger, there.wakeups, directory=directory, signer=signer, clock=there.clock)
        running = asyncio.create_task(signing.run(problems.append))
        case = await here.open()
        await here.ledger.change(case.id, deciding())
        here.wakeups.outbox.clear()
        await until(here.wakeups.outbox.is_set)
        assert not problems
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_replica_that_stops_at_any_await_gives_its_line_back(postgres_url: str) -> None:
    """While it connects, listens or speaks."""
    with nothing_left_behind():
        async with open_books(postgres_url) as books:
            wakeups = Wakeups()

            async def share_a_little() -> None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        wakeups.tell([], enqueued=True, promised=False)
                        await wakeups.share(books.database)

            async for _ in each_await(share_a_little):
                await all_back(books.database)


async def test_sqlite_has_nobody_to_talk_to(sqlite_url: str) -> None:
    """Nobody asks it to, either."""
    async with open_books(sqlite_url) as books:
        with pytest.raises(TypeError):
            await books.wakeups.share(books.database)
