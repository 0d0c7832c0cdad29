"""Three replicas on one PostgreSQL find the same storm at one instant: a few pages ring, one list has the others, and none rings twice."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from routing.vocabulary import State
from tests.promises.judge import doubled, rung_after_resolve
from tests.promises.replay import replay
from tests.promises.week_company import Company
from tests.scenarios.test_page_storm import STORMY
from tests.world import running
from tests.written import SERVICES

CASES, ALONE = 9, 5


@pytest.fixture
async def company(tmp_path: Path, postgres_url: str) -> AsyncIterator[Company]:
    """Three replicas, each of which does at once whatever is due."""
    world = Company(tmp_path, postgres_url, socket_mode=False, policy=STORMY, services=SERVICES)
    world.replicas = 3
    async with running(world):
        yield world


async def turns(company: Company, goal: timedelta) -> None:
    """Time passes for all of them."""
    for _ in range(12):
        company.clock.now += goal / 12
        await company.turn()


async def test_replicas_that_find_a_storm_at_once_ring_each_page_once(company: Company) -> None:
    """Each case is in one place; who takes the list has what it lists; decided, nothing rings."""
    opened = [await company.submit(subject={"id": f"cust-{number}", "type": "customer"}) for number in range(CASES)]
    await turns(company, timedelta(seconds=12))
    company.clock.now += timedelta(hours=4, seconds=5)
    await company.turn()
    await turns(company, timedelta(minutes=2))
    incidents = company.sandbox.pagerduty.incidents
    assert Counter("/s_" in one.key for one in incidents) == {False: ALONE, True: 1}
    assert {one.triggers for one in incidents if "/s_" not in one.key} == {1}
    [digest] = (await company.bot.reads.governance()).digests
    alone = {one.key.split("/")[1] for one in incidents if "/s_" not in one.key}
    assert alone | {one.case for one in digest.listed} == set(opened)
    assert len(digest.listed) == CASES - ALONE
    [there] = [one for one in incidents if "/s_" in one.key]
    await company.sandbox.pagerduty.acknowledge(there.id, "PDMITRI1")
    await turns(company, timedelta(minutes=1))
    taken = [await company.case(one.case) for one in digest.listed]
    assert {one.acknowledged_by for one in taken} == {"pagerduty:PDMITRI1"}
    for case_id in opened:
        await company.sandbox.customer.withdraw(case_id, reason="Not needed.")
    await turns(company, timedelta(minutes=2))
    assert {(await company.case(case_id)).state for case_id in opened} <= {State.DECIDED, State.CLOSED}
    assert {one.status for one in company.sandbox.pagerduty.incidents} == {"resolved"}
    assert doubled(company.sandbox) + rung_after_resolve(company.sandbox) + await replay(company.bot.database) == []
