"""More cases than people can read: a channel shows so many cards, its board says what waits behind them and hands it out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.ack import Ack
from bot.slack.actions import taking
from routing.vocabulary import EventKind, State
from tests.governed import GovernedWorld
from tests.scenarios.test_channels import heard
from tests.world import ANNA, BEN, DMITRI, GRACE, World, listeners_end, running
from tests.written import POLICY

TIER1, TIER2 = "C0TIER10001", "C0TIER20001"
SMALL = POLICY.replace("owners: review-owners}", "owners: review-owners, window: 3}", 1).replace(
    "defaults:\n", "defaults:\n  start: {specialist: 1, expert: 1}\n  expert: {group: frontline}\n", 1
)
SMALL = SMALL.replace("ack: 15m, decide: 4h", "decide: 4h", 1)
assert SMALL.count("window: 3") == SMALL.count("expert: 1") == 1
MEDIUM = {"impact": "medium", "likelihood": 0.6}
CRITICAL = {"impact": "critical", "likelihood": 0.9, "recoverability": "none"}


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str) -> AsyncIterator[GovernedWorld]:
    """A world whose channels show three cards each."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=SMALL)) as world:
        yield world


@pytest.fixture
async def both(tmp_path: Path, database_url: str) -> AsyncIterator[GovernedWorld]:
    """The same on either database."""
    async with running(GovernedWorld(tmp_path, database_url, socket_mode=False, policy=SMALL)) as world:
        yield world


async def submitted(world: World, many: int, **more: Any) -> list[str]:
    """So many cases, one after the other, and what can leave has left."""
    found = [await world.submit(subject={"id": f"cust-{number}", "type": "customer"}, **more) for number in range(many)]
    await world.drain()
    return found


def boards(world: World, channel: str = TIER1) -> list[dict[str, Any]]:
    """The boards that stand in a channel, oldest first."""
    marked = [(message, (message.get("metadata") or {}).get("event_payload", {})) for message in world.sandbox.slack.messages(channel)]
    return [message for message, told in marked if str(told.get("subject", "")).startswith("q_")]


def said(world: World, channel: str = TIER1) -> str:
    """What the newest board of a channel says."""
    return str(boards(world, channel)[-1]["blocks"])


def shown(world: World, cases: list[str], channel: str = TIER1) -> list[str]:
    """Those of the cases that have a card in a channel."""
    return [case_id for case_id in cases if any(card["channel"] == channel for card in world.cards(case_id))]


async def take(world: World, person: str, button: str = "take", *, twice: bool = False) -> Ack:
    """Somebody presses a button of the newest board."""
    board = boards(world)[-1]
    ack = await world.sandbox.slack.click(person, TIER1, board["ts"], f"tierline:q:{button}", deliver_twice=twice)
    await listeners_end()
    return ack


async def claimed(world: World, cases: list[str], person: str) -> list[str]:
    """Those of the cases that a person has taken."""
    return [case_id for case_id in cases if (await world.case(case_id)).claimed_by == person]


async def test_a_window_of_cards_and_what_is_behind(both: GovernedWorld) -> None:
    """Three cards stand, the board counts the rest; as one is decided, the most urgent comes forward, and when nothing is behind it, the
    board says so.
    """
    world = both
    low = await submitted(world, 5)
    assert shown(world, low) == low[:3]
    [urgent] = await submitted(world, 1, risk=MEDIUM)
    await world.pass_time(seconds=11)
    assert shown(world, [*low, urgent]) == low[:3]
    assert len(boards(world)) == 1
    for words in ("6 cases wait", "3 cases have cards here; *3* wait behind", "*1* medium", "*5* low", "Nobody has taken"):
        assert words in said(world), words
    await world.click(ANNA, "approve", low[0])
    await world.drain()
    assert shown(world, [*low, urgent]) == [*low[:3], urgent]
    await world.pass_time(seconds=11)
    assert "5 cases wait" in said(world)
    assert "3 cases have cards here; *2* wait behind" in said(world)
    for case_id in (low[1], urgent, low[2]):
        await world.click(ANNA, "approve", case_id)
        await world.drain()
    assert shown(world, low) == low
    await world.pass_time(seconds=11)
    assert "Nothing waits behind this board any more" in said(world)
    assert "take" not in said(world)
    assert len(boards(world)) == 1


async def test_a_small_queue_has_no_board(world: GovernedWorld) -> None:
    """As many cases as the window holds: each has its card, and there is no board."""
    cases = await submitted(world, 3)
    assert shown(world, cases) == cases
    assert boards(world) == []


async def test_what_is_critical_is_shown_at_once(world: GovernedWorld) -> None:
    """However many stand there, a critical case gets its card, before those that were let in before and are not posted yet."""
    low = await submitted(world, 6)
    critical = await submitted(world, 2, risk=CRITICAL)
    assert shown(world, [*low, *critical]) == [*low[:3], *critical]
    await world.click(ANNA, "approve", low[0])
    await world.drain()
    assert shown(world, low) == low[:3]  # the window holds more than its places: none is free


async def test_take_next_until_nothing_is_left(both: GovernedWorld) -> None:
    """Two people press again and again, at once: each case goes to one of them, in the order of the queue, and its card is there."""
    world = both
    low = await submitted(world, 6)
    [medium] = await submitted(world, 1, risk=MEDIUM)
    cases = [*low, medium]
    assert (await take(world, ANNA)).ok
    await world.drain()
    assert await claimed(world, cases, ANNA) == [medium]
    assert shown(world, cases) == [*low[:3], medium]
    assert "You took 1 case." in world.told(ANNA)
    while len(await claimed(world, cases, ANNA)) + len(await claimed(world, cases, BEN)) < len(cases):
        world.clock.now += timedelta(seconds=1)
        await asyncio.gather(take(world, ANNA, "take_more"), take(world, BEN))
    await world.drain()
    hers, his = await claimed(world, cases, ANNA), await claimed(world, cases, BEN)
    assert sorted(hers + his) == sorted(cases)
    assert shown(world, cases) == cases
    events = [event.kind for case_id in cases for event in await world.bot.reads.events(case_id)]
    assert events.count(EventKind.CLAIMED) == len(cases)
    assert EventKind.PRESS_REFUSED not in events


async def test_people_are_reminded_of_what_waits_behind(world: GovernedWorld) -> None:
    """Cases behind the board have no thread: whoever answers for the channel is told in the thread of the board, once for all of them."""
    cases = await submitted(world, 6)
    for case_id in shown(world, cases):
        await world.click(ANNA, "claim", case_id)
    await world.drain()
    world.clock.now += timedelta(hours=2, minutes=1)
    await world.bot.tick()
    await world.drain()
    replies = world.sandbox.slack.thread(TIER1, boards(world)[-1]["ts"])
    assert [reply["text"].count("running out of time") for reply in replies if reply["ts"] != boards(world)[-1]["ts"]] == [1]


async def test_a_deleted_board_comes_again(world: GovernedWorld) -> None:
    """Somebody deletes the board: the next change finds out and posts it anew, with what waits now."""
    cases = await submitted(world, 5)
    await world.pass_time(seconds=11)
    gone = boards(world)[-1]["ts"]
    world.sandbox.slack.delete_message(TIER1, gone)
    await world.click(ANNA, "approve", cases[0])
    await world.pass_time(seconds=15)
    [board] = boards(world)
    assert board["ts"] != gone
    assert "*1* wait behind" in said(world)


async def test_behind_the_board_of_an_archived_channel(world: GovernedWorld) -> None:
    """A channel that shows no board hides what waits behind it too: those cases go on to where people see them, like those with cards."""
    cases = await submitted(world, 5)
    await heard(world.sandbox.slack.archive_channel(TIER1))
    await listeners_end()
    await world.pass_time(seconds=10)
    await world.pass_time(minutes=16)
    assert {(await world.case(case_id)).tier for case_id in cases} == {1}


async def test_what_is_frozen_behind_a_board_is_on_it(world: GovernedWorld) -> None:
    """Cases of a frozen workflow wait for nobody and have no card: the board says so, and has them again when the workflow goes on."""
    cases = await submitted(world, 5)
    await world.say(GRACE, "freeze refunds The model was updated and nobody told us.")
    await world.pass_time(seconds=11)
    await world.pass_time(seconds=11)
    assert "Nothing waits behind this board any more" in said(world)
    assert "2 cases of frozen workflows have no card: they come back when those go on." in said(world)
    await world.say(GRACE, "resume refunds The model is fine now, we looked.")
    await world.pass_time(seconds=11)
    await world.pass_time(seconds=11)
    assert "5 cases wait" in said(world)
    assert "frozen" not in said(world)
    assert shown(world, cases) == cases[:3]


async def test_a_case_whose_ladder_is_over_behind_the_board_gets_its_card(tmp_path: Path, database_url: str) -> None:
    """It is held until somebody takes it up again, and stands on no board any more: on its card they can."""
    held = SMALL.replace("exhausted: reject", "exhausted: hold", 1)
    async with running(GovernedWorld(tmp_path, database_url, socket_mode=False, policy=held)) as world:
        cases = await submitted(world, 5, workflow="lonely")
        assert shown(world, cases) == cases[:3]
        world.clock.now += timedelta(hours=1, seconds=5)
        await world.bot.tick()
        await world.drain()
        assert {(await world.case(case_id)).state for case_id in cases} == {State.HELD}
        assert shown(world, cases) == cases
        await world.pass_time(seconds=11)
        assert "whatever waits for people in this channel has its card here" in said(world)
        assert "no card" not in said(world)


async def test_a_restart_in_between(both: GovernedWorld) -> None:
    """What waits behind the board waits there after a restart, and comes forward as places become free."""
    world = both
    cases = [await world.submit(subject={"id": f"cust-{number}", "type": "customer"}) for number in range(5)]
    await world.restart()
    await world.drain()
    assert shown(world, cases) == cases[:3]
    assert "*2* wait behind" in said(world)
    await world.click(ANNA, "approve", cases[0])
    await world.restart()
    await world.drain()
    assert len(shown(world, cases)) == 4


async def test_nobody_takes_what_they_may_not_decide(world: GovernedWorld) -> None:
    """Who asked for an action is passed over for it; who is in none of the groups gets nothing, and is told so; nor does a guest."""
    cases = await submitted(world, 4)
    [own] = await submitted(world, 1, risk=MEDIUM, requester={"slack_id": ANNA})
    await world.pass_time(seconds=11)
    await take(world, ANNA)
    assert len(await claimed(world, cases, ANNA)) == 1
    assert (await world.case(own)).claimed_by == ""
    await take(world, DMITRI)
    assert await claimed(world, [*cases, own], DMITRI) == []
    assert "Nothing waits in this channel that you may decide" in world.told(DMITRI)
    await take(world, BEN)
    assert (await world.case(own)).claimed_by == BEN


async def test_it_looks_on_until_it_has_enough_and_says_so_where_it_stops(world: GovernedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the first is for somebody else: those behind it are taken all the same; and of what was not looked at nothing is claimed."""
    [own] = await submitted(world, 1, risk=MEDIUM, requester={"slack_id": ANNA})
    first = await submitted(world, 1, risk=MEDIUM)
    cases = [*first, *await submitted(world, 7)]
    await world.pass_time(seconds=11)
    monkeypatch.setattr(taking, "LOOKED_AT", (2, 4, 9))
    await take(world, ANNA, "take_more")
    assert len(await claimed(world, cases, ANNA)) == 5
    assert "Nothing" not in world.told(ANNA)
    monkeypatch.setattr(taking, "LOOKED_AT", (1, 2))
    world.clock.now += timedelta(seconds=1)
    await take(world, ANNA, "take_more")
    assert len(await claimed(world, cases, ANNA)) == 6
    assert "of those behind them nothing is known" in world.told(ANNA)
    monkeypatch.setattr(taking, "LOOKED_AT", (50,))
    world.clock.now += timedelta(seconds=1)
    await take(world, ANNA, "take_more")
    assert len(await claimed(world, cases, ANNA)) == 8
    assert "Nothing else waits in this channel" in world.told(ANNA)
    assert (await world.case(own)).claimed_by == ""


async def test_a_press_that_comes_twice_takes_once(world: GovernedWorld) -> None:
    """Slack delivers the same press again: it is answered with the cases of the first time."""
    cases = await submitted(world, 6)
    await take(world, ANNA, twice=True)
    assert len(await claimed(world, cases, ANNA)) == 1
    world.clock.now += timedelta(seconds=1)
    await take(world, ANNA, "take_more", twice=True)
    assert len(await claimed(world, cases, ANNA)) == 6


async def test_a_board_says_that_its_workflow_is_paused(world: GovernedWorld) -> None:
    """What a pause means for those who decide stands on the board."""
    await submitted(world, 5)
    await world.say(GRACE, "pause refunds The model was updated and nobody told us.")
    await submitted(world, 1)
    await world.pass_time(seconds=11)
    assert "refunds is paused: approvals are kept back" in said(world)


async def test_a_case_that_somebody_is_paged_for_is_shown(world: GovernedWorld) -> None:
    """Cases climb, those behind the board with the others: whoever is woken finds the card of each in the next channel."""
    cases = await submitted(world, 5)
    world.clock.now += timedelta(hours=4, seconds=5)
    await world.bot.tick()
    await world.drain()
    assert {(await world.case(case_id)).tier for case_id in cases} == {1}
    assert shown(world, cases, TIER2) == cases
    assert shown(world, cases) == cases[:3]
    await world.pass_time(seconds=11)
    assert "Nothing waits behind" in said(world)


async def test_nobody_takes_more_than_the_policy_lets_one_person_hold(tmp_path: Path, sqlite_url: str) -> None:
    """Five are asked for and two allowed: two are taken, and the answer says why not more."""
    capped = SMALL.replace("ladders:\n", "claims: {open: 2}\nladders:\n", 1)
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=capped)) as world:
        cases = await submitted(world, 6)
        await take(world, ANNA, "take_more")
        assert len(await claimed(world, cases, ANNA)) == 2
        assert "You took 2 cases" in world.told(ANNA)
        assert "as many as the policy lets one person hold" in world.told(ANNA)
