"""Sensitive values: masked wherever people look, revealed to who may, each look recorded; the service gets what it sent."""

import json
from typing import Any

from tests.governed import GovernedWorld as World
from tests.world import ANNA, CHIARA

IBAN, MAIL, CARD = "DE89370400440532013000", "maria.lopez@customer.example", "4242 4242 4242 4242"
ACTION: dict[str, Any] = {
    "type": "refund.create",
    "params": {"customer": "8841", "iban": IBAN, "amount": "80.00", "note": "in person", "secret_word": "Rumpelstilzchen"},
    "reversible": True,
}
CASE: dict[str, Any] = {
    "action": ACTION,
    "request": f"I am {MAIL}, my card {CARD} was charged twice.",
    "sensitive": ["action.params.secret_word"],
}


async def test_nothing_sensitive_is_shown(world: World) -> None:
    """Neither card nor thread nor evidence nor page shows them; the callback has them, and its hash is that of what was sent."""
    case_id = await world.submit(**CASE)
    await world.drain()
    await world.click(ANNA, "open_evidence", case_id)
    await world.click(ANNA, "escalate", case_id)
    await world.fill_in(ANNA, {"reason": "unsure"})
    await world.pass_time(minutes=10)
    seen = str([*world.sandbox.slack.record, *world.sandbox.pagerduty.record])
    for value in (IBAN, MAIL, CARD, CARD.replace(" ", ""), "Rumpelstilzchen"):
        assert value not in seen
    assert "3000" in world.text(case_id, 2)
    await world.click(CHIARA, "approve", case_id)
    await world.drain()
    decided = world.callbacks(case_id)[-1]
    assert decided["action"]["params"] == ACTION["params"]
    assert world.sandbox.customer.refused == 0


async def test_who_may_reveals_and_is_recorded(world: World) -> None:
    """A senior sees the values in a modal and the log says so; somebody of the frontline is refused, and the log says that too."""
    case_id = await world.submit(**CASE)
    await world.drain()
    await world.click(CHIARA, "reveal", case_id)
    assert IBAN in json.dumps(world.sandbox.slack.open_view(CHIARA))
    assert await world.leaves("revealed") == 1
    await world.click(ANNA, "reveal", case_id)
    assert world.sandbox.slack.open_view(ANNA) is None
    assert (await world.leaves("revealed"), await world.leaves("press_refused")) == (1, 1)


async def test_a_masked_value_survives_a_modification(world: World) -> None:
    """Somebody corrects the amount without ever seeing the account: the service gets the account it sent."""
    case_id = await world.submit(**CASE)
    await world.drain()
    await world.click(ANNA, "modify", case_id)
    assert IBAN not in json.dumps(world.sandbox.slack.open_view(ANNA))
    await world.fill_in(ANNA, {"param:/amount": "60.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    params = world.callbacks(case_id)[-1]["action"]["params"]
    assert (params["iban"], params["amount"], params["secret_word"]) == (IBAN, "60.00", "Rumpelstilzchen")
