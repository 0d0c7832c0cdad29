"""A real `tierline serve`, killed with SIGKILL at random moments and started again, while a service posts cases and people press.

Owns the process, the seeded moments and the peers' insistence. The sandbox lives in the test's process: its ledgers survive every kill.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.record import Record
from bot.sandbox.sandbox import Sandbox, SandboxConfig
from bot.sandbox.slack.config import ChannelSeed
from bot.sandbox.slack.errors import ClientError
from bot.sandbox.slack.seed import SLACK
from bot.sandbox.slack.slack import actions_of
from store.vault.keys import signing_key, vault_key
from tests.checkout import ROOT
from tests.world import ANNA, BEN, CHIARA, a_case

SENDERS = 8
PAGED_EVERY = 6
"""Every sixth case pages before somebody decides it."""

A_MOMENT_S = 0.05
QUIET_S = 2.0
"""Seconds after which a process that gets nothing to do is killed all the same."""

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there: what is sent while no process lives reaches none that got its port."""

REVIEWERS = (ANNA, BEN, CHIARA)


@dataclass
class KillRun:
    """One run. `seed` repeats its choices; what the machine does in between is its own affair."""

    folder: Path
    database_url: str
    cases: int
    kills: int
    seed: int
    accepted: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    deployment: str = ""

    def __post_init__(self) -> None:
        """Make the peers; `run` does the rest."""
        self.folder.mkdir()
        self._random = random.Random(self.seed)  # noqa: S311 - moments of death, no secret
        self._names = [f"kill-{number:02}" for number in range(1, max(6, self.cases // 8) + 1)]
        members = (*REVIEWERS, SLACK.app.bot_user_id)
        channels = tuple(ChannelSeed(f"C0KILL{number:05}", name, members) for number, name in enumerate(self._names))
        self.sandbox = Sandbox(time.time, SandboxConfig(slack=replace(SLACK, channels=channels), hook_retry_s=0.2))
        self._up = asyncio.Event()
        self._allowed = asyncio.Semaphore(0)
        self._seen = asyncio.Event()
        self._left_to_see = 0
        self._numbers = iter(range(1, self.cases + 1))
        self.log = self.folder / "serve.log"

    async def run(self, patience_s: float) -> None:
        """Kill as often as asked, then let everything come to its end. Raises TimeoutError when it does not within `patience_s`."""
        self._write_files()
        async with self.sandbox:
            with ExitStack() as watching:
                for record in (self.sandbox.slack.record, self.sandbox.pagerduty.record, self.sandbox.customer.record):
                    watching.callback(_watch(record, self._peer_saw))
                others = [asyncio.create_task(self._send()) for _ in range(SENDERS)]
                others.append(asyncio.create_task(self._review()))
                try:
                    for _ in range(self.kills):
                        await self._live_and_die()
                    self._allow(self.cases)
                    await self._live_to_the_end(patience_s, others)
                finally:
                    for task in others:
                        task.cancel()
                    ended = await asyncio.gather(*others, return_exceptions=True)
                    self.wrong += [repr(one) for one in ended if isinstance(one, Exception)]

    def waiting_for(self) -> list[str]:
        """What has not come to its end yet, as the peers see it."""
        decided = {one.data["case_id"] for one in self.sandbox.customer.inbox if one.type == "case.decided"}
        waiting = [f"{number} was not accepted" for number in range(1, self.cases + 1) if number not in self.accepted]
        waiting += [f"the service waits for {case_id}" for case_id in self.accepted.values() if case_id not in decided]
        waiting += [f"incident {one.key} is {one.status}" for one in self.sandbox.pagerduty.incidents if one.status != "resolved"]
        return waiting

    # The process

    async def _live_and_die(self) -> None:
        process = await self._start()
        if self._random.random() < 0.2:  # some die while they start
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready(process), self._random.uniform(0.2, 2.0))
        else:
            await self._ready(process)
            self._left_to_see = self._random.randint(1, 25)
            self._seen.clear()
            self._allow(max(1, self.cases // (self.kills + 1)))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._seen.wait(), QUIET_S)
            await asyncio.sleep(self._random.uniform(0.0, A_MOMENT_S))
        self._down()
        process.kill()
        await process.wait()

    async def _live_to_the_end(self, patience_s: float, others: list[asyncio.Task[None]]) -> None:
        process = await self._start()
        try:
            await self._ready(process)
            async with asyncio.timeout(patience_s):
                while self.waiting_for() and not any(task.done() and task.exception() for task in others):
                    self._seen.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._seen.wait(), QUIET_S)
            process.send_signal(signal.SIGTERM)
            if code := await process.wait():
                self.wrong.append(f"the last process ended with {code}")
        finally:
            self._down()
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _start(self) -> Process:
        with self.log.open("ab") as log:
            command = (sys.executable, "-m", "bot.cli.main", "serve", "--json")
            return await asyncio.create_subprocess_exec(*command, cwd=self.folder, env=self._environment(), stdout=PIPE, stderr=log)

    async def _ready(self, process: Process) -> None:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the bot does not start; see its log:\n{self.log.read_text()[-3_000:]}")
        told = json.loads(line)
        self.deployment = str(told["deployment"])
        self._connect(str(told["url"]))
        self._up.set()

    def _down(self) -> None:
        self._up.clear()
        self._connect(NOWHERE)

    def _connect(self, here: str) -> None:
        self.sandbox.connect(f"{here}/slack/events", f"{here}/pagerduty/webhooks", here)

    def _peer_saw(self) -> None:
        self._left_to_see -= 1
        if self._left_to_see <= 0:
            self._seen.set()

    def _allow(self, more: int) -> None:
        for _ in range(more):
            self._allowed.release()

    # The peers

    async def _send(self) -> None:
        """Post cases, each again under its webhook-id until it is accepted."""
        for number in self._numbers:
            await self._allowed.acquire()
            while number not in self.accepted:
                await self._up.wait()
                with suppress(aiohttp.ClientError):
                    status, answer = await self.sandbox.customer.post(self._case(number), f"msg-{number}")
                    if status in (200, 202):
                        self.accepted[number] = str(answer["id"])
                    elif status < 500:
                        self.wrong.append(f"case {number} was answered {status}: {answer}")
                        return
                await asyncio.sleep(A_MOMENT_S)

    async def _review(self) -> None:
        """Approve every card that offers it, again where that showed no effect."""
        pressed: dict[str, float] = {}
        while True:
            await self._up.wait()
            await asyncio.sleep(A_MOMENT_S)
            rung = {incident.key.split("/")[-3] for incident in self.sandbox.pagerduty.incidents}
            for channel in self.sandbox.config.slack.channels:
                for card in self.sandbox.slack.messages(channel.id):
                    case_id = str(card["metadata"]["event_payload"].get("case"))
                    number = next((known for known, one in self.accepted.items() if one == case_id), None)
                    waits = number is None or (number % PAGED_EVERY == 0 and case_id not in rung)
                    fresh = time.monotonic() - pressed.get(case_id, -1e9) < 3.0
                    if waits or fresh or "tierline:approve" not in actions_of(card) or not self._up.is_set():
                        continue
                    person = REVIEWERS[(number or 0) % len(REVIEWERS)]
                    with suppress(ClientError):  # the button went away under the finger
                        ack = await self.sandbox.slack.click(person, channel.id, card["ts"], "tierline:approve")
                        if ack.ok:
                            pressed[case_id] = time.monotonic()

    def _case(self, number: int) -> dict[str, Any]:
        workflow = "paged" if number % PAGED_EVERY == 0 else self._names[number % len(self._names)]
        action = {"type": "refund.create", "params": {"order": str(number), "amount": "80.00"}, "reversible": True}
        return a_case(number, workflow=workflow, action=action)

    # What the operator set up

    def _write_files(self) -> None:
        tier = "channel: {0}, group: frontline, decide: {1}"
        lines = [
            'version: "kills"',
            'changes: "for the kills"',
            "groups: {frontline: {usergroup: review-frontline}}",
            "defaults: {undo: 0s}",
        ]
        lines.append("ladders:")
        lines += [f"  {name}: {{tiers: [{{{tier.format(name, '4h')}}}], exhausted: hold}}" for name in self._names]
        quick, paged = tier.format(self._names[0], "2s"), tier.format(self._names[1], "4h")
        pager = 'pagerduty: {routing_key: "${PD_TIER2}", severity: warning}'
        lines += [f"  paged: {{tiers: [{{{quick}}}, {{{paged}, {pager}}}], exhausted: hold}}", "workflows:"]
        lines += [f"  {name}: {{ladder: {name}, template: approval, requester: optional}}" for name in (*self._names, "paged")]
        (self.folder / "policy.yml").write_text("\n".join(lines) + "\n")
        service = {
            "name": "refund-agent",
            "secrets": ["${SERVICE_SECRET}"],
            "callback_secret": "${CALLBACK_SECRET}",
            "callback_url": "${CALLBACK_URL}",
            "networks": ["127.0.0.0/8"],
            "workflows": [*self._names, "paged"],
        }
        (self.folder / "services.yml").write_text(json.dumps({"services": [service]}))
        signing_key(self.folder / "signing.pem", create=True)
        vault_key(self.folder / "vault.key", create=True)

    def _environment(self) -> dict[str, str]:
        slack, pagerduty, customer = self.sandbox.config.slack.app, self.sandbox.config.pagerduty, self.sandbox.config.customer
        return {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "TIERLINE_DATABASE_URL": self.database_url,
            "TIERLINE_POLICY": "policy.yml",
            "TIERLINE_SERVICES": "services.yml",
            "TIERLINE_SLACK_BOT_TOKEN": slack.bot_token,
            "TIERLINE_SLACK_SIGNING_SECRET": slack.signing_secret,
            "TIERLINE_SLACK_API_URL": self.sandbox.slack_api_url,
            "TIERLINE_PAGERDUTY_EVENTS_URL": self.sandbox.pagerduty_events_url,
            "TIERLINE_PAGERDUTY_API_URL": self.sandbox.pagerduty_api_url,
            "TIERLINE_PAGERDUTY_API_TOKEN": pagerduty.api_token,
            "TIERLINE_PAGERDUTY_WEBHOOK_SECRET": pagerduty.webhook_secrets[0],
            "TIERLINE_SIGNING_KEY_FILE": "signing.pem",
            "TIERLINE_VAULT_KEY_FILE": "vault.key",
            "TIERLINE_CHECKPOINT_DIR": "checkpoints",
            "TIERLINE_PORT": "0",
            "PD_TIER2": pagerduty.services[0].routing_key,
            "SERVICE_SECRET": customer.secret,
            "CALLBACK_SECRET": customer.callback_secrets[0],
            "CALLBACK_URL": self.sandbox.customer_callback_url,
        }


def _watch(record: Record, saw: Any) -> Any:  # noqa: ANN401 - what ends it
    return record.watch(lambda _seen: saw())
