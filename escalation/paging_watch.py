"""The watch over pages that do not get through: how many wait and whether anybody has them. It redraws, repeats and ends the alarm in
Slack, and says in `/readyz` what somebody has to mend. Owns when it looks; it sends no page and takes no route.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from routing.change import Refused
from routing.governance.paging_alarm_lifecycle import counted
from store.ledger.ledger import Ledger
from store.reads.cases import Reads
from store.reads.unaccepted_pages import UnacceptedPage

EVERY = timedelta(seconds=15)


class PagingWatch:
    """Looks every quarter of a minute at most. `clock` gives aware UTC times."""

    def __init__(self, ledger: Ledger, reads: Reads, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._reads = reads
        self._clock = clock
        self._next: datetime | None = None
        self._found: Sequence[UnacceptedPage] = ()
        self._since: datetime | None = None

    async def tick(self) -> int:
        """Look, if it is time. Gives how often the alarm was changed."""
        now = self._clock()
        if self._next is not None and now < self._next <= now + EVERY:  # a clock that was set back must not keep it from looking
            return 0
        self._next = now + EVERY
        alarm = (await self._reads.governance()).paging
        if alarm is None or alarm.over:
            self._found, self._since = (), None
            return 0
        self._found, self._since = await self._reads.unaccepted_pages(), alarm.since
        unreached = sum(not one.reached for one in self._found)
        return int(not isinstance(await self._ledger.govern(counted(len(self._found), unreached)), Refused))

    def trouble(self) -> str:
        """What keeps pages from getting through, in a sentence; "" when nothing does."""
        if not self._found or self._since is None:
            return ""
        count, unreached = len(self._found), sum(not one.reached for one in self._found)
        causes = ", ".join(dict.fromkeys(one.error for one in self._found if one.error)) or "no answer"
        nobody = f"; {unreached:,} of them reached nobody by any route" if unreached else "; each reached somebody another way"
        return (
            f"{count:,} {'pages wait' if count != 1 else 'page waits'} for the first route since {self._since:%Y-%m-%d %H:%M} UTC"
            f" ({causes[:200]}){nobody}. Check the routing keys of the policy, TIERLINE_PAGERDUTY_EVENTS_URL and TIERLINE_SMTP_URL."
        )
