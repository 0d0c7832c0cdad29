"""The process dies at any point while pages are listed in a digest, refused, taken another way and decided: each rings once.

By default at a few points around each step of the digest, on SQLite; with `--full` at every point that differs.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.mail_server import a_mail_server
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import Traces, a_crashing_world
from tests.promises.dying import refuse_until, wrong_after_dying
from tests.promises.judge import doubled, rung_after_resolve
from tests.promises.replay import replay
from tests.promises.stories import decided
from tests.promises.test_crash_points import sqlite
from tests.promises.test_second_route import ROUTED
from tests.world import DMITRI, NOON

STORMY = ROUTED.replace("ladders:\n", "pages: {storm: {most: 1, within: 1h}}\nladders:\n", 1)
assert STORMY != ROUTED


async def tell(folder: Path, fate: Fate) -> list[str]:
    """Three cases climb at once, PagerDuty refuses until mails are out and takes them then, each is decided. Gives what is wrong."""
    async with a_mail_server() as mail, a_crashing_world(folder, sqlite(folder), fate, policy=STORMY, smtp_url=mail.url) as crashing:
        if isinstance(fate.state, Traces):
            fate.state.world = crashing.world
        world = crashing.world
        refuse_until(crashing, mail, 2)
        opened = [await crashing.post(number, subject={"id": f"cust-{number}", "type": "customer"}) for number in (1, 2, 3)]
        await crashing.settle()
        await crashing.wait_until(NOON + timedelta(minutes=18))
        [digest] = (await world.bot.reads.governance()).digests
        found = [] if digest.count == 2 else [f"{digest.count} cases listed"]
        for case_id in opened:
            await crashing.press(DMITRI, "approve", case_id, decided)
        await crashing.settle()
        await crashing.wait_until(NOON + timedelta(minutes=25))
        found += doubled(world.sandbox) + rung_after_resolve(world.sandbox) + await replay(world.bot.database)
        incidents = world.sandbox.pagerduty.incidents
        found += [] if len(incidents) == 4 else [f"{len(incidents)} incidents"]
        found += [] if mail.different == 2 else [f"{mail.different} mails"]
        [digest] = (await world.bot.reads.governance()).digests
        found += [] if digest.over and not digest.listed else ["the digest goes on"]
        return found + [f"{one.key} is {one.status}" for one in incidents if one.status != "resolved"]


@pytest.mark.timeout(3_600)
async def test_dying_in_a_storm(tmp_path: Path, *, full: bool) -> None:
    """Wherever it dies, each case is listed once or rings once, and the digest ends with the last of them."""
    assert not await wrong_after_dying(tmp_path, tell, lambda _number, name: "digest" in name, full=full)
