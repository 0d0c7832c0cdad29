"""The part of the policy form about claims: how long one lasts that nobody works on, and how much one person may take (V14)."""

from typing import Annotated

from pydantic import Field

from routing.case.case import CLAIM_S
from routing.policy.clocks.row import Duration
from routing.policy.form.parts import Part


class Claims(Part):
    """What holds for everybody who reviews, in all workflows together."""

    idle: Annotated[Duration, Field(ge=60, le=28_800)] = Field(
        default=CLAIM_S, description="how long a claim lasts that its owner does nothing with: 1m to 8h"
    )
    open: int | None = Field(default=None, ge=1, le=1_000, description="cases one person may have claimed at once; none: any number")
    hourly: int | None = Field(
        default=None, ge=1, le=10_000, description="cases one person may take within an hour, by claiming or by letting them through"
    )
