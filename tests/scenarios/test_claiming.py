"""A claim holds others off, ends by itself, is taken over, handed over and capped; what somebody has who goes away is everybody's again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.promises.replay import replay
from tests.world import ANNA, BEN, CHIARA, ELENA, GRACE, World, a_world, listeners_end
from tests.written import POLICY

CAPPED = POLICY + "claims: {idle: 10m, open: 2, hourly: 3}\n"


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world on each database."""
    async with a_world(tmp_path, request.getfixturevalue(request.param)) as world:
        yield world


@pytest.fixture
async def capped(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose policy says how much one person may take."""
    async with a_world(tmp_path, sqlite_url, policy=CAPPED) as world:
        yield world


def typed(text: str, **more: Any) -> dict[str, Any]:
    """What a form sends."""
    return {"text": text, **more}


async def claimed(world: World, by: str = ANNA) -> str:
    """A case that somebody has claimed."""
    case_id = await world.submit()
    await world.drain()
    await world.click(by, "claim", case_id)
    await world.drain()
    return case_id


@pytest.mark.parametrize("verb", ["approve", "reject", "modify", "escalate", "ask", "hand_over"])
async def test_a_claim_holds_others_off(world: World, verb: str) -> None:
    """Whatever somebody else presses is refused with who has it, until when, and how to take it over; nothing changes."""
    case_id = await claimed(world)
    before = await world.case(case_id)
    await press(world, BEN, verb, case_id)
    said = world.told(BEN) + str(world.sandbox.slack.open_view(BEN))
    assert "Anna" in said
    assert "until 12:15 UTC" in said
    assert "Take over" in said
    after = await world.case(case_id)
    assert after.model_copy(update={"opened_by": before.opened_by}) == before
    await press(world, ANNA, "approve", case_id)
    assert not (await world.case(case_id)).open, "whoever has it decides it"
    assert await replay(world.bot.database) == []


async def press(world: World, person: str, verb: str, case_id: str) -> None:
    """Press where the verb stands: on the card, or in the details."""
    if verb != "hand_over":
        await world.click(person, verb, case_id)
        return
    await world.click(person, "open_evidence", case_id)
    view = world.sandbox.slack.open_view(person)
    assert view is not None
    world.clock.now += timedelta(seconds=1)
    await world.sandbox.slack.click_in_view(person, view["id"], f"tierline:{verb}")
    await listeners_end()


async def test_looking_and_talking_go_on(world: World) -> None:
    """Details, a comment: a claim bars nobody from either."""
    case_id = await claimed(world)
    await world.click(BEN, "open_evidence", case_id)
    assert world.sandbox.slack.open_view(BEN) is not None
    await world.click(BEN, "comment", case_id)
    await world.fill_in(BEN, typed("Look at order 17."))
    await world.drain()
    assert "Look at order 17" in world.thread(case_id)
    assert (await world.case(case_id)).claimed_by == ANNA


async def test_it_ends_after_a_quarter_of_an_hour_in_which_nothing_is_done(world: World) -> None:
    """Each press and each look of whoever has it begins the time anew, over a restart too; then somebody has to take it in time, again."""
    case_id = await claimed(world)
    assert "everybody's again after 15 min idle" in world.text(case_id)
    await world.pass_time(minutes=14)
    await world.click(ANNA, "open_evidence", case_id)
    await world.restart()
    await world.pass_time(minutes=14)
    assert (await world.case(case_id)).claimed_by == ANNA
    await world.click(ANNA, "modify", case_id)  # opens a form: that is work on it as well
    await world.pass_time(minutes=14)
    assert (await world.case(case_id)).claimed_by == ANNA
    await world.pass_time(minutes=1)
    case = await world.case(case_id)
    assert (case.claimed_by, case.acknowledged_by) == ("", "")
    assert case.clocks.acknowledge is not None, "nobody is on it: whoever is to take it has a time to do so again"
    assert f"The claim of <@{ANNA}> has ended: nothing was done for 15 min" in world.thread(case_id)
    assert "nobody is on it yet" in world.text(case_id)
    await world.click(BEN, "approve", case_id)
    assert not (await world.case(case_id)).open
    assert await replay(world.bot.database) == []


async def test_a_claim_that_ran_out_holds_nobody_off_before_anybody_noted_it(world: World) -> None:
    """The clock counts, not the sweep: time may have passed while the process was away."""
    case_id = await claimed(world)
    world.clock.now += timedelta(minutes=15)
    await world.click(BEN, "comment", case_id)  # of no consequence for it
    await world.fill_in(BEN, typed("Is anybody on this?"))
    await world.click(BEN, "approve", case_id)
    assert not (await world.case(case_id)).open
    assert await replay(world.bot.database) == []


async def test_it_is_taken_over_with_a_reason(world: World) -> None:
    """The reason is kept and whoever had it is told; now they are held off."""
    case_id = await claimed(world)
    await world.click(BEN, "take_over", case_id)
    await world.fill_in(BEN, typed(" "))
    assert (await world.case(case_id)).claimed_by == ANNA, "not without a reason"
    await world.fill_in(BEN, typed("Anna is in a meeting."))
    await world.drain()
    assert (await world.case(case_id)).claimed_by == BEN
    assert f"has taken this case over from <@{ANNA}>" in world.thread(case_id)
    assert "Anna is in a meeting" in world.thread(case_id)
    await world.click(ANNA, "approve", case_id)
    assert "Ben" in world.told(ANNA)
    await world.click(BEN, "take_over", case_id)
    assert "nothing to take over" in world.told(BEN)


async def test_it_is_handed_to_somebody_who_may_decide(world: World) -> None:
    """By the form and by command, with a note; to nobody who could not decide it, and to nobody who is away."""
    case_id = await claimed(world)
    await press(world, ANNA, "hand_over", case_id)
    await world.fill_in(ANNA, typed("Please look at the second charge.", to=ELENA))
    assert "cannot decide this case" in str(world.sandbox.slack.open_view(ANNA)) or (await world.case(case_id)).claimed_by == ANNA
    await world.fill_in(ANNA, typed("Please look at the second charge.", to=BEN))
    await world.drain()
    assert (await world.case(case_id)).claimed_by == BEN
    assert f"has handed this case to <@{BEN}>" in world.thread(case_id)
    assert "second charge" in world.thread(case_id)
    assert "Ben" in world.text(case_id)
    await command(world, ANNA, f"handover {case_id} <@{ANNA}> mine again")
    assert "has claimed this case" in world.told(ANNA) or "yourself" in world.told(ANNA)
    await command(world, BEN, f"handover {case_id} @anna Back to you, thanks")
    assert (await world.case(case_id)).claimed_by == ANNA
    await command(world, BEN, "away 2d")
    await command(world, ANNA, f"handover {case_id} <@{BEN}|ben> And back")
    assert "away until" in world.told(ANNA)
    assert (await world.case(case_id)).claimed_by == ANNA
    assert await replay(world.bot.database) == []


async def command(world: World, person: str, text: str) -> None:
    """Somebody types it."""
    world.clock.now += timedelta(seconds=1)
    await world.sandbox.slack.command(person, "review-tier1", "/review", text)
    await world.drain()


async def test_what_somebody_has_who_goes_away_is_everybodys_again(world: World) -> None:
    """And as long as they are away, nothing becomes theirs."""
    case_id = await claimed(world)
    await command(world, ANNA, "away 2d")
    await world.bot.tick()
    await world.drain()
    assert (await world.case(case_id)).claimed_by == ""
    assert "whoever had it is away" in world.thread(case_id)
    await world.click(ANNA, "claim", case_id)
    assert "You said that you are away" in world.told(ANNA)
    await command(world, ANNA, "back")
    await world.click(ANNA, "claim", case_id)
    assert (await world.case(case_id)).claimed_by == ANNA


async def test_two_at_once(world: World) -> None:
    """Of two people who claim at the same moment, one has it and the other is told who."""
    case_id = await world.submit()
    await world.drain()
    await asyncio.gather(world.click(ANNA, "claim", case_id), world.click(BEN, "claim", case_id))
    holder = (await world.case(case_id)).claimed_by
    other = BEN if holder == ANNA else ANNA
    assert holder in (ANNA, BEN)
    assert "has claimed this case" in world.told(other)
    assert await replay(world.bot.database) == []


async def test_quarantine_and_supervisors_are_not_held_off(world: World) -> None:
    """What is urgent passes over a claim."""
    case_id = await claimed(world)
    await command(world, GRACE, f"quarantine {case_id} The customer is a fraud.")
    assert (await world.case(case_id)).held_by == "quarantine"
    assert (await world.case(case_id)).claimed_by == ""


async def test_two_people_of_one_step_are_not_in_each_others_way(world: World) -> None:
    """Once whoever has it has said yes, the others go on."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await world.click(CHIARA, "claim", case_id)
    case = await world.case(case_id)
    person, others = case.claimed_by, case.route.steps
    assert len(others) == 2
    if person:
        await world.click(CHIARA, "approve", case_id)
        assert (await world.case(case_id)).claimed_by == ""


async def test_nobody_has_more_at_once_than_the_policy_allows(capped: World) -> None:
    """The refusal says the figure; one given back makes room."""
    world = capped
    first, second, third = await claimed(world), await claimed(world), await claimed(world)
    assert (await world.case(third)).claimed_by == ""
    assert "You have claimed 2 cases" in world.told(ANNA)
    await claimed(world, BEN)
    await world.click(ANNA, "unclaim", first)
    assert (await world.case(first)).claimed_by == ""
    await world.click(ANNA, "claim", third)
    assert "You have taken 3" not in world.told(ANNA)
    assert (await world.case(second)).claimed_by == ANNA


async def test_nobody_takes_more_within_an_hour_than_the_policy_allows(capped: World) -> None:
    """Claimed or let through, each case once; a rejection is never refused; an hour later there is room."""
    world = capped
    cases = [await world.submit() for _ in range(5)]
    await world.drain()
    await world.click(ANNA, "claim", cases[0])
    for case_id in cases[:3]:
        await world.click(ANNA, "approve", case_id)
        assert not (await world.case(case_id)).open
    await world.restart()
    await world.click(ANNA, "approve", cases[3])
    assert "You have taken 3 cases within the hour" in world.told(ANNA)
    assert "The next from" in world.told(ANNA)
    assert (await world.case(cases[3])).open
    await world.click(ANNA, "claim", cases[3])
    assert (await world.case(cases[3])).claimed_by == ""
    await world.click(ANNA, "reject", cases[4])
    await world.fill_in(ANNA, {"reason": "duplicate"})
    assert not (await world.case(cases[4])).open
    world.clock.now += timedelta(hours=1)
    await world.click(ANNA, "approve", cases[3], tier=1)
    assert not (await world.case(cases[3])).open
    assert await replay(world.bot.database) == []
