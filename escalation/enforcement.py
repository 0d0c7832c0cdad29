"""Makes the brakes hold: what a paused or frozen workflow had under way is kept back or held, and goes on after a resume.

Owns the search for such cases and nothing else: each of them changes by its own step in the ledger, one transaction each, so that a crash
between two of them is made good by the next tick.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from escalation.put_off import PutOff
from routing.authority import Automation
from routing.authorize import refuse
from routing.change import Change, Refused, Subject
from routing.governance.control import Control
from routing.governance.governance import Governance
from routing.review.holds import afresh, freeze, release, withhold
from store.ledger.answers import Changed, Conflict, Missing, Repeated
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.writer import CannotRecordError, WriterClosedError
from store.outbox.withholding import CallbackLeftError, cancel_release

BATCH = 200

Result = Changed | Refused | Repeated | Conflict | Missing
Report = Callable[[str, Exception], None]
ChangeAll = Callable[[Sequence[str], Callable[[str], Awaitable[Result]]], Awaitable[int]]


class BrakedCases(Protocol):
    """Where the brakes and the cases they concern are found; ids only, at most `limit`."""

    async def governance(self) -> Governance:
        """The brakes as they are."""
        ...

    async def to_withhold(self, workflow: str, limit: int) -> Sequence[str]:
        """Decided, and nobody has tried to tell the service so far."""
        ...

    async def undoable(self, workflow: str, limit: int) -> Sequence[str]:
        """Decided, and whoever decided may still take it back."""
        ...

    async def to_freeze(self, workflow: str, limit: int) -> Sequence[str]:
        """Open and not held."""
        ...

    async def to_release(self, workflow: str, limit: int, *, frozen: bool) -> Sequence[str]:
        """Held by a freeze, or kept back by a pause."""
        ...


async def enforce(ledger: Ledger, cases: BrakedCases, now: datetime, report: Report, put_off: PutOff) -> int:
    """One round over every brake that was ever touched. Gives how many cases changed. Raises CannotRecordError."""
    governance = await cases.governance()
    braked = [control for control in governance.controls.values() if control.since is not None]

    async def change(ids: Sequence[str], step: Callable[[str], Awaitable[Result]]) -> int:
        return await _change([case_id for case_id in ids if not put_off.holds(case_id, now)], step, failed)

    def failed(case_id: str, problem: Exception) -> None:
        report(case_id, problem)
        put_off.add(case_id, now)

    return sum([await _enforce(ledger, cases, control, change) for control in braked])


async def _enforce(ledger: Ledger, cases: BrakedCases, control: Control, change: ChangeAll) -> int:
    changed = 0
    if control.withholds():
        ids = await cases.to_withhold(control.workflow, BATCH)
        changed += await change(ids, lambda case_id: _keep_back(ledger, case_id))
        ids = await cases.undoable(control.workflow, BATCH)
        changed += await change(ids, lambda case_id: ledger.change(case_id, _while_paused(withhold())))
    else:
        ids = await cases.to_release(control.workflow, BATCH, frozen=False)
        changed += await change(ids, lambda case_id: ledger.change(case_id, afresh(), content=True))
    if control.freezes():
        ids = await cases.to_freeze(control.workflow, BATCH)
        changed += await change(ids, lambda case_id: ledger.change(case_id, freeze()))
    else:
        ids = await cases.to_release(control.workflow, BATCH, frozen=True)
        changed += await change(ids, lambda case_id: ledger.change(case_id, release("workflow_resumed"), content=True))
    return changed


async def _keep_back(ledger: Ledger, case_id: str) -> Result:
    try:
        return await ledger.change(case_id, _while_paused(withhold()), also=cancel_release(case_id))
    except CallbackLeftError:  # it went out meanwhile: what the service knows cannot be called back, a roll-back can
        return Missing(case_id)


def _while_paused(step: Step) -> Step:
    """The step, unless the workflow was resumed meanwhile."""

    def checked(subject: Subject, now: datetime) -> Change | Refused:
        return step(subject, now) if subject.automation.level >= Automation.PAUSED.level else refuse("not_now")

    return checked


async def _change(ids: Sequence[str], change: Callable[[str], Awaitable[Result]], report: Report) -> int:
    results = await asyncio.gather(*(change(case_id) for case_id in ids), return_exceptions=True)
    for case_id, result in zip(ids, results, strict=True):
        match result:
            case CannotRecordError() | WriterClosedError():
                raise result
            case Exception() as problem:
                report(case_id, problem)
            case BaseException():
                raise result
            case _:
                pass
    return sum(isinstance(result, Changed) for result in results)
