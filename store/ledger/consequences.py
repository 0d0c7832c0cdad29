"""What a case's own move means beyond the case: the line stopped, more checks, alarms, a postmortem, its drill. Owns which ruling each part
of a change calls for, in order; whoever applies them sees to it that none of them keeps the case from moving.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from routing.case.case import Case
from routing.change import Change
from routing.governance.automation import exhausted, stopped, unproven
from routing.governance.drill_lifecycle import followed
from routing.governance.incident_lifecycle import opened as incident_opened
from routing.governance.paging_alarm_lifecycle import told
from routing.governance.ruling import Governed, Ruling
from routing.governance.sampling import caught

Consequence = Callable[[Governed], Ruling | None]
"""From the governance as the one before left it; None where there is nothing to say."""


def consequences(change: Change, case: Case, review: str, now: datetime, *, opened: bool) -> Iterator[Consequence]:
    """In order. `case` is as it was written, `review` the case that asks whether break-glass was right, "" where none was opened;
    `opened` whether this is the case's first move.
    """
    if (stop := change.stop) is not None:
        yield lambda governed: stopped(governed, stop, case.id, now)
    if paging := change.paging:
        yield lambda governed: told(governed, paging, now)
    if (safe := change.exhausted) is not None:
        yield lambda governed: exhausted(governed, case.workflow, case.id, safe, now)
    if why := change.unproven:
        yield lambda governed: unproven(governed, case.workflow, case.id, why, now)
    if change.caught:
        yield lambda governed: caught(governed, case.workflow, case.segment, now)
    if (use := change.break_glass) is not None:
        kept = use.model_copy(update={"review": review or use.review})
        yield lambda governed: Ruling(governed.governance.with_use(kept), ())
    if (cause := change.incident) is not None:
        yield lambda governed: incident_opened(governed, cause, now)
    if case.drill is not None:
        yield lambda governed: followed(governed, case, now, opened=opened)
