"""The last tier is paged by PagerDuty and by e-mail, again and again until somebody takes the case; else the safe state and an alarm."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault, Mode
from routing.vocabulary import State, Verdict
from tests.governed import GovernedWorld
from tests.mail_server import MailServer, a_mail_server
from tests.world import DMITRI, running
from tests.written import POLICY

OLD = "ack: 15m, decide: 30m,"
EXECUTIVE = POLICY.replace(OLD, "decide: 4h, repeat: {every: 5m, most: 3}, email: [chief@northwind.example],")
assert EXECUTIVE != POLICY


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture(params=["hold", "reject", "quarantine"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """A world whose second tier is paged three times, and whose ladder ends in each safe state."""
    policy = EXECUTIVE.replace("exhausted: hold", f"exhausted: {request.param}")
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=policy, smtp_url=mail.url)) as world:
        yield world


@pytest.fixture
async def holding(tmp_path: Path, postgres_url: str, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """The same that ends held, on PostgreSQL."""
    async with running(GovernedWorld(tmp_path, postgres_url, socket_mode=False, policy=EXECUTIVE, smtp_url=mail.url)) as world:
        yield world


def alarms(world: GovernedWorld) -> list[str]:
    """What operations read of it."""
    return [text for text in map(world.read, world.bulletins("review-ops")) if "paged again and again" in text]


async def test_nobody_ever_answers(world: GovernedWorld, mail: MailServer) -> None:
    """Paged at once and twice more, each an incident and a mail of its own; then the safe state with event, alarm and callback."""
    case_id = await world.submit()
    await world.pass_time(minutes=40)
    assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved"] * 3
    assert len({one.key for one in world.sandbox.pagerduty.incidents}) == 3
    assert len(mail.taken) == 3
    assert all("repeated every 5 min until somebody has taken the case, 3 times at most" in text.replace("\n", " ") for text in mail.texts)
    history = await world.bot.reads.history(case_id)
    paged = [one.at for one in history if one.kind.value == "paged"]
    assert [one.fields.get("instead_of") for one in history if one.kind.value == "paged"] == [None, 1, 2]
    assert [(later - paged[0]).total_seconds() for later in paged] == [0, 300, 600]
    case = await world.case(case_id)
    safe = case.route.exhausted.value
    if safe == "reject":
        assert (case.state, case.verdict) == (State.DECIDED, Verdict.EXPIRED)
        [ended] = [one for one in history if one.kind.value == "expired"]
    else:
        assert (case.state, case.held_by) == (State.HELD, "ladder" if safe == "hold" else "quarantine")
        [ended] = [one for one in history if one.kind.value == "held"]
    assert (ended.at - paged[0]).total_seconds() == 900
    assert len(world.callbacks(case_id)) == 1
    [alarm] = alarms(world)
    assert {"hold": "was held", "reject": "expired", "quarantine": "was put in quarantine"}[safe] in alarm


async def test_taken_after_the_second_page(holding: GovernedWorld, mail: MailServer) -> None:
    """Acknowledged in PagerDuty: no third page, no alarm, and the case still has to be decided."""
    case_id = await holding.submit()
    await holding.pass_time(minutes=20)
    second = holding.sandbox.pagerduty.incidents[-1]
    assert second.key.endswith("/2/2")
    await holding.sandbox.pagerduty.acknowledge(second.id, "PDMITRI1")
    await holding.pass_time(minutes=30)
    assert len(holding.sandbox.pagerduty.incidents) == len(mail.taken) == 2
    assert not alarms(holding)
    assert (await holding.case(case_id)).state is State.PENDING
    await holding.click(DMITRI, "approve", case_id)
    await holding.drain()
    assert {one.status for one in holding.sandbox.pagerduty.incidents} == {"resolved"}


async def test_pagerduty_is_gone_all_the_time(holding: GovernedWorld, mail: MailServer) -> None:
    """The mails go out with each page all the same, operations are told once, and the safe state comes at its time."""
    holding.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))
    case_id = await holding.submit()
    await holding.pass_time(minutes=45)
    assert (await holding.case(case_id)).state is State.HELD
    assert len(mail.taken) == 3
    assert [one.kind.value for one in await holding.bot.reads.history(case_id)].count("page_not_accepted") == 1
    assert not holding.sandbox.pagerduty.incidents
    assert len(alarms(holding)) == 1


async def test_pagerduty_goes_after_the_first_page(holding: GovernedWorld, mail: MailServer) -> None:
    """That it took one round says nothing of the next: this one has its own patience, and operations are told that nobody took it."""
    case_id = await holding.submit()
    while not holding.sandbox.pagerduty.incidents:
        await holding.pass_time(minutes=1)
    holding.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))
    await holding.pass_time(minutes=45)
    assert (await holding.case(case_id)).state is State.HELD
    assert len(mail.taken) == 3
    assert [one.kind.value for one in await holding.bot.reads.history(case_id)].count("page_not_accepted") == 1
