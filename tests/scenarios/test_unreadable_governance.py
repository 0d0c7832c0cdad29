"""Somebody with a client of the database spoils the one row of the governance: every reader says the same sentence, and nothing fails for
ever with traces of our code.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Executable, delete, insert, select, update
from structlog.testing import capture_logs

from bot.readiness import Pulse
from routing.governance.binding_lifecycle import bind
from store.integrity.database_check import DatabaseCheck
from store.ledger.sealed_head import HeadAlteredError, UnreadableGovernanceError
from store.schema import governance
from tests.world import ANNA, BEN, World, a_world, listeners_end

PLANT = "Zwetschgenkuchen"
SENTENCE = str(UnreadableGovernanceError())

SPOILED: dict[str, Executable] = {
    "no JSON": update(governance).values(snapshot=f"{PLANT}{{"),
    "no text": update(governance).values(snapshot=""),
    "not an object": update(governance).values(snapshot=f'["{PLANT}"]'),
    "another form": update(governance).values(snapshot=f'{{"controls": "{PLANT}"}}'),
    "too deep": update(governance).values(snapshot="[" * 100_000),
    "an unknown brake": update(governance).values(snapshot=f'{{"controls": {{"refunds": {{"automation": "{PLANT}"}}}}}}'),
    "another row": update(governance).values(id=2),
    "no row": delete(governance),
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> Any:  # noqa: ANN401 - a fixture
    """A world on either database, with a pause, so that governance was written before."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    async with a_world(tmp_path, url) as world:
        await world.submit()
        await world.drain()
        yield world


async def write(world: World, *statements: Executable) -> None:
    """What somebody with a client of the database writes."""
    await world.bot.writer.write(lambda connection, _now: [connection.execute(one) for one in statements])


@contextmanager
def said_plainly() -> Iterator[list[Any]]:
    """The lines that are logged meanwhile: none has the row's words, a trace, or an exception that could tell them."""
    with capture_logs() as lines:
        yield lines
    assert PLANT not in repr(lines)
    assert [one for one in lines if one.keys() & {"exc_info", "places"}] == []


async def ready(world: World) -> tuple[int, list[str]]:
    """What `/readyz` answers."""
    async with aiohttp.ClientSession() as session, session.get(f"{world.bot.url}/readyz") as response:
        return response.status, (await response.json())["obstacles"]


async def test_every_reader_says_the_same_sentence_while_it_runs(world: World) -> None:
    """However the row is spoilt: `/readyz`, intake, presses, commands, the courier, the check; and all goes on once it is put back."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    for how, statement in SPOILED.items():
        kept = await world.bot.database.read(lambda connection: connection.execute(select(governance)).one())
        await write(world, statement)
        with said_plainly() as lines:
            assert await ready(world) == (503, [SENTENCE]), how
            found = await DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey]).everything()
            assert [one.sentence for one in found.findings if one.about == "governance"] == [
                "its row is missing or cannot be read; restore the database from a backup"
            ], how
            assert await world.bot.signing.check() == SENTENCE, how
            assert (await world.post())[1]["detail"].endswith(SENTENCE), how
            await world.click(ANNA, "approve", case_id)
            assert SENTENCE in world.told(ANNA), how
            await world.bot.database_watch.look()
            await world.bot.courier.drain_once()
        assert lines, how
        if await world.bot.signing.check():  # else what the bot has in memory was written over it
            await write(world, delete(governance), insert(governance).values(kept._asdict()))
        assert await world.bot.signing.check() == "", how
        assert await ready(world) == (200, []), how
    await world.submit()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    await world.click(BEN, "approve", case_id)
    assert (await world.case(case_id)).verdict == "approved"


READERS: dict[str, Callable[[World], Any]] = {
    "a case": lambda world: world.post(),
    "a workflow": lambda world: world.sandbox.customer.get("/v1/workflows/refunds"),
}


@pytest.mark.parametrize("how", ["no JSON", "no row"])
async def test_a_start_with_it_serves_to_say_so(world: World, how: str) -> None:
    """Nothing of it is in memory then: the bot runs, is not ready, and answers everybody; clocks fail with a sentence a turn."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await world.bot.ledger.govern(bind("#review-tier1", "C0TIER10001"))
    await write(world, SPOILED[how])
    with said_plainly():
        await world.restart()
        assert await ready(world) == (503, [SENTENCE])
        for name, read in READERS.items():
            status, told = await read(world)
            assert (status, told["detail"][-len(SENTENCE) :]) == (503, SENTENCE), name
        with pytest.raises(HeadAlteredError) as raised:
            await world.bot.tick()
        pulse = Pulse("clocks", "Late", lambda: 0.0, most_s=-1.0)
        world.bot.reports.tick(pulse, raised.value)
        assert SENTENCE in (await pulse.check())[0].sentence
        await world.bot.courier.drain_once()
        await world.click(ANNA, "approve", case_id)
        assert SENTENCE in world.told(ANNA)
        await world.sandbox.slack.command(ANNA, "review-tier1", "/review", "status")
        await listeners_end()
        assert [SENTENCE in str(one) for one in world.sandbox.slack.ephemerals(ANNA)] == [True, True]
