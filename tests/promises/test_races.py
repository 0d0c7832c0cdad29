"""Everybody at once: approvals, a rejection, double clicks and the deadline meet in the same moment, again and again (promises P7, P8).

Exactly one of them decides, everybody gets an answer, every press has its event, the service is told once.
"""

import asyncio
import json
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.sandbox.slack.ack import Ack
from routing.vocabulary import State, Verdict
from store.schema import leaves
from tests.promises.judge import doubled, mistold
from tests.promises.replay import replay
from tests.world import ANNA, BEN, CHIARA, GUEST, World, a_world
from tests.written import POLICY

SEED = 7
MOST = 100
"""Races by default at most: they go on until two kinds of end were seen, since it is the machine that says who is first."""

BRIEF = POLICY.replace("{channel: review-tier1, group: nobody, decide: 1h}", "{channel: review-tier1, group: frontline, decide: 1h}")
"""The last ladder with people on it; when their hour is over the case is rejected by the clock."""

DECISIONS = ("approved", "rejected")


async def presses_of(world: World, case_id: str) -> tuple[Counter[str], list[str]]:
    """How many events of presses each person has in the log of a case, and the verdicts given."""
    statement = select(leaves.c.body).where(leaves.c.case_id == case_id).order_by(leaves.c.idx)
    told = [json.loads(body) for body in await world.bot.database.read(lambda connection: connection.execute(statement).scalars().all())]
    events = Counter(leaf["actor"]["id"] for leaf in told if leaf["event"] in (*DECISIONS, "press_refused"))
    return events, [leaf["fields"]["verdict"] for leaf in told if leaf["event"] == "decided"]


async def race(world: World, chance: random.Random) -> tuple[str, list[str]]:
    """One case at the very moment its time is over; gives its id and what went wrong."""
    case_id = await world.submit(workflow="lonely")
    await world.drain()
    card = world.card(case_id)
    slack = world.sandbox.slack
    await world.click(CHIARA, "reject", case_id)
    view = slack.open_view(CHIARA)
    assert view is not None
    due = (await world.case(case_id)).clocks.decide
    assert due is not None
    world.clock.now = due + timedelta(seconds=chance.choice((-1, 0, 0, 1)))
    before = {person: len(slack.ephemerals(person)) for person in (ANNA, BEN, CHIARA, GUEST)}

    async def approve(person: str, *, twice: bool = False) -> Ack:
        world.clock.now += timedelta(milliseconds=1)  # no finger is faster
        return await slack.click(person, card["channel"], card["ts"], "tierline:approve", as_seen=card, deliver_twice=twice)

    presses = {
        "anna": approve(ANNA, twice=True),
        "anna again": approve(ANNA),
        "ben": approve(BEN),
        "guest": approve(GUEST),
        "chiara": slack.submit(CHIARA, view["id"], {"reason": "unsure", "text": "Better not."}),
    }
    racers = [*presses.values(), world.bot.tick()]
    chance.shuffle(racers)
    acks = [one for one in await asyncio.gather(*racers) if isinstance(one, Ack)]
    answered = slack.shown_errors(CHIARA) or slack.open_view(CHIARA) is None
    if slack.open_view(CHIARA) is not None:
        await slack.close_view(CHIARA)
    await world.bot.tick()
    await world.drain()

    case, (events, verdicts) = await world.case(case_id), await presses_of(world, case_id)
    found = [f"a press was answered {ack.status}" for ack in acks if not ack.ok]
    found += [] if answered else ["Chiara's form says nothing"]
    for person, told in ((ANNA, 2), (BEN, 1), (GUEST, 1)):
        if len(slack.ephemerals(person)) - before[person] < told:
            found.append(f"{person} was not answered {told} times")
    if events != Counter({ANNA: 2, BEN: 1, GUEST: 1, CHIARA: 1}):
        found.append(f"events of presses: {dict(events)}")
    if case.state is not State.DECIDED or case.verdict is None or verdicts != [case.verdict.value]:
        found.append(f"the case is {case.state} {case.verdict}, the log decided {verdicts}")
    if any(vote.by == GUEST for vote in case.votes):
        found.append("a guest decided")
    return case_id, found + mistold(world.sandbox, case)


@pytest.mark.timeout(3_600)
async def test_one_of_many_decides(tmp_path: Path, database_url: str, *, full: bool) -> None:
    """Whoever is first decides, once; over many races everybody wins some."""
    chance, winners = random.Random(SEED), Counter[Verdict | None]()  # noqa: S311 - order of presses, no secret
    async with a_world(tmp_path, database_url, policy=BRIEF) as world:
        for number in range(500 if full else MOST):
            if not full and number >= 15 and len(winners) > 1:
                break
            case_id, found = await race(world, chance)
            assert not found, f"race {number} of seed {SEED}\n" + "\n".join(found)
            winners[(await world.case(case_id)).verdict] += 1
        assert not doubled(world.sandbox)
        assert not await replay(world.bot.database)
    assert len(winners) > 1, winners
