"""Cases from the text of their rows, for lists. Owns that one which nobody can read holds up none of the others: that it is, the check of
the database says (`store.integrity`).
"""

from collections.abc import Iterable

from routing.case.case import Case


def readable(snapshots: Iterable[str]) -> list[Case]:
    """Those that can be read, in the order given."""
    return [case for case in map(_read, snapshots) if case is not None]


def _read(snapshot: str) -> Case | None:
    try:
        return Case.model_validate_json(snapshot)
    except ValueError:
        return None
