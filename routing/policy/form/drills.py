"""The part of the policy form about drills. Owns its keys and defaults."""

from typing import Annotated

from pydantic import Field

from routing.authority import Role
from routing.policy.clocks.row import Duration
from routing.policy.form.parts import LAST, Name, Part, TierNumber
from routing.vocabulary import DrillKind


class DrillSchedule(Part):
    """A drill that comes round by itself, once in each `every`; of several kinds in turn. Never while something is the matter."""

    name: Name
    every: Annotated[Duration, Field(ge=86_400)] = Field(default=2_592_000, description="at least 1d")
    kinds: tuple[DrillKind, ...] = Field(
        default=(DrillKind.NOBODY_AVAILABLE,), min_length=1, max_length=20, description="in turn, one each time"
    )
    workflow: str = Field(description="whose ladder it goes")
    tier: TierNumber = Field(default=LAST, description="up to which tier nobody_available climbs")
    calendar: str | None = Field(default=None, description="it begins within these hours only")
    any_time: bool = Field(default=False, description="in place of `calendar`: at night as well")

    @property
    def to_the_top(self) -> bool:
        """Whether it climbs to the last tier."""
        return self.tier == LAST


class Drills(Part):
    """Who may start a drill, how large it is, and which come round by themselves (E10)."""

    roles: tuple[Role, ...] = Field(
        default=(Role.SUPERVISOR, Role.DUTY_OFFICER, Role.ADMIN), min_length=1, description="who may start and stop one in Slack"
    )
    cases: int = Field(default=10, ge=2, le=50, description="cases of a volume_spike")
    alarm: Duration = Field(default=1_800, description="how long the alarm of a downstream_failure waits for somebody to acknowledge it")
    schedule: tuple[DrillSchedule, ...] = Field(default=(), max_length=50)
