"""Cases that could not be processed: each is left alone for a minute, so that one that never can be is no work of every second.

Owns how long. It stands in no row: what a row says of a case is what the case's events say.
"""

from datetime import datetime, timedelta

PUT_OFF = timedelta(minutes=1)


class PutOff:
    """The cases that could not be processed, and since when each is left alone."""

    def __init__(self) -> None:
        self._since = dict[str, datetime]()

    def add(self, case_id: str, now: datetime) -> None:
        """Leave it alone from now on."""
        self._since.pop(case_id, None)
        self._since[case_id] = now
        while not self.holds(oldest := next(iter(self._since)), now):
            del self._since[oldest]

    def __len__(self) -> int:
        """How many are left alone, or were lately."""
        return len(self._since)

    def holds(self, case_id: str, now: datetime) -> bool:
        """Whether it is to be left alone; no longer where the clock was set since, either way."""
        since = self._since.get(case_id)
        return since is not None and abs(now - since) < PUT_OFF
