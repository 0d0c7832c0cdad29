"""Which cases a brake has yet to reach, or to let go, and the callbacks with verdicts that stay here while their workflow is paused. Owns
these questions and those rows; whether a workflow is braked is decided elsewhere (`routing.governance`), and what becomes of a case in
`routing.review`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, literal_column, select, update

from routing.authorize import EXECUTABLE
from routing.vocabulary import CaseKind
from store.ledger.draft import Also
from store.ledger.sealed_head import read_ruling
from store.schema import IS_FREE, IS_HELD, IS_WITHHELD, SENDABLE, among, cases, micros, outbox

DECIDED = "case.decided"
"""The callback with a verdict."""

KEPT_BACK = timedelta(seconds=30)
"""How long a verdict that may have been sent before the pause is left alone before anybody looks again."""

_UNTRIED = (
    outbox.c.peer == "callback",
    outbox.c.callback == DECIDED,
    outbox.c.state == literal_column("'ready'"),  # written out, so that the index of what is sendable serves
    outbox.c.intent_at.is_(None),  # attempts begin anew when one that was given up is retried by hand
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


def keep_back(connection: Connection, now: datetime) -> None:
    """Leave the verdicts of paused workflows that could go out now alone for a while: all of them in one statement."""
    if paused := _paused(connection):
        free = (outbox.c.peer == "callback", among(outbox.c.state, SENDABLE), outbox.c.lease_until.is_(None))
        due = outbox.c.not_before <= micros(now)
        connection.execute(update(outbox).where(*free, due, _verdict_of(paused)).values(_kept(now)))


def kept_back(connection: Connection, now: datetime, mine: ColumnElement[bool]) -> bool:
    """Whether a callback that was taken up, the row that `mine` names, must stay here after all: its workflow was paused meanwhile. Then
    its lease is over.
    """
    paused = _paused(connection)
    if not paused:
        return False
    free = _kept(now) | {"lease_owner": "", "lease_until": None}
    return connection.execute(update(outbox).where(mine, _verdict_of(paused)).values(free)).rowcount == 1


def to_withhold(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of decided cases whose verdict lets the action through and has not been tried to be sent, oldest first."""
    mine = (cases.c.workflow == workflow, cases.c.kind == "case", cases.c.verdict.in_(sorted(EXECUTABLE)), ~cases.c.withheld)
    waiting = select(cases.c.id).join(outbox, outbox.c.case_id == cases.c.id).where(*_UNTRIED, *mine)
    return list(connection.execute(waiting.order_by(outbox.c.id).limit(limit)).scalars())


def to_freeze(connection: Connection, workflow: str, limit: int) -> Sequence[str]:
    """Ids of open cases that nothing holds yet and that are not decided with another one, oldest first; undoing is never frozen."""
    return list(
        connection.execute(
            _of(workflow, limit).where(IS_FREE, cases.c.kind.not_in((CaseKind.ROLLBACK.value, CaseKind.REVIEW.value)))
        ).scalars()
    )


def to_release(connection: Connection, workflow: str, limit: int, *, frozen: bool) -> Sequence[str]:
    """Ids of the cases that the workflow kept back, oldest first: those it froze, or those whose verdict it withheld."""
    kept = (IS_HELD, cases.c.held_by == "frozen", cases.c.state == "held") if frozen else (IS_WITHHELD, cases.c.held_by != "unproven")
    return list(connection.execute(_of(workflow, limit).where(*kept)).scalars())


def _paused(connection: Connection) -> frozenset[str]:
    """Workflows whose approvals stay here. Raises UnreadableGovernanceError."""
    controls = read_ruling(connection).governance.controls
    return frozenset(workflow for workflow, control in controls.items() if control.withholds())


def _verdict_of(workflows: frozenset[str]) -> ColumnElement[bool]:
    """A callback that lets the action of a case of these workflows through."""
    theirs = select(cases.c.id).where(
        cases.c.id == outbox.c.case_id, cases.c.workflow.in_(sorted(workflows)), cases.c.verdict.in_(sorted(EXECUTABLE))
    )
    return and_(outbox.c.callback == DECIDED, theirs.exists())


def _kept(now: datetime) -> dict[str, object]:
    return {"not_before": micros(now + KEPT_BACK), "last_error": "the workflow is paused"}


def _of(workflow: str, limit: int) -> Select[str]:
    return select(cases.c.id).where(cases.c.workflow == workflow).order_by(cases.c.id).limit(limit)
