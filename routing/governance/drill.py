"""One drill: what it plays, of which workflow, which of its cases are open, how it ended. Owns the value; judges nothing, and what happened
on the way stands in the audit log of its cases.
"""

import operator
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.vocabulary import DrillKind

Outcome = Literal["", "answered", "unanswered", "stopped", "not_asked"]


class Drill(BaseModel):
    """Under way until none of its cases is open and its alarm, if it has one, is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: DrillKind
    workflow: str
    ladder: str
    to: int = Field(description="the tier (0-based) at which an answer ends it")
    on_call: tuple[str, ...] = Field(default=(), description='PagerDuty\'s id of the escalation policy of each tier; "": names none')
    by: str = Field(description="who started it: a Slack id, `os:<user>`, or `tierline` where the policy did")
    at: AwareDatetime
    schedule: str = Field(default="", description="name in the policy's schedule; empty: somebody started it")
    cases: tuple[str, ...] = Field(default=(), description="set by the ledger")
    left: tuple[str, ...] = Field(default=(), description="those of its cases that are open")
    unanswered: int = Field(default=0, description="cases that ended without anybody having answered where it was to be")
    unasked: int = Field(default=0, description="cases that the policy would have decided without people")
    alert: str = Field(default="", description="id of its alarm")
    until: AwareDatetime | None = Field(default=None, description="how long its alarm waits")
    ring: int = Field(default=0, exclude_if=operator.not_, description="so many pages ring before the others are listed in one; 0: all do")
    stopped_by: str = ""
    ended_at: AwareDatetime | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.ended_at is not None

    @property
    def outcome(self) -> Outcome:
        """How it ended; empty while it is under way."""
        if not self.over:
            return ""
        if self.stopped_by:
            return "stopped"
        return "unanswered" if self.unanswered else "not_asked" if self.unasked else "answered"
