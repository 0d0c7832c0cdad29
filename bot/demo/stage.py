"""A sandbox and a bot in one process, with real HTTP between them. Owns the throwaway secrets, the files in one directory and the order of
starting; it touches neither the environment nor the working directory.
"""

import re
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from bot.app import App
from bot.demo.clock import StoryClock
from bot.demo.receiver_kit import verifying
from bot.demo.tour import TOUR
from bot.demo.workspace import workspace_for
from bot.sandbox.customer import CustomerConfig
from bot.sandbox.northwind import PAGERDUTY, TICKETS
from bot.sandbox.sandbox import Sandbox, on_first_free
from bot.sandbox.slack.seed import SLACK
from bot.settings import Settings, read_settings
from bot.timeouts import REAL, RHYTHM, ManualTimeouts, Rhythm
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from store.audit.signed_note import Signer
from store.vault.keys import signing_key

SERVICE = "northwind-agent"
MAX_PORT = 65535
NOWHERE = "http://127.0.0.1/"
"""In place of the ticket system, until it is known where the sandbox listens."""

BRISK = Rhythm(beat_s=1.0, again_s=0.5, peer_s=1.0, lately_s=3.0)
"""For a story that nobody wants to wait for: how often the monitor hears of us, and how old Slack's last answer may be."""
SILENT_S = 3.0
"""How long no beat may come there before the monitor alarms."""

_PAGERS = ("DEMO_PAGE_SENIORS", "DEMO_PAGE_EXPERTS", "DEMO_PAGE_DUTY")
"""Names in the policy of the three pagers of the sandbox, in its order."""

PACE = 4.0
"""How fast time passes in a story that nobody wants to wait for: Slack takes one message a second in each channel."""

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Stage:
    """What is running. `secret` is the intake secret of the service, `vkey` the key of the audit log, `text` and `environment` what the
    policy was read from.
    """

    sandbox: Sandbox
    app: App
    settings: Settings
    policy: Policy
    directory: Path
    secret: str
    vkey: str
    clock: StoryClock
    text: bytes
    environment: Mapping[str, str]


@asynccontextmanager
async def set_up(
    directory: Path, *, policy_text: bytes | None = None, page_ports: Sequence[int] = (0,), unhurried: bool = False
) -> AsyncIterator[Stage]:
    """Start everything in `directory`, stop it at the end.

    `policy_text`: another policy than the demonstration's; the service may post cases for all its workflows. The page is on the first of
    `page_ports` that nobody has, the bot on the one after it or any. `unhurried`: nobody's seconds count, for a story that ends the same
    on a slow machine. Raises PolicyError, OSError where every port is taken.
    """
    text = _tickets_here(policy_text) if policy_text is not None else files("bot.demo").joinpath("policy.yml").read_bytes()
    secret, callback_secret, clock = _secret(), _secret(), StoryClock(PACE if unhurried else 1.0)
    environment = {name: secrets.token_hex(16) for name in _VARIABLE.findall(text.decode(errors="replace"))}  # in the form of a routing key
    environment |= {name: service.routing_key for name, service in zip(_PAGERS, PAGERDUTY.services, strict=True)}
    environment |= {"DEMO_OPEN_DAY": _WEEK[(clock().weekday() + 3) % len(_WEEK)]}
    environment |= {"DEMO_SECRET": secret, "DEMO_CALLBACK_SECRET": callback_secret}
    environment |= {"DEMO_TICKETS_URL": NOWHERE, "DEMO_TICKETS_SECRET": TICKETS}
    policy = load_policy(text, environment, "policy")
    identity = replace(SLACK.app, bot_token=f"xoxb-{secrets.token_hex(12)}", signing_secret=secrets.token_hex(16))
    config = workspace_for(policy, identity, CustomerConfig(SERVICE, secret, (callback_secret,)), unhurried=unhurried)
    sandbox = Sandbox(clock.unix, replace(config, tour=TOUR if policy_text is None else ()))
    sandbox.tickets.secrets = tuple(one.get_secret_value() for system in policy.form.tickets.values() for one in system.secret)
    if unhurried:
        sandbox.monitor.silent_s = SILENT_S
    await sandbox.start(page_ports=page_ports)
    environment["DEMO_TICKETS_URL"] = sandbox.tickets_url
    try:
        (directory / "policy.yml").write_bytes(text)
        (directory / "services.yml").write_text(_services(sandbox.customer_callback_url, list(policy.workflows)))
        timeouts, rhythm = (ManualTimeouts(), BRISK) if unhurried else (REAL, RHYTHM)

        async def start(port: int) -> tuple[Settings, App]:
            settings = read_settings(_settings(directory, sandbox, port))
            return settings, await App.start(settings, environment, clock=clock, timeouts=timeouts, rhythm=rhythm)

        next_to_page = (urlsplit(sandbox.page_url).port or 0) + 1
        settings, app = await on_first_free((next_to_page, 0) if any(page_ports) and next_to_page <= MAX_PORT else (0,), start)
        try:
            vkey = str(Signer(f"tierline/{app.deployment}", signing_key(settings.signing_key_path, create=False)).vkey)
            sandbox.customer.verify = verifying(directory / "customer.db", callback_secret, vkey, clock.unix)
            sandbox.connect(f"{app.url}/slack/events", f"{app.url}/pagerduty/webhooks", app.url)
            yield Stage(sandbox, app, settings, policy, directory, secret, vkey, clock, text, environment)
        finally:
            await app.stop()
    finally:
        await sandbox.stop()


def _tickets_here(text: bytes) -> bytes:
    """Somebody's policy as it is, but for its ticket systems: nothing of the demonstration leaves this machine."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return text  # whose mistakes are told when it is read
    tickets = document.get("tickets") if isinstance(document, dict) else None
    if not isinstance(tickets, dict) or not tickets:
        return text
    here = {"url": "${DEMO_TICKETS_URL}", "networks": ["127.0.0.0/8"]}
    systems = {name: {**here, "secret": f"whsec_{b64encode(f'the ticket system {name} here'.encode()).decode()}"} for name in tickets}
    return yaml.safe_dump({**document, "tickets": systems}, sort_keys=False).encode()


def _secret() -> str:
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


def _services(callback_url: str, workflows: list[str]) -> str:
    service = {
        "name": SERVICE,
        "secrets": ["${DEMO_SECRET}"],
        "callback_secret": "${DEMO_CALLBACK_SECRET}",
        "callback_url": callback_url,
        "networks": ["127.0.0.0/8"],
        "workflows": workflows,
    }
    return yaml.safe_dump({"services": [service]}, sort_keys=False)


def _settings(directory: Path, sandbox: Sandbox, port: int) -> dict[str, str]:
    slack, pager = sandbox.config.slack.app, sandbox.config.pagerduty
    return {
        "TIERLINE_DATABASE_URL": f"sqlite+aiosqlite:///{directory / 'tierline.db'}",
        "TIERLINE_POLICY": str(directory / "policy.yml"),
        "TIERLINE_SERVICES": str(directory / "services.yml"),
        "TIERLINE_SLACK_BOT_TOKEN": slack.bot_token,
        "TIERLINE_SLACK_SIGNING_SECRET": slack.signing_secret,
        "TIERLINE_SLACK_API_URL": sandbox.slack_api_url,
        "TIERLINE_PAGERDUTY_EVENTS_URL": sandbox.pagerduty_events_url,
        "TIERLINE_PAGERDUTY_API_URL": sandbox.pagerduty_api_url,
        "TIERLINE_PAGERDUTY_API_TOKEN": pager.api_token,
        "TIERLINE_PAGERDUTY_WEBHOOK_SECRET": pager.webhook_secrets[0],
        "TIERLINE_SMTP_URL": sandbox.mail.url,
        "TIERLINE_HEARTBEAT_URL": sandbox.monitor_url,
        "TIERLINE_PORT": str(port),
    }
