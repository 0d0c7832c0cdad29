"""That pages do not get through, as operations were told it. Owns the value; counting pages is for `store.reads.unaccepted_pages`."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class PagingAlarm(BaseModel):
    """One alarm, from the first page that a route did not take until none waits for its first route any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime
    posted: int = Field(description="number under which it was posted last")
    posted_at: AwareDatetime
    drawn_at: AwareDatetime
    places: tuple[str, ...] = Field(default=(), description="where it was posted, in order of the bulletins' places")
    waiting: int = Field(default=0, description="pages that waited for their first route when it was drawn last")
    unreached: int = Field(default=0, description="those of them that nobody had, by no route")
    over_at: AwareDatetime | None = None

    @property
    def over(self) -> bool:
        """Whether nobody need look at it any more."""
        return self.over_at is not None
