"""A reviewer changes what a model proposed: the stories of the limits and the form that hold for it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from routing.vocabulary import Lane, State, Verdict
from tests.world import ANNA, BEN, DMITRI, World, listeners_end, running
from tests.written import POLICY

SCHEMA = {
    "type": "object",
    "required": ["amount", "currency", "ship"],
    "properties": {
        "amount": {"type": "number", "minimum": 0, "title": "Amount"},
        "currency": {"enum": ["EUR", "USD"]},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$", "title": "Approval code"},
        "ship": {"type": "object", "title": "Shipping", "required": ["day"], "properties": {"day": {"type": "string", "format": "date"}}},
        **{f"field_{number:02d}": {"type": "string"} for number in range(40)},
    },
}
FILLED = {
    "amount": 20,
    "currency": "EUR",
    "code": "ABC",
    "ship": {"day": "2026-12-24"},
    **{f"field_{number:02d}": "x" for number in range(40)},
}
SAID = {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "amount": "20.00", "currency": "EUR"}


async def test_a_modification_does_not_get_past_a_limit(world: World) -> None:
    """80.00 changed to 99,999.00: the limit that the policy ties to the action sends it to a senior, whatever the service said."""
    case_id = await world.submit(workflow="limited", risk=SAID)
    await world.drain()
    assert "20.00 EUR" not in world.text(case_id)
    await world.click(ANNA, "modify", case_id)
    await world.fill_in(ANNA, {"param:/amount": "99999.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    case = await world.case(case_id)
    assert (case.state, case.route.lane, case.tier, world.callbacks(case_id)) == (State.PENDING, Lane.SPECIALIST, 1, [])
    assert "99,999.00 USD" in world.text(case_id, tier=2)
    assert "The amount is over 1,000." in world.text(case_id, tier=2)
    assert "Instead of what was proposed" in world.text(case_id, tier=2)
    await world.click(DMITRI, "approve", case_id)
    await world.drain()
    [decided] = world.callbacks(case_id)
    assert (decided["verdict"], decided["action"]["params"]["amount"]) == ("modified", "99999.00")
    assert "Instead of what was proposed" in world.text(case_id, tier=2)


async def test_what_the_service_said_of_another_action_is_no_measure(world: World) -> None:
    """Where the policy ties nothing to the action, a changed one goes a tier up, and the card says why."""
    case_id = await world.submit(risk=SAID)
    await world.drain()
    await world.click(ANNA, "modify", case_id)
    await world.fill_in(ANNA, {"param:/amount": "99999.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    case = await world.case(case_id)
    assert (case.state, case.verdict, case.route.lane, case.tier) == (State.PENDING, None, Lane.SPECIALIST, 1)
    assert "still speaks of the proposed one: risk.amount." in world.text(case_id, tier=2)
    assert "20.00 EUR" not in world.text(case_id, tier=2)


async def test_what_does_not_keep_its_form_is_said_beside_its_field(world: World) -> None:
    """`abc` is no amount: the form stays, says so at the field and keeps what was typed; locked values have no input."""
    case_id = await world.submit(workflow="limited", action=_priced())
    await world.drain()
    await world.click(ANNA, "modify", case_id)
    form = world.sandbox.slack.open_view(ANNA)
    assert form is not None
    inputs = {block["block_id"]: block for block in form["blocks"] if block["type"] == "input"}
    assert "param:/customer" not in inputs
    assert "Locked by the policy, they stay as they are: customer" in str(form["blocks"])
    assert inputs["param:/amount"]["hint"]["text"] == 'Now "129.00", proposed "11.90"'
    await world.fill_in(ANNA, {"param:/amount": "abc", "reason": "wrong_amount"})
    assert world.sandbox.slack.shown_errors(ANNA) == {"param:/amount": "Please type a number in the form of 11.90."}
    await world.fill_in(ANNA, {"param:/amount": "119.00", "reason": "wrong_amount"})
    preview = world.sandbox.slack.open_view(ANNA)
    assert preview is not None
    assert 'amount: now "129.00", proposed "11.90", yours "119.00"' in str(preview["blocks"])
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    case = await world.case(case_id)
    assert case.verdict is Verdict.MODIFIED
    assert "Instead of what was proposed" in world.text(case_id)
    assert "11.90" in world.text(case_id)


def _priced() -> dict[str, object]:
    params = {"customer": "8841", "amount": "11.90", "currency": "USD"}
    return {"type": "price.change", "params": params, "before": {"amount": "129.00"}, "reversible": True}


@pytest.fixture
async def asking(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    """A world whose refunds have a schema of many parameters."""
    schema = json.dumps({"refund.create": SCHEMA})
    policy = POLICY.replace("  limited:\n    ladder: standard\n", f"  limited:\n    ladder: standard\n    action_schemas: {schema}\n")
    assert policy != POLICY
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=policy)) as world:
        yield world


async def _modifying(world: World) -> str:
    action = {"type": "refund.create", "params": FILLED, "before": {"amount": 50}, "reversible": True}
    case_id = await world.submit(workflow="limited", action=action)
    await world.drain()
    for person in (ANNA, BEN):  # the card has no room for all of it
        await world.click(person, "open_evidence", case_id)
    await world.click(ANNA, "modify", case_id)
    return case_id


def _form(world: World, person: str = ANNA) -> dict[str, Any]:
    form = world.sandbox.slack.open_view(person)
    assert form is not None
    return form


async def _turn(world: World, word: str, values: dict[str, Any]) -> None:
    ack = await world.sandbox.slack.click_in_view(ANNA, _form(world)["id"], f"tierline:modify:{word}", values=values)
    await listeners_end()
    assert ack.ok


async def test_a_wrong_value_then_a_right_one_over_pages_a_look_and_the_way_back(asking: World) -> None:
    """What was typed on any page is there on every other, in the second step and back again; only what is sent from there counts."""
    case_id = await _modifying(asking)
    await _turn(asking, "next", {"param:/amount": "30", "reason": "wrong_amount", "text": "Two of three arrived."})
    assert "Changed on other pages" in str(_form(asking)["blocks"])
    await asking.fill_in(ANNA, {"param:/field_39": "y"})
    await _turn(asking, "back", {})
    await _turn(asking, "previous", {})
    await asking.fill_in(ANNA, {"param:/code": "abc"})
    assert asking.sandbox.slack.shown_errors(ANNA) == {"param:/code": "Please type text of the form ^[A-Z]{3}$"}
    await asking.fill_in(ANNA, {"param:/code": "XYZ", "param:/ship/day": "2026-12-31"})
    assert not (await asking.case(case_id)).modified_by
    told = str(_form(asking)["blocks"])
    assert "Amount: now 50, proposed 20, yours 30" in told
    assert 'Shipping, day: proposed "2026-12-24", yours "2026-12-31"' in told
    await asking.fill_in(ANNA, {})
    await asking.drain()
    case = await asking.case(case_id)
    assert (case.verdict, case.reason_code) == (Verdict.MODIFIED, "wrong_amount")
    assert case.modified_fields == ("params.amount", "params.code", "params.field_39", "params.ship.day")
    [decided] = asking.callbacks(case_id)
    assert decided["action"]["params"] == FILLED | {"amount": 30, "code": "XYZ", "ship": {"day": "2026-12-31"}, "field_39": "y"}
    assert decided["rationale"] == "Two of three arrived."
    assert "with your changes it is revision 2" in asking.told(ANNA)
    card = asking.text(case_id)
    for said in ("amount: 50 → 30", "amount: 20 → 30", 'ship.day: \\"2026-12-24\\" → \\"2026-12-31\\"'):
        assert said in card


async def test_what_rises_because_of_a_change_is_said_to_who_changed_it(asking: World) -> None:
    """Over the limit of the policy it needs a senior, and the answer to the press says so with the rule's reason."""
    await _modifying(asking)
    await asking.fill_in(ANNA, {"param:/amount": "5000", "reason": "wrong_amount"})
    await asking.fill_in(ANNA, {})
    await asking.drain()
    assert "it needs specialist review now, at tier 2 (#review-tier2). The amount is over 1,000." in asking.told(ANNA)


@pytest.mark.parametrize("meanwhile", ["modified", "decided", "escalated"])
@pytest.mark.parametrize("step", ["form", "second"])
async def test_a_form_that_is_no_longer_about_the_case_is_refused_and_keeps_what_was_typed(
    asking: World, meanwhile: str, step: str
) -> None:
    """Whatever happened meanwhile: the form stays open with everything typed and says so, at its first step and at its second."""
    case_id = await _modifying(asking)
    if step == "second":
        await asking.fill_in(ANNA, {"param:/amount": "30", "reason": "wrong_amount"})
    match meanwhile:
        case "modified":
            await asking.click(BEN, "modify", case_id)
            await asking.fill_in(BEN, {"param:/amount": "5000", "reason": "wrong_amount"})
            await asking.fill_in(BEN, {})
        case "decided":
            await asking.click(BEN, "approve", case_id)
        case _:
            await asking.click(BEN, "escalate", case_id)
            await asking.fill_in(BEN, {"reason": "needs_specialist"})
    await asking.drain()
    before = await asking.case(case_id)
    form = _form(asking)
    await asking.fill_in(ANNA, {"param:/amount": "31", "reason": "wrong_amount"})
    assert "What you typed still stands here" in str(asking.sandbox.slack.shown_errors(ANNA))
    await _turn(asking, "back" if step == "second" else "next", {"param:/amount": "31"})
    assert _form(asking)["blocks"] == form["blocks"]
    assert "What you typed still stands here" in asking.told(ANNA)
    assert (await asking.case(case_id)).revision == before.revision
