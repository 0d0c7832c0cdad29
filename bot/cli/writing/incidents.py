"""Closing a postmortem, as a command asks for it. Owns its arguments and answer; whether it may be closed says the step."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from routing.change import Actor, Refused
from routing.governance.incident_lifecycle import case_digest, close, lessons
from store.ledger.ledger import Ledger
from store.reads.cases import Reads


async def close_incident(ledger: Ledger, reads: Reads, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Close `incident` with `cause`, `remediation` and `example`: the name of an example of the policy in force, or the path of a JSON file
    with the case of one, or "" where its workflow is gone.

    Gives {"closed", "incident", "example"}, or {"closed": false, "incident", "why"}.
    """
    wanted = str(arguments["incident"])
    try:
        name = await _named(reads, wanted, str(arguments["example"]))
    except (OSError, ValueError) as error:
        return _not_closed(wanted, f"{arguments['example']} cannot be read as the case of an example: {error}.")
    if name is None:
        return _not_closed(
            wanted, "The policy in force has no example with this case in the workflow. Add it, and have the policy accepted first."
        )
    words = {name: str(arguments[name]) for name in ("cause", "remediation")}
    result = await ledger.govern(close(wanted, by, example=name, **words))
    return _not_closed(wanted, result.text) if isinstance(result, Refused) else {"closed": True, "incident": wanted, "example": name}


async def _named(reads: Reads, wanted: str, example: str) -> str | None:
    """The name of the example; None where the policy has none with the case of that file."""
    if not example.endswith(".json"):
        return example
    case = json.loads(await asyncio.to_thread(Path(example).read_bytes))
    incident, policy = (await reads.governance()).incident(wanted), await reads.active_policy()
    if policy is None or incident is None:
        return example
    return next((one.name for _, one in lessons(policy, incident, lambda one: case_digest(one.case) == case_digest(case))), None)


def _not_closed(incident: str, why: str) -> dict[str, Any]:
    return {"closed": False, "incident": incident, "why": why}
