"""The real command, run as people run it: in a process of its own, with an environment of its own. And a bot that it serves."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

TIERLINE = Path(sys.executable).with_name("tierline")
SECRET = "whsec_dGhlIGludGFrZSBzZWNyZXQgb2YgdGhlIHRlc3Rz"
CALLBACK_SECRET = "whsec_dGhlIGNhbGxiYWNrIHNlY3JldCBvZiB0aGUgdGVzdHM="

POLICY = """
version: "7"
changes: "for the tests of the command line"
defaults: {undo: 0s}
groups: {frontline: {usergroup: review-frontline}}
ladders: {standard: {tiers: [{channel: review-tier1, group: frontline, decide: 4h}]}}
workflows:
  notes: {ladder: standard, template: auto, action_types: [note.file]}
  refunds:
    ladder: standard
    requester: optional
    rules:
      - {name: large, when: "has(risk.amount) && double(risk.amount) > 1000.0", lane: expert, reason: "The amount is over 1,000."}
"""


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # any JSON value
        """What it printed, as one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """What it printed, as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


async def tierline(*arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = "") -> Ran:
    """Run a command to its end."""
    process = await _start(arguments, env, cwd)
    try:
        out, err = await process.communicate(stdin.encode())
    finally:
        if process.returncode is None:  # the test was given up
            process.kill()
    return Ran(process.returncode or 0, out.decode(), err.decode())


async def _start(arguments: tuple[str | Path, ...], env: Mapping[str, str] | None, cwd: Path | None) -> asyncio.subprocess.Process:
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        TIERLINE, *arguments, env=plain | dict(env or {}), cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe
    )


def names_in(directory: Path) -> list[str]:
    """What lies in a directory."""
    return sorted(path.name for path in directory.iterdir())


@dataclass
class Service:
    """A customer's service on loopback: answers callbacks with `status` and keeps what came."""

    status: int = 200
    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One callback."""
        self.got.append(await request.json())
        self.news.set()
        return web.Response(status=self.status)

    async def told(self) -> dict[str, Any]:
        """The next callback."""
        await self.news.wait()
        self.news.clear()
        return self.got[-1]


@asynccontextmanager
async def a_service() -> AsyncIterator[Service]:
    """The service, listening."""
    service = Service()
    application = web.Application()
    application.router.add_post("/callbacks", service.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks"
    try:
        yield service
    finally:
        await runner.cleanup()


def an_environment(directory: Path, database_url: str, callback_url: str = "http://127.0.0.1:9/") -> dict[str, str]:
    """Settings of a bot whose files are in `directory`; nobody answers where its Slack is."""
    (directory / "policy.yml").write_text(POLICY)
    (directory / "services.yml").write_text(
        f"services:\n  - {{name: agent, secrets: ['${{AGENT_SECRET}}'], callback_secret: '{CALLBACK_SECRET}',\n"
        f"     callback_url: '{callback_url}', networks: [127.0.0.0/8], workflows: [notes, refunds]}}\n"
    )
    return {
        "TIERLINE_DATABASE_URL": database_url,
        "TIERLINE_POLICY": str(directory / "policy.yml"),
        "TIERLINE_SERVICES": str(directory / "services.yml"),
        "TIERLINE_SLACK_API_URL": "http://127.0.0.1:9/api/",
        "TIERLINE_SLACK_BOT_TOKEN": "xoxb-nobody-listens",
        "TIERLINE_SLACK_SIGNING_SECRET": "nobody signs with this",
        "TIERLINE_PORT": "0",
        "TIERLINE_CHECKPOINT_DIR": str(directory / "checkpoints"),
        "AGENT_SECRET": SECRET,
    }


@dataclass
class Serving:
    """A bot that serves: where, what it said first, and once it has ended its log."""

    url: str
    greeting: dict[str, Any]
    log: str = ""


@asynccontextmanager
async def serving(env: Mapping[str, str], cwd: Path) -> AsyncIterator[Serving]:
    """`tierline serve`, until the block ends."""
    process = await _start(("serve", "--json"), env, cwd)
    assert process.stdout is not None
    bot = Serving("", {})
    try:
        line = await process.stdout.readline()
        if not line:
            _, err = await process.communicate()
            raise AssertionError(err.decode())
        bot.greeting = json.loads(line)
        bot.url = str(bot.greeting["url"])
        yield bot
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        bot.log = (await process.communicate())[1].decode()
    assert process.returncode == 0


@asynccontextmanager
async def served(env: Mapping[str, str], cwd: Path) -> AsyncIterator[str]:
    """`tierline serve`, until the block ends; gives its URL."""
    async with serving(env, cwd) as bot:
        yield bot.url


def a_note(task_id: str = "n-1", **changes: Any) -> dict[str, Any]:
    """A case that the policy decides by itself."""
    return {
        "workflow": "notes",
        "task_id": task_id,
        "title": "File a note",
        "action": {"type": "note.file", "params": {"note": 1}, "reversible": True},
        "model": {"name": "writer", "confidence": 0.97},
        "risk": {"impact": "low", "likelihood": 0.05, "recoverability": "easy"},
    } | changes


def a_refund(task_id: str = "r-1", amount: str = "20.00") -> dict[str, Any]:
    """A case that a person decides."""
    action = {"type": "refund.create", "params": {"amount": amount}, "reversible": False}
    return a_note(task_id, workflow="refunds", title="Refund", action=action, risk={"amount": amount, "currency": "EUR"})
