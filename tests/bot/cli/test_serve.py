"""What a start says: that the bot is ready, or in plain words what is in its way; and that `status` says the same."""

import gc
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.cli.serve import SWITCH_S, be_prompt, greet
from bot.readiness import Obstacle, Standing
from bot.sandbox.faults import Fault, Mode
from bot.sandbox.sandbox import Sandbox
from tests.bot.cli.shell import an_environment, serving, tierline

BOT, APP, SIGNING = "TIERLINE_SLACK_BOT_TOKEN", "TIERLINE_SLACK_APP_TOKEN", "TIERLINE_SLACK_SIGNING_SECRET"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Somebody else's Slack."""
    async with Sandbox(time.time) as sandbox:
        yield sandbox


@pytest.fixture
def env(sandbox: Sandbox, tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    """Settings of a bot that this Slack knows."""
    app = sandbox.config.slack.app
    known = {"TIERLINE_SLACK_API_URL": sandbox.slack_api_url, BOT: app.bot_token, SIGNING: app.signing_secret}
    return an_environment(tmp_path, sqlite_url) | known


async def test_a_start_with_the_right_tokens_is_ready(env: dict[str, str], tmp_path: Path) -> None:
    """The greeting, `/readyz` and `status` agree."""
    async with serving(env, tmp_path) as bot:
        assert (bot.greeting["ready"], bot.greeting["obstacles"]) == (True, [])
        assert await _ready(bot.url) == (200, [])
        status = await tierline("status", "--json", env=env, cwd=tmp_path)
        assert (status.code, status.json["ready"], status.json["obstacles"]) == (0, True, [])
    status = await tierline("status", env=env, cwd=tmp_path)
    assert "No bot serves this database now; tierline serve starts one." in status.out


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (BOT, "xoxb-of-another-app", "Slack refuses TIERLINE_SLACK_BOT_TOKEN (invalid_auth): it has to be the Bot User OAuth Token"),
        (BOT, "xapp-where-the-other-belongs", "TIERLINE_SLACK_BOT_TOKEN does not look right: it has to be the Bot User OAuth Token"),
        (BOT, "changeme", "TIERLINE_SLACK_BOT_TOKEN does not look right"),
        (BOT, "xoxb-pasted with a space", "TIERLINE_SLACK_BOT_TOKEN does not look right"),
        (APP, "xapp-of-another-app", "Slack refuses TIERLINE_SLACK_APP_TOKEN (invalid_auth): it has to be an App-Level Token"),
        (APP, "xoxb-where-the-other-belongs", "TIERLINE_SLACK_APP_TOKEN does not look right: it has to be an App-Level Token"),
        (SIGNING, "xoxb-where-the-secret-belongs", "TIERLINE_SLACK_SIGNING_SECRET does not look right: it has to be the Signing Secret"),
    ],
)
async def test_a_start_with_a_wrong_token_says_so(env: dict[str, str], tmp_path: Path, setting: str, value: str, said: str) -> None:
    """Refused or misshapen, in its own setting or another's: named at once with where the right one is found, and never ready."""
    env |= {setting: value}
    async with serving(env, tmp_path) as bot:
        assert (await _ready(bot.url, until=said))[0] == 503
        status = await tierline("status", env=env, cwd=tmp_path)
        assert status.code == 1
        assert "Not ready:" in status.out
        assert said in " ".join(status.out.split())
    assert "see place" not in bot.log
    assert value not in bot.log


def test_a_serving_process_is_set_up_for_people_who_wait() -> None:
    """Threads take turns within a millisecond, and what was there at the start is no garbage to look for."""
    before = sys.getswitchinterval()
    try:
        be_prompt()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


def test_a_start_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """People read that it is not ready, why, and where to look; of a ready one that it takes cases."""
    greet("http://127.0.0.1:8080", "s5sh6435", Standing([Obstacle("slack", "Slack refuses it.")], []).said(), as_json=False)
    said = capsys.readouterr().err
    assert said.startswith("Tierline (s5sh6435) runs at http://127.0.0.1:8080 and is not ready:\n  Slack refuses it.\n")
    assert "takes cases" not in said
    greet("http://127.0.0.1:8080", "s5sh6435", Standing([], [Obstacle("channels", "It is closed.", stops=False)]).said(), as_json=False)
    said = capsys.readouterr().err
    assert "takes cases at http://127.0.0.1:8080/v1/cases" in said
    assert "Needs attention: It is closed." in said


async def test_a_slack_that_cannot_be_reached_is_said(env: dict[str, str], sandbox: Sandbox, tmp_path: Path) -> None:
    """A start waits for nobody, or no clock would run: it says that Slack does not answer, and why."""
    sandbox.faults.add(Fault("slack", "auth.test", Mode.UNREACHABLE, times=None))
    async with serving(env, tmp_path) as bot:
        (sentence,) = bot.greeting["obstacles"]
        assert sentence.startswith("Slack cannot be reached (")
        assert await _ready(bot.url) == (503, [sentence])


async def _ready(url: str, until: str = "") -> tuple[int, list[str]]:
    """What `/readyz` says; asked until `until` is among it, for what is found out in the background."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/readyz") as response:
                obstacles = (await response.json())["obstacles"]
            if not until or any(until in sentence for sentence in obstacles):
                return response.status, obstacles
