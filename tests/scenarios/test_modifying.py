"""A reviewer changes what a model proposed: the stories of the limits and the form that hold for it."""

from routing.vocabulary import Lane, State, Verdict
from tests.world import ANNA, DMITRI, World

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
