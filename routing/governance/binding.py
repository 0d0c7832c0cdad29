"""A name of the policy (a channel's, a user group's) and the id in Slack that it stands for. Owns the value and how names are spelled.

Names change and can be taken over by others; ids stay. So a name is resolved once, and from then on everything goes to the id.
"""

import re

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_CHANNEL_ID, _GROUP_ID = re.compile(r"[CGD][A-Z0-9]{7,30}"), re.compile(r"S[A-Z0-9]{7,30}")
_PERSON_ID = re.compile(r"[UW][A-Z0-9]{1,30}")
"""Slack's names are in lower case, so neither can be taken for the other."""


class Binding(BaseModel):
    """What a name stands for. `name` begins with # for a channel, with @ for a user group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    id: str = Field(default="", description="what everything goes to; empty: nothing carries the name yet")
    since: AwareDatetime
    called: str = Field(default="", description="what the id is called now, where that is another name")
    claimant: str = Field(default="", description="the id of another that carries the name now")
    kept: bool = Field(default=False, description="an owner said that it stays so, though names differ")
    trouble: str = Field(default="", description="Slack's code for why nothing can be sent there")
    trouble_since: AwareDatetime | None = None
    posted: int = Field(default=0, description="number under which the alarm was posted last")
    places: tuple[str, ...] = Field(default=(), description="where that alarm was posted, in order of the bulletins' places")

    @property
    def parted(self) -> bool:
        """Whether somebody has to say which one is meant."""
        return bool(self.called or self.claimant) and not self.kept

    @property
    def spellings(self) -> tuple[str, ...]:
        """How a channel may be written where it is sent to: by name or id, with or without #."""
        plain = [one for one in (self.name.removeprefix("#"), self.id) if one]
        return (*plain, *map(channel_name, plain))

    @property
    def over(self) -> bool:
        """Whether nobody need look at it."""
        return not self.parted and not self.trouble


def channel_name(destination: str) -> str:
    """The name of a channel as bindings have it, from how the policy writes it: with or without #, or an id."""
    return "#" + destination.removeprefix("#")


def group_name(handle: str) -> str:
    """The same of a user group: with or without @, or an id."""
    return "@" + handle.removeprefix("@")


def is_channel_id(destination: str) -> bool:
    """Whether this is the id of a conversation."""
    return _CHANNEL_ID.fullmatch(destination) is not None


def is_group_id(handle: str) -> bool:
    """Whether this is the id of a user group."""
    return _GROUP_ID.fullmatch(handle) is not None


def is_person_id(destination: str) -> bool:
    """Whether this is the id of a person, who is written to directly."""
    return _PERSON_ID.fullmatch(destination) is not None
