"""Two replicas on one PostgreSQL: what one of them records, the other does, sends and answers at once."""

import asyncio

import pytest

from tests.bot.edge import open_edge
from tests.bot.http.test_followups import opened
from tests.bot.slack.northwind import TIER1, Northwind, a_company
from tests.store.test_wakeups import sharing, until


async def test_what_one_records_the_courier_of_another_sends(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never looks by itself here."""
    monkeypatch.setattr("bot.delivery.courier.POLL_S", 3_600)
    async with (
        a_company(postgres_url) as here,
        a_company(postgres_url) as there,
        sharing((here.wakeups, here.database), (there.wakeups, there.database)),
    ):
        await _all_shown(here, there)


async def test_without_a_hint_it_is_sent_a_look_later(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint that gets lost costs no message."""
    monkeypatch.setattr("bot.delivery.courier.POLL_S", 0.05)
    async with a_company(postgres_url) as here, a_company(postgres_url) as there:
        await _all_shown(here, there)


async def _all_shown(here: Northwind, there: Northwind) -> None:
    running = asyncio.create_task(there.courier.run())
    for number in range(3):
        await here.submit(f"t-{number}")
        there.clock.forward(2)
        await until(lambda: len(there.sandbox.slack.messages(TIER1)) == number + 1)  # noqa: B023 - waited for here
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_who_waits_at_one_hears_what_is_pressed_at_another(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never looks by itself here."""
    monkeypatch.setattr("bot.http.reading.LOOK_EVERY_S", 3_600)
    async with (
        open_edge(postgres_url) as here,
        open_edge(postgres_url) as there,
        sharing((here.books.wakeups, here.books.database), (there.books.wakeups, there.books.database)),
    ):
        case_id = await opened(here)
        waiting = asyncio.create_task(there.get(f"/v1/cases/{case_id}?wait=60"))
        await there.until_waiting(1)
        async with asyncio.timeout(45):
            await here.press(case_id)
            assert (await waiting).body["verdict"] == "approved"
