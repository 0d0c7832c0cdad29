"""Which cases a brake has yet to reach, or to let go, and the cancelling of a verdict that nobody has tried to send. Owns these questions
and that one row; whether a workflow is braked is decided elsewhere (`routing.governance`), and what becomes of a case in `routing.review`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, literal_column, select, update

from routing.authorize import EXECUTABLE
from routing.vocabulary import CaseKind
from store.draft import Also
from store.schema import IS_FREE, IS_HELD, IS_WITHHELD, cases, micros, outbox

_UNTRIED = (
    outbox.c.peer == "callback",
    outbox.c.callback == "case.decided",
    outbox.c.state == literal_column("'ready'"),  # written out, so that the index of what is sendable serves
    outbox.c.attempts == 0,
    outbox.c.lease_until.is_(None),
)
"""A verdict that the service cannot have heard of."""


class CallbackLeftError(RuntimeError):
    """The verdict is on its way to the service, or there already; it cannot be kept back any more."""


def cancel_decided(case_id: str) -> Also:
    """Cancels the callback with a case's verdict, beside the change that keeps the verdict back.

    Raises CallbackLeftError, and so undoes that change, when the callback was tried or taken up meanwhile.
    """

    def cancel(connection: Connection, now: datetime) -> None:
        gone = {"state": "cancelled", "last_error": "the workflow is paused", "settled_at": micros(now)}
        if connection.execute(update(outbox).where(outbox.c.case_id == case_id, *_UNTRIED).values(gone)).rowcount != 1:
            raise CallbackLeftError(CallbackLeftError.__doc__)

    return cancel


def to_withhold(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of decided cases whose verdict lets the action through and has not been tried to be sent, oldest first."""
    mine = (cases.c.workflow == workflow, cases.c.kind == "case", cases.c.verdict.in_(sorted(EXECUTABLE)), ~cases.c.withheld)
    waiting = select(cases.c.id).join(outbox, outbox.c.case_id == cases.c.id).where(*_UNTRIED, *mine)
    return list(connection.execute(waiting.order_by(outbox.c.id).limit(limit)).scalars())


def to_freeze(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of open cases that nothing holds yet and that are not decided with another one, oldest first; undoing is never frozen."""
    return list(connection.execute(_of(workflow, limit).where(IS_FREE, cases.c.kind != CaseKind.ROLLBACK.value)).scalars())


def to_release(connection: Connection, workflow: str, limit: int, *, frozen: bool) -> Sequence[str]:
    """Ids of the cases that the workflow kept back, oldest first: those it froze, or those whose verdict it withheld."""
    kept = (IS_HELD, cases.c.held_by == "frozen", cases.c.state == "held") if frozen else (IS_WITHHELD,)
    return list(connection.execute(_of(workflow, limit).where(*kept)).scalars())


def _of(workflow: str, limit: int) -> Select[str]:
    return select(cases.c.id).where(cases.c.workflow == workflow).order_by(cases.c.id).limit(limit)
