"""The one clock of the demonstration: the machine's, which the story may put forward so that nobody has to wait. Owns how far."""

from datetime import datetime, timedelta

from bot import clock


class StoryClock:
    """Gives aware UTC times. The bot, its peers and the service all read this one."""

    def __init__(self, pace: float = 1.0) -> None:
        """`pace`: how many of its seconds pass in one."""
        self._pace = pace
        self._begun = clock.now()
        self._steady = clock.steady()
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Now, as the story has it."""
        return self._begun + self._ahead + timedelta(seconds=(clock.steady() - self._steady) * self._pace)

    def unix(self) -> float:
        """The same in seconds since 1970."""
        return self().timestamp()

    def put_forward(self, by: timedelta) -> None:
        """Let this much time pass at once. What is due then happens within a second or two, as after any sleep of the machine."""
        self._ahead += by
