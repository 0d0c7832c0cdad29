"""The sweep: whatever is due acts, in one round or several, and a case that cannot be processed holds nobody up."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, update

from escalation.put_off import PutOff
from escalation.ticker import Ticker
from escalation.unseen_cases import BATCH as AT_ONCE
from escalation.watch import BATCH, sweep
from routing.governance.binding_lifecycle import unreachable
from routing.vocabulary import State, Verdict
from store.reads.cases import Due
from store.schema import cases
from tests.bot.slack.northwind import Northwind, a_company


async def test_nobody_acknowledges_and_the_case_climbs(database_url: str) -> None:
    """Not a second early."""
    async with a_company(database_url) as company:
        case = await company.submit()
        company.clock.forward(15 * 60 - 1)
        assert await company.watch.tick() == 0
        company.clock.forward(1)
        assert await company.watch.tick() == 1
        assert (await company.case(case)).tier == 1


async def test_a_thousand_deadlines_at_once(sqlite_url: str) -> None:
    """More than one batch: all of them are over when the sweep is."""
    async with a_company(sqlite_url) as company:
        deadline = (company.clock.now + timedelta(minutes=10)).isoformat()
        opened = await asyncio.gather(*(company.submit(f"t-{number}", deadline=deadline) for number in range(1_000)))
        company.clock.forward(600)
        assert await company.watch.tick() == 1_000
        assert (await company.case(opened[-1])).verdict is Verdict.EXPIRED
        assert await company.reads.due(company.clock.now, 10) == []


async def test_after_a_long_sleep_each_clock_acts_in_turn(sqlite_url: str) -> None:
    """The process was down for a day: the case is at the top, held, and not approved."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        company.clock.forward(24 * 3_600)
        for _ in range(10):
            await company.watch.tick()
            company.clock.forward(3_600)
        now = await company.case(case)
        assert (now.tier, now.state, now.verdict) == (1, State.HELD, None)


async def test_a_poisoned_case_is_reported_and_the_others_act(sqlite_url: str) -> None:
    """Its step raises; it is left alone for a minute, its row as it is, and the sweep ends; nor is it what the lateness tells of."""
    async with a_company(sqlite_url) as company:
        poisoned, healthy = await company.submit("t-bad"), await company.submit("t-good")
        await _break(company, poisoned.id)
        company.clock.forward(15 * 60)
        assert await company.watch.tick() == 1
        assert company.poison == [poisoned.id]
        assert (await company.case(healthy)).tier == 1
        assert await company.watch.tick() == 0
        company.clock.forward(60)
        await company.watch.tick()
        assert company.poison == [poisoned.id] * 2


async def test_more_poisoned_cases_than_a_batch_hold_nobody_up(sqlite_url: str) -> None:
    """They were all due first, and were all tried; the one behind them acts in its sweep, and in the next they are passed over."""
    async with a_company(sqlite_url) as company:
        poisoned = await asyncio.gather(*(company.submit(f"t-{each}") for each in range(BATCH + 1)))
        await _break(company, *(case.id for case in poisoned))
        company.clock.forward(1)
        healthy = await company.submit("t-good")
        company.clock.forward(15 * 60)
        await company.watch.tick()
        assert (await company.case(healthy)).tier == 1
        assert sorted(company.poison) == sorted(case.id for case in poisoned)
        await company.watch.tick()
        assert len(company.poison) == len(poisoned)


def test_a_case_is_left_alone_for_a_minute_of_any_clock() -> None:
    """Set back or forward, it is tried at once."""
    put_off, now = PutOff(), datetime(2026, 3, 2, 9, tzinfo=UTC)
    put_off.add("c_bad", now)
    after = {seconds: put_off.holds("c_bad", now + timedelta(seconds=seconds)) for seconds in (-7200, -60, -59, 0, 59, 60, 7200)}
    assert after == {-7200: False, -60: False, -59: True, 0: True, 59: True, 60: False, 7200: False}
    assert not put_off.holds("c_good", now)


async def test_a_sweep_that_changes_nothing_ends(sqlite_url: str) -> None:
    """The ledger's clock is behind ours: nothing is due there, so there is nothing to go round for."""
    asked: list[datetime] = []

    class Eager:
        async def due(self, now: datetime, limit: int, after: Due | None = None) -> Sequence[Due]:
            assert after is None
            assert limit == BATCH
            asked.append(now)
            return [Due(now, case.id)]

    async with a_company(sqlite_url) as company:
        case = await company.submit()
        assert (
            await sweep(company.ledger, Eager(), company.clock.now + timedelta(hours=1), lambda *_: None, PutOff(), late=lambda _s: None)
            == 0
        )
        assert len(asked) == 2  # and what it refused is passed over


async def test_the_ticker_goes_on_after_a_failure_and_waits_for_its_tick_at_the_end() -> None:
    """A failure is handed on; stopping leaves nothing half done."""
    ticks, failures, ended = 0, list[Exception](), asyncio.Event()
    again = asyncio.Event()

    async def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 1:
            raise ValueError("the first one fails")
        again.set()
        await asyncio.sleep(0)
        ended.set()

    ticker = Ticker(tick, failures.append, every_s=0.01)
    ticker.start()
    await again.wait()
    await ticker.stop()
    assert ended.is_set()
    assert [str(failure) for failure in failures] == ["the first one fails"]


@pytest.mark.parametrize("number", [500, 501])
async def test_what_fits_no_batch_comes_in_the_next_round(sqlite_url: str, number: int) -> None:
    """One more than a batch is no reason to wait for the next tick."""
    async with a_company(sqlite_url) as company:
        deadline = (company.clock.now + timedelta(minutes=10)).isoformat()
        await asyncio.gather(*(company.submit(f"t-{each}", deadline=deadline) for each in range(number)))
        company.clock.forward(600)
        assert await company.watch.tick() == number


async def _break(company: Northwind, *case_ids: str, how: tuple[str, str] = ('"tier":0', '"tier":7')) -> None:
    """Store a snapshot of each case in which one text stands for another: a tier that does not exist."""

    def spoil(connection: Connection) -> None:
        broken = func.replace(cases.c.snapshot, *how)
        connection.execute(update(cases).where(cases.c.id.in_(case_ids)).values(snapshot=broken))

    async with company.database.writing() as transaction:
        await transaction.commit(spoil)


async def test_cases_whose_time_is_for_others_hold_nobody_up(sqlite_url: str) -> None:
    """More of them than a batch wait to leave a channel that shows no cards: the clock of the case behind them acts in its own sweep."""
    async with a_company(sqlite_url) as company:
        other = await company.submit("t-other")
        await company.drain(2)
        company.clock.forward(585)
        await company.ledger.govern(unreachable("#review-tier1", "not_in_channel"))
        hidden = await asyncio.gather(*(company.submit(f"t-{number}") for number in range(BATCH + 1)))
        while (await company.case(hidden[-1])).clocks.unseen is None:
            await company.unseen.tick()
        due = (await company.case(other)).clocks.acknowledge
        assert due is not None
        company.clock.now = due + timedelta(seconds=1)
        assert len(await company.reads.due(company.clock.now, 2 * BATCH)) > BATCH + 1
        await company.watch.tick()
        assert (await company.case(other)).tier == 1


async def test_more_poisoned_cases_than_a_batch_keep_no_other_in_a_channel_that_shows_no_cards(sqlite_url: str) -> None:
    """Each is reported once in the minute, and the one behind them leaves at the time that was announced."""
    async with a_company(sqlite_url) as company:
        hidden = await asyncio.gather(*(company.submit(f"t-{number}") for number in range(AT_ONCE + 1)))
        company.clock.forward(1)
        healthy = await company.submit("t-good")
        await company.ledger.govern(unreachable("#review-tier1", "is_archived"))
        while (at := (await company.case(healthy)).clocks.unseen) is None:
            await company.unseen.tick()
            company.clock.forward(1)
        await _break(company, *(case.id for case in hidden), how=('"likeness":"', '"likeness":7,"x":"'))
        company.clock.now = at
        for _ in range(2):
            await company.unseen.tick()
            company.clock.forward(1)
        assert (await company.case(healthy)).tier == 1
        assert sorted(company.poison) == sorted(case.id for case in hidden)
