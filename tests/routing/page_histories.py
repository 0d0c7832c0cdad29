"""What can happen to an incident at PagerDuty, and every order in which we may hear of it."""

from collections.abc import Iterator
from itertools import permutations

NEXT = {
    "triggered": {"acknowledged": "acknowledged", "escalated": "triggered", "resolved": "resolved"},
    "acknowledged": {"acknowledged": "acknowledged", "unacknowledged": "triggered", "escalated": "triggered", "resolved": "resolved"},
    "resolved": {"reopened": "triggered"},
}
"""Status -> what can happen -> status. Source: https://developer.pagerduty.com/docs/webhooks-overview#event-types"""

LONGEST = 4


def histories(longest: int = LONGEST) -> list[tuple[str, ...]]:
    """Every history of at most so many events, at least two."""
    return [one for one in _from("triggered", longest) if len(one) > 1]


def heard(history: tuple[str, ...]) -> Iterator[list[tuple[int, str]]]:
    """In every order, each event with the minute at which it happened and each twice in a row, as after a lost answer."""
    for order in permutations(enumerate(history)):
        yield [one for one in order for _ in range(2)]


def _from(status: str, longest: int) -> Iterator[tuple[str, ...]]:
    yield ()
    for what, then in NEXT[status].items() if longest else ():
        for rest in _from(then, longest - 1):
            yield (what, *rest)
