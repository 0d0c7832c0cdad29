"""*Send to review*: a case that somebody opens from the menu of a message."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import ANNA, CHIARA, DMITRI, GUEST, World, a_world, listeners_end
from tests.written import POLICY

SHORTCUT = "send_to_review"
OPEN = POLICY.replace(
    "  payouts: {ladder: standard,", "  payouts: {ladder: standard, shortcut: {service: refund-agent, action_type: payout.ask},"
)
FORM = {"workflow": "payouts", "title": "Pay the florist", "proposed": "Pay 40.00 EUR to the florist today."}


@pytest.fixture
async def world(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    """A world whose policy opens one workflow."""
    async with a_world(tmp_path, sqlite_url, policy=OPEN) as world:
        yield world


async def chosen(world: World, person: str) -> str:
    """What somebody sees who chooses it at a message in the channel."""
    channel = next(one.id for one in world.sandbox.config.slack.channels if one.name == "review-tier1")
    said = world.sandbox.slack.workspace.any_channel(channel)
    [ts] = [one["ts"] for one in said.top_level()][-1:]
    await world.sandbox.slack.shortcut(person, channel, ts, SHORTCUT)
    await listeners_end()
    view = world.sandbox.slack.open_view(person)
    assert view is not None
    return json.dumps(view, ensure_ascii=False)


async def test_a_message_becomes_a_case_that_somebody_else_decides(world: World) -> None:
    """With the message as evidence; whoever asked is refused, the service that the policy names is called back, and the same form twice
    opens one case.
    """
    await world.submit()  # a message of somebody's: here a card
    await world.drain()
    assert "payouts" in await chosen(world, CHIARA)
    view = world.sandbox.slack.open_view(CHIARA)
    assert view is not None
    await world.fill_in(CHIARA, FORM | {"proposed": "  "})
    assert "what is proposed" in world.sandbox.slack.shown_errors(CHIARA)["proposed"]
    ack = await world.sandbox.slack.submit(CHIARA, view["id"], FORM, deliver_twice=True)
    assert ack.ok, ack
    await listeners_end()
    after = world.sandbox.slack.open_view(CHIARA)
    assert after is not None
    text = json.dumps(after["blocks"])
    assert "Sent to review as" in text
    case_id = next(word.strip("`;.") for word in text.split() if word.strip("`;.").startswith("c_"))
    await world.drain()
    case = await world.case(case_id)
    assert (case.workflow, case.service, case.requester, case.action_type) == ("payouts", "refund-agent", CHIARA, "payout.ask")
    assert "Pay 40.00 EUR to the florist today." in world.text(case_id)
    await world.click(CHIARA, "approve", case_id)
    assert "You asked for this action" in world.told(CHIARA)
    await world.click(DMITRI, "approve", case_id)
    assert [vote.by for vote in (await world.case(case_id)).votes] == [DMITRI]
    assert len([one for one in world.cards(case_id) if "florist" in json.dumps(one)]) == 1


async def test_who_may_not_and_what_is_not_open_is_said(world: World, tmp_path: Path) -> None:
    """A guest is told so; where the policy opens nothing, how it would."""
    await world.submit()
    await world.drain()
    world.sandbox.slack.workspace.any_channel("review-tier1").members.append(GUEST)
    assert "Guests cannot review cases" in await chosen(world, GUEST)
    assert [case for case in await world.bot.reads.free_cases(10, world.clock()) if case.workflow == "payouts"] == []


async def test_a_policy_that_opens_nothing_says_how(tmp_path: Path, sqlite_url: str) -> None:
    """In the place of a form."""
    async with a_world(tmp_path, sqlite_url) as world:
        await world.submit()
        await world.drain()
        assert "The policy lets nobody send a message to review" in await chosen(world, ANNA)
