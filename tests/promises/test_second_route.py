"""The process dies at any point while a page goes from one route to the next: no hop is lost and none is taken twice.

By default at a few points around each hop, on SQLite; with `--full` at every point that differs.
"""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.mail_server import a_mail_server
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import Traces, a_crashing_world
from tests.promises.dying import refuse_until, wrong_after_dying
from tests.promises.judge import doubled, rung_after_resolve
from tests.promises.stories import Story, decided
from tests.promises.test_crash_points import sqlite
from tests.world import DMITRI, NOON
from tests.written import POLICY

FIRST = 'pagerduty: {routing_key: "${PD_TIER2}", severity: warning, escalation_policy: PPTIER2A}'
ROUTED = POLICY.replace(FIRST, FIRST[:-1] + ', second_key: "${PD_SECOND}"}, email: [duty@northwind.example]')


async def tell(folder: Path, fate: Fate) -> list[str]:
    """A case climbs, PagerDuty refuses its page by both keys until a mail is out, takes it then, and it is decided. Gives what is wrong."""
    async with a_mail_server() as mail, a_crashing_world(folder, sqlite(folder), fate, policy=ROUTED, smtp_url=mail.url) as crashing:
        if isinstance(fate.state, Traces):
            fate.state.world = crashing.world
        world, story = crashing.world, Story(crashing)
        refuse_until(crashing, mail, 1)
        story.case_id = await crashing.post(1)
        await story.settle()
        await crashing.wait_until(NOON + timedelta(minutes=18))
        await story.press(DMITRI, "approve", decided)
        await story.settle()
        kinds = Counter(one.kind.value for one in await world.bot.reads.history(story.case_id))
        found = doubled(world.sandbox) + rung_after_resolve(world.sandbox)
        found += [] if kinds["page_not_accepted"] == 2 else [f"{kinds['page_not_accepted']} hops"]
        found += [] if kinds["page_accepted"] == 3 else [f"{kinds['page_accepted']} routes took it"]
        found += [] if mail.different == 1 else [f"{len(mail.taken)} mails, not the same"]
        incidents = world.sandbox.pagerduty.incidents
        found += [] if len(incidents) == 2 else [f"{len(incidents)} incidents"]
        return found + [f"{one.key} is {one.status}" for one in incidents if one.status != "resolved"]


@pytest.mark.timeout(3_600)
async def test_dying_between_two_routes(tmp_path: Path, *, full: bool) -> None:
    """Wherever it dies, each route has the page once in the end."""
    assert not await wrong_after_dying(tmp_path, tell, lambda _number, name: name.startswith("page_fates"), full=full)
