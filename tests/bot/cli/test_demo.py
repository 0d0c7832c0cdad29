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
async def test_the_whole_story_plays_without_hands_and_a_step_that_did_not_happen_is_named() -> None:
    """Every step is seen by the sandbox's own ledgers. With callbacks or pages lost on their way, the story ends with 1 and says which step
    nobody saw; those before it had time enough. All of them play at once: most of what the broken ones do is to wait.
    """
    missing = {"callbacks": "the service has the decision", "pagerduty": "PagerDuty rings"}
    broken = [tierline("demo", "--once", "--json", "--fault", fault, "--patience", "40") for fault in missing]
    ran, *stories = await asyncio.gather(tierline("demo", "--once", "--json", "--patience", "600"), *broken)
    assert ran.code == 0, ran.err
    assert all(step["seen"] for step in ran.lines)
    assert len(ran.lines) > 200
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
        "by e-mail",
        "business hours",
        "page 3 of 3",
        "postmortem",
        "break-glass",
        "the report in its thread",
        "falls silent",
    ):
        assert story in told
    for stopped, step in zip(stories, missing.values(), strict=True):
        assert stopped.code == 1
        assert not stopped.lines[-1]["seen"]
        assert step in stopped.lines[-1]["what"]
        assert step in stopped.err


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
        assert found["cases"] == 16
        async with aiohttp.ClientSession() as session:
            figures = ""
            while not re.search(r'tierline_letters_total\{kind="outcome",status="200"\} [1-9]', figures):
                async with session.get(f"{found['url']}/metrics") as answer:
                    figures = await answer.text()
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
