"""One row of the clock table: which clock, for which cases, how long. Owns the row, how durations are written and what each
clock does when it runs out; never chooses between rows.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from routing.vocabulary import ClockName, Lane, Mode, Risk

EXPIRY: dict[ClockName, str] = {
    ClockName.ACKNOWLEDGE: "the tier is paged; without a pager, or paged already, the next tier is asked",
    ClockName.DECIDE: "the next tier is asked; at the top the ladder's safe state",
    ClockName.ESCALATE: "the next tier is asked; at the top the ladder's safe state",
    ClockName.VERIFY: "the next tier is asked; at the top the ladder's safe state",
    ClockName.APPROVE: "the next tier is asked; at the top the ladder's safe state",
    ClockName.INFORMATION: "back to people, who decide with what there is",
    ClockName.CHECK: "the check ends unanswered; the automatic approval counts as not checked",
    ClockName.HOLD: "people are asked again",
    ClockName.TOTAL: "the ladder's safe state, whatever tier it is at",
}
"""What happens when a clock runs out. Fixed: a policy says how long, never what then; none of it approves anything."""

_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A duration and the cases it is for; a condition that is None holds for every case.

    `time`: business counts in the calendar of the tier, elapsed counts day and night; None is the clock's own habit (see
    `routing.policy.clocks.table`). `origin` is the place in the policy file, for the explanation.
    """

    clock: ClockName
    lasts_s: int
    risk: Risk | None = None
    mode: Mode | None = None
    lane: Lane | None = None
    time: Literal["business", "elapsed"] | None = None
    origin: str = ""

    @property
    def conditions(self) -> int:
        """How many conditions it makes; a row with more is more specific."""
        return sum(condition is not None for condition in (self.risk, self.mode, self.lane))


def seconds(value: object) -> object:
    """Seconds of a duration such as 30s, 15m, 4h or 2d; from a second to a year."""
    if not isinstance(value, str) or not value[:-1].isascii() or not value[:-1].isdigit() or value[-1] not in _UNIT_S or len(value) > 9:
        raise ValueError("expected a duration like 30s, 15m, 4h or 2d")
    length_s = int(value[:-1]) * _UNIT_S[value[-1]]
    if not 1 <= length_s <= 366 * 86_400:
        raise ValueError("expected a duration from 1s to 366d")
    return length_s


def seconds_or_none(value: object) -> object:
    """The same, or `0`, also `0s`, for no time at all."""
    return 0 if value in (0, "0", "0s") and not isinstance(value, bool) else seconds(value)


def written(length_s: int) -> str:
    """A duration as the policy file writes it, in the largest unit that leaves no rest: `90m`, `4h`."""
    unit = next(unit for unit in "dhms" if length_s % _UNIT_S[unit] == 0)
    return f"{length_s // _UNIT_S[unit]}{unit}"


DurationOrNone = Annotated[
    int,
    BeforeValidator(seconds_or_none),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[0-9]{1,8}[smhd]?$"}, {"const": 0}], "examples": ["10s", 0]}),
]
"""A duration that may be none."""

Duration = Annotated[
    int, BeforeValidator(seconds), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,8}[smhd]$", "examples": ["15m"]})
]
