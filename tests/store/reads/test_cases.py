"""Reading beside the writer: what is due, what is open, what happened, and proof that replaying leaves gives the log."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from routing.change import Actor, Change, Subject
from routing.evaluation.risk import waiting_priority
from routing.vocabulary import EventKind, State
from store.ledger.prefetch import TaskKey
from store.reads.cases import Due, Reads
from store.reads.history import Happening
from store.reads.on_call import OnCallBook
from store.reads.queue import queue_counts
from store.reads.tier_status import tier_statuses
from tests.store.a_store import SECRET, Books, a_delivery, a_submission, commenting, deciding, open_books, opening


def the_reads(books: Books) -> Reads:
    """Reads with the books' own keys."""
    return Reads(books.database, books.vault, books.policies)


async def test_a_case_is_found_by_id_and_by_task(database_url: str) -> None:
    """As the ledger left it."""
    async with open_books(database_url) as books:
        case, reads = await books.open(), the_reads(books)
        assert await reads.case(case.id) == case
        assert await reads.case_of_task(TaskKey("refund-agent", "refunds", "t-17")) == case
        assert await reads.case_of_task(TaskKey("other-agent", "refunds", "t-17")) is None
        assert await reads.case("c_none") is None


async def test_only_what_is_due_is_found(database_url: str) -> None:
    """A case is due when its earliest clock is, and no longer once it is decided; one page follows the other."""
    async with open_books(database_url) as books:
        reads, now = the_reads(books), books.clock()
        first, second = await books.open("t-1"), await books.open("t-2")
        later = now + timedelta(minutes=15)
        assert await reads.due(later - timedelta(microseconds=1), 10) == []
        both = await reads.due(later, 10)
        assert both == [Due(later, one) for one in sorted([first.id, second.id])]
        assert await reads.due(later, 1) == both[:1]
        assert [await reads.due(later, 1, one) for one in both] == [both[1:], []]
        await books.ledger.change(first.id, deciding())
        assert await reads.due(later, 10) == [Due(later, second.id)]


async def test_looking_for_what_is_due_uses_its_index(sqlite_url: str) -> None:
    """The cost depends on what is due, not on what is open."""

    def plan(connection: Connection) -> str:
        ordered = "FROM cases WHERE due_at <= 5 AND (due_at, id) > (4, 'c') ORDER BY due_at, id LIMIT 500"
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT due_at, id {ordered}").all())

    async with open_books(sqlite_url) as books:
        steps = await books.database.read(plan)
        assert "USING COVERING INDEX cases_due" in steps
        assert "TEMP B-TREE" not in steps  # nothing is sorted


async def test_free_cases_come_by_priority_then_due_time(database_url: str) -> None:
    """Arrival order never decides; what is decided is not among them."""
    async with open_books(database_url) as books:
        for task, priority in (("t-low", 10), ("t-high", 90), ("t-low-too", 10)):
            await books.ledger.open(a_delivery(task), opening(a_submission(task_id=task), priority=priority))
            books.clock.forward(1)
        done = await books.open("t-done")
        await books.ledger.change(done.id, deciding())
        assert [case.task_id for case in await the_reads(books).free_cases(10, books.clock())] == ["t-high", "t-low", "t-low-too"]
        assert [(count.tier, count.lane, count.state, count.cases) for count in await books.database.read(queue_counts)] == [
            (0, "review", "pending", 3)
        ]


async def test_nobody_waits_for_ever(database_url: str) -> None:
    """Ten points for each hour of waiting, 400 at most: the order that `routing.evaluation.risk.waiting_priority` gives."""
    async with open_books(database_url) as books:
        for task, priority, hours in (("t-old", 100, 25), ("t-urgent", 900, 0), ("t-fresh", 300, 0)):
            await books.ledger.open(a_delivery(task), opening(a_submission(task_id=task), priority=priority))
            books.clock.forward(hours * 3_600)
        found = await the_reads(books).free_cases(10, books.clock())
        assert [case.task_id for case in found] == ["t-urgent", "t-old", "t-fresh"]
        queued = [waiting_priority(case.route.priority, case.created_at, books.clock()) for case in found]
        assert queued == sorted(queued, reverse=True)


async def test_what_is_decided_with_another_case_is_no_work_of_its_own(database_url: str) -> None:
    """Near-duplicates that are tied are offered and counted once."""

    def tie(subject: Subject, _now: object) -> Change:
        return Change(subject.case.model_copy(update={"tied_to": "c_first"}), ())

    async with open_books(database_url) as books:
        case, copy = await books.open("t-1"), await books.open("t-2")
        await books.ledger.change(copy.id, tie)
        assert [each.id for each in await the_reads(books).free_cases(10, books.clock())] == [case.id]
        [status] = await books.database.read(lambda c: tier_statuses(c, books.clock()))
        assert status.waiting == 1


async def test_a_person_finds_what_they_claimed(database_url: str) -> None:
    """Their open cases only; and nobody is offered those as free, however few are asked for."""
    async with open_books(database_url) as books:
        case = await books.open("t-1")
        other = await books.open("t-2")

        def claim(subject: Subject, _now: object) -> Change:
            return Change(subject.case.model_copy(update={"claimed_by": "U0FRONT"}), ())

        await books.ledger.change(case.id, claim)
        assert [each.id for each in await the_reads(books).claimed_by("U0FRONT")] == [case.id]
        assert await the_reads(books).claimed_by("") == []
        assert [each.id for each in await the_reads(books).free_cases(1, books.clock())] == [other.id]


async def test_a_history_tells_what_was_said(database_url: str) -> None:
    """In order of the log, with sealed words opened, of one moment with case, content and cards."""
    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, commenting())
        scene = await the_reads(books).scene(case.id)
        assert scene is not None
        assert scene.submission == a_submission()
        assert scene.case.id == case.id
        received, comment = scene.history
        assert received.opened["request"] == SECRET
        assert comment == Happening(EventKind.COMMENTED, Actor("human", "U0FRONT"), books.clock(), {}, {"text": SECRET}, 2)
        assert await the_reads(books).history(case.id) == scene.history
        assert await the_reads(books).scene("c_none") is None


async def test_policies_are_kept_by_hash(database_url: str) -> None:
    """A restarted process compiles the active policy from the database, not from a file."""
    async with open_books(database_url) as books:
        active = await the_reads(books).active_policy()
        assert active is not None
        assert active.version == "2026-11-20.1"
        assert await the_reads(books).policy("0" * 64) is None


async def test_who_was_on_call_survives_a_restart(database_url: str) -> None:
    """PagerDuty need not be asked before the first card is drawn."""
    async with open_books(database_url) as books:
        book = OnCallBook(books.database, books.writer)
        assert await book.recorded_on_call("P1") is None
        await book.record_on_call("P1", "Dana")
        await book.record_on_call("P1", "Erin")
        assert await book.recorded_on_call("P1") == ("Erin", books.clock())


async def test_waiting_for_a_case_ends_when_it_changes(database_url: str) -> None:
    """A long poll gets a hint after the commit, and only for its own case."""
    async with open_books(database_url) as books:
        case, other = await books.open("t-1"), await books.open("t-2")
        with books.wakeups.case(case.id) as hint:
            await books.ledger.change(other.id, commenting())
            assert not hint.is_set()
            await books.ledger.change(case.id, commenting())
            assert hint.is_set()
        assert books.wakeups.outbox.is_set()


async def test_the_state_of_a_case_can_be_told_from_its_leaves(database_url: str) -> None:
    """No change without its event: the last leaf of a decided case says so."""
    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, deciding())
        history: Sequence[Happening] = await the_reads(books).history(case.id)
        found = await the_reads(books).case(case.id)
        assert found is not None
        assert (found.state, found.decided_index) == (State.DECIDED, history[-1].index)
        assert json.dumps(dict(history[-1].fields)) == '{"verdict": "approved"}'


@pytest.mark.parametrize("count", [1, 5])
async def test_case_ids_are_in_order_of_time(database_url: str, count: int) -> None:
    """Ids sort as the cases came."""
    async with open_books(database_url) as books:
        ids = []
        for number in range(count):
            ids.append((await books.open(f"t-{number}")).id)
            books.clock.forward(0.001)
        assert ids == sorted(ids)
        assert {len(each) for each in ids} == {28}
