"""The office closes: what is of high risk does not sleep until morning, whenever it comes, and everybody can see where it went and why."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from routing.vocabulary import EventKind
from tests.world import ANNA, CHIARA, NOON, World, a_world
from tests.written import POLICY

OFFICE = """
calendars: {office: {timezone: Europe/Berlin, hours: "09:00-18:00", holidays: DE-BE}}
ladders:
  watched:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U0GRACE0001, decide: 8h, calendar: office, closed: {to: 2}}
      - {channel: review-tier2, group: seniors, owner: U0GRACE0001, ack: 15m, decide: 30m, pagerduty: {routing_key: "${PD_TIER2}"}}
"""
WATCHED = POLICY.replace("ladders:\n", OFFICE.lstrip(), 1).replace(
    "  refunds: {ladder: standard,", "  refunds: {ladder: watched, start: {specialist: 1, expert: 1},"
)
GRAVE = {"impact": "high", "likelihood": 0.5, "recoverability": "easy"}
CLOSES = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose first tier keeps office hours in Berlin."""
    async with a_world(tmp_path, request.getfixturevalue(request.param), policy=WATCHED) as world:
        yield world


async def handed(world: World, case_id: str) -> list[dict[str, object]]:
    """What the log says of a case being handed over because a tier is closed."""
    history = await world.bot.reads.history(case_id)
    return [dict(one.fields) for one in history if one.kind is EventKind.ESCALATED and one.fields.get("clock") == "closed"]


async def test_a_grave_case_does_not_wait_for_the_office(world: World) -> None:
    """When it closes the seniors have it, with a page and everything known; it was said before; in the morning it stays with them."""
    grave, slight = await world.submit(risk=GRAVE), await world.submit()
    await world.drain()
    assert "it goes to tier 2 (#review-tier2), which is paged, because tier 1 closes then" in world.text(grave)
    assert "business hours Berlin" in world.text(grave)
    assert "closes then" not in world.text(slight)
    await world.click(ANNA, "comment", grave)
    await world.fill_in(ANNA, {"text": "Two sellers, one address."})
    await world.pass_time(seconds=(CLOSES - world.clock.now).total_seconds())
    assert [(await world.case(one)).tier for one in (grave, slight)] == [1, 0]
    assert await handed(world, grave) == [{"clock": "closed", "tier": 1, "to_tier": 2}]
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["triggered"]
    assert "approve" not in world.buttons(grave, tier=1)
    assert world.card(grave, tier=2)["ts"].replace(".", "") in world.text(grave, tier=1)
    assert "because tier 1 was closed" in world.text(grave, tier=2)
    assert "Two sellers, one address." in world.text(grave, tier=2) + world.thread(grave, tier=2)
    assert "Tier 1 is closed until" in world.thread(grave, tier=2)
    await world.click(CHIARA, "claim", grave, tier=2)
    await world.click(CHIARA, "approve", grave, tier=2)
    await world.drain()
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved"]


async def test_a_grave_case_of_the_night_never_reaches_the_empty_office(world: World) -> None:
    """It comes straight to the seniors, once: no card and no clock at the tier that is closed; the service is told the tier that has it."""
    world.clock.now = NOON + timedelta(hours=9)
    status, answer = await world.post(risk=GRAVE)
    case_id = str(answer["id"])
    await world.drain()
    assert (status, answer["tier"], answer["due_at"]) == (202, 2, "2026-11-20T21:15:00.000000Z")
    assert [card["channel"] for card in world.cards(case_id)] == ["C0TIER20001"]
    assert len(world.sandbox.pagerduty.incidents) == 1
    assert "because tier 1 was closed" in world.text(case_id)
    slight = await world.submit()
    await world.drain()
    assert (await world.case(slight)).tier == 0


async def test_an_answer_that_comes_at_night_is_read_at_night(world: World) -> None:
    """Asked in the afternoon, answered in the evening: whoever is there has it; before, the case waited for its service."""
    case_id = await world.submit(risk=GRAVE)
    await world.drain()
    await world.click(ANNA, "ask", case_id)
    await world.fill_in(ANNA, {"question": "Which order?"})
    await world.pass_time(hours=7)
    assert (await world.case(case_id)).tier == 0
    await world.sandbox.customer.supply_information(case_id, answer="Order 17.")
    await world.drain()
    assert (await world.case(case_id)).tier == 1
    assert await handed(world, case_id) == [{"clock": "closed", "tier": 1, "to_tier": 2}]
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["triggered"]
