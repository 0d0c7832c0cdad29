"""A policy that somebody wants in force: who proposed it, what it changes, who accepted it. Owns the value; never decides."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Proposal(BaseModel):
    """One proposed policy. `summary` holds figures of its diff and replay (no content), from `routing.policy.diff` and
    `routing.simulation.replay`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    sha256: str
    version: str
    changes: str
    base_sha256: str = Field(description="the policy that was active when it was proposed: accepting it against another is refused")
    by: str = Field(description="Slack id, or os:<user> of the command line, which never counts as the second person; tierline: the file")
    origin: Literal["person", "file", "roll_back"] = Field(default="person", description="how it came; all but the first act by themselves")
    reason: str = Field(default="", description="why, in one sentence; it stands open in the audit log")
    at: AwareDatetime
    raises: bool = Field(default=False, description="it lets the model do more by itself")
    needs: int = Field(default=1, description="different people, none of them who proposed it, who have to accept")
    accepted_by: tuple[str, ...] = ()
    declined_by: str = ""
    state: Literal["open", "accepted", "declined", "superseded"] = "open"
    stage: Literal["full", "share", "shadow"] = Field(default="full", description="what follows acceptance")
    share: int = Field(default=100, ge=0, le=100, description="percent of the new cases that follow it, where staged")
    replayed: bool = False
    people: tuple[str, ...] = Field(default=(), description="who took part: each all names of one, blanks between")
    summary: dict[str, Any] = Field(default_factory=dict)
    workflows: tuple[str, ...] = Field(default=(), description="workflows whose cases it treats differently")
    places: tuple[str, ...] = Field(default=(), description="channels that were told, in order of their bulletins' tiers from 1")

    @property
    def over(self) -> bool:
        """Whether it was decided."""
        return self.state != "open"


class Rollout(BaseModel):
    """An accepted policy that does not act on every case yet. At `percent` 0 it is in shadow: it routes every case and does nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    version: str
    percent: int = Field(ge=0, le=99)
    since: AwareDatetime
    proposal: str
