"""What breakers read from committed rows: only this workflow, only this window, only what a service posted."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from statistics import fmean
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select

from routing.case.case import Case
from routing.change import SYSTEM, Arrival, Change, Event, Subject
from routing.vocabulary import CaseKind, EventKind, Risk, Verdict
from store.integrity.figures_check import check_figures
from store.ledger.answers import Opened
from store.migrations.versions.r0004_escalation import add_up
from store.reads.breaker_samples import OpenCases, Scope, baseline, completeness, models, open_cases, sample
from store.schema import OPEN, cases, figures, micros
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


async def test_a_baseline_is_what_all_its_cases_say(database_url: str) -> None:
    """However sure their models were, however late and whatever became of them meanwhile: as all rows one by one say."""
    random = Random(7)  # noqa: S311 - the same in every run
    scopes = [Scope("refunds", risk, model) for risk in (None, Risk.LOW, Risk.CRITICAL) for model in ("", "m 1", "m 2")]
    async with open_books(database_url) as books:
        opened = list[str]()
        for turn in range(8):
            steps = [partial(_coming, changes=_whatever(random), task_id=f"t-{turn}-{number}") for number in range(6)]
            results = await asyncio.gather(*(books.ledger.open(a_delivery(step.keywords["task_id"]), step) for step in steps))
            await books.ledger.open(a_delivery(f"t-check-{turn}"), partial(_a_check, task_id=f"t-check-{turn}"))
            opened += [result.case.id for result in results if isinstance(result, Opened)]
            books.clock.forward(random.choice((0, 900, 3_600, 90_000)))
            again = random.sample(opened, 4)
            await asyncio.gather(*(books.ledger.change(case, partial(_changing, changes=_whatever(random))) for case in again))
        await books.ledger.change(opened[0], deciding())
        assert await books.database.read(lambda c: list(check_figures(c))) == []
        for back in (0, 1_800, 86_400, 100 * 86_400):
            since = books.clock() - timedelta(seconds=back)
            for scope in scopes:
                found = await books.database.read(partial(baseline, scope=scope, since=since))
                sure, late, bins = await books.database.read(partial(_by_each, scope=scope, since=since))
                assert found.confidences == pytest.approx(sure, abs=1e-6)
                assert found.latencies_ms == pytest.approx(late, abs=1e-3)
                assert found.bins == bins


async def test_what_came_before_is_added_up(database_url: str) -> None:
    """A database from before there were sums gets those that would have been kept."""
    random = Random(11)  # noqa: S311 - the same in every run

    def anew(connection: Connection, _now: object) -> None:
        kept = set(map(tuple, connection.execute(select(figures))))
        connection.execute(delete(figures))
        connection.exec_driver_sql(add_up(connection.dialect.name))
        assert set(map(tuple, connection.execute(select(figures)))) == kept
        assert len(kept) > 20

    async with open_books(database_url) as books:
        for number in range(60):
            step = partial(_coming, changes=_whatever(random), task_id=f"t-{number}")
            await books.ledger.open(a_delivery(f"t-{number}"), step)
        await books.ledger.open(a_delivery("t-check"), _a_check)
        await books.writer.write(anew)


def _whatever(random: Random) -> dict[str, Any]:
    """What a service may say of a model, and a policy of the risk."""
    return {
        "confidence": random.choice((None, 0.0, 1.0, 0.1, 0.3, 0.7, 0.9999999, 0.1 + 0.2, -3.5, 1e300, random.random())),
        "latency_ms": random.choice((None, 0.0, 0.0005, 12.25, 1e9, 1e308, random.random() * 1_000)),
        "model": {"name": "m", "version": random.choice("12"), "hash": None, "prompt_version": None},
        "risk": random.choice((Risk.LOW, Risk.HIGH, Risk.CRITICAL)),
    }


def _said(case: Case, changes: Mapping[str, Any]) -> Case:
    route = case.route.model_copy(update={"risk": changes["risk"]})
    return case.model_copy(update={"route": route, **{name: value for name, value in changes.items() if name != "risk"}})


def _coming(arrival: Arrival, changes: Mapping[str, Any], task_id: str) -> Change:
    change = opening(a_submission(task_id=task_id))(arrival)
    return replace(change, case=_said(change.case, changes))


def _changing(subject: Subject, _now: datetime, changes: Mapping[str, Any]) -> Change:
    return Change(_said(subject.case, changes), (Event(EventKind.REMINDED, SYSTEM),))


def _by_each(connection: Connection, scope: Scope, since: datetime) -> tuple[Sequence[float], Sequence[float], list[int]]:
    """Mean confidence, mean latency and confidences by tenth, of every case since the beginning of that hour."""
    first = micros(since.replace(minute=0, second=0, microsecond=0))
    rows = [
        row
        for row in connection.execute(select(cases).where(cases.c.workflow == scope.workflow, cases.c.kind == "case"))
        if row.created_at >= first and scope.risk in {None, row.risk} and scope.model in {"", row.model}
    ]
    sure = [min(max(row.confidence, 0.0), 1.0) for row in rows if row.confidence is not None]
    late = [min(row.latency_ms, 1e9) for row in rows if row.latency_ms is not None]
    bins = [sum(low / 10 <= one < (low + 1) / 10 or (low == 9 and one == 1.0) for one in sure) for low in range(10)]
    return [fmean(sure)] if sure else [], [fmean(late)] if late else [], bins
