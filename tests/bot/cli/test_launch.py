"""From an empty folder to a launch: `init` writes the files, `readiness` says what is left until nothing is."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.cli.init import FILES
from bot.sandbox.faults import Fault, Mode
from bot.sandbox.sandbox import Sandbox
from bot.services import services_schema
from bot.settings import PREFIX, Settings, read_environment, read_settings
from tests.bot.cli.shell import Ran, names_in, serving, tierline
from tests.bot.launch.site import Site, a_site


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Somebody else's Slack and PagerDuty."""
    async with Sandbox(time.time) as sandbox:
        yield sandbox


@pytest.fixture
def site(sandbox: Sandbox, sqlite_url: str, tmp_path: Path) -> Site:
    """Everything that a launch needs."""
    folder = tmp_path / "site"
    folder.mkdir()
    site = a_site(folder, sandbox, sqlite_url)
    site.environment["TIERLINE_CHECKPOINT_DIR"] = str(tmp_path.parent / f"{tmp_path.name}-checkpoints")
    site.write()
    return site


async def test_init_writes_what_can_be_used_and_says_what_is_next(tmp_path: Path) -> None:
    """The policy and the services pass their checks, the settings can be read and are all of them; readiness says what is left."""
    ran = await tierline("init", "new", cwd=tmp_path)
    here = tmp_path / "new"
    assert (ran.code, names_in(here)) == (0, sorted(FILES))
    assert "tierline readiness" in ran.err
    assert (await tierline("policy", "check", cwd=here)).code == 0
    assert (await tierline("services", "check", cwd=here)).code == 0
    jsonschema.validate(yaml.safe_load((here / "services.yml").read_text()), services_schema())
    services = here / "services.yml"
    services.write_text(services.read_text().replace("refunds.internal.example", "10.20.0.7"))  # no name of it is known here
    (here / ".env.example").rename(here / ".env")
    (here / ".env").chmod(0o600)
    text = (here / ".env").read_text()
    assert {line.partition("=")[0] for line in text.splitlines() if line.startswith(PREFIX)} == {
        PREFIX + name.upper() for name in Settings.model_fields
    }
    written = {name: value for name, value in read_environment(here / ".env").items() if name in text}
    assert read_settings(written) == Settings()
    left = await tierline("readiness", "--json", cwd=here)
    assert left.code == 1
    named_by_the_policy = {"ladders", "roles", "scopes", "channels", "groups", "people"}
    assert checks(left, "missing") == named_by_the_policy | {"slack", "checkpoints", "heartbeat", "services", "callbacks"}
    assert all(line["mend"] for line in left.json["findings"] if line["state"] != "ok")
    assert names_in(here) == [".env", "policy.yml", "services.yml"]


@pytest.mark.parametrize("name", FILES)
async def test_init_overwrites_nothing(tmp_path: Path, name: str) -> None:
    """One of the files is there: none is written, and it is left as it is."""
    (tmp_path / name).write_text("mine\n")
    ran = await tierline("init", cwd=tmp_path)
    assert (ran.code, names_in(tmp_path)) == (2, [name])
    assert (tmp_path / name).read_text() == "mine\n"


async def test_readiness_ends_with_0_where_nothing_is_missing(site: Site, sandbox: Sandbox) -> None:
    """In words, with its warnings, and without a secret; each routing key is paged once and resolved where that is asked for."""
    ran = await tierline("readiness", "--page", env=site.environment, cwd=site.folder)
    assert (ran.code, "Nothing is missing; 1 warning." in ran.err) == (0, True), ran.out
    assert "A test page was accepted, and is resolved." in ran.out
    assert [incident.status for incident in sandbox.pagerduty.incidents] == ["resolved", "resolved"]
    assert_nothing_secret(site, ran)


async def test_readiness_ends_with_1_where_something_is(site: Site, sandbox: Sandbox) -> None:
    """Three that are wrong at once, each with its remedy, and nothing secret though PagerDuty and Slack complain."""
    site.environment |= {"TIERLINE_SLACK_BOT_TOKEN": "xoxb-of-another-app", "PD_TIER2": "0" * 32, "TIERLINE_HEARTBEAT_URL": ""}
    sandbox.faults.add(Fault("pagerduty", "oncalls", Mode.SERVER_ERROR, times=None))
    ran = await tierline("readiness", "--page", env=site.environment, cwd=site.folder)
    said = " ".join(ran.out.split())
    assert ran.code == 1
    for words in (
        "Slack refuses TIERLINE_SLACK_BOT_TOKEN (invalid_auth)",
        "PagerDuty refuses a test page for it (HTTP 400)",
        "TIERLINE_HEARTBEAT_URL",
    ):
        assert words in said
    assert "scopes, channels, groups, people Not looked at. Have Slack know the bot token first." in said
    assert_nothing_secret(site, ran)


async def test_readiness_beside_a_bot_that_serves(site: Site) -> None:
    """It asks the bot, starts none and takes no lock: the bot is as ready afterwards. Only a drill is missing."""
    async with serving(site.environment | {"TIERLINE_PORT": "0"}, site.folder) as bot:
        assert bot.greeting["ready"]
        ran = await tierline("readiness", "--json", env=site.environment, cwd=site.folder)
        assert (ran.code, checks(ran, "missing")) == (1, {"contacts"})
        [line] = [one for one in ran.json["findings"] if one["check"] == "bot"]
        assert line["said"] == "It serves, and is ready."
        assert (await tierline("status", "--json", env=site.environment, cwd=site.folder)).json["ready"] is True


async def test_readiness_is_asked_rightly() -> None:
    """An option that does not exist is no finding."""
    assert (await tierline("readiness", "--pages")).code == 2


def checks(ran: Ran, state: str) -> set[str]:
    """The checks with a line that stands so."""
    findings: list[dict[str, Any]] = ran.json["findings"]
    return {line["check"] for line in findings if line["state"] == state}


def assert_nothing_secret(site: Site, ran: Ran) -> None:
    """No token, key or secret is among what was printed."""
    assert [name for name, value in site.secrets.items() if value in ran.out + ran.err] == []
