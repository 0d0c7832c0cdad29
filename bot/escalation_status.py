"""Whether what waits for its time reaches anybody, though nothing seems to be in the way: clocks, messages and pages that are late, and the
machine's clock. Owns what is late and the words for it; it asks the database and not those who should have done it, and mends nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.readiness import Obstacle
from bot.timeouts import RHYTHM, Rhythm
from store.database.database import Database
from store.ledger.timekeeper import JUMP
from store.ledger.writer import Writer
from store.reads.overdue import overdue_clock, stuck_message, unaccepted_page

NAMES = {"slack": "Slack", "pagerduty": "PagerDuty", "callback": "a service"}


class EscalationStatus:
    """Looks at the database when somebody asks; another replica would find the same. `clock` gives aware UTC times."""

    def __init__(self, database: Database, writer: Writer, clock: Callable[[], datetime], rhythm: Rhythm = RHYTHM) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._late = timedelta(seconds=rhythm.late_s)

    async def clocks(self) -> Sequence[Obstacle]:
        """Whether each clock of a case that is due was acted on, by any replica. Raises what the database raises."""
        due = await self._database.read(overdue_clock)
        if due is None or (late := self._clock() - due) <= self._late:
            return ()
        sentence = (
            f"A case's clock ran out {_seconds(late)} ago and nothing came of it: there nothing climbs, pages or expires. See the log."
        )
        return (_alarm("overdue", sentence, late),)

    async def messages(self) -> Sequence[Obstacle]:
        """Whether what may go out is taken up, by any replica, and pages are accepted. Raises what the database raises."""
        now, found = self._clock(), list[Obstacle]()
        stuck = await self._database.read(partial(stuck_message, now=now, late=self._late))
        if stuck is not None:
            peer, since = stuck
            late = now - since
            found.append(
                _alarm("outbox", f"A message to {NAMES.get(peer, peer)} could have gone for {_seconds(late)} and nobody takes it up.", late)
            )
        page = await self._database.read(partial(unaccepted_page, now=now, late=self._late))
        if page is not None:
            since, error = page
            late = now - since
            found.append(_alarm("pages", f"A page has been accepted by nobody for {_seconds(late)} ({error}).", late))
        return found

    async def wall_clock(self) -> Sequence[Obstacle]:
        """Whether the machine's clock, and the database's where it has one, says what time it is. Raises what the database raises."""
        await self._writer.look_at_clock()
        off_s = self._writer.clock_off_s
        if abs(off_s) <= JUMP.total_seconds():
            return ()
        way = "behind" if off_s < 0 else "ahead of"
        sentence = (
            f"The machine's clock was set: it is {abs(off_s):.0f} s {way} the time by which cases run, which goes on as before. "
            "Set it right; if it is right now, start the bot again."
        )
        return (Obstacle("wall_clock", sentence, stops=False, escalation=True),)


def _alarm(name: str, sentence: str, late: timedelta) -> Obstacle:
    return Obstacle(name, sentence, stops=False, escalation=True, for_s=late.total_seconds())


def _seconds(late: timedelta) -> str:
    return f"{late.total_seconds():.0f} s"
