"""Which cases a brake has yet to reach, or to let go, and the callbacks that let an action through, which stay here while their workflow is
paused. Owns these questions and those rows; whether a workflow is braked is decided elsewhere (`routing.governance`), and what becomes of a
case in `routing.review`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, literal_column, select, update

from routing.authorize import EXECUTABLE
from routing.vocabulary import LETS_THROUGH, NEVER_FROZEN, CallbackKind
from store.ledger.draft import Also
from store.ledger.sealed_head import read_ruling
from store.schema import IS_FREE, IS_HELD, IS_WITHHELD, SENDABLE, among, cases, micros, outbox

KEPT_BACK = timedelta(seconds=30)
"""How long a verdict that may have been sent before the pause is left alone before anybody looks again."""

_UNTRIED = (
    outbox.c.peer == "callback",
    outbox.c.callback == CallbackKind.DECIDED.value,
    outbox.c.state == literal_column("'ready'"),  # written out, so that the index of what is sendable serves
    outbox.c.intent_at.is_(None),  # attempts begin anew when one that was given up is retried by hand
    outbox.c.lease_until.is_(None),
)
"""A verdict that the service cannot have heard of. Whatever else lets its action through was promised before it, and goes before it."""


_FREE = (cases.c.kind == "case", cases.c.verdict.in_(sorted(EXECUTABLE)), ~cases.c.withheld)
"""A case whose verdict lets its action through, as far as it goes."""


class CallbackLeftError(RuntimeError):
    """The verdict is on its way to the service, or there already; it cannot be kept back any more."""


def cancel_release(case_id: str) -> Also:
    """Cancels the callback with a case's verdict and what else lets its action through, beside the change that keeps the verdict back.

    What was tried of the others may have arrived: the service hears after it that the case is held. Raises CallbackLeftError, and so undoes
    that change, when the verdict was tried or taken up meanwhile.
    """

    def cancel(connection: Connection, now: datetime) -> None:
        gone = {"state": "cancelled", "last_error": "the workflow is paused", "settled_at": micros(now)}
        if connection.execute(update(outbox).where(outbox.c.case_id == case_id, *_UNTRIED).values(gone)).rowcount != 1:
            raise CallbackLeftError(CallbackLeftError.__doc__)
        others = (outbox.c.peer == "callback", outbox.c.callback.in_(LETS_THROUGH), among(outbox.c.state, SENDABLE))
        free = outbox.c.lease_until.is_(None)  # one that is taken up finds itself needless, or is followed by what holds
        connection.execute(update(outbox).where(outbox.c.case_id == case_id, *others, free).values(gone))

    return cancel


def keep_back(connection: Connection, now: datetime) -> None:
    """Leave the verdicts of paused workflows that could go out now, and what goes with them, alone for a while: all in one statement.

    Not where the verdict is kept back already: what is left there is needless, and the courier is to see that.
    """
    if paused := _paused(connection):
        free = (outbox.c.peer == "callback", among(outbox.c.state, SENDABLE), outbox.c.lease_until.is_(None))
        due = outbox.c.not_before <= micros(now)
        connection.execute(update(outbox).where(*free, due, _letting_through(paused, ~cases.c.withheld)).values(_kept(now)))


def kept_back(connection: Connection, now: datetime, mine: ColumnElement[bool]) -> bool:
    """Whether a callback that was taken up, the row that `mine` names, must stay here after all: its workflow was paused meanwhile. Then
    its lease is over.
    """
    paused = _paused(connection)
    if not paused:
        return False
    free = _kept(now) | {"lease_owner": "", "lease_until": None}
    return connection.execute(update(outbox).where(mine, _letting_through(paused)).values(free)).rowcount == 1


def to_withhold(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of decided cases whose verdict lets the action through and has not been tried to be sent, oldest first."""
    waiting = select(cases.c.id).join(outbox, outbox.c.case_id == cases.c.id).where(cases.c.workflow == workflow, *_UNTRIED, *_FREE)
    return list(connection.execute(waiting.order_by(outbox.c.id).limit(limit)).scalars())


def undoable(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of decided cases whose verdict may still be taken back, so that no callback with it is there yet."""
    waiting = (cases.c.state == "decided", cases.c.due_at.is_not(None))
    return list(connection.execute(_of(workflow, limit).where(*waiting, *_FREE)).scalars())


def about_to_be_withheld(connection: Connection, case_id: str) -> bool:
    """Whether a pause of its workflow keeps the verdict of this case from its service, and the case does not say so yet."""
    if not (paused := _paused(connection)):
        return False
    mine = select(cases.c.id).join(outbox, outbox.c.case_id == cases.c.id).where(cases.c.id == case_id, *_UNTRIED, *_FREE)
    return connection.execute(mine.where(cases.c.workflow.in_(sorted(paused)))).first() is not None


def to_freeze(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of open cases that nothing holds yet and that are not decided with another one, oldest first; undoing is never frozen."""
    return list(
        connection.execute(_of(workflow, limit).where(IS_FREE, cases.c.kind.not_in([kind.value for kind in NEVER_FROZEN]))).scalars()
    )


def to_release(connection: Connection, workflow: str, limit: int, *, frozen: bool) -> Sequence[str]:
    """Ids of the cases that the workflow kept back, oldest first: those it froze, or those whose verdict it withheld."""
    kept = (IS_HELD, cases.c.held_by == "frozen", cases.c.state == "held") if frozen else (IS_WITHHELD, cases.c.held_by != "unproven")
    return list(connection.execute(_of(workflow, limit).where(*kept)).scalars())


def _paused(connection: Connection) -> frozenset[str]:
    """Workflows whose approvals stay here. Raises UnreadableGovernanceError."""
    controls = read_ruling(connection).governance.controls
    return frozenset(workflow for workflow, control in controls.items() if control.withholds())


def _letting_through(workflows: frozenset[str], *which: ColumnElement[bool]) -> ColumnElement[bool]:
    """A callback that lets the action of a case of these workflows through."""
    theirs = select(cases.c.id).where(
        cases.c.id == outbox.c.case_id, cases.c.workflow.in_(sorted(workflows)), cases.c.verdict.in_(sorted(EXECUTABLE)), *which
    )
    return and_(outbox.c.callback.in_(LETS_THROUGH), theirs.exists())


def _kept(now: datetime) -> dict[str, object]:
    return {"not_before": micros(now + KEPT_BACK), "last_error": "the workflow is paused"}


def _of(workflow: str, limit: int) -> Select[str]:
    return select(cases.c.id).where(cases.c.workflow == workflow).order_by(cases.c.id).limit(limit)
