"""What goes wrong beside everybody's work is reported here: a case whose clocks cannot be looked at, a loop that fails, a clock that was
set. Owns what is said of it and to whom. Whoever reports goes on; of an error only what may be said is (`bot.failures`).
"""

import asyncio

import structlog

from bot.failures import failure, to_look_at
from bot.readiness import Pulse
from routing.change import SYSTEM, Event
from routing.vocabulary import EventKind
from store.ledger.ledger import Ledger
from store.ledger.timekeeper import Jump
from store.ledger.writer import CannotRecordError, WriterClosedError

_LOG = structlog.get_logger("tierline")


class Reports:
    """Says it in the log of this process, and of a clock that was set in the audit log too."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._recording = set[asyncio.Task[None]]()

    async def started(self, version: str) -> None:
        """The bot runs. Where somebody else wrote to the head of the log, nothing can be recorded, and it runs to say so. Raises
        CannotRecordError when the database fails.
        """
        try:
            await self._ledger.record(Event(EventKind.STARTED, SYSTEM, {"version": version}))
        except CannotRecordError as error:
            if to_look_at(error) is None:
                raise
            _LOG.error("the start could not be recorded", **failure(error))

    def case(self, case_id: str, error: Exception) -> None:
        """A case whose clocks could not be looked at, or that could not go on."""
        _LOG.error("a case could not be processed; it is looked at again in a minute", case=case_id, **failure(error))

    def breaker(self, name: str, error: Exception) -> None:
        """A breaker that could not be held against its figures."""
        _LOG.error("a breaker could not be evaluated; it is tried again in a minute", breaker=name, **failure(error))

    def on_call(self, escalation_policy: str, error: Exception) -> None:
        """That nobody, or somebody again, is on call could not be recorded and said."""
        said = "whether anybody is on call could not be said; the next try comes in a minute"
        _LOG.error(said, escalation_policy=escalation_policy, **failure(error))

    def signing(self, pulse: Pulse, error: Exception) -> None:
        """A round of whoever signs; `pulse` is that of the signing."""
        pulse.failed(error)
        _LOG.error("no checkpoint could be signed; the next try comes by itself", **failure(error))

    def tick(self, pulse: Pulse, error: Exception) -> None:
        """A turn of the clocks; `pulse` is theirs."""
        pulse.failed(error)
        _LOG.error("a tick failed; the next one comes in a second", **failure(error))

    def jump(self, jump: Jump) -> None:
        """The machine's clock was set. Called inside the running loop; what it records is committed a little later."""
        _LOG.error("the machine's clock was set; time goes on by the steady clock", seconds=round(jump.seconds, 3))
        task = asyncio.get_running_loop().create_task(self._record(jump))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _record(self, jump: Jump) -> None:
        try:
            await self._ledger.clock_jumped(jump)
        except (CannotRecordError, WriterClosedError) as error:
            _LOG.error("the jump of the clock could not be recorded", **failure(error))
