"""Peers fail: Slack is down for an hour, limits, loses replies or applies late; PagerDuty is down; the service does not answer."""

import asyncio

import pytest

from bot.sandbox.faults import Fault, Mode
from tests.world import ANNA, World


async def test_slack_is_down_for_an_hour(world: World) -> None:
    """Cases are taken all the same; the clocks go on and page; when Slack is back each channel has its one card."""
    outage = world.sandbox.faults.add(Fault("slack", "*", Mode.SERVER_ERROR, times=None))
    case_id = await world.submit()
    await world.pass_time(hours=1)
    assert world.cards(case_id) == []
    assert len(world.sandbox.pagerduty.incidents) >= 1
    world.sandbox.faults.remove(outage)
    await world.pass_time(minutes=20)
    shown = [card["metadata"]["event_payload"]["tier"] for card in world.cards(case_id)]
    assert sorted(shown) == [0, 1]


@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.APPLY_LATE, Mode.UNREACHABLE, Mode.SERVER_ERROR, Mode.RATE_LIMITED])
async def test_a_post_goes_wrong(world: World, mode: Mode) -> None:
    """However one post fails, the channel ends with exactly one card, which works."""
    world.sandbox.faults.add(Fault("slack", "chat.postMessage", mode, seconds=20.0, retry_after_s=3))
    case_id = await world.submit()
    await world.pass_time(minutes=3)
    assert world.sandbox.slack.record.count("fault") == 1
    assert len(world.cards(case_id)) == 1
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert world.callbacks(case_id)[0]["verdict"] == "approved"


@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.APPLY_LATE, Mode.UNREACHABLE, Mode.SERVER_ERROR, Mode.RATE_LIMITED])
async def test_an_update_goes_wrong(world: World, mode: Mode) -> None:
    """However one update fails, a decided card ends without buttons."""
    case_id = await world.submit()
    await world.drain()
    world.sandbox.faults.add(Fault("slack", "chat.update", mode, seconds=20.0, retry_after_s=3))
    await world.click(ANNA, "approve", case_id)
    await world.pass_time(minutes=3)
    assert world.sandbox.slack.record.count("fault") == 1
    assert "approve" not in world.buttons(case_id)


@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.APPLY_LATE, Mode.UNREACHABLE, Mode.SERVER_ERROR, Mode.RATE_LIMITED])
async def test_a_page_goes_wrong(world: World, mode: Mode) -> None:
    """However one page fails, one incident rings, and it is resolved when the case is decided."""
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", mode, seconds=20.0, retry_after_s=3))
    case_id = await world.submit()
    await world.pass_time(minutes=18)
    assert world.sandbox.faults.take("pagerduty", "enqueue") is None, "the fault never struck"
    assert len(world.sandbox.pagerduty.incidents) == 1
    await world.click("U0DMITRI001", "approve", case_id)
    await world.pass_time(minutes=2)
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved"]


async def test_the_service_does_not_take_its_callback(world: World) -> None:
    """Ten failures and a lost reply later the service has the decision once, under one webhook-id."""
    case_id = await world.submit()
    await world.drain()
    world.sandbox.faults.add(Fault("customer", "callback", Mode.SERVER_ERROR, times=5))
    world.sandbox.faults.add(Fault("customer", "callback", Mode.DROP_REPLY))
    await world.click(ANNA, "approve", case_id)
    await world.pass_time(hours=24)
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["approved"]
    assert world.sandbox.customer.duplicates >= 1


async def test_slack_cannot_say_who_presses(world: World) -> None:
    """While Slack does not answer about a person, nobody decides, and the person is told to press again."""
    case_id = await world.submit()
    await world.drain()
    world.sandbox.faults.add(Fault("slack", "users.info", Mode.SERVER_ERROR, times=None))
    await world.click(ANNA, "approve", case_id)
    assert (await world.case(case_id)).open
    assert "press again" in world.told(ANNA)


async def test_slack_hangs_while_somebody_presses(world: World) -> None:
    """Slack neither answers nor fails: once the time for that is over the person is told to press again, and later that counts."""
    case_id = await world.submit()
    await world.drain()
    asked, answers = asyncio.Event(), asyncio.Event()
    world.sandbox.slack.record.watch(lambda seen: asked.set() if seen.kind == "fault" else None)
    world.sandbox.faults.add(Fault("slack", "users.info", Mode.DELAY, times=None, until=answers))
    pressing = asyncio.create_task(world.click(ANNA, "approve", case_id))
    await asked.wait()
    assert "press again" not in world.told(ANNA)
    world.timeouts.run_out()
    await pressing
    assert (await world.case(case_id)).open
    assert "press again" in world.told(ANNA)
    answers.set()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert world.callbacks(case_id)[0]["verdict"] == "approved"
