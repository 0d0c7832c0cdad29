"""What is done with a message that the audit log does not prove: it stays here, and whoever has to know is told.

The case, its message and the alarm change in one transaction; where the case's row cannot be read, the alarm comes after. It never judges
and never sends.
"""

from functools import partial

import structlog

from bot.failures import failure
from routing.canonical import Json
from routing.change import SYSTEM, Event, Refused
from routing.governance.automation import UNPROVEN_RULE, noticed
from routing.review.unproven import keep_unproven
from routing.vocabulary import EventKind
from store.ledger.answers import Changed
from store.ledger.ledger import Ledger
from store.outbox.delivery import Outgoing, UnprovenError
from store.outbox.outbox import Outbox, cancelled

_LOG = structlog.get_logger("tierline.courier")


async def keep_here(ledger: Ledger, outbox: Outbox, row: Outgoing, error: UnprovenError, workflow: str) -> None:
    """Keep the callback `row` of a case of `workflow` from leaving, for good. Raises what the ledger raises."""
    why = f"not proven by the audit log: {error.reason}"
    _LOG.error("kept back: the audit log does not prove it", row=row.id, case=row.case_id, kind=row.message.callback, reason=error.reason)
    step = keep_unproven(row.message.callback, row.leaf_idx, error.reason[:1_000], tell_service=error.service_known)
    try:
        done = await ledger.change(row.case_id, step, also=partial(cancelled, row=row, reason=why))
    except ValueError:  # the row itself cannot be read: then the log alone says so
        _LOG.error("the case's row cannot be read", case=row.case_id, **failure())
        done = None
    if isinstance(done, Refused):
        await outbox.cancel(row, why)
        return
    if not isinstance(done, Changed):
        said: dict[str, Json] = {"findings": 1, "first": f"case {row.case_id}: {error.reason}"[:1_000]}
        await ledger.record(Event(EventKind.DATABASE_ALTERED, SYSTEM, said), also=partial(cancelled, row=row, reason=why))
        sentence = f"The audit log does not prove a decision of case {row.case_id}, so it was kept back: {error.reason}"
        await ledger.govern(noticed(workflow, UNPROVEN_RULE, sentence[:600], {"case": row.case_id}))
