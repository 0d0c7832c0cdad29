"""A world whose bot may die at any point, and the peers who go on as real ones do: they try again when they got no answer.

Owns death and rebirth. What is left after a death is the database, the files and what the peers have; nothing in memory.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import asyncpg

from bot.demo.pressing import offered_by
from bot.sandbox.slack.slack import actions_of
from routing.case.case import Case
from routing.governance.governance import Governance
from tests.governed import GovernedWorld
from tests.playbooks import PLAYBOOKS
from tests.promises.crash_point import Fate, Process, ProcessDied, own_tasks
from tests.world import a_case
from tests.written import POLICY

COMPANY = POLICY + PLAYBOOKS + "claims: {idle: 8h}\n"
"""The policy: of who claims something and then lets hours pass, the stories tell what becomes of the case meanwhile."""

T = TypeVar("T")
Seen = Callable[[Governance], bool]
"""Whether what somebody wanted is so."""

PATIENCE_S = 240.0
"""Real seconds after which something that never ends fails the test."""

LEASE_OVER = timedelta(seconds=61)
"""On PostgreSQL what a dead process had leased waits until its lease is over."""


class CrashingWorld:
    """A world and the lives of its bot."""

    def __init__(self, world: GovernedWorld, fate: Fate) -> None:
        self.world = world
        self.fate = fate
        self.deaths = 0
        self._process: Process | None = None
        world.sandbox.pagerduty.webhooks.retry_s = 0.01

    async def live(self) -> None:
        """Start the bot, however often that takes."""
        while True:
            process = self._process = Process(self.fate)
            self.world.passing = process
            starting = process.run(self.world.start())
            if await self._until_end(starting, process):
                starting.result()
                if self.deaths and self.world.bot.database.is_postgres:
                    self.world.clock.now += LEASE_OVER
                return
            await asyncio.wait({starting})  # whoever dies while starting has let go of everything when the start ends
            await self._bury(process)

    async def inside(self, act: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """What the bot does by itself; None when it died meanwhile, and lives again."""
        process = self._alive
        task = process.run(act())
        if await self._until_end(task, process):
            return task.result()
        await self._bury(process)
        await self.live()
        return None

    async def outside(self, act: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """What somebody else does to the bot; None when it died meanwhile, and lives again. The other one notices and goes on."""
        process = self._alive
        task = asyncio.get_running_loop().create_task(act())
        if await self._until_end(task, process):
            return task.result()
        await self._bury(process)
        await self.live()
        async with asyncio.timeout(PATIENCE_S):
            with suppress(aiohttp.ClientError):
                await task
        return None

    # What the peers and the clock do, whatever happens to the bot

    async def settle(self) -> None:
        """Let everything out that can go out."""
        await self._surely(lambda: self.inside(self._drain))

    async def wait_until(self, goal: datetime) -> None:
        """Let time pass, everything happening at its time."""

        async def pass_time() -> bool:
            await self.world.pass_time(seconds=max(0.0, (goal - self.world.clock.now).total_seconds()))
            return True

        await self._surely(lambda: self.inside(pass_time))

    async def post(self, number: int, **changes: Any) -> str:
        """The service posts a case, again with the same webhook-id until it is accepted; gives its id."""
        return await self._post(f"msg-{number}", a_case(number, **changes), "/v1/cases")

    async def write(self, case_id: str, number: int, kind: str, **body: Any) -> str:
        """The service posts a follow-up about its case, again with the same webhook-id until it is accepted."""
        followup = {"type": f"case.{kind}", "case_id": case_id, **body}
        return await self._post(f"followup-{number}", followup, f"/v1/cases/{case_id}/{kind}")

    async def press(self, person: str, verb: str, case_id: str, done: Callable[[Case], bool], **form: str) -> None:
        """Somebody presses, fills in the form if there is one, and does so again while the case shows no sign of it."""
        for _ in range(6):
            if done(await self.world.case(case_id)):
                return
            if f"tierline:{verb}" in offered_by(self.world.card(case_id)):
                await self.outside(lambda: self.world.click(person, verb, case_id))
            if form and self.world.sandbox.slack.open_view(person) is not None:
                await self.outside(lambda: self.world.fill_in(person, form))
            if not done(await self.world.case(case_id)):
                await self.settle()
                await self.wait_until(self.world.clock.now + timedelta(minutes=2))
        case, offered = await self.world.case(case_id), offered_by(self.world.card(case_id))
        stands = f"{case.state} at tier {case.tier + 1}, its card offers {sorted(offered)}"
        raise AssertionError(f"{verb} by {person} never counted: {self.world.told(person)}; {case_id} is {stands}")

    async def say(self, person: str, words: str, done: Seen) -> None:
        """Somebody types `/review` and these words, again while nothing shows that it counted."""
        await self._insist(lambda: self.outside(lambda: self.world.say(person, words)), done, person)

    async def press_bulletin(self, person: str, channel: str, verb: str, done: Seen) -> None:
        """Somebody presses a button on the newest bulletin of a channel that has it, again while nothing shows that it counted."""

        async def press() -> object:
            action = f"tierline:g:{verb}"
            offering = [one for one in self.world.bulletins(channel) if action in actions_of(one)]
            return await self.outside(lambda: self.world.press(person, offering[-1], verb)) if offering else None

        await self._insist(press, done, person)

    async def propose(self, policy: str) -> None:
        """The operator changes the file and proposes it, and again when that ended with nothing; a restart proposes a changed file too."""
        self.world.policy = policy
        while not (await self.world.bot.reads.governance()).proposals:
            await self.inside(lambda: self.world.propose(policy))

    async def pass_minutes(self, minutes: int) -> None:
        """Let some minutes pass, everything happening at its time."""
        await self.wait_until(self.world.clock.now + timedelta(minutes=minutes))

    async def _insist(self, act: Callable[[], Awaitable[object]], done: Seen, person: str) -> None:
        for _ in range(6):
            if done(await self.world.bot.reads.governance()):
                return
            await act()
            if not done(await self.world.bot.reads.governance()):
                await self.settle()
                await self.pass_minutes(2)
        raise AssertionError(f"what {person} wanted never counted: {self.world.told(person)}")

    async def acknowledge_page(self, case_id: str, responder: str) -> None:
        """A responder acknowledges the case's incident in PagerDuty, which tells the bot until it is heard."""
        pagerduty = self.world.sandbox.pagerduty
        [incident] = [one for one in pagerduty.incidents if f"/{case_id}/" in one.key and one.is_open]
        await self.outside(lambda: pagerduty.acknowledge(incident.id, responder))
        await self._surely(lambda: self.outside(self._hooks_settled))

    async def _hooks_settled(self) -> bool:
        await self.world.sandbox.pagerduty.webhooks.settled()
        return True

    async def _drain(self) -> bool:
        await self.world.drain()
        return True

    async def _post(self, webhook_id: str, body: dict[str, Any], path: str) -> str:
        for _ in range(6):
            with suppress(aiohttp.ClientError):
                answered = await self.outside(lambda: self.world.sandbox.customer.post(body, webhook_id, path))
                if answered is not None and answered[0] in (200, 202):
                    return str(answered[1]["id"])
                assert answered is None or answered[0] >= 500, answered
        raise AssertionError(f"{path} was never accepted")

    async def _surely(self, act: Callable[[], Awaitable[bool | None]]) -> None:
        while not await act():
            pass

    @property
    def _alive(self) -> Process:
        assert self._process is not None, "not started"
        return self._process

    async def _until_end(self, task: asyncio.Task[Any], process: Process) -> bool:
        """Wait for a task; False when the process died first (or with it)."""
        death = asyncio.get_running_loop().create_task(process.died.wait())
        try:
            done, _ = await asyncio.wait({task, death}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            death.cancel()
        assert done, f"nothing happens any more: {task}"
        return not process.dead

    async def _bury(self, process: Process) -> None:
        """Close what a dead process had open; nothing it still wanted to say is said."""
        self.deaths += 1
        await process.end()
        with suppress(ProcessDied):
            await self.world.stop()
        self.world.app = None
        if self.world.database_url.startswith("postgresql"):
            await _hang_up(self.world.database_url)
        for thread in threading.enumerate():  # a request that is on its way arrives before the next process looks for it
            if thread.name.startswith("pagerduty-"):
                await asyncio.to_thread(thread.join, PATIENCE_S)


@asynccontextmanager
async def a_crashing_world(folder: Path, database_url: str, fate: Fate, **more: Any) -> AsyncIterator[CrashingWorld]:
    """A world with its bot running, which may die."""
    own_tasks(asyncio.get_running_loop())
    world = GovernedWorld(folder, database_url, socket_mode=False, **{"policy": COMPANY, **more})
    async with world.sandbox:
        world_that_crashes = CrashingWorld(world, fate)
        try:
            await world_that_crashes.live()
            yield world_that_crashes
        finally:
            await world.stop()


async def _hang_up(url: str) -> None:
    """Close what a dead process still had open on PostgreSQL, as the system does with its sockets."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        left = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tierline'"
        await connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {left}")
    finally:
        await connection.close()


class Traces:
    """What outlives a process: how often the SQLite file was committed to, and how much each peer has seen."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.world: GovernedWorld | None = None

    def __call__(self) -> Hashable:
        """Equal at two moments between which nothing changed."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        peers = self.world.sandbox if self.world is not None else None
        return version, None if peers is None else (len(peers.slack.record), len(peers.pagerduty.record), len(peers.customer.record))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
