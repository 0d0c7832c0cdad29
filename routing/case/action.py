"""The action a model proposes and the one hash that everybody compares. Owns `action_sha256`; never looks at who proposes it or why."""

from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from routing.canonical import digest


class Action(BaseModel):
    """What will be executed, exactly. `before` is the state it changes, where the service gave one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    type: str = Field(min_length=1, max_length=120, description="Name of the action, for example refund.create")
    params: dict[str, Any] | None = Field(default=None, description="The action's arguments, as they will be executed")
    before: dict[str, Any] | None = Field(default=None, description="The state before the action, for the diff on the card")
    reversible: bool | None = Field(default=None, description="Whether the service can undo the action; unknown counts as no")

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of RFC 8785 `{type, params, before}`; absent params or before count as null."""
        return action_sha256(self.type, self.params, self.before)

    def __copy__(self) -> Self:
        """A copy is made to be changed (`model_copy`): it has its own hash."""
        copied = super().__copy__()
        copied.__dict__.pop("sha256", None)
        return copied


def action_sha256(kind: str, params: dict[str, Any] | None, before: dict[str, Any] | None) -> str:
    """Hex SHA-256 of RFC 8785 `{"type", "params", "before"}`, the hash on cards, in decisions and in callbacks."""
    return digest({"type": kind, "params": params, "before": before})
