"""The launch checklist against the sandbox's Slack and PagerDuty: nothing missing where all is there, and every planted fault found."""

import asyncio
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.launch.checklist import Report
from bot.launch.finding import State
from bot.sandbox.faults import Fault as Trouble
from bot.sandbox.faults import Mode
from bot.sandbox.sandbox import SandboxConfig
from tests.bot.launch.faults import FAULTS, Fault
from tests.bot.launch.site import a_site, a_workspace, lines
from tests.checkout import ROOT

pytestmark = pytest.mark.outside


async def test_every_check_stands_in_the_documents(tmp_path: Path, url: str) -> None:
    """With what has to be so and what to do if it is not, in the order in which it is told."""
    async with a_workspace() as sandbox:
        report = await a_site(tmp_path, sandbox, url).look()
    document = (ROOT / "docs" / "launch.md").read_text().partition("## Every check")[2]
    rows = re.findall(r"^\| ([a-z -]+) \| (\S.*) \| (\S.*) \|$", document, re.MULTILINE)
    assert [name for name, _, _ in rows[1:]] == list(report.found)


@pytest.fixture
def url(tmp_path: Path, sqlite_template: Path) -> str:
    """A database in a folder of its own, with tables and nothing in them."""
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "tierline.db"
    file.write_bytes(sqlite_template.read_bytes())
    return f"sqlite+aiosqlite:///{file}"


async def looked(folder: Path, url: str, faults: Sequence[Fault]) -> Report:
    """What is found where these faults are planted."""
    config = SandboxConfig()
    for fault in faults:
        config = fault.company(config)
    async with a_workspace(config, sum(fault.off_s for fault in faults)) as sandbox:
        site = a_site(folder, sandbox, url)
        for fault in faults:
            fault.plant(site)
        report = await site.look(page=any(fault.page for fault in faults))
        told = "\n".join(f"{one.about} {one.said} {one.mend}" for _, one in lines(report, *State))
        assert [name for name, value in site.secrets.items() if value in told] == []
        return report


def unfound(report: Report, faults: Sequence[Fault]) -> list[str]:
    """The faults that no line names together with its remedy."""
    told = lines(report, State.MISSING)
    return [
        fault.name
        for fault in faults
        if not any(fault.check in other.hides for other in faults if other is not fault)
        and not any(check == fault.check and fault.said in f"{one.about} {one.said}" and fault.mend in one.mend for check, one in told)
    ]


@pytest.mark.parametrize("page", [False, True])
async def test_where_all_is_there_nothing_is_missing(tmp_path: Path, url: str, page: bool) -> None:
    """Every check says that it is well; a page is made and ended only where it was asked for."""
    async with a_workspace() as sandbox:
        report = await a_site(tmp_path, sandbox, url).look(page=page)
        assert lines(report, State.MISSING) == []
        assert [check for check, _ in lines(report, State.WARN)] == ["contacts"]
        assert all(report.found.values())
        assert [incident.status for incident in sandbox.pagerduty.incidents] == ["resolved"] * (2 if page else 0)


async def test_one_that_hangs_keeps_no_other_from_being_told(tmp_path: Path, url: str) -> None:
    """What waits for an answer that never comes is given up in the end; how far the rest is, is said meanwhile."""
    async with a_workspace() as sandbox:
        site, never, rest = a_site(tmp_path, sandbox, url), asyncio.Event(), asyncio.Event()
        sandbox.faults.add(Trouble("slack", "users.info", Mode.DELAY, times=None, until=never))

        def told(done: int, total: int) -> None:
            if done == total - 2:  # all but groups and people
                rest.set()

        looking = asyncio.create_task(site.look(told=told))
        await rest.wait()
        site.timeouts.run_out()
        report = await looking
        never.set()
    assert {check for check, _ in lines(report, State.MISSING)} == {"groups", "people"}
    assert all(one.mend for _, one in lines(report, State.MISSING))


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_each_fault_is_found_with_its_remedy(tmp_path: Path, url: str, fault: Fault) -> None:
    """In the check it belongs to, and in no other that it does not hide."""
    report = await looked(tmp_path, url, [fault])
    assert unfound(report, [fault]) == []
    assert {check for check, _ in lines(report, State.MISSING)} <= {fault.check} | fault.hides | fault.also


@pytest.mark.parametrize("seed", range(6))
async def test_faults_that_come_together_are_all_found(tmp_path: Path, url: str, seed: int) -> None:
    """As many as can be planted together, in whatever order: none hides another that somebody could mend at once."""
    drawn = random.Random(seed)  # noqa: S311  # no secret
    faults: list[Fault] = []
    for fault in drawn.sample(FAULTS, len(FAULTS)):
        if set(fault.touches.split()).isdisjoint(word for one in faults for word in one.touches.split()):
            faults.append(fault)
    report = await looked(tmp_path, url, faults)
    assert len(faults) >= 12
    assert unfound(report, faults) == []
