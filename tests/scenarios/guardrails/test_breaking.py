"""Circuit breakers: the figures go wrong, the workflow takes the next safer level by itself, people resume it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from routing.vocabulary import State
from tests.governed import GovernedWorld as World
from tests.world import ANNA, GRACE, running
from tests.written import POLICY

SMALL = (
    POLICY
    + """
breakers:
  - {name: override-rate, measure: override_rate, above: 0.15, minimum: 5}
  - {name: false-positives, measure: false_positives, above: 0, minimum: 1, level: incident, action: paused}
"""
)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose breakers need few cases."""
    async with running(World(tmp_path, database_url, False, policy=SMALL)) as world:
        yield world


async def test_too_many_overrides(world: World) -> None:
    """Two rejections in six: within a minute sampling is raised, the operations channel sees why, and a supervisor resumes."""
    for number in range(6):
        case_id = await world.submit()
        await world.drain()
        await world.click(ANNA, "reject" if number < 2 else "approve", case_id)
        if number < 2:
            await world.fill_in(ANNA, {"reason": "inaccurate"})
    await world.pass_time(minutes=2)
    assert (await world.automation("refunds"))["automation"] == "sampling_raised"
    [alert] = [one for one in world.bulletins("review-ops") if "Override rate" in world.read(one)]
    assert "0.333" in world.read(alert)
    assert world.told_service("workflow.changed")[-1]["automation"] == "sampling_raised"
    await world.pass_time(minutes=5)
    assert await world.leaves("breaker_tripped") == 1  # it does not trip again every minute
    await world.press(GRACE, alert, "acknowledge_alert")
    assert await world.leaves("alert_acknowledged") == 1
    await world.pass_time(hours=2)
    assert await world.leaves("breaker_cleared") == 1
    assert (await world.automation("refunds"))["automation"] == "sampling_raised"  # it clears, and more is checked for a while
    await world.pass_time(days=7)
    assert (await world.automation("refunds"))["automation"] == "on"  # seven clean days halve it again


async def test_an_incident_pauses_and_pages(world: World) -> None:
    """An approval found wrong: the workflow is paused, PagerDuty is paged once, an owner resumes it and the incident is resolved."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert await world.report(case_id, "found_wrong") == 200
    await world.pass_time(minutes=2)
    assert (await world.automation("refunds"))["automation"] == "paused"
    [incident] = world.sandbox.pagerduty.incidents
    await world.pass_time(minutes=5)
    assert len(world.sandbox.pagerduty.incidents) == 1
    await world.say(GRACE, "resume refunds The wrong refund was taken back.")
    await world.pass_time(hours=2)
    assert (await world.automation("refunds"))["automation"] == "sampling_raised"  # an error came to light
    [incident] = world.sandbox.pagerduty.incidents
    assert incident.status == "resolved"
    again = await world.submit()
    assert (await world.case(again)).state is State.PENDING


BY_MODEL = SMALL.replace("above: 0.15, minimum: 5}", "above: 0.15, minimum: 5, by_model: true}")


async def test_a_model_version_that_is_gone_leaves_no_alert_behind(database_url: str, tmp_path: Path) -> None:
    """Judged by version: once no case of that version comes any more, its alert is over, and needs nobody's attention for ever."""
    async with running(World(tmp_path, database_url, False, policy=BY_MODEL)) as world:
        for _ in range(5):
            case_id = await world.submit()
            await world.drain()
            await world.click(ANNA, "reject", case_id)
            await world.fill_in(ANNA, {"reason": "inaccurate"})
        await world.pass_time(minutes=2)
        assert await world.leaves("breaker_tripped") == 1
        await world.pass_time(hours=2)
        assert await world.leaves("breaker_cleared") == 1
