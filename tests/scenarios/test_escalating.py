"""Nobody presses, or somebody hands the case on: reminders, the next tier, the page, the answer from PagerDuty, the safe state."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from routing.vocabulary import State, Verdict
from store.schema import vault
from tests.scenarios.test_tampering import write
from tests.world import ANNA, BEN, CHIARA, DMITRI, World, a_world
from tests.written import POLICY


@pytest.fixture
async def patient(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world in which a claim stays for hours though nothing is done with it."""
    async with a_world(tmp_path, database_url, policy=POLICY + "claims: {idle: 8h}\n") as world:
        yield world


async def test_nobody_presses(world: World) -> None:
    """Unacknowledged: the next tier gets card and page; acknowledged in PagerDuty, shown here; decided here, resolved there."""
    case_id = await world.submit()
    await world.drain()
    await world.pass_time(minutes=15)
    assert world.card(case_id)["channel"] == "C0TIER20001"
    assert "approve" not in world.buttons(case_id, tier=1)
    assert world.card(case_id, tier=2)["ts"].replace(".", "") in world.text(case_id, tier=1)
    [incident] = world.sandbox.pagerduty.incidents
    assert incident.status == "triggered"
    assert "Dmitri" in world.text(case_id)

    await world.sandbox.pagerduty.acknowledge(incident.id, "PDMITRI1")
    await world.drain()
    case = await world.case(case_id)
    assert case.acknowledged_by == "pagerduty:PDMITRI1"
    assert case.open
    assert "Dmitri Volkov" in world.thread(case_id)

    await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert world.callbacks(case_id)[0]["verdict"] == "approved"
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved"]


async def test_acknowledged_here_is_acknowledged_there(world: World) -> None:
    """Claiming the case on the card acknowledges the incident too, and stops the climbing."""
    case_id = await world.submit()
    await world.pass_time(minutes=15)
    await world.click(CHIARA, "claim", case_id)
    await world.drain()
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["acknowledged"]
    await world.pass_time(minutes=16)
    assert (await world.case(case_id)).tier == 1


async def test_reminders_then_the_next_tier(patient: World) -> None:
    """Claimed but not decided: reminded at half and at nine tenths, in the thread, then the next tier with everything known."""
    case_id = await patient.submit()
    await patient.drain()
    await patient.click(ANNA, "claim", case_id)
    await patient.click(ANNA, "comment", case_id)
    await patient.fill_in(ANNA, {"text": "Looks odd, two sellers."})
    await patient.drain()
    posts = len(patient.sandbox.slack.thread("C0TIER10001", patient.card(case_id)["ts"]))
    await patient.pass_time(hours=2)
    assert len(patient.sandbox.slack.thread("C0TIER10001", patient.card(case_id)["ts"])) == posts + 1
    assert f"<@{ANNA}>" in patient.thread(case_id)
    await patient.pass_time(hours=2)
    reminded = [one.fields.get("percent") for one in await patient.bot.reads.history(case_id) if one.kind == "reminded"]
    assert reminded[:2] == [50, 90]
    assert (await patient.case(case_id)).tier == 1
    assert "Looks odd, two sellers." in patient.text(case_id, tier=2) + patient.thread(case_id, tier=2)


async def test_escalate_by_hand(world: World) -> None:
    """A reviewer hands the case on with a reason: the seniors decide, the old group no longer can."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "escalate", case_id)
    await world.fill_in(ANNA, {"reason": "needs_specialist", "text": "Not sure about the seller."})
    await world.drain()
    assert (await world.case(case_id)).tier == 1
    await world.click(ANNA, "approve", case_id, tier=2)
    assert "not in the group" in world.told(ANNA)
    await world.click(CHIARA, "approve", case_id, tier=2)
    assert (await world.case(case_id)).verdict is Verdict.APPROVED


async def test_the_top_of_the_ladder_is_held_and_taken_up_again(world: World) -> None:
    """When nobody answers at the top the case is held, never approved; the service is told; a senior takes it up and decides."""
    case_id = await world.submit()
    await world.pass_time(minutes=31)
    assert (await world.case(case_id)).state is State.HELD
    assert [one["sequence"] for one in world.callbacks(case_id)] == [1]
    await world.click(DMITRI, "resume", case_id)
    await world.drain()
    await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert [one.type for one in world.sandbox.customer.inbox] == ["case.held", "case.released", "case.decided"]
    assert world.callbacks(case_id)[-1]["verdict"] == "approved"


async def test_resolved_in_pagerduty_with_the_case_open(world: World) -> None:
    """Resolving the incident decides nothing: after the acknowledge time a new incident rings."""
    case_id = await world.submit()
    await world.pass_time(minutes=15)
    [incident] = world.sandbox.pagerduty.incidents
    await world.sandbox.pagerduty.resolve(incident.id, "PDMITRI1")
    await world.drain()
    assert (await world.case(case_id)).open
    await world.pass_time(minutes=15)
    assert len(world.sandbox.pagerduty.incidents) == 2


async def test_each_step_has_its_own_clock_and_the_total_ends_them_all(patient: World) -> None:
    """A dual review has 2 h to verify and 4 h to approve; 3 h after its opening it is held, though the second step has time left."""
    case_id = await patient.submit(workflow="transfers")
    await patient.drain()
    opened = (await patient.case(case_id)).created_at
    assert (await patient.case(case_id)).clocks.decide == opened + timedelta(hours=2)
    assert "whatever tier it is at" not in patient.text(case_id)
    await patient.click(ANNA, "approve", case_id)
    verified = patient.clock.now
    await patient.drain()
    assert (await patient.case(case_id)).clocks.decide == verified + timedelta(hours=4)
    assert "it is held whatever tier it is at" in patient.text(case_id)
    await patient.click(BEN, "claim", case_id)
    await patient.pass_time(hours=3)
    case = await patient.case(case_id)
    assert (case.state, case.tier, case.verdict) == (State.HELD, 0, None)
    assert [one["reason"] for one in patient.callbacks(case_id)] == ["total_passed"]
    await patient.click(CHIARA, "resume", case_id)
    assert (await patient.case(case_id)).clocks.total == patient.clock.now + timedelta(hours=3)


async def test_a_case_the_service_waits_for_is_decided_sooner(world: World) -> None:
    """Synchronous: half an hour instead of the tier's four, then an hour for the next tier instead of its half."""
    case_id = await world.submit(workflow="limits")
    await world.drain()
    await world.click(ANNA, "claim", case_id)
    await world.pass_time(minutes=30)
    case = await world.case(case_id)
    assert case.tier == 1
    assert case.tier_since is not None
    assert case.clocks.decide == case.tier_since + timedelta(hours=1)


async def test_the_services_deadline(world: World) -> None:
    """Past its own deadline the service is told that nobody answered, and the card says so."""
    case_id = await world.submit(deadline="2026-11-20T12:10:00Z")
    await world.pass_time(minutes=11)
    [decided] = world.callbacks(case_id)
    assert (decided["verdict"], decided["reason_code"]) == ("expired", "deadline_passed")
    assert "approve" not in world.buttons(case_id)


async def test_a_page_needs_nothing_of_what_the_case_contains(world: World) -> None:
    """What it is made of holds no content, and somebody is rung also where the content cannot be read any more."""
    case_id = await world.submit(title="Planted-in-the-title")
    await world.drain()
    shown = await world.bot.views.to_page(case_id)
    assert shown is not None
    assert "Planted-in-the-title" not in repr(shown)
    await write(world, update(vault).values(box=b"damaged"))
    await world.pass_time(minutes=15)
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["triggered"]
