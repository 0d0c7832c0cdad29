"""A storm where nobody has a pager: past the limit one mail lists the cases, and is written again as more join, never one for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from routing.vocabulary import State
from tests.governed import GovernedWorld
from tests.mail_server import MailServer, a_mail_server
from tests.promises.replay import replay
from tests.world import DMITRI, running
from tests.written import POLICY

FIRST = 'pagerduty: {routing_key: "${PD_TIER2}", severity: warning, escalation_policy: PPTIER2A}'
WRITTEN_TO = POLICY.replace(FIRST, "email: [duty@northwind.example]").replace(
    "ladders:\n", "pages: {storm: {most: 1, within: 1h}}\nladders:\n", 1
)
assert FIRST in POLICY


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path, mail: MailServer) -> AsyncIterator[GovernedWorld]:
    """A company whose second tier is written to, and has no pager."""
    async with running(GovernedWorld(tmp_path, sqlite_url, socket_mode=False, policy=WRITTEN_TO, smtp_url=mail.url)) as world:
        yield world


async def test_a_storm_of_mails_is_a_few(world: GovernedWorld, mail: MailServer) -> None:
    """Five cases at once, and one two minutes later: the mail of the first, a list of the others, and the list once more. It is over with
    the last of them, and says nothing of that; whoever claims one has that one.
    """
    opened = [await world.submit(subject={"id": f"cust-{number}", "type": "customer"}) for number in range(5)]
    await world.pass_time(minutes=2)
    opened.append(await world.submit(subject={"id": "cust-9", "type": "customer"}))
    await world.pass_time(minutes=16)
    [digest] = (await world.bot.reads.governance()).digests
    assert digest.count == 5
    assert 3 <= len(mail.taken) <= 4
    last = str(mail.taken[-1]["Subject"])
    assert last.startswith("[Tierline] 5 cases wait for people, listed in one page")
    assert all(case_id in "".join(mail.texts) for case_id in opened)
    assert "acknowledge this incident" not in mail.texts[-1].lower()
    assert all([(await world.case(case_id)).pages[0].accepted for case_id in opened])
    assert not world.sandbox.pagerduty.incidents
    await world.click(DMITRI, "claim", opened[3])
    for case_id in opened:
        await world.click(DMITRI, "approve", case_id)
    written = len(mail.taken)
    await world.pass_time(minutes=2)
    assert {(await world.case(case_id)).state for case_id in opened} == {State.DECIDED}
    assert all(one.over for one in (await world.bot.reads.governance()).digests)
    assert len(mail.taken) == written
    assert await replay(world.bot.database) == []
