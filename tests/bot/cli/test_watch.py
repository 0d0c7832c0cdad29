"""`tierline watch` as people run it: what it needs, what it says, how it ends. When it pages is told in `tests/bot/watch`."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.bot.cli.shell import TIERLINE, tierline
from tests.bot.watch.peers import answering, saying

KEY = "TIERLINE_WATCH_ROUTING_KEY"
WELL = saying("200 OK", '{"ready": true, "obstacles": [], "attention": []}')


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Somebody else's PagerDuty."""
    async with Sandbox(time.time) as sandbox:
        yield sandbox


def settings(sandbox: Sandbox) -> dict[str, str]:
    """All that the second machine needs."""
    return {KEY: sandbox.config.pagerduty.services[2].routing_key, "TIERLINE_PAGERDUTY_EVENTS_URL": sandbox.pagerduty_events_url}


async def test_one_look_says_whether_all_is_set_up(sandbox: Sandbox, tmp_path: Path) -> None:
    """0 when the bot is ready and PagerDuty is there; 1 when either is not so. PagerDuty is sent nothing, whatever is seen."""
    async with answering(WELL) as url:
        ran = await tierline("watch", url, "--once", "--json", env=settings(sandbox), cwd=tmp_path)
        assert (ran.code, [line["event"] for line in ran.lines]) == (0, ["ready"])
        gone = {"TIERLINE_PAGERDUTY_EVENTS_URL": "http://127.0.0.1:9"}
        ran = await tierline("watch", url, "--once", env=settings(sandbox) | gone, cwd=tmp_path)
        assert ran.code == 1
        assert "if the bot failed now, nobody would be paged" in ran.err
    ran = await tierline("watch", url, "--once", env=settings(sandbox), cwd=tmp_path)
    assert (ran.code, "Not ready: connection refused" in ran.err) == (1, True)
    assert sandbox.pagerduty.record.count("event") == 0


async def test_what_cannot_be_understood_ends_with_2(sandbox: Sandbox, tmp_path: Path) -> None:
    """No key, no address, a name that does not exist: said in a sentence, before anything is watched."""
    env = settings(sandbox)
    for arguments, environment, said in (
        (("http://127.0.0.1:9",), {}, f"{KEY}: needed to page"),
        (("127.0.0.1:9",), env, "expected the URL of a bot"),
        (("http://127.0.0.1:9", "--within", "47.9"), env, "expected 48 seconds or more"),
        (("http://127.0.0.1:9", "--within", "nan"), env, "expected 48 seconds or more"),
        (("http://127.0.0.1:9",), env | {"TIERLINE_WATCH_ROUTNG_KEY": "x"}, KEY),
    ):
        ran = await tierline("watch", *arguments, env=environment, cwd=tmp_path)
        assert (ran.code, said in " ".join(ran.err.split()), "Traceback" in ran.err) == (2, True, False), arguments


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_with_0_when_it_is_told_to(sandbox: Sandbox, tmp_path: Path, number: signal.Signals) -> None:
    """Also while the bot hangs; what it sees is a JSON line at once."""
    async with answering(saying("503 Service Unavailable", '{"ready": false, "obstacles": ["The database does not answer."]}')) as url:
        pipe = asyncio.subprocess.PIPE
        command = (TIERLINE, "watch", url, "--json")
        process = await asyncio.create_subprocess_exec(*command, env=settings(sandbox), cwd=tmp_path, stdout=pipe, stderr=pipe)
        assert process.stdout is not None
        line = json.loads(await process.stdout.readline())
        assert (line["event"], line["sentence"]) == ("not_ready", "Not ready: The database does not answer.")
        process.send_signal(number)
        _, err = await process.communicate()
    assert (process.returncode, "Traceback" in err.decode()) == (0, False)
