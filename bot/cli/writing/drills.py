"""Starting and stopping a drill, as a command asks for it. Owns its arguments and answer; whether it may be played say the steps."""

from collections.abc import Mapping
from typing import Any

from escalation.drill_watch import opener
from routing.change import Actor, Refused
from routing.governance.drill_lifecycle import Order, start, stop
from routing.governance.ruling import GovernStep
from routing.vocabulary import DrillKind
from store.ledger.answers import Ruled
from store.ledger.ledger import Ledger


async def start_drill(ledger: Ledger, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a drill of `kind` in `workflow`, with `tier` and `cases` or None. Gives {"done": true, "id", …} or {"done": false, "why"}."""
    tier, cases = (None if arguments.get(name) is None else int(arguments[name]) for name in ("tier", "cases"))
    order = Order(DrillKind(str(arguments["kind"])), str(arguments["workflow"]), tier, cases)
    return await _govern(ledger, start(order, by, opener))


async def stop_drill(ledger: Ledger, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Stop the drill `id`, "": the only one that runs. Gives the same."""
    return await _govern(ledger, stop(str(arguments["id"]), by))


async def _govern(ledger: Ledger, step: GovernStep) -> dict[str, Any]:
    result = await ledger.govern(step)
    if isinstance(result, Refused):
        return {"done": False, "why": result.text}
    return {"done": True, **(result.answer or {})} if isinstance(result, Ruled) else {"done": True}
