"""Under a flood of connections and bodies nobody signed, presses, pages and callbacks go on, and the process keeps within its bounds (P19).

A real `tierline serve` with few descriptors; the flood, Slack, PagerDuty and the service live in the test's process.
"""

import asyncio
import resource
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from bot.sandbox.slack.slack import actions_of
from tests.promises.kills import KillRun
from tests.world import ANNA

DESCRIPTORS = 1_024
CROWD = 1_100
"""Connections that somebody wants to hold open, all the time; as many at a time as this process may."""

RSS_MOST_KB = 300_000
BODY = b"x" * 65_536

HALF_OPEN = [
    b"",
    b"POST /v1/cases HTT",
    b"POST /pagerduty/webhooks HTTP/1.1\r\nHost: x\r\nX-Part: ",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 60,
    b"\x16\x03\x01\x00\xff garbage\r\n\r\n",
]
"""Nothing, part of a line, part of the headers, a request and then silence, answers nobody reads, no HTTP at all."""


def stalled_bodies() -> list[tuple[bytes, int]]:
    """Heads of requests on every route that reads a body, and how many bytes of it come before it stalls."""
    envelope = f"webhook-id: a\r\nwebhook-timestamp: {int(time.time())}\r\nwebhook-signature: v1,{'A' * 43}=\r\n"
    heads = []
    for path, most, more in (
        ("/pagerduty/webhooks", 512 * 1024, "X-PagerDuty-Signature: v1=00\r\n"),
        ("/slack/events", 1024 * 1024, ""),
        ("/v1/cases", 256 * 1024, envelope),
        ("/v1/precheck", 256 * 1024, envelope),
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{more}"
        heads.append((f"{head}Content-Length: {most}\r\n\r\n".encode(), most - 1))
    heads.append((b"POST /pagerduty/webhooks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n", 500_000))
    return heads


class Flood:
    """Keeps a crowd of connections, each opened again as soon as it is closed."""

    def __init__(self, port: int, crowd: int) -> None:
        self._port = port
        self._crowd = crowd
        self.opened = self.sent = 0
        self._heads = [(head, 0) for head in HALF_OPEN] + stalled_bodies()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._crowd):
                group.create_task(self._hold(number))

    async def _hold(self, number: int) -> None:
        head, more = self._heads[number % len(self._heads)]
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=16)
                self.opened += 1
                try:
                    writer.write(head)
                    for _ in range(more // len(BODY)):
                        writer.write(BODY)
                        await writer.drain()
                        self.sent += len(BODY)
                    while await reader.read(16):  # noqa: ASYNC110
                        await asyncio.sleep(0.5)  # reads as slowly as it can
                finally:
                    writer.transport.abort()
            await asyncio.sleep(0.5)


class FloodRun(KillRun):
    """A served bot with few descriptors."""

    async def _start(self) -> Process:
        limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        with self.log.open("ab") as log:
            command = (sys.executable, "-m", "bot.cli.main", "serve", "--json")
            return await asyncio.create_subprocess_exec(
                *command, cwd=self.folder, env=self._environment(), stdout=PIPE, stderr=log, preexec_fn=limit
            )

    def _connect(self, here: str) -> None:
        super()._connect(here)
        self._port = int(here.rpartition(":")[2])

    async def flooded(self) -> None:
        """Start, flood, and live through a few cases."""
        self._write_files()
        async with self.sandbox:
            process = await self._start()
            try:
                await self._ready(process)
                flood = Flood(self._port, _most_here(CROWD))
                flooding = asyncio.create_task(flood.run())
                await _until(lambda: flood.sent > 150_000_000 and flood.opened > 1.2 * DESCRIPTORS)
                for number in (1, 2, 6):  # every sixth is paged
                    await self._one_case(number)
                assert not flooding.done()
                self._judge(process.pid)
                flooding.cancel()
                await asyncio.wait([flooding])
            finally:
                process.terminate()
                await process.wait()

    async def _one_case(self, number: int) -> None:
        status, answer = await self.sandbox.customer.post(self._case(number), f"msg-{number}")
        assert status == 202
        case_id = str(answer["id"])
        if number % 6 == 0:
            await _until(lambda: any(case_id in one.key for one in self.sandbox.pagerduty.incidents))
        await _until(lambda: self._card(case_id) is not None)
        while not self._decided(case_id):  # pressed before the bot knows that Slack shows its card, it has to be pressed again
            if (card := self._card(case_id)) is not None:
                await self.sandbox.slack.click(ANNA, card[0], card[1], "tierline:approve")
            with suppress(TimeoutError):
                await _until(lambda: self._decided(case_id), within_s=3)

    def _decided(self, case_id: str) -> bool:
        return any(one.data.get("case_id") == case_id for one in self.sandbox.customer.inbox)

    def _card(self, case_id: str) -> tuple[str, str] | None:
        for channel in self.sandbox.config.slack.channels:
            for card in self.sandbox.slack.messages(channel.id):
                if card["metadata"]["event_payload"].get("case") == case_id and "tierline:approve" in actions_of(card):
                    return channel.id, str(card["ts"])
        return None

    def _judge(self, pid: int) -> None:
        status = Path(f"/proc/{pid}/status").read_text()
        peak_kb = int(status.partition("VmHWM:")[2].split()[0])
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        lines = self.log.read_text().splitlines()
        print(f"peak {peak_kb} kB, {descriptors} descriptors, {len(lines)} log lines")  # noqa: T201 - shown where it fails
        assert peak_kb < RSS_MOST_KB
        assert descriptors < DESCRIPTORS - 100
        assert len(lines) < 200
        assert "out of system resource" not in "".join(lines)


async def test_presses_and_pages_go_on_under_a_flood(sqlite_url: str, tmp_path: Path) -> None:
    """More half-open connections than descriptors, and half a gigabyte of unsigned bodies that stall."""
    await FloodRun(tmp_path / "flood", sqlite_url, cases=0, kills=0, seed=1).flooded()


def _most_here(wanted: int) -> int:
    """What this process may hold itself, beside the peers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * wanted), hard))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)


async def _until(happened: Callable[[], bool], within_s: float = 150.0) -> None:
    async with asyncio.timeout(within_s):
        while not happened():  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.02)
