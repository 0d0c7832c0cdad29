"""How far an action moves a value from what it is now, against what the policy lets pass unnoticed. Owns this comparison; pure."""

import re
from collections.abc import Mapping
from decimal import Decimal

from routing.case.action import Action

_ABSENT = object()
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def large_changes(percent: Mapping[str, int], amount: Mapping[str, str], action: Action) -> tuple[str, ...]:
    """The parameters (dotted paths) that change by more than their limit, in the order of the policy.

    A parameter that the action does not set is not changed. One whose change cannot be told, since one of its two values is missing or no
    number, counts as changed by more. Every change of 0 is more than any share of it.
    """
    found = [path for path, limit in percent.items() if _beyond(action, path, share=Decimal(limit) / 100)]
    found += [path for path, limit in amount.items() if _beyond(action, path, limit=Decimal(limit))]
    return tuple(dict.fromkeys(found))


def _beyond(action: Action, path: str, *, share: Decimal | None = None, limit: Decimal = Decimal(0)) -> bool:
    proposed = _at(action.params, path)
    if proposed is _ABSENT:
        return False
    before, after = _number(_at(action.before, path)), _number(proposed)
    if before is None or after is None:
        return True
    return abs(after - before) > (abs(before) * share if share is not None else limit)


def _at(values: Mapping[str, object] | None, path: str) -> object:
    at: object = values
    for part in path.split("."):
        at = at.get(part, _ABSENT) if isinstance(at, Mapping) else _ABSENT
    return at


def _number(value: object) -> Decimal | None:
    """A number, or text that is one as amounts are written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = repr(value) if isinstance(value, float) else str(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None
