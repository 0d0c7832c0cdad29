"""The part of the policy form about deciding outside the normal path. Owns its keys and defaults."""

from pydantic import Field

from routing.policy.clocks.row import Duration
from routing.policy.form.ladders import Paging
from routing.policy.form.parts import Part


class BreakGlass(Part):
    """Who may decide a case alone, outside the normal path, how often and how long, and who looks at it afterwards."""

    group: str = Field(description="the group whose members may; never for a case that they asked for or took a step on")
    supervisors: str = Field(description="the group that is told at once and reviews each use; never whoever used it")
    within: Duration = Field(
        default=28_800,
        description="how long one emergency lasts: a person may go on so long after their first use that is not reviewed yet",
    )
    most: int = Field(default=3, ge=1, le=100, description="uses by everybody together within `per`")
    per: Duration = 86_400
    review_within: Duration = Field(default=259_200, description="time to review a use; from then on it is asked for every day")
    pagerduty: Paging | None = Field(default=None, description="pages the supervisors as well; none: they are told in Slack only")
