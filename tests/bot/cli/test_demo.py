"""The demonstration: what a newcomer runs first, and the smallest proof that everything works together."""

import asyncio
import json
import re
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.bot.cli.shell import TIERLINE, a_refund, names_in, tierline
from tests.checkout import EXAMPLES


@pytest.mark.timeout(3_600)
async def test_the_whole_story_plays_without_hands() -> None:
    """Every step is seen by the sandbox's own ledgers."""
    ran = await tierline("demo", "--once", "--json", "--patience", "600")
    assert ran.code == 0, ran.err
    assert all(step["seen"] for step in ran.lines)
    assert len(ran.lines) > 140
    told = " ".join(step["what"] for step in ran.lines)
    for story in (
        "what is missing",
        "corrected fields",
        "what failed",
        "told to undo it",
        "tied",
        "filed by itself now",
        "alert",
        "kept back",
    ):
        assert story in told


@pytest.mark.timeout(3_600)
async def test_a_step_that_did_not_happen_is_named() -> None:
    """With callbacks or pages lost on their way, the story ends with 1 and says which step nobody saw; those before it had time enough."""
    missing = {"callbacks": "the service has the decision", "pagerduty": "PagerDuty rings"}
    stories = [tierline("demo", "--once", "--json", "--fault", fault, "--patience", "40") for fault in missing]
    for ran, step in zip(await asyncio.gather(*stories), missing.values(), strict=True):
        assert ran.code == 1
        assert not ran.lines[-1]["seen"]
        assert step in ran.lines[-1]["what"]
        assert step in ran.err


async def test_hands_on_it_takes_cases_for_another_policy(tmp_path: Path) -> None:
    """The demonstration runs with a policy of one's own, and the printed service and secret post cases to it; Ctrl-C ends it."""
    process = await asyncio.create_subprocess_exec(
        TIERLINE, "demo", "--json", "--policy", EXAMPLES / "policy.yml", stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    try:
        found = json.loads(await process.stdout.readline())
        case = a_refund() | {"request": "Please refund me."}
        sender = ("--url", found["url"], "--service", found["service"], "--secret", found["secret"])
        ran = await tierline("send", "-", *sender, stdin=json.dumps(case))
        assert (ran.code, ran.lines[0]["status"]) == (0, 202)
        assert "refunds" in found["workflows"]
        (tmp_path / "next.yml").write_text((EXAMPLES / "policy.yml").read_text().replace('version: "', 'version: "next-'))
        proposed = await tierline("policy", "propose", "next.yml", "--reason", "Trying.", "--json", env=found["settings"], cwd=tmp_path)
        assert proposed.code == 0, proposed.err
        (tmp_path / "next.yml").unlink()
        assert found["page_url"].startswith("http://127.0.0.1:")
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
    assert names_in(tmp_path) == []


async def test_hands_on_the_service_reports_what_it_executed(tmp_path: Path) -> None:
    """The summary that is approved without anybody is executed and reported, so that its case is closed and not left waiting."""
    process = await asyncio.create_subprocess_exec(TIERLINE, "demo", "--json", stdout=asyncio.subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    try:
        found = json.loads(await process.stdout.readline())
        assert found["cases"] == 14
        async with aiohttp.ClientSession() as session:
            figures = ""
            while not re.search(r'tierline_letters_total\{kind="outcome",status="200"\} [1-9]', figures):
                async with session.get(f"{found['url']}/metrics") as answer:
                    figures = await answer.text()
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
