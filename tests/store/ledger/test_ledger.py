"""The one write path: what arrives once counts once, a change and its record are one, and nothing of content is in the open."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from routing.case.submission import Submission
from routing.change import SYSTEM, Actor, Arrival, Change, Event, Refused, Subject
from routing.errors import TransitionError
from routing.vocabulary import EventKind, State
from store.audit.merkle import Frontier, leaf_hash
from store.ledger.answers import Changed, Conflict, Missing, Opened, Repeated
from store.ledger.ledger import NotRecordingError
from store.ledger.prefetch import InboxKey
from store.ledger.refusals import REFUSALS_A_MINUTE
from store.reads.cases import Reads
from store.schema import head, leaves, metadata, outbox
from tests.store.a_store import NOON, SECRET, Books, Clock, a_delivery, a_press, a_submission, commenting, deciding, open_books, opening


async def count(books: Books, table: str) -> int:
    """Rows of a table."""
    return await books.database.read(lambda c: c.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one())


async def kinds(books: Books, case_id: str) -> list[str]:
    """The events of a case, in order."""
    statement = select(leaves.c.kind).where(leaves.c.case_id == case_id).order_by(leaves.c.idx)
    return await books.database.read(lambda c: list(c.execute(statement).scalars()))


async def test_a_case_is_opened_with_everything_that_belongs_to_it(database_url: str) -> None:
    """One call writes case, leaf, content, answer and card; the answer is the service's."""
    async with open_books(database_url) as books:
        result = await books.ledger.open(a_delivery(), opening(a_submission()))
        assert isinstance(result, Opened)
        assert result.answer["id"] == result.case.id
        assert result.case.id.startswith("c_")
        assert result.case.content_at == 1  # the policy's activation is leaf 0
        for table in ("cases", "case_keys", "vault", "inbox", "outbox"):
            assert await count(books, table) == 1, table
        assert await kinds(books, result.case.id) == ["received"]


async def test_a_repeated_webhook_gets_the_first_answer(database_url: str) -> None:
    """The same id and body make no second case; the same id with another body is refused."""
    async with open_books(database_url) as books:
        first = await books.ledger.open(a_delivery(), opening(a_submission()))
        assert isinstance(first, Opened)
        again = await books.ledger.open(a_delivery(), opening(a_submission()))
        assert again == Repeated(first.answer, first.case.id)
        other = await books.ledger.open(a_delivery(body="other"), opening(a_submission()))
        assert other == Conflict("webhook_id", first.case.id)
        assert await count(books, "cases") == 1


async def test_a_task_has_one_case(database_url: str) -> None:
    """A new webhook id for the same task and content gets the first case, for other content a conflict."""
    async with open_books(database_url) as books:
        first = await books.ledger.open(a_delivery(webhook_id="m1"), opening(a_submission()))
        assert isinstance(first, Opened)
        again = await books.ledger.open(a_delivery(webhook_id="m2"), opening(a_submission()))
        assert again == Repeated(first.answer, first.case.id)
        assert await count(books, "inbox") == 2
        other = await books.ledger.open(a_delivery(webhook_id="m3", body="other"), opening(a_submission()))
        assert other == Conflict("task", first.case.id)
        assert await count(books, "cases") == 1


async def test_fifty_senders_of_one_webhook_make_one_case(database_url: str) -> None:
    """Parallel deliveries of the same webhook all get the same answer."""
    async with open_books(database_url) as books:
        results = await asyncio.gather(*(books.ledger.open(a_delivery(), opening(a_submission())) for _ in range(50)))
        opened = [result for result in results if isinstance(result, Opened)]
        assert len(opened) == 1
        assert [result for result in results if isinstance(result, Repeated)] == [Repeated(opened[0].answer, opened[0].case.id)] * 49
        assert await count(books, "cases") == 1


async def test_many_tasks_at_once_all_get_their_own_case(database_url: str) -> None:
    """Cases of one batch are all there, with their own content."""
    async with open_books(database_url) as books:
        opened = await asyncio.gather(*(books.open(f"t-{number}") for number in range(100)))
        assert len({case.id for case in opened}) == 100
        assert await count(books, "vault") == 100


async def test_a_step_that_raises_fails_alone(database_url: str) -> None:
    """What shares a transaction with a failing item is committed, and nothing of the failing one is."""

    def broken(_arrival: Arrival) -> Change:
        raise ZeroDivisionError

    async with open_books(database_url) as books:
        results = await asyncio.gather(
            books.open("t-1"), books.ledger.open(a_delivery("t-2"), broken), books.open("t-3"), return_exceptions=True
        )
        assert isinstance(results[1], ZeroDivisionError)
        assert await count(books, "cases") == 2
        assert await count(books, "inbox") == 2


async def test_an_item_that_the_database_refuses_fails_alone(database_url: str) -> None:
    """A poisoned row rolls its batch back; the others are written again, each by itself."""

    def poison(connection: Connection, _now: object) -> None:
        connection.execute(text("INSERT INTO head (id) VALUES (NULL)"))

    async with open_books(database_url) as books:
        first = await books.open("t-0")
        results = await asyncio.gather(
            books.open("t-1"),
            books.ledger.change(first.id, commenting(), also=poison),
            books.open("t-2"),
            return_exceptions=True,
        )
        assert isinstance(results[1], DBAPIError)
        assert await count(books, "cases") == 3
        assert await kinds(books, first.id) == ["received"]
        assert await tree_is_whole(books)


async def tree_is_whole(books: Books) -> bool:
    """Whether the stored leaves hash to the frontier in the head, without gaps."""

    def read(connection: Connection) -> bool:
        rows = connection.execute(select(leaves.c.idx, leaves.c.body, leaves.c.hash).order_by(leaves.c.idx)).all()
        stored = Frontier.from_bytes(connection.execute(select(head.c.frontier)).scalar_one())
        replayed = Frontier().extend(leaf_hash(row.body) for row in rows)
        return [row.idx for row in rows] == list(range(len(rows))) and replayed == stored and all(leaf_hash(r.body) == r.hash for r in rows)

    return await books.database.read(read)


async def test_a_change_is_its_case_its_events_and_its_messages(database_url: str) -> None:
    """Deciding changes the case, records who, and promises card and callback; the log stays whole."""
    async with open_books(database_url) as books:
        case = await books.open()
        changed = await books.ledger.change(case.id, deciding(), press=a_press(case), key=InboxKey("press", "T0", "k1"), digest="d")
        assert isinstance(changed, Changed)
        assert (changed.case.state, changed.case.decided_index) == (State.DECIDED, changed.indices[0])
        assert await kinds(books, case.id) == ["received", "decided"]
        assert await count(books, "outbox") == 3
        assert await tree_is_whole(books)


async def test_two_presses_at_once_are_one_decision(database_url: str) -> None:
    """The second of two racing presses sees the first one's result, though both are in one transaction."""
    async with open_books(database_url) as books:
        case = await books.open()
        results = await asyncio.gather(
            *(books.ledger.change(case.id, deciding(by=person), press=a_press(case, by=person)) for person in ("U0FRONT", "U0OTHER"))
        )
        assert [type(result) for result in results] == [Changed, Refused]
        assert await kinds(books, case.id) == ["received", "decided", "press_refused"]


async def test_a_repeated_press_gets_the_first_answer(database_url: str) -> None:
    """The same press delivered twice decides once; a refusal is remembered too."""
    async with open_books(database_url) as books:
        case = await books.open()
        key = InboxKey("press", "T0", "k1")
        await books.ledger.change(case.id, deciding(), key=key, digest="d")
        assert await books.ledger.change(case.id, deciding(), key=key, digest="d") == Repeated({"state": "decided"}, case.id)
        late = InboxKey("press", "T0", "k2")
        assert isinstance(await books.ledger.change(case.id, deciding(), key=late, digest="d"), Refused)
        again = await books.ledger.change(case.id, deciding(), key=late, digest="d")
        assert again == Repeated({"refused": {"reason": "not_open", "text": "The case is decided."}}, case.id)


async def test_refused_presses_are_recorded_but_cannot_fill_the_log(database_url: str) -> None:
    """Ten refusals a minute get a leaf each, the rest of that minute is one count."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        case = await books.open()
        await books.ledger.change(case.id, deciding())
        for _ in range(REFUSALS_A_MINUTE + 5):
            assert isinstance(await books.ledger.change(case.id, deciding(), press=a_press(case)), Refused)
        assert (await kinds(books, case.id)).count("press_refused") == REFUSALS_A_MINUTE
        clock.forward(61)
        await books.ledger.sweep_refusals(clock())
        counted = select(leaves.c.body).where(leaves.c.kind == "presses_refused")
        body = await books.database.read(lambda c: c.execute(counted).scalar_one())
        assert json.loads(body)["fields"] == {"count": 5}


async def test_a_missing_case_is_said_to_be_missing(database_url: str) -> None:
    """Nothing is recorded about a case that is not there."""
    async with open_books(database_url) as books:
        assert await books.ledger.change("c_none", deciding()) == Missing("c_none")


async def test_an_impossible_transition_writes_nothing(database_url: str) -> None:
    """A decided case never reopens, whatever a step says."""

    def reopening(subject: Subject, _now: object) -> Change:
        return Change(subject.case.model_copy(update={"state": State.PENDING}), ())

    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, deciding())
        with pytest.raises(TransitionError):
            await books.ledger.change(case.id, reopening)
        assert await kinds(books, case.id) == ["received", "decided"]


async def test_a_step_sees_the_content_it_asked_for(database_url: str) -> None:
    """Content comes back from the vault as it was submitted, and a step of the same batch sees the newest."""
    seen: list[Submission | None] = []

    def looking(subject: Subject, _now: object) -> Change:
        seen.append(subject.submission)
        return Change(subject.case, ())

    async with open_books(database_url) as books:
        case = await books.open(request=SECRET)
        await books.ledger.change(case.id, looking, content=True)
        await books.ledger.change(case.id, looking)
        assert seen == [a_submission(), None]


async def test_words_sealed_beside_a_new_revision_do_not_disturb_it(database_url: str) -> None:
    """A modification seals the new content and who said why in one leaf; the content is still read back."""
    newer = a_submission(title="Refund less")

    def modifying(subject: Subject, _now: object) -> Change:
        event = Event(EventKind.MODIFIED, Actor("human", "U0FRONT"), {}, {"rationale": SECRET, "name": "Fran"}, newer)
        return Change(subject.case.model_copy(update={"revision": 2}), (event,))

    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, modifying, content=True)
        reads = Reads(books.database, books.vault, books.policies)
        assert await reads.content(case.id) == newer
        assert (await reads.history(case.id))[-1].opened["name"] == "Fran"


async def test_no_content_stands_outside_the_vault(database_url: str) -> None:
    """What a customer or reviewer wrote is in no row but the encrypted box."""
    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, commenting())
        await books.ledger.change(case.id, deciding(), press=a_press(case), key=InboxKey("press", "T0", "k1"), digest="d")

        def everything(connection: Connection) -> str:
            return "\n".join(repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table)))

        text_of_all = await books.database.read(everything)
        assert "refund.create" in text_of_all
        assert SECRET not in text_of_all
        assert SECRET.encode().hex() not in text_of_all


LOG = {
    "leaves": ("idx", "(0, 'x', 'x', 'e', NULL, 'x', 0)", "kind = 'x'"),
    "nodes": ("level, idx", "(8, 0, 'y')", "hash = 'y'"),
    "checkpoints": ("size", "(1, 'y', 0)", "note = 'y'"),
}
"""By table: its key, a row under a key that is there, and a change."""

ANYWHERE = (
    "UPDATE {table} SET {change}",
    "DELETE FROM {table}",
    "INSERT INTO {table} VALUES {row} ON CONFLICT ({key}) DO UPDATE SET {change}",
)
ON_SQLITE = ("INSERT OR REPLACE INTO {table} VALUES {row}", "REPLACE INTO {table} VALUES {row}", "UPDATE OR REPLACE {table} SET {change}")
ON_POSTGRESQL = (
    "TRUNCATE {table}",
    "TRUNCATE {table}, cases CASCADE",
    "SET session_replication_role = replica; DELETE FROM {table}",
    "SET session_replication_role = replica; TRUNCATE {table}",
)


async def refuses(url: str, table: str, statements: Sequence[str]) -> None:
    """Whichever statement of these is tried, in the bot's session or in one of somebody's own, the database refuses and keeps its rows."""
    key, row, change = LOG[table]

    def everything(connection: Connection) -> list[object]:
        return [tuple(found) for found in connection.execute(select(metadata.tables[table]))]

    async def try_beside(statement: str) -> None:
        async with somebody.begin() as connection:
            await connection.run_sync(in_turn(statement), NOON)

    def in_turn(statement: str) -> Callable[[Connection, datetime], None]:
        def run(connection: Connection, _now: datetime) -> None:
            for one in statement.split("; "):
                connection.execute(text(one))

        return run

    async with open_books(url) as books:
        await books.open()
        await books.writer.write(in_turn("INSERT INTO nodes VALUES (8, 0, 'x'); INSERT INTO checkpoints VALUES (1, 'x', 0)"))
        before = await books.database.read(everything)
        somebody = create_async_engine(url)
        for statement in statements:
            tried = statement.format(table=table, key=key, row=row, change=change)
            with pytest.raises(DBAPIError, match="append-only"):
                await books.writer.write(in_turn(tried))
            with pytest.raises(DBAPIError, match="append-only"):
                await try_beside(tried)
            assert await books.database.read(everything) == before
        await somebody.dispose()


@pytest.mark.parametrize("table", LOG)
async def test_the_log_refuses_to_be_changed_on_sqlite(sqlite_url: str, table: str) -> None:
    """Updates, deletes and whatever replaces: SQLite fires no delete trigger for a row that is replaced, so that is refused before."""
    await refuses(sqlite_url, table, (*ANYWHERE, *ON_SQLITE))


@pytest.mark.parametrize("table", LOG)
async def test_the_log_refuses_to_be_changed_on_postgresql(postgres_url: str, table: str) -> None:
    """Also a TRUNCATE, which fires no row triggers, and a session that turns triggers off as replication does."""
    await refuses(postgres_url, table, (*ANYWHERE, *ON_POSTGRESQL))


async def test_a_ledger_that_cannot_be_signed_takes_no_cases_and_presses_but_clocks_go_on(database_url: str) -> None:
    """A log that disagrees with its checkpoints stops people and services, not deadlines."""
    async with open_books(database_url) as books:
        case = await books.open()
        books.ledger.stop_recording("The database is behind.")
        with pytest.raises(NotRecordingError, match="behind"):
            await books.open("t-2")
        with pytest.raises(NotRecordingError):
            await books.ledger.change(case.id, deciding(), press=a_press(case))
        assert isinstance(await books.ledger.change(case.id, deciding()), Changed)


async def test_time_never_goes_back(database_url: str) -> None:
    """A clock set back gives no leaf an earlier time than the leaf before, and time does not stand still."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        case = await books.open()
        clock.forward(-3)
        await books.ledger.change(case.id, commenting())
        moments = await books.database.read(lambda c: list(c.execute(select(leaves.c.at).order_by(leaves.c.idx)).scalars()))
        assert moments == sorted(moments)


async def test_an_event_of_the_whole_log_has_no_case(database_url: str) -> None:
    """Such events stand in the log beside those of cases."""
    async with open_books(database_url) as books:
        index = await books.ledger.record(Event(EventKind.STARTED, SYSTEM, {"version": "1"}))
        body = await books.database.read(lambda c: c.execute(select(leaves.c.body).where(leaves.c.idx == index)).scalar_one())
        assert json.loads(body)["event"] == "started"
        assert "case" not in json.loads(body)


async def test_outbox_rows_are_numbered_in_order_of_commit(database_url: str) -> None:
    """The number is given under the head's lock, so a reader skips none."""
    async with open_books(database_url) as books:
        await asyncio.gather(*(books.open(f"t-{number}") for number in range(20)))
        ids = await books.database.read(lambda c: list(c.execute(select(outbox.c.id).order_by(outbox.c.leaf_idx)).scalars()))
        assert ids == list(range(1, 21))
