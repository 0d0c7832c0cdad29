"""The only write path for cases, leaves, answers and what is to be sent: each change of anything is one call here.

Owns the order of what is written and the stop that keeps people and services from believing in a record that cannot be signed. It never
decides: steps do, and they are pure.
"""

from collections.abc import Sequence
from datetime import datetime

from routing.case.people import GovernancePress, Press
from routing.case.submission import moment_text
from routing.change import SYSTEM, Actor, Event, Message, Refused
from routing.governance.ruling import GovernStep
from routing.policy.policy import Policy
from routing.vocabulary import EventKind
from store.ledger.answers import Answer, Changed, Conflict, Delivery, Missing, Opened, Repeated, Ruled
from store.ledger.draft import Also
from store.ledger.items import Activating, Changing, Foreseen, Governing, Opening, OpenStep, Recording, Step, arriving
from store.ledger.prefetch import InboxKey
from store.ledger.refusals import Refusals
from store.ledger.timekeeper import Jump
from store.ledger.waiting import Rank
from store.ledger.writer import Writer


class NotRecordingError(RuntimeError):
    """Nothing new is recorded until an operator has looked."""

    def __init__(self, reason: str) -> None:
        """`reason` says what there is to look at, in a sentence."""
        super().__init__(f"{self.__doc__} {reason}")


class Ledger:
    """Opens and changes cases through a writer that was started."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._refusals = Refusals()
        self._stopped = ""
        self.checkpoint: str | None = None
        """The note of the newest checkpoint known here, for the answers to new cases; who signs keeps it up to date."""

    def foresee(self, delivery: Delivery, step: OpenStep) -> Foreseen | None:
        """Take the first step of a case ahead, from what this process knew last, so that its transaction only has to see whether that still
        holds; None where nothing is known yet. Raises what the step raises.
        """
        arrival = self._writer.foresee(arriving(delivery))
        return None if arrival is None else Foreseen(arrival, step(arrival))

    async def open(self, delivery: Delivery, step: OpenStep, foreseen: Foreseen | None = None) -> Opened | Repeated | Conflict:
        """Open a case, once for each webhook id and each task; `foreseen` is what `foresee` gave for the two.

        Raises what the step raises, NoPolicyError, NotRecordingError, CannotRecordError.
        """
        self._check_recording()
        foreseen = foreseen or self.foresee(delivery, step)
        return await self._writer.submit(Opening(delivery, step, self.checkpoint, foreseen), Rank.INTAKE)

    async def change(
        self,
        case_id: str,
        step: Step,
        *,
        press: Press | None = None,
        key: InboxKey | None = None,
        digest: str = "",
        content: bool = False,
        also: Also | None = None,
    ) -> Changed | Refused | Repeated | Conflict | Missing:
        """Change a case. `content` lets the step see the submission; `also` writes rows of its own in the same transaction.

        With `key` the same arrival counts once and its answer, also a refusal, is kept; with `press` a refusal is recorded before it is
        given. Raises what the step raises, TransitionError, NotRecordingError (clocks go on: neither press nor key), CannotRecordError.
        """
        if press is not None or key is not None:
            self._check_recording()
        changing = Changing(case_id, step, self._refusals, press=press, key=key, digest=digest, content=content, also=also)
        return await self._writer.submit(changing, Rank.PROMPT)

    async def govern(
        self,
        step: GovernStep,
        *,
        wanted: Sequence[str] = (),
        keep: Policy | None = None,
        press: GovernancePress | None = None,
        key: InboxKey | None = None,
        digest: str = "",
    ) -> Ruled | Refused | Repeated | Conflict:
        """Change what is decided about more than one case. The step sees the policies whose hashes are `wanted`; `keep` is one whose bytes
        are stored without anything following it yet.

        `press` and `key` are as in `change`. Raises what the step raises, NoPolicyError, PolicyError (one wanted no longer compiles),
        NotRecordingError (what the guardrails do goes on: neither press nor key), CannotRecordError.
        """
        if press is not None or key is not None:
            self._check_recording()
        governing = Governing(step, self._refusals, wanted=wanted, keep=keep, press=press, key=key, digest=digest)
        return await self._writer.submit(governing, Rank.PROMPT)

    async def record(
        self, event: Event, *, case_id: str | None = None, also: Also | None = None, told: Sequence[tuple[Message, int]] = ()
    ) -> int | None:
        """Record an event that changes nothing. Gives the leaf's index.

        It is of the case `case_id` (None if there is no such case), or filed under another subject with that id, or of the whole log.
        `told`: messages to send with it, each with the index of the earlier leaf that it speaks of.
        """
        return await self._writer.submit(Recording(event, case_id, also, told), Rank.PROMPT)

    async def activate(self, policy: Policy, actor: Actor = SYSTEM, reason: str = "bootstrap") -> bool:
        """Make a policy the one that new cases follow. False if it was already."""
        return await self._writer.submit(Activating(policy, actor, reason), Rank.PROMPT)

    async def sweep_refusals(self, now: datetime) -> None:
        """Record how many presses of each person were refused beyond those recorded one by one, for minutes that are over."""
        for person, count in self._refusals.over(now):
            if count:
                await self.record(Event(EventKind.PRESSES_REFUSED, Actor("human", person), {"count": count}))
            self._refusals.forget(person, count)

    async def clock_jumped(self, jump: Jump) -> int | None:
        """Record that the wall clock was set by `jump.seconds`."""
        fields: Answer = {"seconds": round(jump.seconds, 3), "wall": moment_text(jump.wall), "ledger": moment_text(jump.steady)}
        return await self.record(Event(EventKind.CLOCK_JUMPED, SYSTEM, fields))

    def stop_recording(self, reason: str) -> None:
        """From now on refuse new cases and presses, saying why; clocks go on."""
        self._stopped = reason

    def resume_recording(self) -> None:
        """Take new cases and presses again."""
        self._stopped = ""

    @property
    def not_recording(self) -> str:
        """Why new cases and presses are refused; empty when they are not."""
        return self._stopped

    def _check_recording(self) -> None:
        if self._stopped:
            raise NotRecordingError(self._stopped)
