"""The bot as an operator starts it, with files of its own in a folder and a sandbox as Slack, PagerDuty and service. Measures nothing."""

import asyncio
import gc
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from benchmarks.cases import POLICY, SECRETS, WORKFLOW
from bot import clock as wall
from bot.app import App
from bot.cli.serve import be_prompt
from bot.sandbox.northwind import PAGERDUTY, REFUND_AGENT
from bot.sandbox.sandbox import Sandbox, SandboxConfig
from bot.sandbox.slack.config import ChannelSeed
from bot.sandbox.slack.people import Group
from bot.sandbox.slack.seed import SLACK, TEAM
from bot.settings import read_settings

REVIEWER = "U0ANNA00001"
START_S = 60.0
_CHANNELS = ("airline-desk", "airline-supervisors", "airline-duty")


@dataclass(frozen=True)
class Rig:
    """A folder, its settings and the peers that they name."""

    folder: Path
    sandbox: Sandbox
    environment: dict[str, str]

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "tierline.db"

    @property
    def services(self) -> Path:
        """The services file."""
        return self.folder / "services.yml"

    @asynccontextmanager
    async def bot(
        self, *, background: bool = False, clock: Callable[[], datetime] | None = None, passing: Callable[[str], None] = lambda _name: None
    ) -> AsyncIterator[App]:
        """The bot, running."""
        settings = {name: value for name, value in self.environment.items() if name.startswith("TIERLINE_")}
        app = await App.start(read_settings(settings), self.environment, background=background, clock=clock, passing=passing)
        try:
            self.sandbox.connect(slack_events_url=f"{app.url}/slack/events", cases_url=app.url)
            be_prompt()
            yield app
        finally:
            gc.unfreeze()
            await app.stop()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """The bot in a process of its own. Gives its port."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli.main", "serve", "--json"),
            env=dict(os.environ) | self.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            url = json.loads(await asyncio.wait_for(process.stdout.readline(), START_S))["url"]
            self.sandbox.connect(slack_events_url=f"{url}/slack/events", cases_url=url)
            yield int(url.rsplit(":", 1)[1])
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def a_rig(folder: Path, clock: Callable[[], datetime] = wall.now) -> AsyncIterator[Rig]:
    """Everything but the bot. The folder must be there."""
    people = (REVIEWER, "U0BEN000001", "U0GRACE0001")
    slack = replace(
        SLACK,
        channels=tuple(ChannelSeed(f"C0AIRLINE{n:02}", name, (*people, SLACK.app.bot_user_id)) for n, name in enumerate(_CHANNELS)),
        groups=tuple(Group(f"S0AIRLINE{n:02}", TEAM, name, name, people) for n, name in enumerate(_CHANNELS)),
    )
    customer = replace(REFUND_AGENT, callback_secrets=tuple(map(_callback_secret, range(len(SECRETS)))))
    async with Sandbox(lambda: clock().timestamp(), SandboxConfig(slack=slack, customer=customer)) as sandbox:
        (folder / "services.yml").write_text(_services(sandbox.customer_callback_url))
        yield Rig(folder, sandbox, _environment(folder, sandbox))


def _callback_secret(service: int) -> str:
    return f"{SECRETS[service][:-4]}OTk{service}"


def _services(callback_url: str) -> str:
    rows = (
        f"- {{name: agent-{n}, secrets: ['{secret}'], callback_secret: '{_callback_secret(n)}', callback_url: '{callback_url}', "
        f"networks: ['127.0.0.0/8'], workflows: [{WORKFLOW}]}}"
        for n, secret in enumerate(SECRETS)
    )
    return "services:\n" + "\n".join(rows) + "\n"


def _environment(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    slack = sandbox.config.slack.app
    return {
        "TIERLINE_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/tierline.db",
        "TIERLINE_POLICY": str(POLICY),
        "TIERLINE_SERVICES": str(folder / "services.yml"),
        "TIERLINE_SLACK_BOT_TOKEN": slack.bot_token,
        "TIERLINE_SLACK_SIGNING_SECRET": slack.signing_secret,
        "TIERLINE_SLACK_API_URL": sandbox.slack_api_url,
        "TIERLINE_PAGERDUTY_EVENTS_URL": sandbox.pagerduty_events_url,
        "TIERLINE_PORT": "0",
        "PAGERDUTY_ROUTING_KEY": PAGERDUTY.services[0].routing_key,
    }
