"""One way out: lanes in order, leases that run out, doubt instead of a second send."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, event, select

from routing.change import Actor, Change, Message, MessageKind, Subject
from store.outbox.claiming import LEASE_S
from store.outbox.delivered_cards import card_at
from store.outbox.delivery import Delivered, Outgoing
from store.outbox.outbox import Doubt, Outbox
from store.outbox.token_buckets import Buckets
from store.reads.cases import Reads
from store.reads.queue import OutboxCount, dead_messages, outbox_counts
from store.schema import leaves, outbox
from tests.store.a_store import Books, Clock, a_delivery, a_submission, commenting, deciding, open_books, opening, updating

POSTED = Delivered(channel="C1", ts="1.1", face="f", digest="d")


def the_outbox(books: Books, boot_id: str = "boot-1") -> Outbox:
    """The outbox of one process."""
    return Outbox(books.database, books.writer, books.ledger, boot_id)


async def states(books: Books) -> list[str]:
    """The state of every message, in order."""
    return await books.database.read(lambda c: list(c.execute(select(outbox.c.state).order_by(outbox.c.id)).scalars()))


async def kinds(rows: list[Outgoing]) -> list[str]:
    """What was claimed."""
    return [row.message.kind.value for row in rows]


async def test_a_lane_is_sent_in_order_one_at_a_time(database_url: str) -> None:
    """The second message of a case to a channel waits until the first is settled."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        await books.ledger.change(case.id, commenting())
        (card,) = await box.claim("slack")
        assert card.message.kind is MessageKind.CARD
        assert await box.claim("slack") == []
        assert await box.trying(card)
        assert await box.settle(card, POSTED)
        (note,) = await box.claim("slack")
        assert note.message.kind is MessageKind.NOTE
        assert note.leaf_idx == 2


async def test_urgent_goes_first_then_priority_then_age(database_url: str) -> None:
    """A burst of low priority does not hold up what matters."""
    async with open_books(database_url) as books:
        for task, priority, urgent in (("low", 1, False), ("high", 90, False), ("same", 90, False), ("urgent", 1, True)):
            step = opening(a_submission(task_id=task), priority=priority, urgent=urgent)
            await books.ledger.open(a_delivery(task), step)
        rows = await the_outbox(books).claim("slack", limit=3)
        assert [row.id for row in rows] == [4, 2, 3]


async def test_what_stands_before_an_urgent_message_is_urgent_too(database_url: str) -> None:
    """An urgent update cannot overtake its card, so the card hurries."""
    async with open_books(database_url) as books:
        await books.open("t-first")
        case = await books.open("t-second")
        await books.ledger.change(case.id, deciding())
        (row,) = await the_outbox(books).claim("slack", limit=1)
        assert row.case_id == case.id


async def test_several_urgent_cases_hurry_together(database_url: str) -> None:
    """Two decisions in one transaction both make their lanes urgent."""
    async with open_books(database_url) as books:
        first, second = await books.open("t-1"), await books.open("t-2")
        await asyncio.gather(*(books.ledger.change(case.id, deciding()) for case in (first, second)))
        rows = await the_outbox(books).claim("slack")
        assert [row.message.urgent for row in rows] == [True, True]


async def test_destinations_without_a_token_are_skipped(database_url: str) -> None:
    """A channel at its limit does not hold up the others."""
    async with open_books(database_url) as books:
        await books.open()
        assert await the_outbox(books).claim("slack", skip={"review-tier1"}) == []


async def test_updates_of_one_card_become_one(database_url: str) -> None:
    """Five changes while the channel is busy are one update; a note between keeps its place."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        for _ in range(3):
            await books.ledger.change(case.id, updating())
        await books.ledger.change(case.id, commenting())
        await books.ledger.change(case.id, updating())
        (card,) = await box.claim("slack")
        await box.settle(card, POSTED)
        (update,) = await box.claim("slack")
        assert update.message.kind is MessageKind.CARD_UPDATE
        assert await states(books) == ["done", "ready", "cancelled", "cancelled", "ready", "ready"]


async def test_a_lease_that_runs_out_while_trying_leaves_doubt(database_url: str) -> None:
    """The peer may have it: nobody sends it again without looking."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        box = the_outbox(books)
        await books.open()
        (card,) = await box.claim("slack")
        await box.trying(card)
        clock.forward(LEASE_S["slack"] + 1)
        (again,) = await the_outbox(books, "boot-2").claim("slack")
        assert (again.id, again.doubtful, again.attempts) == (card.id, True, 1)
        assert again.intent_at is not None
        assert not await box.trying(card)


async def test_a_lease_that_runs_out_before_a_try_leaves_no_doubt(database_url: str) -> None:
    """Nothing left the process, so another may send it."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        await books.open()
        await the_outbox(books).claim("slack")
        clock.forward(LEASE_S["slack"] + 1)
        (again,) = await the_outbox(books, "boot-2").claim("slack")
        assert not again.doubtful


async def test_a_late_answer_settles_what_was_in_doubt(database_url: str) -> None:
    """A reply that comes after the lease ran out is still the truth."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        box = the_outbox(books)
        await books.open()
        (card,) = await box.claim("slack")
        await box.trying(card)
        clock.forward(LEASE_S["slack"] + 1)
        await the_outbox(books, "boot-2").claim("slack")
        assert await box.settle(card, POSTED)
        assert await states(books) == ["done"]


async def test_what_is_put_back_waits(database_url: str) -> None:
    """A message that the peer refused for now is not claimed before its time."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        box = the_outbox(books)
        await books.open()
        (card,) = await box.claim("slack")
        await box.trying(card)
        assert await box.put_back(card, Doubt(clock() + timedelta(seconds=30), "timeout", ambiguous=True))
        assert await box.claim("slack") == []
        clock.forward(30)
        (again,) = await box.claim("slack")
        assert again.doubtful


async def test_after_a_restart_on_sqlite_nothing_waits_for_leases(sqlite_url: str) -> None:
    """The process before is gone for certain: its leases end at once, its tries are in doubt."""
    async with open_books(sqlite_url) as books:
        await books.open("t-1")
        await books.open("t-2")
        rows = await the_outbox(books).claim("slack")
        await the_outbox(books).trying(rows[0])
    async with open_books(sqlite_url) as books:
        box = the_outbox(books, "boot-2")
        await box.start()
        again = await box.claim("slack")
        assert [row.doubtful for row in again] == [True, False]


async def test_a_dead_message_is_recorded_and_can_be_retried(database_url: str) -> None:
    """Giving up is an event of the case, and so is trying again."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        await books.ledger.change(case.id, commenting())
        (card,) = await box.claim("slack")
        await box.trying(card)
        await box.dead(card, "channel_not_found")
        (dead,) = await books.database.read(dead_messages)
        assert (dead.id, dead.error) == (card.id, "channel_not_found")
        assert await kinds(await box.claim("slack")) == ["note"]
        assert await box.retry([dead.id], Actor("human", "U0OPS")) == 1
        statement = select(leaves.c.kind).where(leaves.c.case_id == case.id).order_by(leaves.c.idx)
        recorded = await books.database.read(lambda c: list(c.execute(statement).scalars()))
        assert recorded == ["received", "commented", "not_delivered", "delivery_retried"]
        assert (await states(books))[0] == "ready"


async def test_a_dead_callback_stops_its_lane(database_url: str) -> None:
    """A service gets its callbacks in order or not at all."""

    def calling(subject: Subject, _now: object) -> Change:
        return Change(subject.case, (), (Message(MessageKind.CALLBACK, "refund-agent", callback="case.held", sequence=1),))

    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        await books.ledger.change(case.id, calling)
        await books.ledger.change(case.id, calling)
        (first,) = await box.claim("callback")
        await box.dead(first, "410")
        assert await box.claim("callback") == []


async def test_a_dead_page_takes_its_resolve_along(database_url: str) -> None:
    """There is no incident to resolve."""

    def paging(subject: Subject, _now: object) -> Change:
        pages = (MessageKind.PAGE, MessageKind.PAGE_ACKNOWLEDGE, MessageKind.PAGE_RESOLVE)
        return Change(subject.case, (), tuple(Message(kind, "standard/1", tier=1, round=1) for kind in pages))

    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        await books.ledger.change(case.id, paging)
        (page,) = await box.claim("pagerduty")
        await box.dead(page, "invalid routing key")
        assert await states(books) == ["ready", "dead", "cancelled", "cancelled"]


async def test_a_restored_database_doubts_everything_unsent(database_url: str) -> None:
    """What the backup shows as ready may have been sent since."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        await books.open()
        assert await box.doubt_all() == 1
        (card,) = await box.claim("slack")
        assert card.doubtful


async def test_a_delivered_card_is_found_again_and_kept_up_to_date(database_url: str) -> None:
    """Where the card stands and what it showed comes from the delivery."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        (card,) = await box.claim("slack")
        await box.settle(card, POSTED)
        await books.ledger.change(case.id, updating())
        (update,) = await box.claim("slack")
        await box.settle(update, Delivered(channel="C1", ts="1.1", face="g", digest="e"))
        found = await books.database.read(lambda c: card_at(c, "C1", "1.1"))
        assert found is not None
        assert (found.case_id, found.tier, found.face, found.digest) == (case.id, 0, "g", "e")
        assert await Reads(books.database, books.vault, books.policies).card_at("C1", "9.9") is None


async def test_what_waits_is_counted(database_url: str) -> None:
    """Operators see how much waits, in which state, and since when."""
    async with open_books(database_url) as books:
        await books.open("t-1")
        await books.open("t-2")
        (row, *_) = await the_outbox(books).claim("slack")
        await the_outbox(books).trying(row)
        asked = list[str]()

        def count(connection: Connection) -> Sequence[OutboxCount]:
            event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
            return outbox_counts(connection)

        counts = await books.database.read(count)
        assert sum(statement.startswith("SELECT") for statement in asked) == 1, "it is asked at every scrape: once, and for counts only"
        assert [(count.peer, count.state, count.messages) for count in counts] == [("slack", "ready", 1), ("slack", "trying", 1)]
        assert counts[0].oldest == books.clock()


async def test_replicas_share_a_bucket(database_url: str) -> None:
    """One message a second for a channel, whoever sends it."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        one, other = Buckets(books.writer), Buckets(books.writer)
        assert await one.take("chat.postMessage", "C1", 1.0, 1.0) == 0.0
        assert await other.take("chat.postMessage", "C1", 1.0, 1.0) == 1.0
        assert await other.take("chat.postMessage", "C2", 1.0, 1.0) == 0.0
        clock.forward(1)
        assert await other.take("chat.postMessage", "C1", 1.0, 1.0) == 0.0
        await one.drain("chat.postMessage", "C1", 1.0, retry_after_s=30)
        assert await one.take("chat.postMessage", "C1", 1.0, 1.0) == 30.0


async def test_claiming_does_not_look_at_what_was_sent_long_ago(sqlite_url: str) -> None:
    """The cost of a claim depends on what waits: SQLite uses the partial indexes."""
    statements: list[str] = []

    def trace(connection: Connection, _now: object) -> None:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(statements.append)

    def explain(connection: Connection) -> list[str]:
        return [row[3] for each in statements if "SELECT" in each for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}")]

    async with open_books(sqlite_url) as books:
        await books.open()
        await books.writer.write(trace)
        await the_outbox(books).claim("slack")
        plan = await books.database.read(explain)
        assert any("outbox_next" in line for line in plan), plan
        assert any("outbox_lane" in line for line in plan), plan
        assert not any(line.startswith("SCAN") for line in plan), plan


async def test_a_destination_held_back_keeps_nothing_from_others_and_its_rows_stay(database_url: str) -> None:
    """Nothing is to be taken up for it; hastening touches only what was put back, however much waits behind."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        for number in range(4):
            await books.ledger.open(a_delivery(f"t{number}"), opening(a_submission(task_id=f"t{number}")))
        (first,) = await box.claim("slack", limit=1)
        now = books.clock()
        await box.put_back(first, Doubt(now + timedelta(minutes=5), "is_archived"))
        held = {first.message.destination}
        assert await box.waiting(now) == {"slack"}
        assert await box.waiting(now, {"slack": held}) == set()
        assert await box.claim("slack", only_updates=held) == []
        assert len(await box.claim("slack")) == 3
        assert await box.hasten("slack", held, now) == 1
        assert [row.id for row in await box.claim("slack")] == [first.id]
