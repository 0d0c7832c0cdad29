"""Nobody decides what they asked for, nor twice, under whatever address or id they come."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox, SandboxConfig
from bot.sandbox.slack.seed import SLACK
from routing.vocabulary import State, Verdict
from tests.routing.case.test_address import ANNA as HER_ADDRESS
from tests.routing.case.test_address import SPELLINGS
from tests.world import ANNA, BEN, CHIARA, World, running
from tests.written import POLICY

ENTERPRISE = "W0ANNA00009"


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The company, in which Anna is anna@example.com and known to the enterprise by another id; Ben is Anna's second account."""
    roomy = POLICY.replace("owners: review-owners}", "owners: review-owners, window: 100}", 1)  # for a case of each spelling
    made = World(tmp_path, sqlite_url, socket_mode=False, policy=roomy)
    she: dict[str, dict[str, Any]] = {
        ANNA: {"email": HER_ADDRESS, "enterprise_user": ENTERPRISE},
        BEN: {"email": "anna+second@example.com"},
    }
    users = tuple(replace(user, **she.get(user.id, {})) for user in SLACK.users)
    made.sandbox = Sandbox(made.clock.unix, SandboxConfig(slack=replace(SLACK, users=users)))
    async with running(made) as world:
        yield world


async def test_however_her_address_is_spelled_she_does_not_decide(world: World) -> None:
    """Every spelling keeps her from deciding and nobody else."""
    cases = [await world.submit(requester={"email": spelled}) for spelled in SPELLINGS.values()]
    await world.drain()
    for case_id in cases:
        await world.click(ANNA, "approve", case_id)
        assert (await world.case(case_id)).open
        assert "somebody else has to decide" in world.told(ANNA)
    await world.click(CHIARA, "approve", cases[0])
    assert (await world.case(cases[0])).verdict is Verdict.APPROVED


async def test_an_id_of_the_enterprise_is_hers(world: World) -> None:
    """The service knows her by the id of the enterprise, Slack's presses bring that of the workspace."""
    case_id = await world.submit(requester={"slack_id": ENTERPRISE})
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    assert (await world.case(case_id)).open
    assert "somebody else has to decide" in world.told(ANNA)


async def ben_is_no_second_person(world: World) -> None:
    """In a dual review Ben's account counts as Anna again; it takes Chiara."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    await world.click(BEN, "approve", case_id)
    assert (await world.case(case_id)).open
    assert "another person" in world.told(BEN)
    await world.click(CHIARA, "approve", case_id)
    assert (await world.case(case_id)).verdict is Verdict.APPROVED


async def test_two_accounts_of_one_person_are_no_two_people(world: World) -> None:
    """A dual review wants another person, not another account with a tag in its address."""
    await ben_is_no_second_person(world)


@pytest.fixture
async def dotless(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The company, whose policy says that dots before the @ mean nothing at example.com; Ben is Anna's second account there."""
    made = World(tmp_path, sqlite_url, socket_mode=False, policy=f"{POLICY}dotless_domains: [example.com]\n")
    addresses = {ANNA: "anna@example.com", BEN: "a.nna@example.com"}
    users = tuple(replace(user, email=addresses.get(user.id, user.email)) for user in SLACK.users)
    made.sandbox = Sandbox(made.clock.unix, SandboxConfig(slack=replace(SLACK, users=users)))
    async with running(made) as world:
        yield world


async def test_two_accounts_that_differ_by_a_dot_are_one_person_where_the_policy_says_so(dotless: World) -> None:
    """In a dual review the second account of a domain without dots is the first person again."""
    await ben_is_no_second_person(dotless)


@pytest.mark.parametrize("email", ["anna", "anna at example.com", "Anna <anna@example.com>", "an\u16a8na@example.com"])
async def test_who_cannot_be_read_is_asked_for(world: World, email: str) -> None:
    """What is no address names nobody, so the service is asked, also where a requester is optional: one is named, and may be anybody."""
    status, answer = await world.post(requester={"email": email})
    assert (status, answer["state"]) == (202, State.NEEDS_INFO)


@pytest.mark.parametrize("email", ["Anna <anna@example.com>", "mailto:anna+x@example.com", "ben@example.org; anna@example.com"])
async def test_whose_address_stands_in_what_cannot_be_read_does_not_decide(world: World, email: str) -> None:
    """Nobody says who it was, and people decide in the end; not she, who may be meant."""
    asked_for, renamed = await world.post(requester={"email": email}), await world.submit()
    await world.sandbox.customer.supply_information(renamed, case={"requester": {"email": email}})
    await world.pass_time(hours=24, minutes=5)
    case_id = str(asked_for[1]["id"])
    for one, state in ((case_id, State.PENDING), (renamed, State.HELD)):
        case = await world.case(one)
        assert (case.state, len(case.barred) > 0) == (state, True)
    await world.click(ANNA, "approve", case_id)
    assert (await world.case(case_id)).open
    assert "somebody else has to decide" in world.told(ANNA)
    await world.click(CHIARA, "approve", case_id)
    assert (await world.case(case_id)).verdict is Verdict.APPROVED
