"""One decision outside the normal path, as it is counted, listed and followed up. Owns the values; holds nobody's words, judges nothing."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.vocabulary import Verdict


class BreakGlassUse(BaseModel):
    """Somebody decided a case by break-glass. Done with once it was reviewed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    revision: int = Field(description="of the case when it was decided")
    workflow: str
    by: str
    people: tuple[str, ...] = Field(default=(), description="who did it: all names of one, blanks between")
    at: AwareDatetime
    verdict: Verdict
    passed_over: tuple[str, ...] = Field(description="what would have kept them from deciding, as codes")
    review: str = Field(default="", description="the case that asks whether it was right; set by the ledger")
    review_by: AwareDatetime
    outcome: Literal["", "right", "wrong"] = ""
    reviewed_by: str = ""
    reviewed_at: AwareDatetime | None = None

    @property
    def id(self) -> str:
        """Which use it is: a decision that turned out void may be followed by another."""
        return f"{self.case}:{self.revision}"

    @property
    def over(self) -> bool:
        """Whether it was reviewed."""
        return self.reviewed_at is not None


class BreakGlassList(BaseModel):
    """The uses of a week and those before it that nobody has reviewed yet, these first, as they are put before the operation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    week: str = Field(description="ISO 8601, such as 2026-W47")
    uses: tuple[BreakGlassUse, ...]
