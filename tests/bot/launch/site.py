"""A company that is about to launch: its files, its settings and its peers, all as they should be, until a test spoils something."""

import copy
import re
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bot.cli.files.configuration import Supposed
from bot.launch.checklist import Report, Told
from bot.launch.files import Variables
from bot.launch.finding import Finding, State
from bot.launch.readiness import Launch, Said
from bot.sandbox.sandbox import Sandbox, SandboxConfig
from bot.settings import Settings
from bot.timeouts import ManualTimeouts
from store.vault.keys import signing_key, vault_key

TIER2, INCIDENTS = "c0ffee0000000000000000000000t1r2", "c0ffee0000000000000000000000duty"

POLICY: dict[str, Any] = {
    "version": "1",
    "changes": "for the launch",
    "owners": ["U0GRACE0001", "U0HUGO00001"],
    "groups": {
        "frontline": {"usergroup": "review-frontline"},
        "seniors": {"usergroup": "@review-seniors"},
        "owners": {"users": ["U0GRACE0001", "U0HUGO00001"]},
    },
    "roles": {"supervisor": ["owners"], "duty_officer": ["owners"], "policy_owner": ["owners"]},
    "channels": {"operations": "review-ops", "owners": "#review-owners"},
    "incidents": {"routing_key": "${PD_INCIDENTS}", "severity": "critical"},
    "ladders": {
        "standard": {
            "tiers": [
                {
                    "channel": "review-tier1",
                    "group": "frontline",
                    "owner": "U0CHIARA001",
                    "backup": "U0DMITRI001",
                    "ack": "15m",
                    "decide": "4h",
                },
                {
                    "channel": "C0TIER20001",
                    "group": "seniors",
                    "owner": "U0GRACE0001",
                    "backup": "U0HUGO00001",
                    "ack": "15m",
                    "decide": "30m",
                    "pagerduty": {"routing_key": "${PD_TIER2}", "severity": "warning", "escalation_policy": "PPTIER2A"},
                },
            ]
        }
    },
    "workflows": {"refunds": {"ladder": "standard", "requester": "optional", "required": ["request"]}},
}
SERVICES: dict[str, Any] = {
    "services": [
        {
            "name": "refund-agent",
            "secrets": ["${REFUND_AGENT_SECRET}"],
            "callback_secret": "${REFUND_CALLBACK_SECRET}",
            "callback_url": "http://127.0.0.1:9/callbacks",
            "networks": ["127.0.0.0/8"],
            "workflows": ["refunds"],
        }
    ]
}


@dataclass
class Site:
    """Everything that is to be there. `policy` and `services` are written when it is looked at; what a test changes stands in them."""

    folder: Path
    sandbox: Sandbox
    environment: dict[str, str]
    policy: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(POLICY))
    services: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(SERVICES))
    said: Said = field(default_factory=lambda: {"ready": None, "obstacles": [], "attention": [], "served": "No bot serves."})
    timeouts: ManualTimeouts = field(default_factory=ManualTimeouts)

    @property
    def tier(self) -> dict[str, Any]:
        """The second tier, which pages."""
        found: dict[str, Any] = self.policy["ladders"]["standard"]["tiers"][1]
        return found

    @property
    def secrets(self) -> dict[str, str]:
        """What must stand in no line."""
        named = re.compile(r"TOKEN|SECRET|HEARTBEAT|^PD_")
        return {name: value for name, value in self.environment.items() if value and named.search(name)}

    def write(self) -> None:
        """The two files."""
        (self.folder / "policy.yml").write_text(yaml.safe_dump(self.policy, sort_keys=False))
        (self.folder / "services.yml").write_text(yaml.safe_dump(self.services, sort_keys=False))

    async def look(self, *, page: bool = False, told: Told = lambda _done, _total: None) -> Report:
        """Go through the checklist, as the command does."""
        self.write()
        supposed = Supposed(self.environment)
        launch = Launch(
            self.environment, Variables(supposed, supposed.unset), self._ask, lambda: datetime.now(UTC), page=page, timeouts=self.timeouts
        )
        return await launch.look(told)

    async def _ask(self, _settings: Settings) -> Said:
        return self.said


def lines(report: Report, *states: State) -> Sequence[tuple[str, Finding]]:
    """Check and finding of every line that stands so."""
    return [(check, one) for check, found in report.found.items() for one in found if one.state in states]


def _few_authorities(folder: Path) -> dict[str, str]:
    """One authority instead of all that the system trusts, which take most of the time that a look takes."""
    system = Path(ssl.get_default_verify_paths().cafile or "")
    if not system.is_file():
        return {}
    first, end, _ = system.read_text(errors="replace").partition("-----END CERTIFICATE-----\n")
    (folder / "authority.pem").write_text(first + end)
    return {"SSL_CERT_FILE": str(folder / "authority.pem")}


def a_site(folder: Path, sandbox: Sandbox, database_url: str) -> Site:
    """A site of which nothing is missing; the database has its tables, and no bot was ever started."""
    (folder / "data").mkdir(exist_ok=True)
    signing_key(folder / "keys" / "signing.pem", create=True)
    vault_key(folder / "keys" / "vault.key", create=True)
    config = sandbox.config
    return Site(
        folder,
        sandbox,
        {
            "TIERLINE_DATABASE_URL": database_url,
            "TIERLINE_POLICY": str(folder / "policy.yml"),
            "TIERLINE_SERVICES": str(folder / "services.yml"),
            "TIERLINE_SLACK_API_URL": sandbox.slack_api_url,
            "TIERLINE_SLACK_BOT_TOKEN": config.slack.app.bot_token,
            "TIERLINE_SLACK_APP_TOKEN": config.slack.app.app_token,
            "TIERLINE_PAGERDUTY_EVENTS_URL": sandbox.pagerduty_events_url,
            "TIERLINE_PAGERDUTY_API_URL": sandbox.pagerduty_api_url,
            "TIERLINE_PAGERDUTY_API_TOKEN": config.pagerduty.api_token,
            "TIERLINE_PAGERDUTY_WEBHOOK_SECRET": config.pagerduty.webhook_secrets[0],
            "TIERLINE_SIGNING_KEY_FILE": str(folder / "keys" / "signing.pem"),
            "TIERLINE_VAULT_KEY_FILE": str(folder / "keys" / "vault.key"),
            "TIERLINE_CHECKPOINT_DIR": str(folder / "checkpoints"),
            "TIERLINE_HEARTBEAT_URL": "https://heartbeat.example/ping/1",
            "PD_TIER2": TIER2,
            "PD_INCIDENTS": INCIDENTS,
            **_few_authorities(folder),
            "REFUND_AGENT_SECRET": config.customer.secret,
            "REFUND_CALLBACK_SECRET": config.customer.callback_secrets[0],
        },
    )


@asynccontextmanager
async def a_workspace(config: SandboxConfig | None = None, off_s: float = 0.0) -> AsyncIterator[Sandbox]:
    """Somebody else's Slack and PagerDuty, whose clock is `off_s` ahead of ours."""
    async with Sandbox(lambda: time.time() + off_s, config) as sandbox:
        yield sandbox
