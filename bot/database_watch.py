"""Holds the database against its log while the bot runs, a part at a time, and says what it finds: in the log, in an alert, in `/readyz`.

Owns the rhythm and that one finding is told once. It never judges a verdict (each is judged before it leaves) and mends nothing.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.failures import failure
from bot.readiness import Obstacle
from routing.canonical import Json
from routing.change import SYSTEM, Event
from routing.governance.automation import UNPROVEN_RULE, noticed
from routing.vocabulary import EventKind
from store.integrity.database_check import DatabaseCheck, Place
from store.integrity.findings import Finding
from store.ledger.ledger import Ledger

EVERY_S = 60.0
TILES, CASES = 2, 100
"""What one look takes in: 512 events and 100 cases, besides the head, some tens of milliseconds of one reader. So a log of a million events
is gone through in a day and a half; all of it at once is `tierline audit verify --database`."""

NAMED = 10
"""Findings of a look that are written to the log one by one."""

_LOG = structlog.get_logger("tierline.database_watch")


class DatabaseWatch:
    """Looks at one part after another, round and round."""

    def __init__(self, check: DatabaseCheck, ledger: Ledger, workflows: Callable[[], Sequence[str]]) -> None:
        """`workflows` are those of the policy in force: an alert about the log as a whole is said where the first of them is told."""
        self._check = check
        self._ledger = ledger
        self._workflows = workflows
        self._place = Place()
        self._known = dict[str, Finding]()
        self._untold = list[Finding]()

    async def run(self) -> None:
        """Look once a minute, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - whatever the database has, the next look comes
                _LOG.error("the database could not be held against its log; the next try comes in a minute", **failure())

    async def look(self) -> Sequence[Finding]:
        """One part; gives what is new. Raises what the database and the ledger raise."""
        found = await self._check.part(self._place, TILES, CASES)
        fresh = [one for one in found if str(one) not in self._known]
        self._known |= {str(one): one for one in fresh}
        self._untold += fresh
        if self._untold:  # also what could not be recorded when it was found
            await self._tell(self._untold)
            self._untold.clear()
        return fresh

    async def obstacles(self) -> Sequence[Obstacle]:
        """What was found since the start. It stops no work: a verdict that the log does not prove is kept back by itself."""
        if not self._known:
            return ()
        first, more = next(iter(self._known)), len(self._known) - 1
        others = f" ({more} more)" if more else ""
        said = f"The database is not what its log says: {first}{others}. Look with `tierline audit verify --database`."
        return (Obstacle("integrity", said, stops=False),)

    async def _tell(self, fresh: Sequence[Finding]) -> None:
        for one in fresh[:NAMED]:
            _LOG.error("the database is not what its log says", about=one.about, finding=one.sentence)
        said: dict[str, Json] = {"findings": len(fresh), "first": str(fresh[0])[:1_000]}
        await self._ledger.record(Event(EventKind.DATABASE_ALTERED, SYSTEM, said))
        everywhere = self._workflows()[:1]
        for workflow in dict.fromkeys(workflow for one in fresh for workflow in ((one.workflow,) if one.workflow else everywhere)):
            mine = [one for one in fresh if one.workflow in ("", workflow)]
            sentence = f"The database is not what its audit log says. {mine[0]}"
            await self._ledger.govern(noticed(workflow, UNPROVEN_RULE, sentence[:600], {"findings": len(mine)}))
