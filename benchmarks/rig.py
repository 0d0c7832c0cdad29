"""The bot as an operator starts it, with files of its own in a folder and a sandbox as Slack, PagerDuty and service. Measures nothing."""

import asyncio
import gc
import json
import os
import re
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
from store.vault.keys import signing_key, vault_key

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
    def vault_key(self) -> bytes:
        """The key beside it."""
        return (self.folder / "tierline-vault.key").read_bytes()

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
    async def serving(self) -> AsyncIterator["Served"]:
        """The bot in a process of its own."""
        start = wall.steady()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli.main", "serve", "--json"),
            env=dict(os.environ) | self.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            url = json.loads(await asyncio.wait_for(process.stdout.readline(), START_S))["url"]
            self.sandbox.connect(slack_events_url=f"{url}/slack/events", cases_url=url)
            yield Served(int(url.rsplit(":", 1)[1]), process.pid, wall.steady() - start)
        finally:
            process.terminate()
            await process.wait()


@dataclass(frozen=True)
class Served:
    """A bot that answers: its port, its process, and the seconds until it did. What it tells of itself, only Linux does."""

    port: int
    pid: int
    ready_s: float

    @property
    def resident_mb(self) -> float:
        """Memory: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html"""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    @property
    def cpu_s(self) -> float:
        """Processor time so far: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def a_rig(
    folder: Path, clock: Callable[[], datetime] = wall.now, database_url: str = "", *, policy: Path = POLICY
) -> AsyncIterator[Rig]:
    """Everything but the bot, with a database of its own unless one is given. The folder must be there."""
    people = (REVIEWER, "U0BEN000001", "U0GRACE0001")
    slack = replace(
        SLACK,
        channels=tuple(ChannelSeed(f"C0AIRLINE{n:02}", name, (*people, SLACK.app.bot_user_id)) for n, name in enumerate(_CHANNELS)),
        groups=tuple(Group(f"S0AIRLINE{n:02}", TEAM, name, name, people) for n, name in enumerate(_CHANNELS)),
    )
    customer = replace(REFUND_AGENT, callback_secrets=tuple(map(_callback_secret, range(len(SECRETS)))))
    async with Sandbox(lambda: clock().timestamp(), SandboxConfig(slack=slack, customer=customer)) as sandbox:
        (folder / "services.yml").write_text(_services(sandbox.customer_callback_url))
        environment = _environment(folder, sandbox) | {"TIERLINE_POLICY": str(policy)}
        yield Rig(folder, sandbox, environment | (_shared(folder, database_url) if database_url else {}))


def _callback_secret(service: int) -> str:
    return f"{SECRETS[service][:-4]}OTk{service}"


def _services(callback_url: str) -> str:
    rows = (
        f"- {{name: agent-{n}, secrets: ['{secret}'], callback_secret: '{_callback_secret(n)}', callback_url: '{callback_url}', "
        f"networks: ['127.0.0.0/8'], workflows: [{WORKFLOW}]}}"
        for n, secret in enumerate(SECRETS)
    )
    return "services:\n" + "\n".join(rows) + "\n"


def _shared(folder: Path, database_url: str) -> dict[str, str]:
    """What every replica is given; the keys are made."""
    names = {"TIERLINE_SIGNING_KEY_FILE": "signing.pem", "TIERLINE_VAULT_KEY_FILE": "vault.key", "TIERLINE_CHECKPOINT_DIR": "checkpoints"}
    files = {name: folder / file for name, file in names.items()}
    signing_key(files["TIERLINE_SIGNING_KEY_FILE"], create=True)
    vault_key(files["TIERLINE_VAULT_KEY_FILE"], create=True)
    return {name: str(file) for name, file in files.items()} | {"TIERLINE_DATABASE_URL": database_url}


def _environment(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    slack = sandbox.config.slack.app
    return {
        "TIERLINE_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/tierline.db",
        "TIERLINE_SERVICES": str(folder / "services.yml"),
        "TIERLINE_SLACK_BOT_TOKEN": slack.bot_token,
        "TIERLINE_SLACK_SIGNING_SECRET": slack.signing_secret,
        "TIERLINE_SLACK_API_URL": sandbox.slack_api_url,
        "TIERLINE_PAGERDUTY_EVENTS_URL": sandbox.pagerduty_events_url,
        "TIERLINE_PORT": "0",
        "TIERLINE_SMTP_URL": sandbox.mail.url,
        "PAGERDUTY_ROUTING_KEY": PAGERDUTY.services[0].routing_key,
        "PAGERDUTY_SECOND_KEY": PAGERDUTY.services[1].routing_key,
        "TICKETS_URL": sandbox.tickets_url,
        "TICKETS_SECRET": sandbox.config.ticket_secret,
    }
