"""That everybody who presses or types has an answer, in time and true, whatever goes wrong while it is carried out.

Owns how long a person waits for the first word, and the sentences for what nobody foresaw. What an outcome is called belongs to whoever
carries it out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from bot.failures import failure, to_look_at
from bot.loops import end
from bot.timeouts import REAL, Timeouts
from store.database.errors import is_unavailable
from store.ledger.writer import UnclearError

NOT_RECORDED = "Tierline cannot record anything at this moment, so this did not count. Please try again in a minute."
UNCLEAR = (
    "Tierline lost its database while this was being recorded, so nobody can say yet whether it counts. Please look again in a minute; "
    "where it does not show, press once more. It never counts twice."
)
LATE = "Tierline's database takes long to answer, so it is not known yet whether this counts. You will be told here."
STOPPED = "This did not count. Please tell whoever runs Tierline:"
WRONG = "Something went wrong here. What counts is what the card or the channel shows; where it does not show this, please press again."


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is said of something that was pressed or typed: where it takes long, where the database is away, where it fails for a reason
    that nobody foresaw. `counts`: it may change something, so that nobody knows what became of it once it was acknowledged.
    """

    late: str
    away: str
    wrong: str
    counts: bool


COUNTING = Sentences(LATE, NOT_RECORDED, WRONG, counts=True)
ASKING = Sentences(
    "Tierline takes long to find the answer. It comes here; where nothing comes within a few minutes, please ask again.",
    "Tierline cannot read its database at this moment, so there is no answer. Please ask again in a minute.",
    "Something went wrong while the answer was looked for. Please ask again.",
    counts=False,
)
"""For a question, which changes nothing."""

PATIENCE_S = 2.0
"""Slack gives up after three seconds and says that we failed."""

ENDING_S = 5.0
"""What is still under way when the bot stops has so long to end."""

UNDER_WAY = "answering"
"""The name of every task begun here."""

_LOG = structlog.get_logger("tierline.answering")

Say = Callable[[str], Awaitable[None]]


class Acknowledgement:
    """Slack's `ack`, of which only the first call reaches anybody: `done` says whether it was made, `made` ends a wait for it."""

    def __init__(self, ack: Callable[..., Awaitable[Any]]) -> None:
        self._ack = ack
        self.done = False
        self.made = asyncio.get_running_loop().create_future()

    async def __call__(self, **given: object) -> None:
        """Acknowledge, with what Slack is to do."""
        if not self.done:
            self.done = True
            await self._ack(**given)
            self.made.set_result(None)


class Answering:
    """Sees everything that was pressed or typed through to its end. Holds what is under way until `stop`."""

    def __init__(self, timeouts: Timeouts = REAL) -> None:
        self._timeouts = timeouts
        self._under_way = set[asyncio.Task[None]]()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Carry `work` out to its end, whatever becomes of its caller, who need not wait for it."""
        task = asyncio.get_running_loop().create_task(work, name=UNDER_WAY)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def answered(self, work: Coroutine[Any, Any, None], ack: Acknowledgement, say: Say, words: Sentences = COUNTING) -> None:
        """Begin `work`, and come back as soon as it has acknowledged, which Slack waits for; it goes on to its end. `say` tells a sentence
        and acknowledges with it, of `words`: where `work` has not acknowledged in time, and where it raises.
        """
        seen_through = self.begin(self._seen_through(self.begin(work), ack, say, words))
        await asyncio.wait((seen_through, ack.made), return_when=asyncio.FIRST_COMPLETED)

    async def _seen_through(self, task: asyncio.Task[None], ack: Acknowledgement, say: Say, words: Sentences) -> None:
        try:
            try:
                async with self._timeouts.within(PATIENCE_S):
                    await asyncio.shield(task)
            except TimeoutError:
                if not task.done() and not ack.done:
                    await _told(say, words.late)
                await asyncio.shield(task)
        except Exception as problem:  # noqa: BLE001 - the edge: whoever pressed must be told, whatever it is
            _LOG.error("a press or a command was not carried out", **failure())
            await _told(say, _what_became(problem, words, acknowledged=ack.done))

    async def stop(self) -> None:
        """Let what is under way end for a little, then end it."""
        if not self._under_way:
            return
        _, left = await asyncio.wait(set(self._under_way), timeout=ENDING_S)
        if left:
            _LOG.warning("presses or commands did not end in time", left=len(left))
        for task in left:
            await end(task)


async def _told(say: Say, text: str) -> None:
    """Say it; where that fails, what was pressed goes on all the same."""
    try:
        await say(text)
    except Exception:  # noqa: BLE001 - whatever the way to Slack raises: the press may count, and is seen through
        _LOG.error("an answer could not be given", **failure())


def unrecorded(problem: Exception) -> tuple[str, str]:
    """Code and sentence for what the ledger did not confirm, having raised `problem`."""
    if (why := to_look_at(problem)) is not None:
        return "not_recorded", f"{STOPPED} {why}"
    return ("unclear", UNCLEAR) if isinstance(problem, UnclearError) else ("not_recorded", NOT_RECORDED)


def _what_became(problem: Exception, words: Sentences, *, acknowledged: bool) -> str:
    """A sentence that is true in any case, of work that raised `problem`."""
    if (why := to_look_at(problem)) is not None:
        return str(why)
    nothing_done = not acknowledged or not words.counts
    return words.away if is_unavailable(problem) and nothing_done else words.wrong
