"""Something the guardrails noticed: the rule, the figures, what was done about it. Owns the value; never measures."""

import operator
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.authority import AlertLevel, Automation


class Alert(BaseModel):
    """One alert; open until its figure is back to normal (with hysteresis) or, for a stopped line, until the workflow goes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    rule: str = Field(description="name of the breaker, or `stop_the_line`")
    workflow: str
    scope: str = Field(default="", description="impact class or model version it is about; empty: the whole workflow")
    level: AlertLevel
    at: AwareDatetime
    why: str = Field(description="one sentence with the figure and its limit")
    figures: dict[str, Any] = Field(default_factory=dict)
    action: Automation = Field(description="the level it took the workflow to, or left it at")
    changed: bool = Field(default=True, description="whether that was a change")
    drill: str = Field(default="", exclude_if=operator.not_, description="the drill that it belongs to: nothing is the matter")
    acknowledged_by: str = ""
    cleared_at: AwareDatetime | None = None
    page_round: int = Field(default=0, description="pages sent so far")
    unpaged: str = Field(default="", description="why PagerDuty has not taken its page; empty: it has, or has time left")
    said: int = Field(default=0, exclude_if=operator.not_, description="how often it was said once more, because it was still so")
    said_at: AwareDatetime | None = Field(default=None, exclude_if=operator.not_, description="when that was last")
    page_open: bool = Field(default=False, description="whether the last page still rings somewhere")
    heard_at: AwareDatetime | None = Field(
        default=None,
        exclude_if=operator.not_,
        description="when the last news of its page happened, by PagerDuty's clock, or when we closed it",
    )

    @property
    def acknowledged_there(self) -> bool:
        """Whether it is its page at PagerDuty that somebody acknowledged."""
        return self.acknowledged_by.startswith("pagerduty:")

    @property
    def told_at(self) -> datetime:
        """When it was said last."""
        return self.said_at or self.at

    @property
    def over(self) -> bool:
        """Whether nobody need look at it any more."""
        return self.cleared_at is not None
