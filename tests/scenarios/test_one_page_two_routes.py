"""A page that goes out by several routes is one page: whoever takes or ends it on one of them does so on all."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.pagerduty.account import Incident
from routing.change import Change, Subject
from routing.review.draft import Draft
from routing.review.pages import close_pages
from routing.vocabulary import EventKind, PageRoute
from tests.governed import GovernedWorld
from tests.mail_server import MailServer, a_mail_server
from tests.scenarios.test_second_route import ROUTED, alarms, paged, refusing
from tests.world import DMITRI, World, running
from tests.written import POLICY

REPEATED = POLICY.replace("ack: 15m, decide: 30m,", "decide: 4h, repeat: {every: 5m, most: 4}, email: [chief@northwind.example],")
assert REPEATED != POLICY


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str, mail: MailServer) -> AsyncIterator[World]:
    """A world whose second tier has a second key and addresses."""
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=ROUTED, smtp_url=mail.url)) as world:
        yield world


@pytest.fixture
async def repeating(tmp_path: Path, database_url: str, mail: MailServer) -> AsyncIterator[World]:
    """A world whose second tier is paged every five minutes by PagerDuty and by e-mail, on either database."""
    async with running(World(tmp_path, database_url, socket_mode=False, policy=REPEATED, smtp_url=mail.url)) as world:
        yield world


async def rung_by_both(world: World) -> tuple[str, dict[PageRoute, Incident]]:
    """A case whose page the first key refused, the second took, and the first takes now as well."""
    refuses = world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=403, times=1))
    case_id = await paged(world)
    world.sandbox.faults.remove(refuses)
    await world.pass_time(seconds=45)
    both = {one.key.endswith("/second"): one for one in world.sandbox.pagerduty.incidents}
    assert len(both) == 2
    return case_id, {PageRoute.PAGERDUTY: both[False], PageRoute.SECOND_KEY: both[True]}


def standing(world: World) -> list[str]:
    """How every incident stands."""
    return [one.status for one in world.sandbox.pagerduty.incidents]


@pytest.mark.parametrize("route", [PageRoute.PAGERDUTY, PageRoute.SECOND_KEY])
@pytest.mark.parametrize(("did", "stands"), [("acknowledge", "acknowledged"), ("resolve", "resolved")])
async def test_what_is_done_on_one_reaches_the_other(world: World, mail: MailServer, route: PageRoute, did: str, stands: str) -> None:
    """Acknowledged or resolved there, on whichever of the two: neither rings on, and nobody is written to."""
    case_id, both = await rung_by_both(world)
    await getattr(world.sandbox.pagerduty, did)(both[route].id, "PDMITRI1")
    await world.drain()
    assert standing(world) == [stands, stands]
    assert [one.triggers for one in world.sandbox.pagerduty.incidents] == [1, 1]
    assert bool((await world.case(case_id)).acknowledged_by) == (did == "acknowledge")
    assert not mail.taken
    await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert set(standing(world)) == {"resolved"}


@pytest.mark.parametrize("how", ["there", "here"])
async def test_nobody_is_rung_after_somebody_has_taken_it(world: World, how: str) -> None:
    """The first key refuses while the second's responder, or somebody in Slack, takes the case: the first never rings for it."""
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=403, times=1))
    case_id = await world.submit()
    await world.drain()
    world.clock.now += timedelta(minutes=15)
    await world.bot.tick()
    while not world.sandbox.pagerduty.incidents:
        await world.bot.courier.drain_once()
    [second] = world.sandbox.pagerduty.incidents
    if how == "there":
        await world.sandbox.pagerduty.acknowledge(second.id, "PDMITRI1")
    else:
        await world.bot.courier.drain_once()
        await world.click(DMITRI, "claim", case_id)
    await world.pass_time(minutes=6)
    assert [(one.id, one.status) for one in world.sandbox.pagerduty.incidents] == [(second.id, "acknowledged")]
    assert "somebody had taken the case" in str(await reasons(world))


async def reasons(world: World) -> list[str]:
    """Why messages to PagerDuty were cancelled."""
    query = "SELECT last_error FROM outbox WHERE peer = 'pagerduty' AND state = 'cancelled'"
    return await world.bot.database.read(lambda connection: [row[0] for row in connection.exec_driver_sql(query)])


async def until_paged(world: World, rounds: int) -> str:
    """A case at the tier that is paged again and again, with so many incidents so far."""
    case_id = await world.submit()
    while len(world.sandbox.pagerduty.incidents) < rounds:
        await world.pass_time(minutes=1)
    return case_id


async def test_a_new_round_waits_for_nothing_of_the_old_one(repeating: World, mail: MailServer) -> None:
    """The end of the first round is refused for minutes, its mail is refused as well: round two rings and is written in its second."""
    world = repeating
    mail.answers = {"DATA": "550 not this one"}
    case_id = await until_paged(world, 1)
    await world.pass_time(minutes=4)
    mail.answers = {}
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=1))  # meets the resolve of round one
    await world.pass_time(minutes=1)
    second = [one.at for one in await world.bot.reads.history(case_id) if one.kind.value == "paged"][1]
    [rung] = [one for one in world.sandbox.pagerduty.incidents if one.key.endswith("/2/2")]
    assert datetime.fromtimestamp(rung.created_at, UTC) - second < timedelta(seconds=1)
    assert [one["Message-ID"].split(".")[2] for one in mail.taken] == ["2"]
    await world.pass_time(minutes=1)
    assert {one.key[-3:]: one.status for one in world.sandbox.pagerduty.incidents} == {"2/1": "resolved", "2/2": "triggered"}


async def test_a_closed_round_leaves_nothing_to_wait_for(repeating: World, mail: MailServer) -> None:
    """Decided while a mail waits a quarter of an hour for its retry: that is cancelled at once."""
    world = repeating
    mail.answers = {"DATA": "550 never"}
    case_id = await until_paged(world, 1)
    await world.pass_time(minutes=3)
    await world.click(DMITRI, "approve", case_id)
    await world.bot.courier.drain_once()
    query = "SELECT count(*) FROM outbox WHERE peer IN ('email', 'pagerduty') AND state IN ('ready', 'trying', 'ambiguous')"
    assert await world.bot.database.read(lambda connection: connection.exec_driver_sql(query).scalar_one()) == 0
    assert not mail.taken


@pytest.mark.parametrize("times", [1, None], ids=["the second key took it", "a mail took it"])
async def test_a_page_that_somebody_has_silences_nothing(world: World, times: int | None) -> None:
    """What one route refused is accepted all the same, so the heartbeat goes on; operations know."""
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=403, times=times))
    await paged(world)
    await world.pass_time(minutes=2)
    standing = await world.bot.readiness.standing()
    assert not [one for one in standing.attention if one.name == "pages"], standing.attention
    assert alarms(world)


SUPERVISED = (
    'break_glass: {group: rescuers, supervisors: owners, pagerduty: {routing_key: "${PD_TIER2}"}}\n'
    'pages: {second_key: "${PD_SECOND}", email: [supervisors@northwind.example]}\nladders:\n'
)


async def test_supervisors_are_reached_another_way_too(tmp_path: Path, sqlite_url: str, mail: MailServer) -> None:
    """The page for the review of break-glass is refused: the second key of all that page, then e-mail."""
    policy = POLICY.replace("ladders:\n", SUPERVISED, 1)
    policy = policy.replace("  nobody: {usergroup", "  rescuers: {users: [U0FARID0001]}\n  nobody: {usergroup", 1)
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=policy, smtp_url=mail.url)) as world:
        case_id = await world.submit()
        await world.drain()
        refusing(world, 403)
        await world.say("U0FARID0001", f"break-glass {case_id} The customer loses the flat tonight and nobody answers.")
        await world.fill_in("U0FARID0001", {"verdict": "approve", "text": "The customer loses the flat tonight and nobody answers."})
        await world.drain()
        [letter] = mail.taken
        assert "Break-glass to review" in str(letter["Subject"])
        assert mail.recipients == [["supervisors@northwind.example"]]


async def test_many_pages_end_in_one_transaction(tmp_path: Path, database_url: str) -> None:
    """What still waits to be tried again falls due for each of them, however many there are."""
    async with running(World(tmp_path, database_url, socket_mode=False, policy=REPEATED)) as world:
        world.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))
        cases = [await world.submit(subject={"id": f"cust-{number}", "type": "customer"}) for number in range(2)]
        await world.pass_time(minutes=20)
        assert all([(await world.case(one)).pages for one in cases])
        await asyncio.gather(*(world.bot.ledger.change(one, by_hand) for one in cases))
        query = "SELECT count(*) FROM outbox WHERE kind = 'page' AND state = 'ready' AND not_before > 0"
        assert await world.bot.database.read(lambda connection: connection.exec_driver_sql(query).scalar_one()) == 0


def by_hand(subject: Subject, now: datetime) -> Change:
    """Every page of the case is closed."""
    draft = Draft(subject, now)
    close_pages(draft)
    draft.record(EventKind.CHANGED)
    return draft.change()
