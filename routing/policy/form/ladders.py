"""The parts of the policy form about who answers and when: groups, tiers, ladders, how they are paged. Owns keys and defaults."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, StringConstraints, model_validator

from routing.case.case import Group
from routing.policy.clocks.row import Duration
from routing.policy.form.parts import EmailAddress, Name, Part, TierNumber, UserId
from routing.vocabulary import Exhausted, Risk


class Members(Group):
    """Who belongs to a group: a Slack user group by handle or id, or Slack user ids."""

    model_config = ConfigDict(strict=True)

    users: tuple[UserId, ...] = ()
    skills: tuple[Name, ...] = Field(default=(), max_length=50, description="what its members know (R15)")

    @model_validator(mode="after")
    def _says_who(self) -> "Members":
        if (self.usergroup is None) == ("users" not in self.model_fields_set):
            raise ValueError("expected either usergroup or users")
        return self


class Paging(Part):
    """How a tier pages: the routing key of an Events API v2 integration and how loud."""

    routing_key: SecretStr = Field(min_length=1)
    severity: Literal["info", "warning", "error", "critical"] = "error"
    escalation_policy: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{4,20}$")] | None = Field(
        default=None,
        description="id of the escalation policy whose person on call is named on the card",
    )


class TierPaging(Paging):
    """The same of a tier, with a way for pages that are not taken."""

    second_key: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="routing key of another service, for pages that the first refuses or does not take within 5 minutes",
    )


class Repeats(Part):
    """That the tier is paged by PagerDuty and e-mail at once, and again and again until somebody has taken the case (E6)."""

    every: Annotated[Duration, Field(ge=60)] = 300
    most: int = Field(default=12, ge=1, le=100, description="pages in all; after the last one somebody has `every` more")


class Storm(Part):
    """When there are too many pages for one routing key: what comes beyond is listed in one digest, an incident of its own."""

    most: int = Field(default=5, ge=1, le=1_000, description="pages of a routing key that ring by themselves within `within`")
    within: Annotated[Duration, Field(ge=60, le=86_400)] = Field(
        default=600, description="time in which they are counted, and in which a digest takes more as long as nobody has taken it"
    )


class Pages(Part):
    """What holds for the pages of every ladder: where they go when PagerDuty does not take them, and what becomes of too many."""

    second_key: SecretStr | None = Field(default=None, min_length=1, description="`second_key` of tiers that name none")
    email: tuple[EmailAddress, ...] = Field(default=(), max_length=20, description="`email` of tiers with `pagerduty` that name none")
    storm: Storm | None = Field(default=None, description="from when on pages are listed in a digest; none: each rings by itself")


class Queue(Part):
    """Another desk of the same tier: who answers and where. A case goes to the one with the fewest skills that suffice."""

    channel: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    group: str


class Closed(Part):
    """Which cases do not wait for a tier to open, and which tier has them instead."""

    to: TierNumber = Field(description="a higher tier of the ladder, from 1, or last")
    from_: Risk = Field(default=Risk.HIGH, alias="from", description="risk from which a case is handed over; below it, it waits")


class Rung(Part):
    """One tier of a ladder, as the file writes it."""

    channel: Annotated[str, StringConstraints(min_length=1, max_length=80)] = Field(description="channel name without #, or id")
    group: str
    owner: UserId | None = None
    backup: UserId | None = None
    ack: Duration | None = Field(default=None, description="time to acknowledge; none: nobody has to")
    decide: Duration = Field(default=14_400, description="time to decide before the next tier is asked")
    calendar: str | None = Field(default=None, description="business time; none: elapsed time")
    closed: Closed | None = Field(default=None, description="outside of the calendar; none: cases wait until it opens")
    pagerduty: TierPaging | None = None
    email: tuple[EmailAddress, ...] = Field(
        default=(), max_length=20, description="who is written to when PagerDuty does not take a page; without `pagerduty`: always"
    )
    repeat: Repeats | None = Field(default=None, description="paged again and again until somebody has taken the case; in place of ack")
    queues: tuple[Queue, ...] = Field(default=(), max_length=20, description="further desks of this tier, chosen by skill")


class Ladder(Part):
    """Who is asked after whom, and what happens when nobody is left."""

    tiers: tuple[Rung, ...] = Field(min_length=1, max_length=9)
    exhausted: Exhausted = Exhausted.HOLD
