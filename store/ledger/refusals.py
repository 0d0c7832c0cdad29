"""How often each person was refused lately, so that nobody fills the audit log with refusals. Owns the counting; records nothing."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REFUSALS_A_MINUTE = 10
"""Refused presses of one person that get a leaf each; the rest of the minute is counted in one."""


@dataclass(slots=True)
class Refusals:
    """How often each person was refused within the last minute, in memory only: a restart starts afresh."""

    _recent: dict[str, deque[datetime]] = field(default_factory=dict)
    _uncounted: dict[str, int] = field(default_factory=dict)

    def admit(self, person: str, now: datetime) -> bool:
        """Whether this refusal gets a leaf of its own; if not, it is counted."""
        recent = self._recent.setdefault(person, deque(maxlen=REFUSALS_A_MINUTE))
        if len(recent) == REFUSALS_A_MINUTE and now - recent[0] < timedelta(minutes=1):
            self._uncounted[person] = self._uncounted.get(person, 0) + 1
            return False
        recent.append(now)
        return True

    def over(self, now: datetime) -> list[tuple[str, int]]:
        """(person, count) of those whose minute is over; to be forgotten once recorded."""
        past = [person for person, recent in self._recent.items() if now - recent[-1] >= timedelta(minutes=1)]
        return [(person, self._uncounted.get(person, 0)) for person in past]

    def forget(self, person: str, count: int) -> None:
        """So many refusals of a person are recorded; those that came meanwhile stay."""
        left = self._uncounted.pop(person, 0) - count
        if left:
            self._uncounted[person] = left
        else:
            self._recent.pop(person, None)
