"""Somebody writes to the database without a key: no action is released by it, and everybody who has to know is told."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, Select, insert, select, update
from sqlalchemy.ext.asyncio import create_async_engine
from structlog.testing import capture_logs

from bot.slack.answering import WRONG
from routing.authority import GovernanceVerb
from routing.canonical import canonical
from routing.case.case import Case, Clocks, Vote
from routing.case.people import GovernancePress, Person
from routing.governance.automation import tighten
from routing.vocabulary import EventKind, State, Verdict
from store.audit.merkle import Frontier, leaf_hash
from store.integrity.database_check import DatabaseCheck
from store.ledger.answers import Ruled
from store.schema import cases, governance, head, leaves, nodes, outbox, policies, vault
from tests.scenarios.test_database_check import without_triggers
from tests.world import ANNA, BEN, CHIARA, World, a_world, listeners_end

Rows = dict[str, Any]
Tamper = Callable[[Case], Rows]


def a_vote(case: Case, by: str = BEN, step: int = 0) -> Vote:
    """A vote that nobody gave."""
    return Vote(step=step, by=by, verb="approve", at=case.created_at)


def fewer_people(case: Case) -> Rows:
    """One step in place of two."""
    return {"route": case.route.model_copy(update={"steps": case.route.steps[:1]})}


def other_group(case: Case) -> Rows:
    """Seniors' work is frontline's."""
    return {"route": case.route.model_copy(update={"groups": dict.fromkeys(case.route.groups, case.route.groups["frontline"])})}


BEFORE_THE_PRESS: dict[str, Tamper] = {
    "a vote": lambda case: {"votes": (a_vote(case),), "step": 1},
    "a vote and no step": lambda case: {"votes": (a_vote(case, step=1),), "step": 1},
    "fewer people": fewer_people,
    "no requester": lambda case: {"requester": "", "step": 1, "votes": (a_vote(case),)},
    "another action": lambda case: {"action_sha256": "0" * 64, **fewer_people(case)},
    "another revision": lambda case: {"revision": 2, **fewer_people(case)},
    "another group": lambda case: {**other_group(case), **fewer_people(case)},
    "another policy": lambda case: {
        "route": case.route.model_copy(update={"policy_sha256": "0" * 64, "policy_version": "none", "steps": case.route.steps[:1]})
    },
    "another task": lambda case: {"task_id": "t-999", **fewer_people(case)},
    "no checks failed": lambda case: {"failed_checks": 0, "source_ids": (), **fewer_people(case)},
    "a later deadline": lambda case: {"clocks": Clocks(), **fewer_people(case)},
}
"""What is written into a case's row before somebody presses who may: each would let one press release the action."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def tampered(request: pytest.FixtureRequest, tmp_path: Path) -> Any:  # noqa: ANN401 - a fixture
    """A world on either database."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    async with a_world(tmp_path, url) as world:
        yield world


async def change_row(world: World, case_id: str, changed: Tamper) -> None:
    """What somebody with a client of the database does to a case's row, and knows how to do well."""

    def write(connection: Connection, _now: object) -> None:
        case = Case.model_validate_json(connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one())
        after = case.model_copy(update=changed(case))
        columns = {"state": after.state.value, "revision": after.revision, "action_sha256": after.action_sha256}
        connection.execute(update(cases).where(cases.c.id == case_id).values(snapshot=after.model_dump_json(), **columns))

    await world.bot.writer.write(write)


def executed(world: World, case_id: str) -> list[str]:
    """The callbacks of a case after which its service acts."""
    acting = {"case.decided": ("approved", "modified", "auto_approved"), "case.rollback_requested": (None,)}
    inbox = [one for one in world.sandbox.customer.inbox if one.data.get("case_id") == case_id]
    return [one.type for one in inbox if one.data.get("verdict") in acting.get(one.type, ())]


async def kinds(world: World, case_id: str) -> list[EventKind]:
    """The events of a case."""
    return [one.kind for one in await world.bot.reads.history(case_id)]


@pytest.mark.parametrize("what", BEFORE_THE_PRESS)
async def test_what_is_written_into_a_row_before_a_press_releases_nothing(tampered: World, what: str) -> None:
    """Two people have to say yes. A row is changed so that one press would do: the verdict stays here, and card, log, alarm say so."""
    world = tampered
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await change_row(world, case_id, BEFORE_THE_PRESS[what])
    await world.click(CHIARA, "comment", case_id)  # which draws the card anew, as the row now is
    await world.fill_in(CHIARA, {"text": "Looks fine."})
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    case = await world.case(case_id)
    assert executed(world, case_id) == []
    assert case.state is not State.PENDING, "each of these rows lets one press decide"
    assert EventKind.UNPROVEN in await kinds(world, case_id)
    assert (case.withheld, case.held_by) == (True, "unproven")
    assert "does not prove this decision" in world.text(case_id)
    assert "Audit log disagrees" in str(world.sandbox.slack.messages("review-ops"))
    [unproven] = [one for one in await world.bot.reads.history(case_id) if one.kind is EventKind.UNPROVEN]
    assert unproven.fields["reason"]
    await world.pass_time(minutes=5)
    await world.drain()
    assert executed(world, case_id) == []


async def write(world: World, *statements: Executable) -> None:
    """What somebody with a client of the database does, the triggers of the log taken off before as the owner of the tables may."""
    engine = create_async_engine(world.database_url)
    async with engine.begin() as connection:
        await connection.run_sync(without_triggers)
        for statement in statements:
            await connection.execute(statement)
    await engine.dispose()


async def row_of(world: World, statement: Select[Any]) -> Any:  # noqa: ANN401 - of any table
    """One row as it is."""
    return await world.bot.database.read(lambda c: c.execute(statement).first())


async def a_verdict_by_hand(world: World) -> str:
    """A case that nobody decided becomes decided, with its callback."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    case = await world.case(case_id)
    votes = (a_vote(case), a_vote(case, CHIARA, 1))
    decided = {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": case.created_at, "decided_index": case.content_at}
    after = case.model_copy(update={**decided, "votes": votes, "sequence": 1, "clocks": Clocks()})
    sent = dict(zip(outbox.c.keys(), await row_of(world, select(outbox).where(outbox.c.case_id == case_id)), strict=True))
    callback = {"peer": "callback", "kind": "callback", "callback": "case.decided", "destination": case.service, "sequence": 1}
    row = {**sent, **callback, "id": sent["id"] + 1_000, "leaf_idx": case.content_at, "state": "ready", "attempts": 0, "intent_at": None}
    columns = {"snapshot": after.model_dump_json(), "state": "decided", "verdict": "approved"}
    await write(world, update(cases).where(cases.c.id == case_id).values(columns), insert(outbox).values(row))
    return case_id


async def a_no_that_becomes_a_yes(world: World) -> str:
    """A rejection that has not left yet."""
    case_id = await world.submit(workflow="refunds")
    await world.drain()
    await world.click(ANNA, "reject", case_id)
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    after = (await world.case(case_id)).model_copy(update={"verdict": Verdict.APPROVED})
    await write(world, update(cases).where(cases.c.id == case_id).values(snapshot=after.model_dump_json(), verdict="approved"))
    return case_id


async def an_event_that_says_yes(world: World) -> str:
    """The same, and its event in the log with its hash."""
    case_id = await a_no_that_becomes_a_yes(world)
    row = await row_of(world, select(leaves).where(leaves.c.case_id == case_id, leaves.c.kind == "decided"))
    body = row.body.replace(b'"verdict":"rejected"', b'"verdict":"approved"')
    await write(world, update(leaves).where(leaves.c.idx == row.idx).values(body=body, hash=leaf_hash(body)))
    return case_id


async def events_added_by_hand(world: World) -> str:
    """The log goes on with an event of somebody's own, and its head with it: only the seal is missing."""
    case_id = await an_event_that_says_yes(world)
    every = await world.bot.database.read(lambda c: list(c.execute(select(leaves.c.hash).order_by(leaves.c.idx)).scalars()))
    await write(world, update(head).values(frontier=Frontier().extend(every).to_bytes()))
    return case_id


async def events_of_before_there_were_seals(world: World) -> str:
    """The log goes on with two votes and a verdict as an earlier version wrote them, rightly hashed, and its head as one that never was
    sealed.
    """
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    case = await world.case(case_id)
    every = await world.bot.database.read(lambda c: list(c.execute(select(leaves).order_by(leaves.c.idx))))
    size, first = len(every), every[case.content_at]
    votes = (a_vote(case), a_vote(case, CHIARA, 1))
    said: list[tuple[str, str, Rows]] = [("approved", vote.by, {"step": case.route.steps[vote.step].name}) for vote in votes]
    said.append(("decided", CHIARA, {"verdict": "approved", "action_sha256": case.action_sha256}))
    base = {name: value for name, value in json.loads(first.body).items() if name != "row"}
    rows = []
    for index, (kind, by, fields) in enumerate(said, size):
        new = {"index": index, "id": f"e_{index}", "event": kind, "actor": {"kind": "human", "id": by}, "fields": fields, "sealed": {}}
        body = canonical(base | new)
        rows.append(first._asdict() | {"idx": index, "event_id": f"e_{index}", "kind": kind, "body": body, "hash": leaf_hash(body)})
    growth = Frontier().extend([one.hash for one in every]).grow([row["hash"] for row in rows])
    decided = {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": case.created_at, "decided_index": size + 2}
    after = case.model_copy(update={**decided, "votes": votes, "sequence": 1, "clocks": Clocks()})
    sent = (await row_of(world, select(outbox).where(outbox.c.case_id == case_id)))._asdict()
    callback = {"peer": "callback", "kind": "callback", "callback": "case.decided", "destination": case.service, "sequence": 1}
    fresh = {"id": sent["id"] + 1_000, "leaf_idx": size + 2, "state": "ready", "attempts": 0, "intent_at": None, "settled_at": None}
    columns = {"snapshot": after.model_dump_json(), "state": "decided", "verdict": "approved"}
    await write(
        world,
        *(insert(leaves).values(row) for row in rows),
        *(insert(nodes).values(level=node.level, idx=node.index, hash=node.hash) for node in growth.nodes),
        update(head).values(seal=None, size=growth.frontier.size, frontier=growth.frontier.to_bytes()),
        update(cases).where(cases.c.id == case_id).values(columns),
        insert(outbox).values({**sent, **callback, **fresh, "lease_until": None, "lease_owner": "", "not_before": 0}),
    )
    return case_id


async def a_pause_that_is_lifted(world: World) -> str:
    """A verdict that is kept back while its workflow is paused, and a governance that knows of no pause."""
    before = await row_of(world, select(governance.c.snapshot))
    case_id = await world.submit(workflow="refunds")
    await world.drain()
    grace = Person("U0GRACE0001", "T0NORTHWIND", groups=frozenset({"owners"}))
    asked = GovernancePress(GovernanceVerb.PAUSE, grace, grace.team, "w_refunds", "To look.")
    done = await world.bot.ledger.govern(tighten(asked), press=asked)
    assert isinstance(done, Ruled), done
    await world.click(ANNA, "approve", case_id)
    row = await row_of(world, select(governance.c.revision))
    await write(world, update(governance).values(snapshot=before.snapshot), update(head).values(governance=row.revision))
    return case_id


async def a_verdict_once_more(world: World) -> str:
    """A verdict that was told is told again, under another number, so that it counts as new."""
    case_id = await world.submit(workflow="refunds")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    world.sandbox.customer.inbox.clear()
    again = {"state": "ready", "sequence": 7, "attempts": 0, "not_before": 0, "intent_at": None, "settled_at": None}
    await write(world, update(outbox).where(outbox.c.case_id == case_id, outbox.c.callback == "case.decided").values(again))
    return case_id


BY_HAND = [
    a_verdict_by_hand,
    a_no_that_becomes_a_yes,
    an_event_that_says_yes,
    events_added_by_hand,
    events_of_before_there_were_seals,
    a_pause_that_is_lifted,
    a_verdict_once_more,
]


@pytest.mark.parametrize("tampering", BY_HAND, ids=lambda one: one.__name__)
async def test_what_is_written_by_hand_makes_no_service_act(tampered: World, tampering: Callable[[World], Awaitable[str]]) -> None:
    """Whatever is written, in whatever tables and well: nothing is executed by it, now or later, and the check finds it."""
    world = tampered
    case_id = await tampering(world)
    await world.drain()
    await world.pass_time(minutes=2)
    await world.drain()
    assert executed(world, case_id) == []
    found = await DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey]).everything()
    assert found.findings


async def a_no_that_was_told(world: World) -> str:
    """A rejection whose callback is long delivered: no message leaves any more before which it would be looked at."""
    case_id = await world.submit(workflow="refunds")
    await world.drain()
    await world.click(ANNA, "reject", case_id)
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    after = (await world.case(case_id)).model_copy(update={"verdict": Verdict.APPROVED})
    await write(world, update(cases).where(cases.c.id == case_id).values(snapshot=after.model_dump_json(), verdict="approved"))
    return case_id


async def another_voter(world: World) -> str:
    """A yes that was told, by somebody else than whoever said it."""
    case_id = await world.submit(workflow="refunds")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    case = await world.case(case_id)
    after = case.model_copy(update={"votes": (case.votes[0].model_copy(update={"by": BEN}),)})
    await write(world, update(cases).where(cases.c.id == case_id).values(snapshot=after.model_dump_json()))
    return case_id


ASKED_FOR = [a_verdict_by_hand, a_no_that_becomes_a_yes, an_event_that_says_yes, a_no_that_was_told, another_voter]


@pytest.mark.parametrize("tampering", ASKED_FOR, ids=lambda one: one.__name__)
async def test_whoever_asks_for_a_case_is_told_no_verdict_that_the_log_does_not_prove(
    tampered: World, tampering: Callable[[World], Awaitable[str]]
) -> None:
    """A service may read a verdict instead of waiting for its callback: what is written by hand, it reads as kept back."""
    case_id = await tampering(tampered)
    status, told = await tampered.sandbox.customer.get(f"/v1/cases/{case_id}?wait=0")
    assert (status, told["state"], told["verdict"], told["people"], told["receipt"]) == (200, "held", None, [], None)


async def test_whoever_asks_while_the_head_of_the_log_is_not_ours_is_told_no_verdict(tampered: World) -> None:
    """Then nothing can be proven, and that is said."""
    case_id = await events_added_by_hand(tampered)
    status, told = await tampered.sandbox.customer.get(f"/v1/cases/{case_id}")
    assert status == 503
    assert "head of the audit log" in told["detail"]


async def test_a_policy_of_somebodys_own_decides_nothing(tampered: World) -> None:
    """A policy that approves everything, stored under its right hash and named by the head: no case is taken by it."""
    world = tampered
    text = world.policy.replace("template: dual", "template: auto").encode()
    row = {"sha256": sha256(text).hexdigest(), "body": text, "version": "mine", "at": 0}
    await write(world, insert(policies).values(row), update(head).values(policy=row["sha256"]))
    status, _ = await world.post(workflow="payouts")
    assert status == 503
    assert world.sandbox.customer.inbox == []


async def test_what_was_written_while_the_bot_was_away_is_said_at_its_start(tampered: World) -> None:
    """The first look comes before the first press: an event in the log, an alert, and a sentence in `/readyz` until somebody has looked."""
    world = tampered
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await change_row(world, case_id, BEFORE_THE_PRESS["a vote"])
    await world.restart()
    await world.drain()
    assert "Audit log disagrees" in str(world.sandbox.slack.messages("review-ops"))
    standing = await world.bot.readiness.standing()
    [altered] = [one for one in standing.attention if one.name == "integrity"]
    assert case_id in altered.sentence
    assert standing.obstacles == []  # each verdict is judged by itself; nobody else's work stops
    kinds_of_log = await world.bot.database.read(lambda c: list(c.execute(select(leaves.c.kind)).scalars()))
    assert kinds_of_log.count("database_altered") == 1
    assert await world.bot.database_watch.look() == []


DAMAGE: dict[str, Callable[[str], Executable]] = {
    "a row": lambda case_id: update(cases).where(cases.c.id == case_id).values(snapshot='{"id": "x"}'),
    "content": lambda case_id: update(vault).where(vault.c.case_id == case_id).values(box=b"\x01nothing"),
    "an event": lambda case_id: update(leaves).where(leaves.c.case_id == case_id).values(body=b"nothing"),
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_a_case_that_cannot_be_read_is_said_in_a_sentence_and_holds_up_no_other(tampered: World, what: str) -> None:
    """Its card waits and is looked at once a minute, without a trace of our code in the log; the others' cards go out."""
    case_id = await tampered.submit()
    await write(tampered, DAMAGE[what](case_id))
    with capture_logs() as lines:
        await tampered.bot.courier.drain_once()
        other = await tampered.submit()
        tampered.clock.now += timedelta(seconds=5)  # a channel takes a message a second
        await tampered.bot.courier.drain_once()
    [said] = [one for one in lines if one.get("case") == case_id]
    assert said["event"] == "not sent: what the database has of its case cannot be read"
    assert not [one for one in lines if "exc_info" in one]
    assert (tampered.cards(case_id), len(tampered.cards(other))) == ([], 1)
    for words in ("status", "next", f"case {other}"):
        await tampered.sandbox.slack.command(ANNA, "review-tier1", "/review", words)
        await listeners_end()
    assert WRONG not in tampered.told(ANNA)
    assert other in tampered.told(ANNA)
