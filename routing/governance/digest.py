"""Pages of a storm as one incident: which cases it lists and how far it got. Owns the value; when pages are grouped is
`routing.governance.digest_lifecycle`'s to say.
"""

import operator

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.case.case import Page, PageProgress
from routing.vocabulary import PageRoute, Risk


class Listed(BaseModel):
    """The page of a case that a digest stands for: who is to come for it, and whether somebody has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    tier: int
    round: int
    risk: Risk
    taken: bool = False
    shown: bool = Field(
        default=False, exclude_if=operator.not_, description="whether whatever a route took of it, or may have taken, lists this case"
    )
    told: bool = Field(default=False, description="whether the case knows that: its page is accepted")


class Digest(PageProgress):
    """One digest, from the first page that it stands for until nobody need come for any. Its routes are those of a page."""

    id: str
    desk: str = Field(description="digest of the keys and addresses by which it goes out: whoever has others has a digest of their own")
    policy_sha256: str = Field(description="the policy that names them, for this ladder and tier")
    ladder: str
    tier: int
    page: Page
    email: bool = False
    drill: str = Field(default="", exclude_if=operator.not_, description="the drill whose pages it lists, and no others")
    risk: Risk = Field(description="the worst it was rung for")
    at: AwareDatetime
    listed: tuple[Listed, ...] = Field(default=(), description="whom it stands for now, in the order in which they came")
    count: int = Field(default=0, description="how many it has stood for so far")
    under_way: tuple[PageRoute, ...] = Field(default=(), description="routes to which it is on its way: what is sent is drawn only then")
    sent_at: AwareDatetime = Field(description="when it was last handed over to be sent")
    stale: bool = Field(default=False, description="what was sent last is not how it stands, and has not been sent anew")
    acknowledged_by: str = ""
    heard_at: AwareDatetime | None = Field(
        default=None, exclude_if=operator.not_, description="when the last news of its incidents happened, by PagerDuty's clock"
    )
    left: tuple[Listed, ...] = Field(
        default=(),
        exclude_if=operator.not_,
        description="what it listed when somebody resolved it there; reopened it lists again what waits of that",
    )
    over_at: AwareDatetime | None = None

    @property
    def over(self) -> bool:
        """Whether its incident is settled, or is about to be."""
        return self.over_at is not None

    @property
    def stands_for(self) -> tuple[Listed, ...]:
        """What its incident is about, one page of a case: what it lists, and what it listed when somebody resolved it there."""
        there = {one.case for one in self.listed}
        return (*self.listed, *(one for one in self.left if one.case not in there))

    @property
    def untold(self) -> tuple[Listed, ...]:
        """Pages that stood in nothing that a route took, so that nobody knows of them by this digest."""
        return tuple(one for one in self.listed if not (one.shown or one.told))

    @property
    def wanted(self) -> bool:
        """Whether somebody still has to be found by it."""
        return not self.over and not self.acknowledged_by
