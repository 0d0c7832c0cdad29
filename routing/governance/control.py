"""How far one workflow may act by itself now, since when and why. Owns the value; never changes it."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.authority import Automation

Cause = Literal["", "person", "breaker", "stop", "sampling"]

STOPS_KEPT = 100
"""Open stop cases remembered of one workflow, the newest."""


class Control(BaseModel):
    """The brake of one workflow. `since` is None while it was never touched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow: str
    automation: Automation = Automation.ON
    since: AwareDatetime | None = None
    cause: Cause = ""
    by: str = Field(default="", description="Slack id, name of the breaker, or id of the case that stopped the line")
    reason: str = Field(default="", description="one sentence; it stands open in the audit log")
    stop_cases: tuple[str, ...] = Field(
        default=(), description="cases that stopped the line: while one is open nobody resumes the workflow"
    )
    posted: int = Field(default=0, description="number under which the bulletins that show the present level were posted")
    sampling: float = Field(default=1.0, description="factor on the policy's sampling rate")
    sampling_since: AwareDatetime | None = Field(default=None, description="when the factor last changed or an error was last caught")
    segments: tuple[str, ...] = Field(default=(), description="segments with disagreement: every automatic approval in them is checked")
    known_versions: tuple[str, ...] = Field(default=(), description="model/prompt versions seen so far, as `name version prompt`")

    def withholds(self) -> bool:
        """Whether approvals stay here."""
        return self.automation.level >= Automation.PAUSED.level

    def freezes(self) -> bool:
        """Whether open cases are held."""
        return self.automation is Automation.FROZEN


def untouched(workflow: str) -> Control:
    """The control of a workflow that nobody ever touched."""
    return Control(workflow=workflow)


def since_or(control: Control, otherwise: datetime) -> datetime:
    """Since when the present level is in force."""
    return control.since or otherwise
