"""A case comes in, a person decides it, the service is called back: the stories of every press."""

from routing.vocabulary import State, Verdict
from tests.world import ANNA, World


async def test_approve(world: World) -> None:
    """Signed webhook, card in the tier's channel, one press, signed callback with a receipt; the hash is the same everywhere."""
    case_id = await world.submit()
    await world.drain()
    assert world.card(case_id)["channel"] == "C0TIER10001"
    assert "approve" in world.buttons(case_id)
    ack = await world.click(ANNA, "approve", case_id)
    assert ack.ok
    await world.drain()
    case = await world.case(case_id)
    assert (case.state, case.verdict) == (State.DECIDED, Verdict.APPROVED)
    assert "approve" not in world.buttons(case_id)
    [decided] = world.callbacks(case_id)
    assert decided["verdict"] == "approved"
    assert decided["action_sha256"] == case.action_sha256
    assert case.action_sha256[:12] in world.text(case_id)
