"""The owner of a tier is away: the backup is named and rung instead, everybody sees it, and nobody has to remember to undo it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.world import GRACE, GUEST, HUGO, World, a_world
from tests.written import POLICY

BOTH = "owner: U0GRACE0001, backup: U0HUGO00001, ack: 15m, decide: 30m,"


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose second tier has an owner and a backup as the first has."""
    policy = POLICY.replace("owner: U0GRACE0001, ack: 15m, decide: 30m,", BOTH)
    async with a_world(tmp_path, request.getfixturevalue(request.param), policy=policy) as world:
        yield world


async def told(world: World, person: str, text: str) -> str:
    """What somebody who types this is answered."""
    await world.sandbox.slack.command(person, "review-tier1", "/review", text)
    return world.told(person)


async def test_the_backup_stands_in_until_the_owner_is_back(world: World) -> None:
    """Named on the card and rung by a reminder; with nobody left the card says who answers; over by itself."""
    assert "You are away until" in await told(world, GRACE, "away until 2026-11-22")
    case_id = await world.submit()
    await world.drain()
    assert "owner Grace" in world.text(case_id)
    assert "away until" in world.text(case_id)
    assert "stands in for the owner" in world.text(case_id)
    await world.pass_time(minutes=15)
    assert f"<@{HUGO}>" in world.thread(case_id, tier=2)
    assert f"<@{GRACE}>" not in world.thread(case_id, tier=2)
    assert "You are away until" in await told(world, HUGO, "away 2d")
    second = await world.submit()
    await world.drain()
    assert "nobody stands in, group frontline answers" in world.text(second)
    assert "You are back" in await told(world, GRACE, "back")
    assert "You are not away" in await told(world, GRACE, "back")
    world.clock.now += timedelta(days=3)
    third = await world.submit()
    await world.drain()
    assert "away until" not in world.text(third), "it is over by itself"


async def test_only_oneself_and_not_for_ever(world: World) -> None:
    """A day that is gone, a date too far, a word that is no date, somebody who reviews nothing: all are told so."""
    assert "still to come" in await told(world, GRACE, "away until 2026-11-01")
    assert "at most 90 days" in await told(world, GRACE, "away until 9999-12-31")
    assert "/review away until" in await told(world, GRACE, "away until Friday")
    assert "/review away until" in await told(world, GRACE, "away")
    assert "You are away" not in await told(world, GUEST, "away 2d")
    assert not (await world.bot.reads.governance()).away


async def test_another_account_of_the_owner_and_what_the_page_says(world: World) -> None:
    """By the e-mail address, however it is spelled: the same person is away, whoever is woken reads for whom they are; and back again."""
    other = "U0IDA000001"
    world.sandbox.slack.workspace.change_user(other, email="Grace@Northwind.example")
    assert "You are away until" in await told(world, other, "away 2d")
    case_id = await world.submit()
    await world.drain()
    assert "stands in for the owner" in world.text(case_id)
    await world.pass_time(minutes=35)
    [incident] = world.sandbox.pagerduty.incidents
    assert incident.custom_details["owner"].startswith(f"{HUGO}, for {GRACE}, who is away until 2026-11-22")
    assert "You are back" in await told(world, GRACE, "back")
    assert not (await world.bot.reads.governance()).away
