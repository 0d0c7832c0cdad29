"""Erased means gone (P14): of what a case contained, nothing is left in any row or in any message of ours, of whatever kind."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy import text as sql

from bot.cli.writing.erasure import erase_content
from bot.sandbox.faults import Fault, Mode
from routing.change import Actor, MessageKind
from routing.vocabulary import CaseKind, State
from store.ledger.rows import PEERS
from store.migrations.versions.r0005_review import REWRITE
from store.reads.incident_timeline import told
from store.schema import outbox
from tests.playbooks import PLAYBOOKS, PlaybookWorld
from tests.promises.test_nothing_planted import CONTENT, PLANT, every_row, found_in, plant
from tests.world import ANNA, CHIARA, FARID, GRACE, running
from tests.written import POLICY

OPERATOR = Actor("human", "os:operator")
BREAK_GLASS = """
break_glass: {group: experts, supervisors: owners, within: 8h, most: 3, per: 1d, review_within: 3d}
postmortems: {owner: U0GRACE0001}
"""
WITH_FLAG: dict[str, Any] = CONTENT | {"risk": {"impact": "low", "likelihood": 0.1, "flags": ["legal"]}}


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[PlaybookWorld]:
    """A company that has playbooks and break-glass."""
    company = PlaybookWorld(tmp_path, database_url)
    company.policy = POLICY + PLAYBOOKS + BREAK_GLASS
    async with running(company):
        yield company


def shown(world: PlaybookWorld) -> dict[str, str]:
    """Everything that stands in Slack, answers and direct messages too, by where."""
    channels = world.sandbox.slack.workspace.channels.values()
    return {
        f"{one.name or one.im_with} {ts}": json.dumps(message, ensure_ascii=False)
        for one in channels
        for ts, message in one.messages.items()
    }


def with_content(world: PlaybookWorld) -> list[str]:
    """The messages in which planted words stand."""
    return [place for place, text in shown(world).items() if PLANT in text]


async def sent(world: PlaybookWorld) -> set[MessageKind]:
    """Kinds of the messages that were sent, or turned into others since."""

    def read(connection: Connection) -> set[MessageKind]:
        return {MessageKind(kind) for kind in connection.execute(select(outbox.c.kind).where(outbox.c.state == "done")).scalars()}

    return await world.bot.database.read(read)


async def told_by_playbooks(world: PlaybookWorld) -> list[tuple[str, str, str]]:
    """Where the playbooks of the case of the one incident told somebody, and what became of it, as its postmortem says."""
    governance = await world.bot.reads.governance()
    [incident] = governance.incidents
    messages = await world.bot.database.read(lambda connection: told(connection, incident, governance))
    return [(one.to, one.what, one.state) for one in messages if one.what.startswith("playbook")]


async def erased(world: PlaybookWorld, case_id: str) -> None:
    """The content of a case is erased, and everything sent."""
    answer = await erase_content(world.bot.database, world.bot.ledger, OPERATOR, {"case": case_id, "reason": "request 114"})
    assert answer["erased"] is True, answer
    await world.pass_time(minutes=3)


async def nothing_is_left(world: PlaybookWorld) -> None:
    """No planted word stands in any table or any message."""
    assert with_content(world) == []
    rows = await world.bot.database.read(every_row)
    assert [problem for table, content in rows.items() for problem in found_in(f"table {table}", content, {PLANT})] == []


async def a_long_life(world: PlaybookWorld) -> str:
    """A case with every kind of message: talk, questions, a page, playbooks, break-glass that was wrong, its roll back, an outcome."""
    case_id = await world.submit(**WITH_FLAG)
    await world.drain()
    for person, verb, values in (
        (CHIARA, "comment", {"text": plant("comment")}),
        (CHIARA, "ask", {"question": plant("question")}),
    ):
        await world.click(person, verb, case_id)
        await world.fill_in(person, values)
        await world.drain()
        if verb == "ask":
            await world.sandbox.customer.supply_information(case_id, answer=plant("answer"), case={"request": plant("second-request")})
            await world.drain()
    await world.say(FARID, f"break-glass {case_id} {plant('break-glass')}")
    await world.fill_in(FARID, {"verdict": "approve", "text": plant("break-glass")})
    await world.drain()
    review = await world.child(case_id, CaseKind.REVIEW)
    await world.click(GRACE, "reject", review.id)
    await world.fill_in(GRACE, {"reason": "other", "text": plant("wrong")})
    await world.drain()
    undo = await world.child(case_id, CaseKind.ROLLBACK)
    await world.click(CHIARA, "approve", undo.id)
    await world.drain()
    await world.report(case_id, "rolled_back", detail=plant("outcome"))
    await world.say(GRACE, f"legal-release {case_id} {plant('legal')}")
    await world.say(GRACE, "pause refunds The amounts are wrong.")
    await world.say(GRACE, "resume refunds Mended.")
    await world.pass_time(minutes=2)
    return case_id


async def test_of_every_kind_of_message_nothing_is_left(world: PlaybookWorld) -> None:
    """Whatever the project posts to Slack was posted; after the content was erased, none of it, and no row, holds a word of it."""
    case_id = await a_long_life(world)
    assert (await world.case(case_id)).state is State.CLOSED
    assert len(with_content(world)) > 8, "the search would prove nothing"
    before, arrived = await sent(world), await told_by_playbooks(world)
    assert {state for _, _, state in arrived} == {"delivered"}
    await erased(world, case_id)
    assert await told_by_playbooks(world) == arrived, "the postmortem says when people were told, not when that was rewritten"
    of_slack = {kind for kind, peer in PEERS.items() if peer == "slack"}
    assert of_slack - before - await sent(world) == set(), "a kind of message that this story does not try"
    await nothing_is_left(world)


async def test_what_a_playbook_told_says_what_is_left(world: PlaybookWorld) -> None:
    """The words of the policy stay, nobody is rung again, and the title is gone, in the channel and in the direct message."""
    case_id = await world.submit(**WITH_FLAG)
    await world.drain()
    await world.click(CHIARA, "approve", case_id)
    await world.drain()
    await world.say(GRACE, f"legal-release {case_id} Over.")
    await erased(world, case_id)
    said = [text for text in shown(world).values() if "Look at this with the bank today." in text or "You answer for this refund." in text]
    assert len(said) == 2
    for text in said:
        assert "Content erased" in text
        assert "<@U" not in text
        assert "<!subteam" not in text
    await nothing_is_left(world)


async def test_what_an_earlier_version_left_goes_with_the_upgrade(world: PlaybookWorld) -> None:
    """It erased the content of a case and let stand what playbooks had told of it; what they told of others stays as it is."""
    case_id, other = await world.submit(**WITH_FLAG), await world.submit(**WITH_FLAG | {"title": "Another refund"})
    await world.drain()
    await world.click(CHIARA, "approve", case_id)
    await world.drain()
    await world.say(GRACE, f"legal-release {case_id} Over.")
    answer = await erase_content(world.bot.database, world.bot.ledger, OPERATOR, {"case": case_id, "reason": "request 114"})
    assert answer["erased"] is True

    def as_before(connection: Connection, _now: object) -> None:
        rewritten = outbox.c.kind == MessageKind.PLAYBOOK_NOTICE_UPDATE.value
        then = {"kind": MessageKind.PLAYBOOK_NOTICE.value, "state": "done", "settled_at": 1}
        connection.execute(update(outbox).where(rewritten).values(then))

    await world.bot.writer.write(as_before)
    await world.pass_time(minutes=3)
    assert with_content(world) != []
    await world.bot.writer.write(lambda connection, _now: connection.execute(sql(REWRITE)))
    await world.pass_time(minutes=3)
    titles = [said for said in shown(world).values() if "Look at this with the bank today." in said]
    assert sorted("Another refund" in said for said in titles) == [False, True], other
    assert sum("Content erased" in said for said in titles) == 1


@pytest.mark.parametrize("late", [True, False])
async def test_a_message_that_is_under_way_while_the_content_is_erased(world: PlaybookWorld, *, late: bool) -> None:
    """Its reply was lost, or it did not get through at all: afterwards it stands there once, without the content."""
    mode = Mode.DROP_REPLY if late else Mode.SERVER_ERROR
    world.sandbox.faults.add(Fault("slack", "chat.postMessage", mode, times=8))
    case_id = await world.submit(**WITH_FLAG | {"risk": {"impact": "low", "likelihood": 0.1, "flags": ["executive"]}})
    await world.bot.signing.tick()
    await world.bot.courier.drain_once()
    world.sandbox.faults.clear()
    assert len([text for text in shown(world).values() if "Somebody important waits." in text]) == late
    await world.sandbox.customer.withdraw(case_id, reason="Not needed.")
    await world.bot.signing.tick()
    answer: dict[str, Any] = {}
    while not answer.get("erased"):
        await world.bot.courier.drain_once()
        answer = await erase_content(world.bot.database, world.bot.ledger, OPERATOR, {"case": case_id, "reason": "request 114"})
    await world.pass_time(minutes=5)
    [said] = [text for text in shown(world).values() if "Somebody important waits." in text]
    assert "Content erased" in said
    await nothing_is_left(world)


async def test_notes_under_a_card_that_was_deleted(world: PlaybookWorld) -> None:
    """Slack keeps the answers to a deleted message; the card that was posted in its place has a thread of its own."""
    case_id = await world.submit(**WITH_FLAG | {"risk": None})
    await world.drain()
    await world.click(ANNA, "comment", case_id)
    await world.fill_in(ANNA, {"text": plant("comment")})
    await world.drain()
    first = world.card(case_id)
    world.sandbox.slack.delete_message(first["channel"], first["ts"])
    await world.pass_time(hours=2, minutes=5)  # a reminder finds that the card is gone
    assert world.card(case_id)["ts"] != first["ts"]
    assert len(with_content(world)) > 2
    await world.sandbox.customer.withdraw(case_id, reason="Not needed.")
    await world.drain()
    await erased(world, case_id)
    await nothing_is_left(world)
