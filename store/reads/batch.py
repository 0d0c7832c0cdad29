"""Which open cases belong to a batch: one workflow, perhaps one model, since some moment. Owns this query; changes nothing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from routing.case.case import Case
from routing.vocabulary import CaseKind, State
from store.reads.snapshots import readable
from store.schema import cases, micros

LOOKED_AT = 2_000
"""Open cases of a workflow looked at, newest first."""


def open_batch(connection: Connection, workflow: str, model: str, since: datetime | None, limit: int) -> tuple[Sequence[Case], bool]:
    """Up to `limit` open cases, none of a drill, that are not in quarantine yet, and whether there may be more.

    `model` is a name or `name@version`, "" for any; `since` is None for however old.
    """
    query = select(cases.c.snapshot).where(
        cases.c.workflow == workflow,
        cases.c.kind != CaseKind.DRILL.value,
        cases.c.state.in_([State.PENDING.value, State.NEEDS_INFO.value, State.HELD.value]),
    )
    if since is not None:
        query = query.where(cases.c.created_at >= micros(since))
    rows = connection.execute(query.order_by(cases.c.created_at.desc()).limit(LOOKED_AT)).scalars().all()
    found = [case for case in readable(rows) if case.held_by != "quarantine" and _by_model(case, model)]
    return found[:limit], len(found) > limit or len(rows) == LOOKED_AT


def _by_model(case: Case, model: str) -> bool:
    name, _, version = model.partition("@")
    return not model or (case.model.get("name") == name and (not version or case.model.get("version") == version))
