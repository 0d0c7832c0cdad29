"""`/review batch`: twelve cases alike of which two stand out; one person ticks ten, each is recorded and answered by itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from routing.vocabulary import State
from tests.world import ANNA, BEN, CHIARA, GRACE, World, a_world, listeners_end
from tests.written import POLICY


async def submit(world: World, number: int, amount: str = "", **changes: Any) -> str:
    """A refund of about 80 USD, or of another amount."""
    amount = amount or f"{75 + number}.00"
    params = {"customer": f"c-{number}", "amount": amount, "currency": "USD"}
    action = {"type": "refund.create", "params": params, "before": {"refunded": "0.00"}, "reversible": True}
    risk = {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "amount": amount, "currency": "USD"}
    subject = {"id": f"cust-{number}", "type": "customer"}
    document = {"title": f"Refund {amount} USD to customer {number}", "action": action, "risk": risk, "subject": subject}
    case = await world.submit(**document | changes)
    world.clock.now += timedelta(seconds=1)
    return case


async def batch(world: World, person: str, text: str = "batch") -> dict[str, Any] | None:
    """The form that the command opens, None where it opens none."""
    await world.sandbox.slack.command(person, "review-tier1", "/review", text)
    await listeners_end()
    return world.sandbox.slack.open_view(person)


def boxes(view: dict[str, Any]) -> dict[str, str]:
    """The value of each box, by the case that it stands for."""
    [options] = [block["element"]["options"] for block in view["blocks"] if block.get("block_id") == "cases"]
    return {option["value"].partition("|")[0]: option["value"] for option in options}


def aside(view: dict[str, Any]) -> dict[str, str]:
    """Why each case that was set aside is."""
    told = [block for block in view["blocks"] if block.get("block_id", "").startswith("aside:")]
    return {block["block_id"].removeprefix("aside:"): block["elements"][0]["elements"][1]["text"].strip() for block in told}


async def test_twelve_cases_of_which_two_stand_out(world: World) -> None:
    """The two are named first with why; nothing is ticked; what is ticked is decided case by case, and leaves case by case."""
    alike = [await submit(world, number) for number in range(10)]
    large = await submit(world, 10, "990.00")
    warned = await submit(world, 11, checks=[{"name": "rules", "result": "warn", "detail": "Refunded before."}])
    await world.drain()
    view = await batch(world, ANNA)
    assert view is not None
    assert aside(view) == {large: "its amount is far from the others'", warned: "something speaks against it"}
    assert list(aside(view)) == [large, warned]
    values = boxes(view)
    assert set(values) == set(alike)
    assert not any("initial_options" in block["element"] for block in view["blocks"] if block.get("block_id") == "cases")
    ticked = alike[:9]
    await world.fill_in(ANNA, {"cases": [values[case] for case in ticked], "verdict": "approve"})
    said = str((world.sandbox.slack.open_view(ANNA) or {})["blocks"])
    assert "Recorded: you approved 9 of 9." in said
    await world.drain()
    for case in ticked:
        decided = await world.case(case)
        assert (decided.verdict, [vote.by for vote in decided.votes]) == ("approved", [ANNA])
        [callback] = world.callbacks(case)
        assert callback["verdict"] == "approved"
        [event] = [one for one in await world.bot.reads.events(case) if one.kind == "approved"]
        assert event.fields["batch"] == 9
        assert event.fields["saw"] == values[case].rpartition("|")[2]
    for case in (alike[9], large, warned):
        assert (await world.case(case)).open


async def test_what_changed_meanwhile_is_refused_by_itself(world: World) -> None:
    """Somebody else decided one of them and another was revised: those are told with why, the others count."""
    first, second, third = [await submit(world, number) for number in range(3)]
    await world.drain()
    view = await batch(world, ANNA)
    assert view is not None
    values = boxes(view)
    await world.click(BEN, "approve", first)
    await world.drain()
    await world.fill_in(ANNA, {"cases": list(values.values()), "verdict": "approve"})
    said = str((world.sandbox.slack.open_view(ANNA) or {})["blocks"])
    assert "Recorded: you approved 2 of 3." in said
    assert [vote.by for vote in (await world.case(first)).votes] == [BEN]
    for case in (second, third):
        assert [vote.by for vote in (await world.case(case)).votes] == [ANNA]


async def test_rejecting_takes_one_reason_for_all(world: World) -> None:
    """Without it the form says so beside it and keeps what was ticked."""
    cases = [await submit(world, number) for number in range(2)]
    await world.drain()
    view = await batch(world, ANNA, "batch refunds")
    assert view is not None
    chosen = {"cases": list(boxes(view).values()), "verdict": "reject"}
    refused = await world.fill_in(ANNA, chosen)
    assert "reason" in str(refused.body)
    await world.fill_in(ANNA, chosen | {"reason": "wrong_amount", "text": "Refunded by phone."})
    for case in cases:
        rejected = await world.case(case)
        assert (rejected.verdict, rejected.reason_code) == ("rejected", "wrong_amount")
    await world.drain()


@pytest.mark.parametrize(
    "changes",
    [
        {"risk": {"impact": "high", "likelihood": 0.6, "recoverability": "hard"}},
        {"workflow": "payouts"},
        {"workflow": "audited"},
        {"checks": [{"name": "rules", "result": "fail"}]},
        {"request": "Please. " * 100},
    ],
    ids=["high risk", "two people", "a checklist", "a failed check", "too long"],
)
async def test_what_has_to_be_looked_at_by_itself_is_never_ticked(world: World, changes: dict[str, Any]) -> None:
    """High risk, several people, a checklist, something that speaks against it, content that is cut."""
    plain = [await submit(world, number) for number in range(2)]
    others = [await submit(world, number, **changes) for number in (2, 3)]
    await world.drain()
    view = await batch(world, ANNA) or await batch(world, CHIARA)
    assert view is not None
    assert set(boxes(view)) == set(plain)
    assert not set(boxes(view)) & set(others)


async def test_who_may_decide_nothing_is_told_so(world: World) -> None:
    """Somebody of another group, and somebody with one case of a kind."""
    await submit(world, 1)
    await world.drain()
    for person in (ANNA, CHIARA):
        assert await batch(world, person) is None
        assert "no two may be decided together" in world.told(person)


@pytest.fixture
async def narrow(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose channels show one card, and where an approval may be taken back for five minutes."""
    policy = POLICY.replace("owners: review-owners}", "owners: review-owners, window: 1}", 1).replace("undo: 0s", "undo: 5m", 1)
    async with a_world(tmp_path, database_url, policy=policy) as world:
        yield world


async def test_what_has_no_card_is_taken_back_by_its_name(narrow: World) -> None:
    """The answer says when the services are told and how to take one back; nobody else can; the others are told when it is over."""
    cases = [await submit(narrow, number) for number in range(3)]
    await narrow.drain()
    view = await batch(narrow, ANNA)
    assert view is not None
    await narrow.fill_in(ANNA, {"cases": list(boxes(view).values()), "verdict": "approve"})
    said = str((narrow.sandbox.slack.open_view(ANNA) or {})["blocks"])
    assert "Their services are told in 300 s at the latest" in said
    assert all(case in said for case in cases)
    assert narrow.cards(cases[2]) == []
    await batch(narrow, BEN, f"undo {cases[2]}")
    assert (await narrow.case(cases[2])).state is State.DECIDED
    await batch(narrow, ANNA, f"undo {cases[2]}")
    assert "is taken back: the service is not told" in narrow.told(ANNA)
    assert (await narrow.case(cases[2])).state is State.PENDING
    await narrow.pass_time(minutes=6)
    assert [len(narrow.callbacks(case)) for case in cases] == [1, 1, 0]
    await batch(narrow, ANNA, f"undo {cases[0]}")
    assert (await narrow.case(cases[0])).state is State.DECIDED


async def test_what_is_kept_back_by_a_pause_is_not_said_to_be_told(narrow: World) -> None:
    """The workflow is paused between the form and its sending."""
    cases = [await submit(narrow, number) for number in range(2)]
    await narrow.drain()
    view = await batch(narrow, ANNA)
    assert view is not None
    await batch(narrow, GRACE, "pause refunds The model repeats itself.")
    await narrow.fill_in(ANNA, {"cases": list(boxes(view).values()), "verdict": "approve"})
    said = str((narrow.sandbox.slack.open_view(ANNA) or {})["blocks"])
    assert "2 of them kept back" in said
    assert "are told" not in said
    await narrow.pass_time(minutes=6)
    assert [one.get("verdict") for case in cases for one in narrow.callbacks(case) if one.get("verdict") == "approved"] == []
    assert [(await narrow.case(case)).withheld for case in cases] == [True, True]
