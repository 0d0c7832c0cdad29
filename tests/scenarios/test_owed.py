"""Direct messages for what somebody owes: at most one an hour, nothing twice, nothing of what a case contains, and off by a word."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import ANNA, GRACE, HUGO, World, a_world
from tests.written import POLICY

SECRET = "Refund for Mrs Wintergreen"


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    """A world on one database and one way in: what is told of it hangs on neither."""
    async with a_world(tmp_path, sqlite_url, policy=POLICY.replace("decide: 4h}", "decide: 20m}")) as world:
        yield world


def told(world: World, person: str) -> list[str]:
    """Each direct message to a person."""
    place = world.sandbox.slack.workspace.direct(person)
    return [json.dumps(message, ensure_ascii=False) for message in world.sandbox.slack.messages(place.id)]


async def say(world: World, person: str, text: str) -> None:
    """Type behind `/review`."""
    await world.sandbox.slack.command(person, "#review-ops", "/review", text)


async def test_a_claim_that_runs_out_is_told_once(world: World) -> None:
    """In the last five of its twenty minutes, with the way to its card and without its content; what is decided meanwhile is not told."""
    mine, other = [await world.submit(title=SECRET) for _ in range(2)]
    await world.drain()
    await world.pass_time(minutes=5)
    for case_id in (mine, other):
        await world.click(ANNA, "claim", case_id)
    await world.pass_time(minutes=9)
    assert told(world, ANNA) == []
    await world.click(ANNA, "approve", other)
    await world.pass_time(minutes=2)
    await world.bot.tick()
    await world.drain()
    [message] = told(world, ANNA)
    assert "1 case that you took runs out soon" in message
    assert mine in message
    assert other not in message
    assert "archives/" in message
    assert "Wintergreen" not in message
    await world.pass_time(minutes=2)
    await world.bot.tick()
    await world.drain()
    assert len(told(world, ANNA)) == 1


async def test_an_owner_hears_of_exceptions_at_most_once_an_hour(world: World) -> None:
    """All that came meanwhile in one message; whoever asked for one is not told of it."""
    for person, why in ((GRACE, "first"), (HUGO, "second"), (HUGO, "third")):
        await say(world, person, f"exception request refunds waives=confidence_low days=7 The {why} reason.")
        world.clock.now += world.clock.now.resolution
        await world.bot.tick()
        await world.drain()
        await world.pass_time(minutes=2)
        await world.bot.tick()
        await world.drain()
    assert [len(told(world, person)) for person in (GRACE, HUGO)] == [1, 1]
    assert "second" in told(world, GRACE)[0]
    assert "first" in told(world, HUGO)[0]
    await world.pass_time(hours=1)
    await world.bot.tick()
    await world.drain()
    assert [len(told(world, person)) for person in (GRACE, HUGO)] == [2, 1]
    assert "third" in told(world, GRACE)[1]


async def test_whoever_does_not_want_to_hear_does_not(world: World) -> None:
    """Off and on again by a word, however it is spelled; what came meanwhile is told then."""
    await say(world, HUGO, "Notify “OFF”")
    await say(world, GRACE, "exception request refunds waives=confidence_low days=7 Not measured yet.")
    await world.pass_time(minutes=2)
    await world.bot.tick()
    await world.drain()
    assert told(world, HUGO) == []
    await say(world, HUGO, "notify on")
    await world.pass_time(minutes=2)
    await world.bot.tick()
    await world.drain()
    assert len(told(world, HUGO)) == 1
