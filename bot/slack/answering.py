"""That everybody who presses or types has an answer, in time and true, whatever goes wrong while it is carried out.

Owns how long a person waits for the first word, and the sentences for what nobody foresaw. What an outcome is called belongs to whoever
carries it out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from bot.timeouts import Timeouts
from store.database.errors import is_unavailable
from store.ledger.writer import UnclearError

NOT_RECORDED = "Tierline cannot record anything at this moment, so this did not count. Please try again in a minute."
UNCLEAR = (
    "Tierline lost its database while this was being recorded, so nobody can say yet whether it counts. Please look again in a minute; "
    "where it does not show, press once more. It never counts twice."
)
LATE = "Tierline's database takes long to answer, so it is not known yet whether this counts. You will be told here."
WRONG = "Something went wrong here. What counts is what the card or the channel shows; where it does not show this, please press again."

PATIENCE_S = 2.0
"""Slack gives up after three seconds and says that we failed."""

_LOG = structlog.get_logger("tierline.answering")

Say = Callable[[str], Awaitable[None]]


class Acknowledgement:
    """Slack's `ack`, of which only the first call reaches anybody: `done` says whether it was made."""

    def __init__(self, ack: Callable[..., Awaitable[Any]]) -> None:
        self._ack = ack
        self.done = False

    async def __call__(self, **given: object) -> None:
        """Acknowledge, with what Slack is to do."""
        if not self.done:
            self.done = True
            await self._ack(**given)


async def answered(work: Coroutine[Any, Any, None], ack: Acknowledgement, say: Say, timeouts: Timeouts, late: str = LATE) -> None:
    """Carry `work` out to its end. `say` tells a sentence and acknowledges with it: `late` where `work` has not acknowledged in time, and
    one that is true in any case where it raises.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        try:
            async with timeouts.within(PATIENCE_S):
                await asyncio.shield(task)
        except TimeoutError:
            if not task.done() and not ack.done:
                await say(late)
            await task
    except Exception as problem:  # noqa: BLE001 - the edge: whoever pressed must be told, whatever it is
        _LOG.exception("a press or a command was not carried out")
        await say(NOT_RECORDED if is_unavailable(problem) and not ack.done else WRONG)


def unrecorded(problem: Exception) -> tuple[str, str]:
    """Code and sentence for what the ledger did not confirm, having raised `problem`."""
    return ("unclear", UNCLEAR) if isinstance(problem, UnclearError) else ("not_recorded", NOT_RECORDED)
