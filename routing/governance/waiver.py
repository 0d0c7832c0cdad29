"""An exception to the policy: who asked, why, who approved, until when, how often (R14). Owns the value and what may be waived."""

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

LONGEST = timedelta(days=90)
"""No exception lasts longer (R14)."""


class Waiver(BaseModel):
    """One exception. It stops by itself at `until` or after `most` uses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    workflow: str
    waives: tuple[str, ...]
    action_types: tuple[str, ...] = Field(default=(), description="none: any action of the workflow")
    reason: str = Field(description="one sentence; it stands open in the audit log")
    requested_by: str
    requested_at: AwareDatetime
    until: AwareDatetime
    most: int | None = Field(default=None, description="uses at most; None: as often as it applies")
    people: tuple[str, ...] = Field(default=(), description="who took part: each all names of one, blanks between")
    approved_by: str = ""
    approved_at: AwareDatetime | None = None
    uses: int = 0
    state: Literal["requested", "in_force", "ended"] = "requested"
    ended: str = Field(default="", description="expired, used_up, declined, or who ended it")

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state == "ended"


class WaiverList(BaseModel):
    """The exceptions that are in force or asked for, as they are put before the owners once a week."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    week: str = Field(description="ISO 8601, such as 2026-W47")
    waivers: tuple[Waiver, ...]
