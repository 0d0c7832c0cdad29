"""The part of the policy form about postmortems. Owns its keys and defaults."""

from pydantic import Field

from routing.authority import IncidentKind
from routing.policy.clocks.row import Duration
from routing.policy.form.parts import Part, UserId
from routing.vocabulary import Risk


class Postmortems(Part):
    """What calls for a postmortem, who owns it and until when it is due (E12)."""

    of: tuple[IncidentKind, ...] = Field(default=tuple(IncidentKind), min_length=1, max_length=len(IncidentKind))
    owner: UserId = Field(description="who sees to it that each is written and closed")
    within: Duration = Field(default=604_800, description="time to close it; from then on its owner is reminded every day")
    risk: Risk = Field(default=Risk.HIGH, description="class of risk from which something found wrong calls for one")
