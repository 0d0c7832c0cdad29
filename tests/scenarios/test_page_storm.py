"""Never silence, never a storm: past the policy's limit pages are listed in one digest, an incident of its own that rings, and that says
what became of each case.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.pagerduty.account import Incident
from routing.governance.digest import Digest
from routing.vocabulary import PageRoute, Risk, State
from tests.governed import GovernedWorld
from tests.mail_server import MailServer, a_mail_server
from tests.promises.replay import replay
from tests.scenarios.test_second_route import FIRST, MAIL, alarms
from tests.world import DMITRI, World, running
from tests.written import POLICY

STORM = "pages: {storm: {most: 5, within: 10m}}\nladders:\n"
WIDE = POLICY.replace("owners: review-owners}", "owners: review-owners, window: 50}", 1)
STORMY = WIDE.replace("ladders:\n", STORM, 1).replace("ack: 15m, decide: 4h", "ack: 4h, decide: 4h", 1)
ROUTED = STORMY.replace(FIRST, MAIL).replace("ack: 15m, decide: 30m", "ack: 4h, decide: 9h").replace("most: 5", "most: 2")
assert POLICY != WIDE != STORMY != ROUTED
MEDIUM = {"impact": "medium", "likelihood": 0.6}


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def both(tmp_path: Path, database_url: str) -> AsyncIterator[GovernedWorld]:
    """A world in which five pages ring by themselves, on either database."""
    async with running(GovernedWorld(tmp_path, database_url, socket_mode=False, policy=STORMY)) as world:
        yield world


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """One in which two do, and whose second tier has a second key and addresses too, on SQLite alone."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=ROUTED, smtp_url=mail.url)) as world:
        yield world


async def climbed(world: World, many: int, **more: Any) -> list[str]:
    """So many cases that nobody took at the first tier, whose clocks ran out at one instant."""
    opened = [await world.submit(subject={"id": f"cust-{number}", "type": "customer"}, **more) for number in range(many)]
    await world.drain()
    world.clock.now += timedelta(hours=4, seconds=5)
    await world.bot.tick()
    await world.drain()
    return opened


def digests(world: World) -> list[Incident]:
    """Incidents of digests, oldest first."""
    return [one for one in world.sandbox.pagerduty.incidents if "/s_" in one.key]


async def kept(world: World) -> Sequence[Digest]:
    """The digests as they are kept."""
    return (await world.bot.reads.governance()).digests


async def test_many_deadlines_at_one_instant(both: GovernedWorld) -> None:
    """Five ring by themselves and one digest lists the others; acknowledged it stops their clocks, decided it is over."""
    world = both
    many = 8 if world.bot.database.is_postgres else 27
    opened = await climbed(world, many)
    incidents = world.sandbox.pagerduty.incidents
    assert len(incidents) == 6
    [digest] = digests(world)
    assert digest.triggers == 1
    assert digest.title.startswith(f"{many - 5} cases wait for people, listed in one page: {many - 5} low risk; first due ")
    if many == 27:
        assert len(digest.custom_details["cases"]) == 21
        assert digest.custom_details["cases"][-1] == "and 2 more"
    [value] = await kept(world)
    assert {one.case for one in value.listed} < set(opened)
    alone = {one.key.split("/")[1] for one in incidents if "/s_" not in one.key}
    assert alone | {one.case for one in value.listed} == set(opened)
    for case_id in opened:
        [paged] = [one for one in await world.bot.reads.history(case_id) if one.kind.value == "paged"]
        assert paged.fields.get("digest") == (None if case_id in alone else value.id)
        assert "page_accepted" in [one.kind.value for one in await world.bot.reads.history(case_id)]

    await world.sandbox.pagerduty.acknowledge(digest.id, "PDMITRI1")
    await world.drain()
    listed = next(one for one in opened if one not in alone)
    case = await world.case(listed)
    assert case.acknowledged_by == "pagerduty:PDMITRI1"
    assert case.clocks.acknowledge is None
    assert case.state is State.PENDING
    assert "in a digest that lists several cases" in world.thread(listed)
    for case_id in opened:
        if case_id != listed:
            await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert digests(world)[0].status == "acknowledged"
    await world.click(DMITRI, "approve", listed)
    await world.drain()
    assert {one.status for one in world.sandbox.pagerduty.incidents} == {"resolved"}
    assert digests(world)[0].triggers == 1
    [value] = await kept(world)
    assert (value.listed, value.count, value.over) == ((), many - 5, True)
    assert await replay(world.bot.database) == []


async def test_a_policy_that_names_no_limit_lists_nothing(tmp_path: Path, sqlite_url: str) -> None:
    """Each page rings by itself, and the value of the guardrails has no word of digests."""
    policy = STORMY.replace(STORM, "ladders:\n", 1)
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=policy)) as world:
        await climbed(world, 7)
        assert len(world.sandbox.pagerduty.incidents) == 7
        written = (await world.bot.reads.governance()).model_dump_json()
        assert '"digests"' not in written
        assert '"rung"' not in written


async def test_what_comes_after_somebody_has_taken_it_rings_again(world: GovernedWorld) -> None:
    """An acknowledged digest takes no more: PagerDuty would not ring for it. The next page opens another that does."""
    await climbed(world, 4)
    [first] = digests(world)
    await world.sandbox.pagerduty.acknowledge(first.id, "PDMITRI1")
    await world.drain()
    late = await climbed_at_once(world)
    [_, second] = digests(world)
    assert (second.status, second.triggers) == ("triggered", 1)
    assert late in second.custom_details["cases"][0]
    assert digests(world)[0].triggers == 1


async def climbed_at_once(world: World, **more: Any) -> str:
    """A case that somebody hands to the second tier this very moment."""
    case_id = await world.submit(**more)
    await world.drain()
    await world.click("U0ANNA00001", "escalate", case_id)
    await world.fill_in("U0ANNA00001", {"reason": "other", "text": "Not mine to say."})
    await world.drain()
    return case_id


async def test_more_risk_rings_anew_once_the_phone_is_silent(world: GovernedWorld) -> None:
    """Half a minute after a digest was opened a higher risk opens one of its own; what is worth no more than it is listed in it."""
    await climbed(world, 4)
    await world.pass_time(seconds=31)
    await climbed_at_once(world)
    assert len(digests(world)) == 1
    worse = await climbed_at_once(world, risk=MEDIUM)
    assert (await world.case(worse)).route.risk is Risk.MEDIUM
    [_, second] = digests(world)
    assert worse in second.custom_details["cases"][0]
    assert second.custom_details["risk"] == "medium"


async def test_it_is_said_anew_as_cases_join_and_are_decided(world: GovernedWorld) -> None:
    """Without ringing again: under its own key, at most every ten seconds."""
    await climbed(world, 4)
    await world.pass_time(seconds=15)
    await climbed_at_once(world)
    await world.pass_time(seconds=30)
    [digest] = digests(world)
    assert digest.log[-1].text.startswith("3 cases wait")
    await world.click(DMITRI, "approve", (await kept(world))[0].listed[0].case)
    await world.pass_time(seconds=30)
    [digest] = digests(world)
    assert digest.log[-1].text.startswith("2 cases wait")
    assert digest.triggers == 3
    assert world.sandbox.pagerduty.opened(digest.key) == 1


@pytest.mark.parametrize("status", [403, None])
async def test_a_digest_has_the_second_way_too(world: GovernedWorld, mail: MailServer, status: int | None) -> None:
    """Refused at once, unreachable after five minutes: the second key, then one mail with the list, and operations know of every case."""
    fault = Fault("pagerduty", "*", Mode.UNREACHABLE, times=None)
    if status is not None:
        fault = Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=status, times=None)
    world.sandbox.faults.add(fault)
    opened = await climbed(world, 4)
    if status is None:
        await world.pass_time(minutes=7)
    listed = [one for one in mail.taken if "listed in one page" in str(one["Subject"])]
    assert len(listed) == 1
    text = next(text for text in mail.texts if "listed in one page" in text)
    assert text.count("Low risk: refund.create of refunds") == 2
    assert len(mail.taken) == 3
    [value] = await kept(world)
    assert value.routes == (PageRoute.PAGERDUTY, PageRoute.SECOND_KEY, PageRoute.EMAIL)
    assert "4 pages" in str(alarms(world)[-1])
    world.sandbox.faults.remove(fault)
    await world.pass_time(minutes=1)
    assert sorted(one.key.endswith("/second") for one in digests(world)) == [False, True]
    await world.sandbox.pagerduty.acknowledge(digests(world)[0].id, "PDMITRI1")
    await world.drain()
    assert {one.status for one in digests(world)} == {"acknowledged"}
    for case_id in opened:
        await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert {one.status for one in world.sandbox.pagerduty.incidents} == {"resolved"}


async def test_resolved_there_each_case_pages_anew(world: GovernedWorld) -> None:
    """As a page of its own would: the cases stay open, and after their time to acknowledge they ring again."""
    await climbed(world, 4)
    [digest] = digests(world)
    await world.sandbox.pagerduty.resolve(digest.id, "PDMITRI1")
    await world.drain()
    [value] = await kept(world)
    assert (value.over, value.listed) == (True, ())
    await world.pass_time(hours=4, minutes=1)
    rung = [one for one in world.sandbox.pagerduty.incidents if one.is_open]
    assert len(rung) >= 2
    assert world.sandbox.pagerduty.opened(digest.key) == 1


async def test_reopened_there_it_is_the_page_of_what_still_waits(world: GovernedWorld) -> None:
    """Resolved by mistake and opened again: it lists what still waits and ends with the last of it. Opened
    once more after that, it is the person's own.
    """
    opened = await climbed(world, 4)
    pagerduty = world.sandbox.pagerduty
    [digest] = digests(world)
    await pagerduty.resolve(digest.id, "PDMITRI1")
    await world.drain()
    [value] = await kept(world)
    listed = [one.case for one in value.left]
    await world.click(DMITRI, "approve", listed[0])
    await pagerduty.reopen(digest.id, "PDMITRI1")
    await world.drain()
    [value] = await kept(world)
    assert (value.over, [one.case for one in value.listed]) == (False, listed[1:])
    assert "has reopened the incident in PagerDuty" in world.thread(listed[1], tier=2)
    await pagerduty.acknowledge(digest.id, "PDMITRI1")
    await world.drain()
    assert {one.acknowledged_by for case_id in listed[1:] for one in (await world.case(case_id)).pages} == {"pagerduty:PDMITRI1"}
    for case_id in opened:
        if case_id != listed[0]:
            await world.click(DMITRI, "approve", case_id)
    await world.pass_time(minutes=1)
    assert {one.status for one in pagerduty.incidents} == {"resolved"}
    assert await replay(world.bot.database) == []
    await pagerduty.reopen(digest.id, "PDMITRI1")
    await world.pass_time(minutes=10)
    assert [one.status for one in digests(world)] == ["triggered"]


async def test_all_taken_one_by_one_it_is_silent(world: GovernedWorld) -> None:
    """Each of its cases is claimed in Slack: its incident is acknowledged for them, and resolved with the last decision."""
    opened = await climbed(world, 4)
    for case_id in opened:
        await world.click(DMITRI, "claim", case_id)
    await world.drain()
    assert {one.status for one in digests(world)} == {"acknowledged"}
    for case_id in opened:
        await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert {one.status for one in digests(world)} == {"resolved"}


async def test_what_is_over_before_it_rang_never_rings(world: GovernedWorld) -> None:
    """PagerDuty is away; everything is decided meanwhile; nothing of the digest goes out when it is back."""
    away = world.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))
    opened = await climbed(world, 4)
    for case_id in opened:
        await world.click(DMITRI, "approve", case_id)
    await world.drain()
    world.sandbox.faults.remove(away)
    await world.pass_time(minutes=2)
    assert not world.sandbox.pagerduty.incidents


async def test_a_restart_in_the_middle(world: GovernedWorld) -> None:
    """The digest goes on where it stood, and rings once."""
    away = world.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))
    await climbed(world, 4)
    await world.restart()
    world.sandbox.faults.remove(away)
    await world.pass_time(minutes=1)
    await world.restart()
    await world.pass_time(minutes=1)
    [digest] = digests(world)
    assert digest.title.startswith("2 cases wait")
    assert world.sandbox.pagerduty.opened(digest.key) == 1
