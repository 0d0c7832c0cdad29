"""Cards say how far their workflow may act. When that changes, the cards that stand already are brought up to date, a few at a time.

Owns which cards those are; what they show is not its business.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from routing.authorize import refuse
from routing.change import Change, Message, MessageKind, Refused, Subject
from routing.governance.control import Control

BATCH = 50

ON_ITS_WAY = timedelta(minutes=1)
"""How long a card may have been under way when the workflow changed: it is looked at once more after that."""


class OutdatedCards(Protocol):
    """Where cards that were drawn before are found."""

    async def outdated_cards(self, workflow: str, before: datetime, beyond: str, limit: int) -> Sequence[str]:
        """As `store.outbox.outdated_cards.outdated_cards`."""
        ...


class Redrawing:
    """How far each change of a workflow has come; a process that begins anew looks through all of them once more."""

    def __init__(self, cards: OutdatedCards, redraw: Callable[[str], Awaitable[object]]) -> None:
        """`redraw` is given the id of each case whose card is to be drawn anew."""
        self._cards = cards
        self._redraw = redraw
        self._beyond: dict[tuple[str, datetime], str | None] = {}  # up to which case; None once all are done

    async def tick(self, controls: Sequence[Control], now: datetime) -> int:
        """The next few cards of each workflow that changed. Gives how many. Raises CannotRecordError."""
        due = [(one.workflow, before) for one in controls if one.since is not None for before in _passes(one.since, now)]
        self._beyond = {key: self._beyond.get(key, "") for key in due}
        return sum([await self._step(*key) for key in due if self._beyond[key] is not None])

    async def _step(self, workflow: str, before: datetime) -> int:
        ids = await self._cards.outdated_cards(workflow, before, self._beyond[workflow, before] or "", BATCH)
        for case_id in ids:
            await self._redraw(case_id)
        self._beyond[workflow, before] = ids[-1] if len(ids) == BATCH else None
        return len(ids)


def _passes(since: datetime, now: datetime) -> Sequence[datetime]:
    """Cards drawn before the change at once, and a little later those that were under way."""
    return (since, since + ON_ITS_WAY) if now >= since + ON_ITS_WAY else (since,)


def redraw(subject: Subject, _now: datetime) -> Change | Refused:
    """The step that has the present card of an open case drawn anew; nothing of the case changes."""
    case = subject.case
    if not case.open:
        return refuse("not_now")
    return Change(case, (), (Message(MessageKind.CARD_UPDATE, case.rung.channel, tier=case.tier),))
