"""No page waits for a wall clock that somebody sets (promise P3): a bot that runs by itself, its peers with the right time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.app import App
from bot.sandbox.sandbox import Sandbox
from store.schema import leaves
from tests.set_clock import WallClock, wall_clock
from tests.world import ANNA, World

__all__ = ["wall_clock"]

POLICY = """
version: "clocks"
changes: "for clocks that are set"
defaults: {undo: 0s}
groups: {frontline: {usergroup: review-frontline}}
ladders:
  quick:
    tiers:
      - {channel: review-tier1, group: frontline, decide: 2s}
      - {channel: review-tier2, group: frontline, decide: 4h, pagerduty: {routing_key: "${PD_TIER2}", severity: warning}}
    exhausted: hold
workflows:
  refunds: {ladder: quick, template: approval, requester: optional}
"""
HOUR = 3600.0
JUMPED = "the machine's clock was set; time goes on by the steady clock"


@asynccontextmanager
async def a_bot_by_itself(folder: Path, database_url: str) -> AsyncIterator[World]:
    """A bot with all its loops, on the machine's clocks."""
    world = World(folder, database_url, socket_mode=False, policy=POLICY)
    world.sandbox = Sandbox(lambda: time.clock_gettime(time.CLOCK_REALTIME))  # nobody sets that
    async with world.sandbox:
        environment = world.write_files()
        world.app = await App.start(world.settings(environment), environment)
        try:
            url = world.app.url
            world.sandbox.connect(slack_events_url=f"{url}/slack/events", pagerduty_webhook_url=f"{url}/pagerduty/webhooks", cases_url=url)
            yield world
        finally:
            await world.stop()


async def until(happened: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait for it: not a clock that is set by hours, but a minute or two of a busy machine are waited for."""
    async with asyncio.timeout(150):
        while True:
            found = happened()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("by_s", [-2 * HOUR, 2 * HOUR])
async def test_pages_presses_and_cases_go_on_when_the_clock_is_set(
    database_url: str, tmp_path: Path, wall_clock: WallClock, by_s: float
) -> None:
    """Set while a case waits and set again later, either way: the page goes out, people press, new cases come in, and the log says so."""
    with capture_logs() as log:
        async with a_bot_by_itself(tmp_path, database_url) as world:
            case_id = await world.submit()
            wall_clock.by_s = by_s
            await until(lambda: bool(world.sandbox.pagerduty.incidents))
            paged = await world.case(case_id)
            assert paged.tier == 1

            async def recorded() -> bool:
                found = await world.bot.database.read(lambda c: c.execute(select(leaves.c.kind)).scalars().all())
                return found.count("clock_jumped") == 1

            await until(recorded)
            assert [round(line["seconds"]) for line in log if line["event"] == JUMPED] == [by_s]
            await until(lambda: len(world.cards(case_id)) == 2)

            async def approved() -> bool:
                card = world.card(case_id)  # pressed before the bot knows that Slack shows its card, it has to be pressed again
                await world.sandbox.slack.click(ANNA, card["channel"], card["ts"], "tierline:approve")
                return (await world.case(case_id)).verdict is not None

            await until(approved)
            await until(lambda: any(one.type == "case.decided" for one in world.sandbox.customer.inbox))
            await world.submit()
