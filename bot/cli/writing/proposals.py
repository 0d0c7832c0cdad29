"""Proposing a policy and rolling one back, as commands ask for it. Owns their arguments and answers; `bot.policy.proposing` does it."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from bot.cli.files.past_cases import BadLinesError, cases_of_file
from bot.clock import now
from bot.policy.proposing import FULL, Proposed, Proposing, Staging
from routing.change import Actor, Refused
from routing.errors import PolicyError
from routing.governance.policy_lifecycle import ALL
from routing.policy.policy import Policy
from routing.simulation.replay import Replayed
from store.reads.cases import Reads

NOBODY_ACCEPTS = "The active policy names neither owners nor a group with the role policy_owner, so nobody could accept another."

Load = Callable[[bytes], Policy]
Command = Callable[[Proposing, Reads, Load, Actor, Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def propose_file(proposing: Proposing, reads: Reads, load: Load, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Propose the file `policy`, staged by `share` or `shadow`, for `reason`, replayed on `cases` with `labels` where given.

    Gives {"proposed", "proposal", "version", "needs", "raises_autonomy", "replayed", "changed"}, or {"proposed": false, "why"}.
    """
    active = await reads.active_policy()
    if active is None:
        return _not_proposed("There is no active policy yet; the file becomes it at the first start.")
    if not active.has_owners:
        return _not_proposed(NOBODY_ACCEPTS)
    try:
        policy, cases = _read(load, arguments)
    except (PolicyError, BadLinesError, OSError) as error:
        return _not_proposed(str(error))
    share = int(arguments.get("share") or ALL)
    staging = Staging("shadow", 0) if arguments.get("shadow") else Staging("share", share) if share < ALL else FULL
    made = await proposing.propose(policy, active, by, reason=str(arguments.get("reason") or ""), staging=staging, cases=cases)
    match made:
        case Proposed():
            answer: dict[str, Any] = {"proposed": True, "proposal": made.id, "version": made.version, "needs": made.needs}
            return answer | {"raises_autonomy": made.raises, "replayed": made.replayed, "changed": made.changed}
        case Refused(text=text):
            return _not_proposed(text)


async def roll_back(proposing: Proposing, _reads: Reads, _load: Load, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Roll the active policy back for `reason`. Gives {"rolled_back", "active", "sha256"}, or {"rolled_back": false, "why"}."""
    result = await proposing.roll_back(by, str(arguments.get("reason") or ""))
    if isinstance(result, Refused):
        return {"rolled_back": False, "why": result.text}
    return {"rolled_back": True, **result}


COMMANDS: Mapping[str, Command] = {"propose": propose_file, "rollback": roll_back}


def _read(load: Load, arguments: Mapping[str, Any]) -> tuple[Policy, list[Replayed] | None]:
    """The policy, and the cases of the file named (None: those of the store)."""
    policy = load(Path(arguments["policy"]).read_bytes())
    if not arguments.get("cases"):
        return policy, None
    labels = Path(arguments["labels"]) if arguments.get("labels") else None
    return policy, cases_of_file(Path(arguments["cases"]), labels, now(), lambda _done, _total: None)


def _not_proposed(why: str) -> dict[str, Any]:
    return {"proposed": False, "why": why}
