"""How much one person has taken, and how much the policy lets one person take. Owns the values; counts nothing and judges nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Workload:
    """One person's share of the work at one moment, under every id of theirs.

    `claimed` are ids of the open cases that they have claimed, of which the policy allows `most_claimed` (None: any number). `taken` are
    the cases they claimed or let through within the last hour, each with the moment they first did, of which it allows `most_taken`.
    `away_until`: they are away until then.
    """

    claimed: frozenset[str] = frozenset()
    most_claimed: int | None = None
    taken: Mapping[str, datetime] = field(default_factory=dict)
    most_taken: int | None = None
    away_until: datetime | None = None
