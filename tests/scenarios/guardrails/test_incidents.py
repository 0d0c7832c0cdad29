"""Incidents: each opens one postmortem, in a thread of the operations channel, and is closed only with a new example case in the policy."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli.writing.incidents import close_incident
from routing.authority import IncidentKind
from routing.change import Actor, IncidentCause
from routing.governance.incident import Incident
from routing.governance.incident_lifecycle import opened
from routing.vocabulary import CaseKind
from store.reads.incident_timeline import told
from tests.governed import GovernedWorld as World
from tests.promises.replay_governance import replay_governance
from tests.scenarios.guardrails.test_break_glass import WITH, use
from tests.world import CHIARA, FARID, GRACE, HUGO, running

NAMED = WITH.replace("ladders:\n", "postmortems: {owner: U0GRACE0001, within: 2d, risk: medium}\nladders:\n", 1)
SEEN = {
    "request": "I was charged twice.",
    "action": {"type": "refund.create", "params": {"amount": "80.00"}, "reversible": True},
    "model": {"name": "m", "version": "1", "confidence": 0.95},
    "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
}
LESSON = f"examples: [{json.dumps({'name': 'charged-twice', 'case': SEEN, 'lane': 'review'})}]"
STOPPING: dict[str, Any] = {"risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "flags": ["prohibited_content"]}}
RISKY: dict[str, Any] = {"risk": {"impact": "high", "likelihood": 0.6, "recoverability": "hard"}}
OPERATOR = Actor("human", "os:operator")


@pytest.fixture
async def watched(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The company with a policy that calls for postmortems."""
    async with running(World(tmp_path, database_url, False, policy=NAMED)) as world:
        yield world


@pytest.fixture
async def once(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The same on one database, for what does not hang on it."""
    async with running(World(tmp_path, sqlite_url, False, policy=NAMED)) as world:
        yield world


async def incidents(world: World) -> tuple[Incident, ...]:
    """Every incident, oldest first."""
    return (await world.bot.reads.governance()).incidents


def postmortems(world: World) -> list[dict[str, Any]]:
    """The messages in the operations channel that are postmortems, each with its channel."""
    return [one for one in world.bulletins("review-ops") if one["metadata"]["event_payload"]["subject"].startswith("i_")]


def thread(world: World, message: dict[str, Any]) -> str:
    """What stands in the thread of a message."""
    return json.dumps(world.sandbox.slack.thread(message["channel"], message["ts"]), ensure_ascii=False)


async def close(world: World, incident: Incident, example: str, cause: str = "No rule.") -> dict[str, Any]:
    """The operator closes it on the command line."""
    words = {"cause": cause, "remediation": "A rule and an example."}
    return await close_incident(world.bot.ledger, world.bot.reads, OPERATOR, {"incident": incident.id, "example": example, **words})


async def accept(world: World, text: str) -> None:
    """Another policy is proposed and accepted."""
    await world.propose(text)
    await world.drain()
    await world.press(HUGO, world.bulletins("review-owners")[-1], "accept_policy")
    await world.bot.tick()
    await world.drain()


async def test_a_stopped_line_from_its_postmortem_to_the_lesson(watched: World) -> None:
    """One message with owner, due date, policy and models; the timeline in its thread; a reminder when due; closed with a new example."""
    world = watched
    case_id = await world.submit(**STOPPING)
    await world.drain()
    [incident] = await incidents(world)
    assert (incident.kind, incident.owner, incident.workflow) == (IncidentKind.STOP, GRACE, "refunds")
    [root] = postmortems(world)
    for said in (incident.id, f"<@{GRACE}>", "support-model 2026-10 7", incident.policy_sha256[:12], "not written yet", case_id):
        assert said in world.read(root), said
    assert "Breaker tripped" in thread(world, root)
    assert "Received" in thread(world, root)
    await world.submit(**STOPPING)
    assert len(await incidents(world)) == 1
    assert await world.leaves("incident_opened") == 1
    refused = await close(world, incident, "charged-twice")
    assert not refused["closed"]
    assert "has no example" in refused["why"]
    await world.pass_time(days=2, minutes=2)
    assert f"<@{GRACE}> This postmortem was due" in thread(world, root)
    assert await world.leaves("incident_reminded") == 1
    await accept(
        world, NAMED.replace('version: "2026-11-20.1"', 'version: "2"').replace("refunds: {ladder", f"refunds: {{{LESSON}, ladder", 1)
    )
    assert (await close(world, incident, "charged-twice"))["closed"]
    await world.drain()
    root = postmortems(world)[0]  # the cases that stopped the line were left to the end of their ladder meanwhile: another incident
    assert "Closed" in world.read(root)
    assert "A rule and an example." in thread(world, root)
    assert "closed already" in (await close(world, incident, "charged-twice"))["why"]
    assert await world.leaves("incident_closed") == 1
    assert await world.bot.database.read(lambda connection: replay_governance(connection, {})) == []
    governance = await world.bot.reads.governance()
    messages = await world.bot.database.read(lambda connection: told(connection, incident, governance))
    assert {"slack", "pagerduty"} <= {one.peer for one in messages if one.state == "delivered"}


async def test_an_old_example_teaches_nothing(once: World) -> None:
    """Nor does the same case under another name, nor one that does not go where it says; a file with the case of a new one does."""
    world = once
    old = NAMED.replace("refunds: {ladder", f"refunds: {{{LESSON}, ladder", 1)
    await accept(world, old.replace('version: "2026-11-20.1"', 'version: "2"'))
    await world.submit(**STOPPING)
    await world.drain()
    [incident] = await incidents(world)
    assert "was in the policy when" in (await close(world, incident, "charged-twice"))["why"]
    renamed = old.replace("charged-twice", "charged-again").replace('version: "2026-11-20.1"', 'version: "3"')
    await accept(world, renamed)
    assert "was in the policy when" in (await close(world, incident, "charged-again"))["why"]
    other = {**SEEN, "request": "I was charged three times."}
    new = json.dumps({"name": "new", "case": other, "lane": "stop"})
    await accept(world, renamed.replace("examples: [", f"examples: [{new}, ").replace('version: "3"', 'version: "4"'))
    assert "does not go where it says" in (await close(world, incident, "new"))["why"]
    right = new.replace('"stop"', '"review"')
    await accept(world, renamed.replace("examples: [", f"examples: [{right}, ").replace('version: "3"', 'version: "5"'))
    file = world.folder / "case.json"
    file.write_text(json.dumps(other))
    assert not (await close(world, incident, "new", cause=" "))["closed"]
    done = await close(world, incident, str(file))
    assert done.get("example") == "new", done


async def test_what_else_calls_for_one(once: World) -> None:
    """An exhausted ladder, once for a workflow; break-glass judged wrong; an approval found wrong where the risk is high enough."""
    world = once
    lonely = [await world.submit(workflow="lonely") for _ in range(3)]
    await world.pass_time(hours=2)
    [exhausted] = await incidents(world)
    assert (exhausted.kind, exhausted.more, exhausted.about in lonely) == (IncidentKind.EXHAUSTED, 2, True)
    broken = await world.submit()
    await use(world, FARID, broken)
    review = await world.child(broken, CaseKind.REVIEW)
    await world.click(HUGO, "reject", review.id)
    await world.fill_in(HUGO, {"reason": "policy_violation"})
    await world.drain()
    harmless, risky = await world.submit(), await world.submit(**RISKY)
    await use(world, FARID, harmless)
    await use(world, FARID, risky)
    for case_id in (harmless, risky):
        assert await world.report(case_id, "found_wrong") == 200
    await world.drain()
    found = {one.kind: one.about for one in (await incidents(world))[1:]}
    assert found == {IncidentKind.BREAK_GLASS: broken, IncidentKind.FOUND_WRONG: risky}
    assert len(postmortems(world)) == 3
    assert "It happened 2 more times" in world.read(postmortems(world)[0])


async def test_what_is_found_wrong_again_is_listed_in_one(once: World) -> None:
    """One postmortem for a workflow however many cases, as it says; a new one only once it is closed."""
    world = once
    wrong = [await world.submit(**RISKY) for _ in range(4)]
    for case_id in wrong:
        await world.drain()
        await world.click(CHIARA, "approve", case_id)
        await world.drain()
        assert await world.report(case_id, "found_wrong") == 200
    await world.drain()
    [incident] = await incidents(world)
    assert (incident.about, incident.others, incident.more) == (wrong[0], tuple(wrong[1:]), 3)
    [root] = postmortems(world)
    assert "It happened 3 more times since" in world.read(root)
    assert all(case_id in world.read(root) for case_id in wrong)


async def test_the_incident_of_a_workflow_that_is_gone_can_be_closed(watched: World) -> None:
    """Without an example, or with one of what took its place, which a policy is asked for as long as it has the workflow."""
    world = watched
    await world.submit(**STOPPING, workflow="summaries")
    await world.submit(workflow="lonely")
    await world.pass_time(hours=2)
    found = {(one.kind, one.workflow): one for one in await incidents(world)}
    stopped, exhausted = found[IncidentKind.STOP, "summaries"], found[IncidentKind.EXHAUSTED, "lonely"]
    assert "name a new example case" in (await close(world, stopped, ""))["why"]
    lines = [line for line in NAMED.splitlines() if not line.startswith(("  summaries:", "  lonely:"))]
    other = "\n".join(lines).replace('version: "2026-11-20.1"', 'version: "2"')
    other = other.replace("refunds: {ladder", f"refunds: {{{LESSON}, ladder", 1)
    await accept(world, other)
    assert "Leave the example out" in (await close(world, stopped, "nothing-of-this-name"))["why"]
    assert (await close(world, stopped, ""))["closed"]
    assert (await close(world, exhausted, "charged-twice"))["closed"]
    await world.drain()
    said = "".join(world.read(one) for one in postmortems(world))
    assert "without an example: the policy had its workflow no more" in said
    assert "with the example" in said
    assert await world.bot.database.read(lambda connection: replay_governance(connection, {})) == []


async def test_two_who_see_the_same_open_one(watched: World) -> None:
    """Whoever is first opens it; the other finds it open. Both at once, in whatever order."""
    world = watched
    cause = IncidentCause(IncidentKind.ALERT, "a_1", "refunds", "Both saw it.")
    await asyncio.gather(*(world.bot.ledger.govern(lambda governed, now: opened(governed, cause, now)) for _ in range(4)))
    await world.drain()
    assert len(await incidents(world)) == 1
    assert await world.leaves("incident_opened") == 1
    assert len(postmortems(world)) == 1


async def test_without_the_key_nothing_calls_for_one(world: World) -> None:
    """A policy that does not name it behaves as before."""
    await world.submit(**STOPPING)
    await world.drain()
    assert await incidents(world) == ()
    assert postmortems(world) == []
