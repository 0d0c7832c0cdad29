"""What one person was told directly of what they owe. Owns the value."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Told(BaseModel):
    """`keys` are what they were told of and still owe, as `routing.governance.owed` names them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime | None = Field(default=None, description="when they were last told")
    keys: tuple[str, ...] = ()
    off: bool = Field(default=False, description="they do not want to be told")
