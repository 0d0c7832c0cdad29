"""An approval may be taken back by whoever gave it before its service is told; then the case is pending again as it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routing.case.case import Case
from routing.vocabulary import State
from tests.promises.replay import replay
from tests.world import ANNA, BEN, CHIARA, GRACE, World, a_world
from tests.written import POLICY

UNDOABLE = POLICY.replace("  undo: 0s\n", "")
"""The default: ten seconds."""


@pytest.fixture(params=["sqlite_url", "postgres_url"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world on each database whose policy does not say how long."""
    async with a_world(tmp_path, request.getfixturevalue(request.param), policy=UNDOABLE) as world:
        yield world


async def approved(world: World, **changes: Any) -> str:
    """A case that Anna has just approved."""
    case_id = await world.submit(**changes)
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    return case_id


def as_it_was(case: Case, before: Case) -> bool:
    """Whether everything is as before, but for the revision and what the log counts."""
    later = {"revision": before.revision, "people": before.people}
    return case.model_copy(update=later) == before


async def test_the_service_is_told_when_the_time_is_over(world: World) -> None:
    """Not a moment before, whatever it asks; the card says when, and until when who can take it back."""
    case_id = await approved(world)
    case = await world.case(case_id)
    assert case.undo is not None
    at = f"{case.undo.until:%H:%M:%S} UTC"
    assert f"The service is told at <!date^{int(case.undo.until.timestamp())}^{{time_secs}}|{at}>" in world.text(case_id)
    assert "can take it back" in world.text(case_id)
    assert world.buttons(case_id) == ["undo"]
    assert "you can take it back" in world.told(ANNA)
    assert world.callbacks(case_id) == []
    status, answer = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
    assert (status, answer["state"], answer["verdict"], answer["receipt"], answer["people"]) == (200, "pending", None, None, [])
    await world.restart()
    await world.pass_time(seconds=9)
    assert world.callbacks(case_id) == []
    await world.pass_time(seconds=2)
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["approved"]
    assert "can take it back" not in world.text(case_id)
    assert "undo" not in world.buttons(case_id)
    _, answer = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
    assert (answer["state"], answer["verdict"]) == ("decided", "approved")
    assert await replay(world.bot.database) == []


async def test_taken_back_it_is_as_it_was(world: World) -> None:
    """By the presser alone; the clocks have what was left of them, the service hears nothing of it, and it is decided anew."""
    case_id = await world.submit()
    await world.drain()
    before = await world.case(case_id)
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    await world.click(BEN, "undo", case_id)
    assert "Only whoever gave this approval" in world.told(BEN)
    await world.click(ANNA, "undo", case_id)
    await world.drain()
    case = await world.case(case_id)
    assert as_it_was(case, before)
    assert case.revision == before.revision + 1
    assert "took their approval back" in world.text(case_id)
    assert "took back what was decided" in world.thread(case_id)
    await world.pass_time(minutes=1)
    assert world.callbacks(case_id) == []
    await world.click(BEN, "approve", case_id)
    await world.pass_time(seconds=11)
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["approved"]
    assert await replay(world.bot.database) == []


async def test_too_late(world: World) -> None:
    """Once the time is over nothing is taken back, whether or not anybody has noted that it is."""
    case_id = await approved(world)
    case = await world.case(case_id)
    assert case.undo is not None
    world.clock.now = case.undo.until
    await world.click(ANNA, "undo", case_id)
    assert "can be taken back" in world.told(ANNA)
    assert (await world.case(case_id)).state is State.DECIDED
    await world.pass_time(seconds=1)
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["approved"]


async def test_a_modification_is_taken_back_with_what_it_changed(world: World) -> None:
    """The action is the proposed one again, for whoever looks at it and for the service."""
    case_id = await world.submit(workflow="limited", risk=None)
    await world.drain()
    before = await world.case(case_id)
    await modify(world, case_id)
    assert (await world.case(case_id)).undo is not None
    await world.click(ANNA, "undo", case_id)
    await world.drain()
    assert as_it_was(await world.case(case_id), before)
    assert "80.00" in world.text(case_id)
    await world.click(BEN, "approve", case_id)
    await world.pass_time(seconds=11)
    [told] = world.callbacks(case_id)
    assert (told["verdict"], told["action"]["params"]["amount"], told["action_sha256"]) == ("approved", "80.00", before.action_sha256)
    assert await replay(world.bot.database) == []


async def modify(world: World, case_id: str) -> None:
    """Anna has 60 refunded instead."""
    await world.click(ANNA, "modify", case_id)
    await world.fill_in(ANNA, {"param:/amount": "60.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()


async def test_the_last_of_several_votes(world: World) -> None:
    """The first vote stays; its step, and whom it bars, stay as well."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    case = await world.case(case_id)
    first, second = (ANNA, BEN) if "frontline" in case.rung.group else (CHIARA, "U0DMITRI001")
    await world.click(first, "approve", case_id)
    await world.drain()
    before = await world.case(case_id)
    assert before.open
    await world.click(second, "approve", case_id)
    await world.drain()
    await world.click(first, "undo", case_id)
    assert not (await world.case(case_id)).open, "it is not theirs to take back"
    await world.click(second, "undo", case_id)
    await world.drain()
    assert as_it_was(await world.case(case_id), before)
    assert await replay(world.bot.database) == []


async def test_what_is_decided_together_is_taken_back_together(world: World) -> None:
    """Tied near-duplicates follow the first one back, and forth again."""
    first = await world.submit(workflow="twins")
    second = await world.submit(workflow="twins")
    await world.drain()
    assert (await world.case(second)).tied_to == first
    await world.click(ANNA, "approve", first)
    assert not (await world.case(second)).open
    await world.drain()
    await world.click(ANNA, "undo", first)
    for case_id in (first, second):
        assert (await world.case(case_id)).open
    await world.drain()
    assert (await world.case(second)).tied_to == first
    await world.click(BEN, "approve", first)
    await world.pass_time(seconds=11)
    assert [[one["verdict"] for one in world.callbacks(case_id)] for case_id in (first, second)] == [["approved"], ["approved"]]
    assert await replay(world.bot.database) == []


async def test_a_pause_keeps_it_back(world: World) -> None:
    """As every approval that has not left: it cannot be taken back any more, it is reviewed afresh."""
    case_id = await approved(world)
    await world.sandbox.slack.command(GRACE, "review-tier1", "/review", "pause refunds The model invents orders.")
    await world.bot.tick()
    await world.drain()
    assert (await world.case(case_id)).withheld
    assert "can take it back" not in world.text(case_id)
    await world.pass_time(seconds=15)
    kinds = [one.type for one in world.sandbox.customer.inbox if one.data.get("case_id") == case_id]
    assert kinds == ["case.held"]
    assert await replay(world.bot.database) == []


async def test_a_rejection_is_told_at_once(world: World) -> None:
    """It lets nothing through, so nothing has to wait for a second thought."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "reject", case_id)
    await world.fill_in(ANNA, {"reason": "duplicate"})
    await world.drain()
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["rejected"]


async def test_no_service_waits_beyond_its_deadline(world: World) -> None:
    """With less time left than an approval may be taken back in, it is told at once."""
    case_id = await world.submit(deadline="2026-11-20T12:00:09Z")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert (await world.case(case_id)).undo is None
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["approved"]


async def test_its_service_may_withdraw_it_until_it_is_told(world: World) -> None:
    """It hears `pending` all the while, so what it takes back is not approved a moment later; what it adds is refused with the truth."""
    case_id = await approved(world)
    status, answer = await world.sandbox.customer.supply_information(case_id, case={"title": "Refund, urgent"})
    assert (status, answer["reason"]) == (409, "about_to_be_told")
    status, answer = await world.sandbox.customer.withdraw(case_id, "the customer no longer wants it")
    assert (status, answer["state"]) == (200, "decided")
    await world.drain()
    assert world.buttons(case_id) == []
    assert "The service took the case back" in world.text(case_id)
    assert "can take it back" not in world.text(case_id)
    await world.pass_time(seconds=15)
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["withdrawn"]
    assert await replay(world.bot.database) == []


@pytest.mark.parametrize("which", [0, 1])
async def test_one_of_those_decided_together_is_withdrawn(world: World, which: int) -> None:
    """The others stay approved: nobody has taken that back."""
    ids = [await world.submit(workflow="twins"), await world.submit(workflow="twins")]
    await world.drain()
    await world.click(ANNA, "approve", ids[0])
    await world.drain()
    status, _ = await world.sandbox.customer.withdraw(ids[which], "sent twice")
    assert status == 200
    await world.pass_time(seconds=15)
    wanted = {ids[which]: ["withdrawn"], ids[1 - which]: ["approved"]}
    assert {case_id: [one["verdict"] for one in world.callbacks(case_id)] for case_id in ids} == wanted
    assert await replay(world.bot.database) == []


async def test_a_modification_is_withdrawn(world: World) -> None:
    """With the action that its service proposed."""
    case_id = await world.submit(workflow="limited", risk=None)
    await world.drain()
    proposed = (await world.case(case_id)).action_sha256
    await modify(world, case_id)
    await world.sandbox.customer.withdraw(case_id, "no longer wanted")
    await world.pass_time(seconds=15)
    [told] = world.callbacks(case_id)
    assert (told["verdict"], told["action_sha256"]) == ("withdrawn", proposed)
    assert await replay(world.bot.database) == []


@pytest.mark.parametrize("workflow", ["refunds", "twins"])
async def test_a_quarantine_still_sets_it_aside(world: World, workflow: str) -> None:
    """Whoever sees that it is wrong does not need the presser for it; identical cases do not leave either. Then it is decided afresh."""
    first = await world.submit(workflow=workflow)
    others = [await world.submit(workflow=workflow)] if workflow == "twins" else []
    await world.drain()
    await world.click(ANNA, "approve", first)
    await world.drain()
    await world.sandbox.slack.command(GRACE, "review-tier1", "/review", f"quarantine {first} fraud Looks stolen.")
    await world.drain()
    case = await world.case(first)
    assert (case.state, case.held_by, case.verdict, case.votes) == (State.HELD, "quarantine", None, ())
    await world.pass_time(seconds=15)
    for case_id in (first, *others):
        assert [one["verdict"] for one in world.callbacks(case_id) if "verdict" in one] == []
        assert (await world.case(case_id)).open
    assert "undo" not in world.buttons(first)
    assert await replay(world.bot.database) == []
