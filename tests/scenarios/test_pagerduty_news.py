"""What people do with our incidents at PagerDuty comes back: handed on, given back, reopened, of cases and of alerts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from routing.vocabulary import State
from tests.governed import GovernedWorld
from tests.scenarios.guardrails.test_breaking import SMALL
from tests.world import ANNA, CHIARA, DMITRI, GRACE, World, running

ACKNOWLEDGE = timedelta(minutes=15)


@pytest.fixture
async def paged(world: World) -> str:
    """A case that nobody took: its second tier is paged."""
    case_id = await world.submit()
    await world.pass_time(minutes=15)
    return case_id


async def test_an_acknowledgement_that_runs_out_starts_the_clock_anew(world: World, paged: str) -> None:
    """Acknowledged there the clock stands; given back, whoever is asked has the same time again, and then the ladder ends."""
    [incident] = world.sandbox.pagerduty.incidents
    await world.sandbox.pagerduty.acknowledge(incident.id, "PDMITRI1")
    await world.pass_time(minutes=10)
    assert (await world.case(paged)).acknowledged_by == "pagerduty:PDMITRI1"
    await world.sandbox.pagerduty.unacknowledge(incident.id)
    await world.drain()
    case = await world.case(paged)
    assert case.acknowledged_by == ""
    assert case.clocks.acknowledge == world.clock.now + ACKNOWLEDGE
    assert "acknowledged by" not in world.text(paged, tier=2)
    assert "The acknowledgement in PagerDuty has run out" in world.thread(paged, tier=2)
    await world.pass_time(minutes=14)
    assert (await world.case(paged)).state is State.PENDING
    await world.pass_time(minutes=2)
    assert (await world.case(paged)).state is State.HELD
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved"]


async def test_who_took_the_case_here_keeps_it(world: World, paged: str) -> None:
    """Claimed in Slack: when the acknowledgement there runs out, it is made again, so that nobody is woken for nothing."""
    await world.click(CHIARA, "claim", paged)
    await world.drain()
    [incident] = world.sandbox.pagerduty.incidents
    assert incident.status == "acknowledged"
    for _ in range(2):
        await world.sandbox.pagerduty.unacknowledge(incident.id)
        await world.drain()
        [incident] = world.sandbox.pagerduty.incidents
        assert incident.status == "acknowledged"
    assert (await world.case(paged)).acknowledged_by == CHIARA
    assert "rings again" not in world.thread(paged, tier=2)


@pytest.mark.parametrize(("how", "said"), [("reassigned", "Dmitri Volkov reassigned the incident"), ("escalated", "PagerDuty escalated")])
async def test_handed_on_there(world: World, paged: str, how: str, said: str) -> None:
    """It is a comment that names whom PagerDuty asks now, and nobody counts as having it until they acknowledge."""
    pagerduty = world.sandbox.pagerduty
    other = next(one for one in pagerduty.config.responders if one.id != "PDMITRI1")
    [incident] = pagerduty.incidents
    pagerduty.put_on_call(incident.service.escalation_policy_id, "PDMITRI1", other.id)
    await pagerduty.acknowledge(incident.id, "PDMITRI1")
    await world.drain()
    await (pagerduty.reassign(incident.id, "PDMITRI1", other.id) if how == "reassigned" else pagerduty.escalate(incident.id))
    await world.drain()
    assert said in world.thread(paged, tier=2)
    assert f"to {other.name}." in world.thread(paged, tier=2)
    assert (await world.case(paged)).acknowledged_by == ""
    await pagerduty.acknowledge(incident.id, other.id)
    await world.drain()
    assert (await world.case(paged)).acknowledged_by == f"pagerduty:{other.id}"


async def test_reopened_there_it_is_the_page_again(world: World, paged: str) -> None:
    """Resolved by mistake and reopened: no second incident rings beside it, and the decision settles it."""
    pagerduty = world.sandbox.pagerduty
    [incident] = pagerduty.incidents
    await pagerduty.resolve(incident.id, "PDMITRI1")
    await world.pass_time(minutes=1)
    await pagerduty.reopen(incident.id, "PDMITRI1")
    await world.drain()
    assert "reopened the incident" in world.thread(paged, tier=2)
    await world.pass_time(minutes=14)
    assert [one.status for one in pagerduty.incidents] == ["triggered"]
    await world.click(DMITRI, "approve", paged)
    await world.drain()
    assert [one.status for one in pagerduty.incidents] == ["resolved"]


async def test_of_a_case_that_is_over_it_is_a_comment(world: World, paged: str) -> None:
    """Whoever reopens an incident of a decided case has a reason; nothing here rings, and nothing is settled behind their back."""
    pagerduty = world.sandbox.pagerduty
    await world.click(DMITRI, "approve", paged)
    await world.drain()
    [incident] = pagerduty.incidents
    await pagerduty.reopen(incident.id, "PDMITRI1")
    await world.pass_time(minutes=30)
    assert "The case is decided by now." in world.thread(paged, tier=2)
    assert [one.status for one in pagerduty.incidents] == ["triggered"]


@pytest.fixture
async def alarmed(database_url: str, tmp_path: Path) -> AsyncIterator[GovernedWorld]:
    """A world whose workflow was stopped by an approval that was wrong: its alert pages."""
    async with running(GovernedWorld(tmp_path, database_url, False, policy=SMALL)) as world:
        case_id = await world.submit()
        await world.drain()
        await world.click(ANNA, "approve", case_id)
        await world.drain()
        await world.report(case_id, "found_wrong")
        await world.pass_time(minutes=2)
        yield world


def _alarm(world: GovernedWorld) -> str:
    [alert] = [world.read(one) for one in world.bulletins("review-ops") if "Incident" in world.read(one)]
    return alert


async def test_acknowledging_the_page_of_an_alert_marks_the_alert(alarmed: GovernedWorld) -> None:
    """As if pressed here: said in Slack with who it was, and given back again when the acknowledgement runs out there."""
    [incident] = alarmed.sandbox.pagerduty.incidents
    await alarmed.sandbox.pagerduty.acknowledge(incident.id, "PDMITRI1")
    await alarmed.drain()
    assert "acknowledged by PDMITRI1 (PagerDuty)" in _alarm(alarmed)
    assert await alarmed.leaves("alert_acknowledged") == 1
    await alarmed.sandbox.pagerduty.unacknowledge(incident.id)
    await alarmed.drain()
    assert "acknowledged by" not in _alarm(alarmed)


async def test_an_alert_outlives_its_incident(alarmed: GovernedWorld) -> None:
    """Closed there it stays here, says so, and ends when the workflow goes on; nothing is resolved a second time."""
    [incident] = alarmed.sandbox.pagerduty.incidents
    await alarmed.sandbox.pagerduty.resolve(incident.id, "PDMITRI1")
    await alarmed.drain()
    shown = _alarm(alarmed)
    assert "its incident in PagerDuty is closed" in shown
    assert (await alarmed.automation("refunds"))["automation"] == "paused"
    await alarmed.say(GRACE, "resume refunds The wrong refund was taken back.")
    await alarmed.pass_time(hours=2)
    assert [one.status for one in alarmed.sandbox.pagerduty.incidents] == ["resolved"]
    assert not alarmed.sandbox.pagerduty.record.find("event", action="resolve")


async def test_the_incident_of_an_alert_that_is_reopened_ends_with_it(alarmed: GovernedWorld) -> None:
    """Closed there by mistake and opened again: it is the alert's page once more, nobody has it, and it ends with the alert."""
    [incident] = alarmed.sandbox.pagerduty.incidents
    await alarmed.sandbox.pagerduty.resolve(incident.id, "PDMITRI1")
    await alarmed.drain()
    await alarmed.sandbox.pagerduty.reopen(incident.id, "PDMITRI1")
    await alarmed.drain()
    assert "is closed" not in _alarm(alarmed)
    assert "acknowledged by" not in _alarm(alarmed)
    await alarmed.say(GRACE, "resume refunds The wrong refund was taken back.")
    await alarmed.pass_time(minutes=1)
    assert [one.status for one in alarmed.sandbox.pagerduty.incidents] == ["resolved"]


@pytest.mark.parametrize("how", ["reassigned", "escalated"])
async def test_an_alert_that_is_handed_on_there_is_looked_after_by_nobody(alarmed: GovernedWorld, how: str) -> None:
    """Until whoever is asked now acknowledges it."""
    pagerduty = alarmed.sandbox.pagerduty
    other = next(one for one in pagerduty.config.responders if one.id != "PDMITRI1")
    [incident] = pagerduty.incidents
    await pagerduty.acknowledge(incident.id, "PDMITRI1")
    await (pagerduty.reassign(incident.id, "PDMITRI1", other.id) if how == "reassigned" else pagerduty.escalate(incident.id))
    await alarmed.drain()
    assert "acknowledged by" not in _alarm(alarmed)
    await pagerduty.acknowledge(incident.id, other.id)
    await alarmed.drain()
    assert f"acknowledged by {other.id} (PagerDuty)" in _alarm(alarmed)


async def test_who_acknowledged_an_alert_here_keeps_it(alarmed: GovernedWorld) -> None:
    """When the acknowledgement at PagerDuty runs out, it is made again: nobody is woken for what somebody looks after."""
    [shown] = [one for one in alarmed.bulletins("review-ops") if "Incident" in alarmed.read(one)]
    await alarmed.press(GRACE, shown, "acknowledge_alert")
    await alarmed.drain()
    for _ in range(2):
        [incident] = alarmed.sandbox.pagerduty.incidents
        assert incident.status == "acknowledged"
        await alarmed.sandbox.pagerduty.unacknowledge(incident.id)
        await alarmed.drain()
    assert [one.status for one in alarmed.sandbox.pagerduty.incidents] == ["acknowledged"]


@pytest.mark.parametrize("verb", ["claim", "comment"])
async def test_who_takes_it_here_after_somebody_there_keeps_it(world: World, paged: str, verb: str) -> None:
    """Acknowledged there, then taken in Slack: when the acknowledgement there runs out, the case is not taken from whoever works on it."""
    pagerduty = world.sandbox.pagerduty
    [incident] = pagerduty.incidents
    await pagerduty.acknowledge(incident.id, "PDMITRI1")
    await world.drain()
    await world.click(CHIARA, verb, paged)
    if verb == "comment":
        await world.fill_in(CHIARA, {"text": "I look at it."})
    await pagerduty.unacknowledge(incident.id)
    await world.pass_time(minutes=8)
    await world.click(CHIARA, "comment", paged)
    await world.fill_in(CHIARA, {"text": "Still at it."})
    await world.pass_time(minutes=8)
    case = await world.case(paged)
    assert (case.state, case.tier, case.acknowledged_by) == (State.PENDING, 1, CHIARA)
    assert [one.status for one in pagerduty.incidents] == ["acknowledged"]


async def test_nothing_rings_while_the_service_is_asked(world: World, paged: str) -> None:
    """Whoever asked has the case; an acknowledgement that runs out there meanwhile is made again."""
    pagerduty = world.sandbox.pagerduty
    [incident] = pagerduty.incidents
    await pagerduty.acknowledge(incident.id, "PDMITRI1")
    await world.drain()
    await world.click(CHIARA, "ask", paged)
    await world.fill_in(CHIARA, {"question": "Which order is it?"})
    await pagerduty.unacknowledge(incident.id)
    await world.drain()
    assert (await world.case(paged)).state is State.NEEDS_INFO
    assert [one.status for one in pagerduty.incidents] == ["acknowledged"]
