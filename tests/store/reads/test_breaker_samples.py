"""What breakers read from committed rows: only this workflow, only this window, only what a service posted."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from sqlalchemy import Connection, select

from routing.change import Arrival, Change
from routing.vocabulary import CaseKind, Verdict
from store.reads.breaker_samples import OpenCases, Scope, baseline, completeness, models, open_cases, sample
from store.schema import OPEN, cases
from tests.store.a_store import NOON, Books, a_delivery, a_submission, deciding, open_books, opening
from tests.store.reads.test_next_moves import lived


async def test_a_window_counts_what_it_should(database_url: str) -> None:
    """Four cases, one of them an hour too old, one a check: two are counted, one of which people overrode."""
    async with open_books(database_url) as books:
        await _decided(books, "t-old", Verdict.REJECTED)
        books.clock.forward(3_600)
        since = books.clock()
        await _decided(books, "t-good", Verdict.APPROVED)
        await _decided(books, "t-bad", Verdict.REJECTED)
        await books.ledger.open(a_delivery("t-check"), _a_check)
        await books.open("t-waiting")
        scope = Scope("refunds")
        found = await books.database.read(partial(sample, scope=scope, since=since, open_now=OpenCases(1, 0), events=(5, 5)))
        assert (found.cases, found.decided, found.approved, found.overridden) == (3, 2, 1, 1)
        assert (found.open_now, found.open_before) == (1, 0)
        usual = await books.database.read(partial(baseline, scope=scope, since=books.clock() - timedelta(days=1)))
        assert (usual.decided, usual.approved) == (3, 1)
        elsewhere = await books.database.read(partial(sample, scope=Scope("payouts"), since=since, open_now=OpenCases(0, 0), events=(0, 0)))
        assert elsewhere.cases == 0
        assert (await books.database.read(open_cases))["refunds"] == OpenCases(1, 0)


async def test_completeness_is_judged_by_the_newest_events(database_url: str) -> None:
    """The made-up events of this test lack nearly everything, and the figure says so."""
    async with open_books(database_url) as books:
        before = books.clock()
        await books.open("t-1")
        events, complete = await books.database.read(partial(completeness, since=before))
        assert events > complete


async def test_models_seen(database_url: str) -> None:
    """Each version once, as the case names it."""
    async with open_books(database_url) as books:
        since = books.clock()
        for number in range(3):
            await books.open(f"t-{number}")
        assert len(await books.database.read(partial(models, workflow="refunds", since=since))) == 1


async def _decided(books: Books, task: str, verdict: Verdict) -> None:
    case = await books.open(task)
    await books.ledger.change(case.id, deciding(verdict))


def _a_check(arrival: Arrival, task_id: str = "t-check") -> Change:
    change = opening(a_submission(task_id=task_id))(arrival)
    return replace(change, case=change.case.model_copy(update={"kind": CaseKind.CHECK, "parent": "c_other"}))


async def test_measuring_does_not_look_at_every_case_that_ever_was(sqlite_url: str) -> None:
    """Each breaker of each workflow asks this every minute: what was found wrong is looked for by time, what is open among the open."""
    statements: list[str] = []

    def measure(connection: Connection, _now: object) -> None:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(statements.append)
        sample(connection, Scope("refunds"), NOON, OpenCases(0, 0), (0, 0))
        open_cases(connection)
        raw.set_trace_callback(None)

    def explain(connection: Connection) -> list[list[str]]:
        return [[row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}")] for each in statements if "SELECT" in each]

    async with open_books(sqlite_url) as books:
        await books.writer.write(measure)
        *_, wrong, about, unowned, open_now = await books.database.read(explain)
        assert "leaves_wrong" in wrong[0], wrong
        assert "cases_children" in about[0], about
        assert [step for step in unowned if " cases " in step] == [step for step in unowned if "cases_next" in step], unowned
        assert all("queue" in step or "TEMP" in step for step in open_now), open_now


async def test_what_is_open_is_counted_as_by_looking_at_each(database_url: str) -> None:
    """Claimed, climbed, held, decided and tied ones of several workflows, and cases about cases: as all rows one by one say."""
    random = Random(5)  # noqa: S311 - the same in every run

    def by_each(connection: Connection) -> dict[str, OpenCases]:
        columns = (cases.c.workflow, cases.c.climbed, cases.c.claimed_by, cases.c.state)
        rows = connection.execute(select(*columns).where(cases.c.state.in_(OPEN), cases.c.kind == "case")).all()
        unowned = Counter(row.workflow for row in rows if row.climbed and not row.claimed_by and row.state == "pending")
        return {name: OpenCases(number, unowned[name]) for name, number in Counter(row.workflow for row in rows).items()}

    async with open_books(database_url) as books:
        opened = [await books.open(f"t-{number}") for number in range(40)]
        for number in range(3):
            await books.ledger.open(a_delivery(f"t-check-{number}"), partial(_a_check, task_id=f"t-check-{number}"))
        seen = 0
        for _ in range(4):
            await asyncio.gather(*(books.ledger.change(case.id, lived(random)) for case in opened))
            expected = await books.database.read(by_each)
            found = await books.database.read(open_cases)
            assert {name: one for name, one in found.items() if one != OpenCases(0, 0)} == expected
            seen += sum(one.unowned for one in expected.values())
        assert seen
