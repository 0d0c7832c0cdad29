"""Which workflows a change of policy concerns. Owns that answer, for whoever is told of the change; judges no direction."""

from routing.policy.diff import Differences, diff
from routing.policy.policy import Policy

_CHANGES_NO_CASE = ("examples", "accountability", "instructions", "owner")
_CHANGES_EVERY_CASE = ("risk.", "priority.")


def affected(policy: Policy, active: Policy, differences: Differences | None = None) -> tuple[str, ...]:
    """Workflows whose cases may be treated differently by `policy` than by `active`, in order of their names."""
    items = (differences or diff(active, policy)).items
    found = {one.workflow for one in items if one.workflow and not one.key.startswith(_CHANGES_NO_CASE)}
    if any(not one.workflow and one.key.startswith(_CHANGES_EVERY_CASE) for one in items):
        found |= policy.workflows.keys() | active.workflows.keys()
    return tuple(sorted(found))
