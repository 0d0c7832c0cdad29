"""What a route depends on that the submission does not hold. Read in the same transaction as the write, stored with the case."""

from pydantic import BaseModel, ConfigDict


class Facts(BaseModel):
    """The facts of one routing. Replay uses the stored ones, so a policy replayed on its own cases changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: int = 1
    automation: str = "on"
