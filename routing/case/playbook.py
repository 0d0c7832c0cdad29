"""A playbook as a case carries it: what began it, its steps and how far each is, and what is in force because of it.

Owns these frozen values. They hold what the policy says and no content of the case.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Action = Literal["hold", "quarantine"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaybookStep(_Value):
    """One step: what is done, to whom or where, and what has become of it.

    `number` is what tells its message from others: the round of a page, the sequence of a callback.
    """

    kind: Literal["interim", "legal_hold", "tell", "page", "ticket"]
    to: str = Field(default="", description="a channel, a person, a ticket system, an interim action")
    words: str = ""
    people: tuple[str, ...] = Field(default=(), description="mentioned in the channel")
    groups: tuple[str, ...] = Field(default=(), description="user groups mentioned in the channel, by handle or id")
    released_by: tuple[str, ...] = Field(default=(), description="who may release the legal hold")
    state: Literal["planned", "waiting", "done", "failed", "needless"] = "planned"
    at: AwareDatetime | None = Field(default=None, description="when it came to that state")
    why: str = Field(default="", description="why it failed or is not needed; no content")
    number: int = 0


class Playbook(_Value):
    """A playbook that fits a case. `because` says in words what of it did; `exhausted`: it waits until nobody has answered."""

    name: str
    because: str
    exhausted: bool = False
    steps: tuple[PlaybookStep, ...]
    re_enter: str = ""
    begun_at: AwareDatetime | None = None


class Interim(_Value):
    """What the service is asked to do while people decide, and how the verdict ended that."""

    action: Action
    playbook: str
    since: AwareDatetime
    ended: Literal["", "released", "kept"] = ""

    @property
    def in_force(self) -> bool:
        """Whether the verdict that ends it is still owed."""
        return not self.ended


class LegalHold(_Value):
    """Why the content must not be erased: by which playbook (empty: by a person), whose id, and who may release it (none: by role)."""

    playbook: str = ""
    reason: str = Field(default="", description="the policy's; a person's words stand in the event that set it")
    by: str
    at: AwareDatetime
    released_by: tuple[str, ...] = ()
