"""What a service posts about a case it opened before: information, outcome, withdrawal. Owns these published forms; never applies them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=20_000)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Information(_Form):
    """What was missing or asked for. `case` holds whole top-level fields of a case that replace the earlier ones."""

    type: Literal["case.information"]
    case_id: str
    answer: Text | None = Field(default=None, description="The answer to the reviewers' questions, in words")
    case: dict[str, Any] = Field(default_factory=dict, description="Top-level fields of a case, without workflow and task_id")


class Outcome(_Form):
    """What became of the decision. `executed_action_sha256` is the hash of what the service really executed."""

    type: Literal["case.outcome"]
    case_id: str
    result: Literal["executed", "failed", "rolled_back", "found_wrong", "found_right"]
    executed_action_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    detail: Text | None = None
    cost: Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")] | None = None
    complaint: bool | None = None


class Withdrawal(_Form):
    """The service no longer needs a decision."""

    type: Literal["case.withdraw"]
    case_id: str
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
