"""What a digest that rings already owes to the pages that join it: none is counted as told by what nobody read, none waits in silence, and
nothing rings for what somebody has.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.pagerduty.account import timestamp
from routing.policy.file import load_policy
from routing.vocabulary import EventKind, PageRoute
from tests.governed import GovernedWorld
from tests.mail_server import MailServer, a_mail_server
from tests.promises.replay import replay
from tests.scenarios.test_page_storm import ROUTED, climbed, climbed_at_once, digests, kept
from tests.scenarios.test_second_route import alarms
from tests.world import DMITRI, World, running

REPEATED = ROUTED.replace("ack: 4h, decide: 9h", "decide: 9h, repeat: {every: 2m, most: 12}")
REPEATED = REPEATED.replace(", email: [duty@northwind.example, head@northwind.example]", "")
assert REPEATED != ROUTED


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """One in which two pages ring by themselves, with a second key and addresses."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=ROUTED, smtp_url=mail.url)) as world:
        yield world


def gone(world: World, status: int | None = None) -> Fault:
    """PagerDuty is unreachable, or answers with this status."""
    if status is None:
        return world.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))
    return world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=status, times=None))


async def joined_untold(world: World) -> str:
    """A case that has joined the digest so lately that nothing says so there yet."""
    for _ in range(6):
        late = await climbed_at_once(world)
        if late in {one.case for one in (await kept(world))[0].untold}:
            return late
    raise AssertionError("each was told at once")


@pytest.mark.parametrize("status", [403, None])
async def test_what_joins_while_pagerduty_is_gone_has_the_second_way(world: GovernedWorld, mail: MailServer, status: int | None) -> None:
    """The digest was taken before, what joins it is not: it leaves it for one that takes every route, and rings once when all is well."""
    await climbed(world, 4)
    fault = gone(world, status)
    await world.pass_time(seconds=15)
    late = await climbed_at_once(world)
    began = world.clock.now
    await world.pass_time(minutes=7)
    if status is None:
        [second] = [
            one for one in await world.bot.reads.govern_events((await kept(world))[-1].id) if one.kind is EventKind.PAGE_NOT_ACCEPTED
        ][:1]
        assert second.at <= began + timedelta(minutes=5, seconds=5)
    [letter] = [text for text in mail.texts if late in text]
    assert letter.startswith("1 case waits")
    assert "1 page" in str(alarms(world)[-1])
    world.sandbox.faults.remove(fault)
    await world.pass_time(minutes=1)
    rung = [one for one in world.sandbox.pagerduty.incidents if late in str(one.custom_details)]
    assert sorted(one.key.endswith("/second") for one in rung) == [False, True]
    assert {one.triggers for one in rung} == {1}
    assert await replay(world.bot.database) == []


@pytest.mark.parametrize("verb", ["acknowledge", "resolve"])
async def test_what_they_could_not_know_of_rings_anew(world: GovernedWorld, verb: str) -> None:
    """Acknowledged, or resolved, before it was said there that a case has joined: that one is nobody's, and has not waited for long."""
    await climbed(world, 4)
    late = await joined_untold(world)
    told = (await kept(world))[0].listed[0]
    clocks = (await world.case(late)).clocks
    await getattr(world.sandbox.pagerduty, verb)(digests(world)[0].id, "PDMITRI1")
    await world.pass_time(seconds=30)
    if verb == "acknowledge":
        first = (await kept(world))[0]
        [taken] = [one for one in await world.bot.reads.govern_events(first.id) if one.kind is EventKind.DIGEST_ACKNOWLEDGED]
        assert taken.fields["listed"] == len(first.listed)
    assert ((await world.case(told.case)).acknowledged_by == "pagerduty:PDMITRI1") == (verb == "acknowledge")
    case = await world.case(late)
    assert (case.acknowledged_by, case.clocks) == ("", clocks)
    [page] = case.pages
    assert (page.round, page.accepted) == (2, (PageRoute.PAGERDUTY,))
    [again] = [one for one in digests(world) if late in str(one.custom_details)]
    assert (again.status, again.triggers) == ("triggered", 1)
    assert await replay(world.bot.database) == []


async def test_what_joins_while_a_first_reply_is_lost_is_told(world: GovernedWorld) -> None:
    """PagerDuty has the digest as it was drawn then: it is sent once more, with what has joined it."""
    for number in range(4):
        await world.submit(subject={"id": f"cust-{number}", "type": "customer"})
    world.clock.now += timedelta(seconds=10)
    late = await world.submit(subject={"id": "cust-late", "type": "customer"})
    began = world.clock.now
    await world.drain()
    fault = world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.DROP_REPLY, times=None))
    world.clock.now = began + timedelta(hours=4, seconds=-1)
    await world.bot.tick()
    await world.bot.courier.drain_once()
    world.sandbox.faults.remove(fault)
    world.clock.now = began + timedelta(hours=4, seconds=1)
    await world.bot.tick()
    assert [one.case for one in (await kept(world))[0].untold][-1] == late
    await world.pass_time(minutes=2)
    [digest] = digests(world)
    assert (await world.case(late)).pages[0].accepted == (PageRoute.PAGERDUTY,)
    assert digest.log[-1].text.startswith("3 cases wait")


async def test_an_update_that_pagerduty_never_had_is_not_told(world: GovernedWorld) -> None:
    """Its reply was lost, and it never counts: that the incident is known says nothing about what it lists."""
    await climbed(world, 4)
    await world.pass_time(seconds=15)
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.APPLY_LATE, seconds=86_400))
    late = await climbed_at_once(world)
    await world.pass_time(minutes=3)
    said = str([(one.custom_details, one.log) for one in digests(world)])
    assert (await world.case(late)).pages[0].accepted == (PageRoute.PAGERDUTY,)
    assert late in said or "3 cases wait" in said


async def test_a_pagerduty_that_is_busy_for_a_moment_rings_no_more_often(world: GovernedWorld) -> None:
    """What joins waits with the digest for a few seconds, rather than that each of them opens another."""
    await climbed(world, 4)
    await world.pass_time(seconds=15)
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.RATE_LIMITED, times=3))
    late = [await climbed_at_once(world) for _ in range(3)]
    await world.pass_time(seconds=45)
    [digest] = digests(world)
    assert digest.log[-1].text.startswith("5 cases wait")
    assert [(await world.case(one)).pages[0].accepted for one in late] == [(PageRoute.PAGERDUTY,)] * 3


async def test_a_digest_that_was_resolved_there_is_not_opened_again(world: GovernedWorld) -> None:
    """Somebody resolves it, and PagerDuty has not told us yet: what has changed opens no second incident under its key."""
    await climbed(world, 4)
    await world.pass_time(seconds=15)
    [digest] = digests(world)
    world.sandbox.pagerduty.connect(None)
    await world.sandbox.pagerduty.resolve(digest.id, "PDMITRI1")
    late = await climbed_at_once(world)
    await world.pass_time(minutes=1)
    assert world.sandbox.pagerduty.opened(digest.key) == 1
    assert any(late in str(one.custom_details) for one in digests(world) if one.is_open)


async def test_taken_here_and_given_back_there(world: GovernedWorld) -> None:
    """Acknowledged there, then each case was taken in Slack: the acknowledgement runs out, and is said once more by us."""
    opened = await climbed(world, 4)
    [first] = digests(world)
    await world.sandbox.pagerduty.acknowledge(first.id, "PDMITRI1")
    for case_id in opened:
        await world.click(DMITRI, "claim", case_id)
    await world.drain()
    await world.sandbox.pagerduty.unacknowledge(first.id)
    await world.pass_time(seconds=1)
    assert digests(world)[0].status == "acknowledged"
    assert not (await kept(world))[0].wanted


async def test_what_was_decided_meanwhile_is_said_when_it_rings_again(world: GovernedWorld) -> None:
    """While it was acknowledged one of two cases was decided: given back, its incident lists the other alone."""
    await climbed(world, 4)
    [first] = digests(world)
    await world.sandbox.pagerduty.acknowledge(first.id, "PDMITRI1")
    await world.pass_time(minutes=1)
    await world.click(DMITRI, "approve", (await kept(world))[0].listed[0].case)
    await world.drain()
    await world.sandbox.pagerduty.unacknowledge(first.id)
    await world.pass_time(seconds=30)
    assert digests(world)[0].log[-1].text.startswith("1 case waits")
    assert digests(world)[0].status == "triggered"


async def test_handed_on_but_still_acknowledged_it_takes_no_more(world: GovernedWorld) -> None:
    """It does not ring then, so what comes next rings by another."""
    await climbed(world, 4)
    [first] = digests(world)
    await world.sandbox.pagerduty.acknowledge(first.id, "PDMITRI1")
    await world.drain()
    pagerduty = world.sandbox.pagerduty
    data = pagerduty.wire.hooked(replace(first, status="acknowledged"), [pagerduty.responder("PDMITRI1")])
    await pagerduty.webhooks.queue("incident.delegated", None, None, timestamp(world.clock.unix()), data).wait()
    await world.drain()
    late = await climbed_at_once(world)
    assert any(late in str(one.custom_details) for one in digests(world)[1:])


async def test_nothing_is_accepted_that_never_rang(world: GovernedWorld) -> None:
    """PagerDuty is away until all is decided: that it took the resolve is not that it took the digest."""
    away = gone(world)
    opened = await climbed(world, 4)
    for case_id in opened:
        await world.click(DMITRI, "approve", case_id)
    await world.drain()
    world.sandbox.faults.remove(away)
    await world.pass_time(minutes=2)
    [value] = await kept(world)
    assert not value.accepted
    assert EventKind.PAGE_ACCEPTED not in {one.kind for one in await world.bot.reads.govern_events(value.id)}


async def test_a_digest_of_which_nothing_is_due_is_left_alone(world: GovernedWorld) -> None:
    """By mail alone, and one case decided: nobody is written to about what is over, and the watch has nothing to do for ever."""
    gone(world)
    await climbed(world, 4)
    await world.pass_time(minutes=7)
    await world.click(DMITRI, "approve", (await kept(world))[0].listed[0].case)
    await world.drain()
    world.clock.now += timedelta(minutes=1)
    assert await world.bot.digest_watch.tick() == 0


class Rotating(GovernedWorld):
    """A world whose environment loses a key that an old policy names."""

    rotated = False

    def _environment(self) -> dict[str, str]:
        found = super()._environment()
        return found if self.rotated else found | {"PD_OLD": found["PD_TIER2"]}


async def test_a_routing_key_that_left_the_environment(tmp_path: Path, sqlite_url: str, mail: MailServer) -> None:
    """Cases live by a policy that cannot be read any more; they page by the key of the active one, and are no storm there either."""
    old = ROUTED.replace("PD_TIER2", "PD_OLD")
    async with running(Rotating(tmp_path, sqlite_url, socket_mode=False, policy=old, smtp_url=mail.url)) as world:
        for number in range(5):
            await world.submit(subject={"id": f"cust-{number}", "type": "customer"})
        await world.drain()
        world.policy = ROUTED.replace("2026-11-20.1", "2026-11-20.2")
        await world.bot.ledger.activate(load_policy(world.policy.encode(), world.write_files()), reason="file")
        world.rotated = True
        await world.restart()
        world.clock.now += timedelta(hours=4, seconds=5)
        await world.bot.tick()
        await world.drain()
        assert len(world.sandbox.pagerduty.incidents) == 3
        [digest] = await kept(world)
        assert digest.count == 3


async def test_paged_again_and_again_it_comes_to_the_second_way(tmp_path: Path, sqlite_url: str) -> None:
    """Each repetition is a digest of its own, which goes on with what is left of the patience of the one before."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=REPEATED)) as world:
        gone(world)
        await climbed(world, 4)
        await world.pass_time(minutes=6)
        [*_, last] = await kept(world)
        assert PageRoute.SECOND_KEY in last.routes
        assert alarms(world)
