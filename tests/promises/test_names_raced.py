"""Two replicas on one PostgreSQL need a channel's id in the same moment: one binding, and both send to what it says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import App
from bot.slack.names import Names
from tests.governed import GovernedWorld
from tests.world import running

ROUNDS = 8


@dataclass(frozen=True)
class Replicas:
    """A world with its bot, and another bot beside it."""

    world: GovernedWorld
    other: App


@pytest.fixture
async def replicas(tmp_path: Path, postgres_url: str) -> AsyncIterator[Replicas]:
    """Both run."""
    async with running(GovernedWorld(tmp_path, postgres_url, socket_mode=False)) as world:
        environment = world.write_files()
        settings = world.settings(environment)
        other = await App.start(settings, environment, clock=world.clock, background=False, timeouts=world.timeouts)
        yield Replicas(world, other)
        await other.stop()


async def test_replicas_that_bind_a_name_at_once_agree(replicas: Replicas) -> None:
    """Though each found another channel under the name, as when it changes hands while they look: the first to be recorded wins."""
    world, other = replicas.world, replicas.other
    one, two = Names(world.bot.ledger, world.bot.reads), Names(other.ledger, other.reads)
    for number in range(ROUNDS):
        name = f"#desk-{number}"
        given = await asyncio.gather(one.bind(name, f"C0FIRST000{number}"), two.bind(name, f"C0SECOND00{number}"))
        bound = (await world.bot.reads.governance()).binding(name)
        assert bound is not None
        assert set(given) == {bound.id}
    assert await world.leaves("name_bound") == ROUNDS


async def test_replicas_that_send_at_once_post_one_card_to_one_channel(replicas: Replicas) -> None:
    """Each resolves the names for itself; nothing is posted twice and the log has each pair once."""
    world, other = replicas.world, replicas.other
    cases = [await world.submit() for _ in range(6)]
    sending = (world.bot.courier.drain_once(), other.courier.drain_once())
    await asyncio.gather(*sending, world.bot.channels.look(), other.channels.look())
    await world.drain()
    assert [len(world.cards(case_id)) for case_id in cases] == [1] * len(cases)
    assert {world.card(case_id)["channel"] for case_id in cases} == {"C0TIER10001"}
    assert await world.leaves("name_bound") == len((await world.bot.reads.governance()).bindings)
