"""What a route depends on that the submission does not hold. Read in the same transaction as the write, stored with the case."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.authority import Automation
from routing.vocabulary import Lane


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Waived(_Fact):
    """An exception in force for the case's workflow: the trigger codes it waives, for which action types (none: any)."""

    id: str
    waives: tuple[str, ...]
    action_types: tuple[str, ...] = ()


class Facts(_Fact):
    """The facts of one routing. Replay uses the stored ones, so a policy replayed on its own cases changes nothing."""

    v: int = 1
    automation: Automation = Automation.ON
    sampling: float = Field(default=1.0, description="factor on the policy's sampling rate; 2.0 after one doubling")
    segments: tuple[str, ...] = Field(default=(), description="segments in which people and model disagreed lately: always checked")
    lot: float | None = Field(default=None, description="draw in [0, 1) by case and policy; None: no lot, as in a dry run")
    waived: tuple[Waived, ...] = Field(default=(), description="exceptions in force for this workflow")
    autos_hour: int = Field(default=0, description="automatic approvals of the workflow in the last hour")
    amount_day: str = Field(default="0", description="decimal sum of the amounts approved automatically today (UTC) in the workflow")
    first: str = Field(default="", description="id of the open near-duplicate that came first")
    left_behind: tuple[str, ...] = Field(
        default=(),
        description="what the lane depends on and a modification did not move: it speaks of the proposed action, or of its currency",
    )
    rises_to: Lane | None = Field(default=None, description="the lane that such a modification asks for, one above the one it was made in")
    staged: bool = Field(default=False, description="the case follows a policy that only a share of the cases follows so far")

    def told(self) -> dict[str, Any]:
        """As an event says them: the version, the automation level and whatever is not as usual."""
        return {"v": self.v, "automation": self.automation.value, **self.model_dump(mode="json", exclude_defaults=True)}
