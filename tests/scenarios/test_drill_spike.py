"""A drill of many cases at once rings as a real storm would: a few pages by themselves, the others listed in one, apart from real ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.pagerduty.account import Incident
from escalation.pager import DigestKey
from routing.vocabulary import State
from tests.governed import GovernedWorld
from tests.promises.replay import replay
from tests.scenarios.test_drills import again, drill, posted, report
from tests.world import running
from tests.written import POLICY

STORMY = POLICY.replace("ladders:\n", "pages: {storm: {most: 1, within: 1h}}\nladders:\n", 1)


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[GovernedWorld]:
    """A company with a limit of one page an hour."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=STORMY)) as world:
        yield world


def digests(world: GovernedWorld) -> list[Incident]:
    """The incidents that list others."""
    return [one for one in world.sandbox.pagerduty.incidents if DigestKey.read(one.key) is not None]


async def test_many_at_once_ring_as_few(world: GovernedWorld) -> None:
    """Nobody comes at the first tier: one page, one list of the other three; who takes that has them. A real page rings beside, and counts
    for itself.
    """
    one = await drill(world, "volume-spike refunds cases=4")
    assert "One of its pages rings for a desk by itself, further ones are listed in one." in world.read(posted(world, one))
    real = await world.submit()
    await world.pass_time(minutes=18)
    [listed] = digests(world)
    assert listed.title.startswith("[DRILL] 3 cases wait for people")
    assert "This is a drill: nothing is the matter" in str(listed.custom_details["do_first"])
    alone = [each for each in world.sandbox.pagerduty.incidents if each is not listed]
    assert sorted(each.title.startswith("[DRILL]") for each in alone) == [False, True]
    assert real in next(each.key for each in alone if not each.title.startswith("[DRILL]"))
    for each in (listed, next(each for each in alone if each.title.startswith("[DRILL]"))):
        await world.sandbox.pagerduty.acknowledge(each.id, "PDMITRI1")
    await world.pass_time(minutes=1)
    done = await again(world, one)
    assert (done.outcome, done.left, done.unanswered) == ("answered", (), 0)
    assert "Report: 4 of 4 answered" in report(world, one)
    assert {each.status for each in digests(world)} == {"resolved"}
    assert (await world.case(real)).state is State.PENDING
    governance = await world.bot.reads.governance()
    assert len(governance.rung) == 2
    assert await replay(world.bot.database) == []


async def test_stopped_it_rings_no_more(world: GovernedWorld) -> None:
    """Its list is over with it."""
    one = await drill(world, "volume-spike refunds cases=3")
    await world.pass_time(minutes=18)
    assert [each.status for each in digests(world)] == ["triggered"]
    await world.say("U0GRACE0001", f"drill stop {one.id}")
    await world.pass_time(minutes=1)
    assert {each.status for each in world.sandbox.pagerduty.incidents} == {"resolved"}
