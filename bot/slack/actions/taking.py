"""*Take next*: from the board of a channel to claims of the cases that come next and that this person may decide.

Owns which cases are tried and what the person is told. Each claim is a press like any other, decided on the locked case; one that somebody
took a moment before is passed over, so nobody gets a case twice and no two people get the same.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.slack.actions.replies import Replies
from bot.slack.answering import Acknowledgement, Answering, unrecorded
from bot.slack.cards.bulletins.board import PREFIX, SEVERAL
from bot.slack.cards.command_answers import CaseLine, draw_answer, draw_taken
from bot.slack.cards.view import View
from bot.slack.interaction import Interaction, UnreadablePress, read_button
from bot.slack.people import Identity, People, SlackUnreachable
from routing.authorize import REFUSALS, Allowed, answering_groups, authorize, outsider, reason_codes
from routing.case.case import Case
from routing.case.people import Person, Press
from routing.change import Change, Refused, Subject
from routing.review.board import BOARD
from routing.review.outlook import upcoming
from routing.review.verbs import step_of
from routing.vocabulary import State, Verb
from store.audit.stored_tree import DamagedLogError
from store.ledger.answers import Changed, Repeated
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey

LOOKED_AT = (50, 500, 5_000)
"""Free cases looked at to find those that a person may decide: more only where there are not enough among the first."""

NOTHING = "Nothing waits in this channel that you may decide and that nobody has taken."
NOTHING_MORE = "Nothing else waits in this channel that you may decide and that nobody has taken."
FURTHER = (
    f"The {LOOKED_AT[-1]:,} most urgent cases of this channel were looked at; of those behind them nothing is known. Press again later."
)

Ack = Callable[..., Awaitable[Any]]

_LOG = structlog.get_logger("tierline.taking")


class Reads(Protocol):
    """What is read to find the next case."""

    async def case(self, case_id: str) -> Case | None:
        """A case as it is."""
        ...

    async def free_cases(self, limit: int, now: datetime, channel: str | None = None) -> Sequence[Case]:
        """Those that nobody has taken, in the order in which they come."""
        ...


class Views(Protocol):
    """Reads a case with all there is to show of it."""

    async def view(self, case_id: str) -> View | None:
        """The case as it is now, None when there is none or its content was erased."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """The cases that a press took, as they were before, and why it took no more; "" where it took what was asked for."""

    cases: tuple[Case, ...]
    why: str = ""


class _PassedOverError(Exception):
    """This case is not taken, and nothing is remembered of the try. `refused`: why this person may take none; None: it is not free."""

    def __init__(self, refused: Refused | None) -> None:
        super().__init__(refused)
        self.refused = refused


class TakeNext:
    """The listener. `clock` gives aware UTC times."""

    def __init__(
        self,
        ledger: Ledger,
        reads: Reads,
        views: Views,
        people: People,
        replies: Replies,
        *,
        answering: Answering,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._reads = reads
        self._views = views
        self._people = people
        self._replies = replies
        self._answering = answering
        self._clock = clock

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        bolt.action(re.compile(f"^{re.escape(PREFIX)}"))(self.on_button)

    async def on_button(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """A button of a board was pressed."""
        try:
            pressed = read_button(body)
            channel, most = str(pressed.told["s"]).removeprefix(BOARD), min(max(int(pressed.told["n"]), 1), SEVERAL)
        except (UnreadablePress, KeyError, TypeError, ValueError, OverflowError):
            _LOG.warning("unreadable press")
            await ack()
            return
        said = Acknowledgement(ack)
        await self._answering.answered(self._press(said, pressed, channel, most), said, partial(self._say, said, pressed))

    async def _press(self, ack: Acknowledgement, pressed: Interaction, channel: str, most: int) -> None:
        taken = await self.take(pressed, channel, most)
        await ack()
        if not taken.cases:
            await self._replies.tell(pressed, draw_answer(taken.why))
            return
        lines = [await self._line(case) for case in taken.cases]
        await self._replies.tell(pressed, draw_taken(lines, pressed.subject, taken.why))

    async def _say(self, ack: Acknowledgement, pressed: Interaction, text: str) -> None:
        await ack()
        await self._replies.tell(pressed, text)

    async def take(self, pressed: Interaction, channel: str, most: int) -> Taken:
        """Claim up to `most` of what comes next in a channel for whoever pressed; what was claimed is committed. The same press delivered
        again gives the same cases.
        """
        try:
            us = await self._people.identity()
            person = await self._people.person(pressed.user, us.team, {})
        except SlackUnreachable:
            return Taken((), REFUSALS["slack_unreachable"])
        if (code := outsider(person, us.team) or (None if pressed.team == us.team else "stranger")) is not None:
            return Taken((), REFUSALS[code])
        taken, seen = list[Case](), set[str]()
        try:
            for limit in LOOKED_AT:
                free = await self._reads.free_cases(limit, self._clock(), channel)
                for case in (one for one in free if one.id not in seen):
                    seen.add(case.id)
                    if (found := await self._claimed(pressed, us, case, len(taken))) is not None:
                        taken.append(found)
                    if len(taken) == most:
                        return Taken(tuple(taken))
                if len(free) < limit:
                    return Taken(tuple(taken), NOTHING_MORE if taken else NOTHING)
        except _PassedOverError as passed:
            return Taken(tuple(taken), passed.refused.text if passed.refused is not None else NOTHING)
        except Exception as problem:  # noqa: BLE001 - whatever was raised: what was taken before is taken, and has to be said
            _LOG.error("not recorded", verb=Verb.CLAIM.value, cause=type(problem).__name__)
            return Taken(tuple(taken), unrecorded(problem)[1])
        return Taken(tuple(taken), FURTHER)

    async def _claimed(self, pressed: Interaction, us: Identity, case: Case, number: int) -> Case | None:
        """The case, claimed, or the one that this press claimed before as its `number`th; None where this person cannot have it.

        Raises _PassedOverError where they can have none.
        """
        person = await self._people.person(pressed.user, us.team, case.route.groups)
        if not may_decide(person, case):
            return None
        press = Press(verb=Verb.CLAIM, person=person, case_id=case.id, face=case.face, team=us.team)
        key = InboxKey("press", pressed.scope, f"{pressed.key}+{number}")
        try:
            result = await self._ledger.change(case.id, _if_free(press), press=press, key=key)
        except _PassedOverError as passed:
            if passed.refused is not None:
                raise
            return None
        match result:
            case Changed():
                return result.case
            case Repeated(case_id=before):
                return await self._reads.case(before)
            case _:
                return None

    async def _line(self, case: Case) -> CaseLine:
        """The case in a list; without its title where nobody can read its content."""
        try:
            view = await self._views.view(case.id)
        except (ValueError, DamagedLogError) as error:
            _LOG.error("not shown: what the database has of its case cannot be read", case=case.id, cause=type(error).__name__)
            view = None
        title = view.submission.title if view is not None else ""
        return CaseLine(case.id, title, case.route.risk, upcoming(case), view.links if view is not None else "")


def may_decide(person: Person, case: Case) -> bool:
    """Whether a case is for this person: asked for, and free to approve it with whatever words that takes."""
    reason = next(iter(reason_codes(Verb.APPROVE, case)), "")
    press = Press(Verb.APPROVE, person, case.id, case.face, person.team, reason_code=reason, text="filled in")
    return bool(person.groups & answering_groups(case)) and isinstance(authorize(press, case), Allowed)


def _if_free(press: Press) -> Step:
    """The step of a claim, of a case that waits and that nobody has. Raises _PassedOverError instead of refusing."""
    claim = step_of(press)

    def step(subject: Subject, now: datetime) -> Change:
        case = subject.case
        if case.state is not State.PENDING or case.claimed_by or case.tied_to:
            raise _PassedOverError(None)
        result = claim(subject, now)
        if isinstance(result, Refused):
            raise _PassedOverError(result)
        return result

    return step
