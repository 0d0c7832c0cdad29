"""One incident and its postmortem: what happened, under which policy and models, who owns it, with what it was closed. Owns the values."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.authority import IncidentKind
from routing.canonical import Json
from routing.change import Actor


class Incident(BaseModel):
    """Open until somebody closes it with its cause, its remediation and a new example case in the policy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: IncidentKind
    about: str = Field(description="id of the alert or case that it is about")
    workflow: str
    at: AwareDatetime
    due: AwareDatetime
    owner: str
    why: str = Field(description="one sentence without content")
    policy_version: str
    policy_sha256: str
    models: tuple[str, ...] = Field(default=(), description="versions that the workflow had, newest last")
    examples: tuple[str, ...] = Field(default=(), description="digests of the example cases that the workflow had; none once it is closed")
    more: int = Field(default=0, description="how often the same happened again while it was open")
    newest: str = Field(default="", description="the case that it happened to last")
    rule: str = Field(default="", exclude_if=operator.not_, description="of an alert, with its scope: what tells its causes apart")
    others: tuple[str, ...] = Field(
        default=(), exclude_if=operator.not_, description="cases or alerts in which the same happened again, newest last"
    )
    reminders: int = 0
    reminded_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    closed_by: str = ""
    cause: str = ""
    remediation: str = ""
    example: str = Field(default="", description="name of the example case it was closed with")

    @property
    def over(self) -> bool:
        """Whether it is closed."""
        return self.closed_at is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: when, what, by whom, about which subject, and what it says openly."""

    at: datetime
    kind: str
    actor: Actor
    about: str
    fields: Mapping[str, Json]
