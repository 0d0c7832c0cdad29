"""What led to an incident and who was told of it when, from the log and the outbox. Owns these reads; opens no content."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from routing.change import Actor, MessageKind
from routing.governance.alert import Alert
from routing.governance.governance import Governance
from routing.governance.incident import Entry, Incident
from routing.governance.ruling import WORKFLOW
from store.audit.stored_tree import read_leaf
from store.schema import leaves, micros, moment, outbox

BEFORE = timedelta(days=1)
"""How far back the log is looked at for what happened to the workflow; of the case or alert itself everything is told."""

_BECAME = {"done": "delivered", "ready": "waits", "trying": "waits", "ambiguous": "unclear", "dead": "given up", "cancelled": "not needed"}
"""What became of a message, by the state of its row."""

_WAS = {MessageKind.PLAYBOOK_NOTICE_UPDATE.value: MessageKind.PLAYBOOK_NOTICE.value}
"""What a message was told as, by the kind that takes the content out of it."""

MOST = 200
"""Events and messages at most, the newest."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message: when it arrived (or what became of it), to whom by which way, and about what."""

    at: datetime
    state: str
    peer: str
    to: str
    what: str
    about: str


def timeline(connection: Connection, incident: Incident, governance: Governance) -> tuple[Entry, ...]:
    """The events about it, in order of the log, up to its end."""
    begin, end = micros(incident.at - BEFORE), None if incident.closed_at is None else micros(incident.closed_at)
    here = leaves.c.case_id.in_(_subjects(incident, governance))
    around = (leaves.c.case_id == WORKFLOW + incident.workflow) & (leaves.c.at >= begin)
    columns = select(leaves.c.idx, leaves.c.body, leaves.c.at, leaves.c.case_id, leaves.c.kind)
    found = columns.where(or_(here, around), *([] if end is None else [leaves.c.at <= end])).order_by(leaves.c.idx.desc()).limit(MOST)
    rows = [(row, read_leaf(row.idx, row.body)) for row in connection.execute(found)]
    return tuple(
        Entry(moment(row.at), row.kind, Actor(leaf["actor"]["kind"], leaf["actor"]["id"]), row.case_id, leaf["fields"])
        for row, leaf in reversed(rows)
    )


def told(connection: Connection, incident: Incident, governance: Governance) -> tuple[Told, ...]:
    """The messages about it, in the order in which they were made."""
    columns = (
        outbox.c.state,
        outbox.c.peer,
        outbox.c.destination,
        outbox.c.kind,
        outbox.c.case_id,
        outbox.c.created_at,
        outbox.c.settled_at,
    )
    mine = outbox.c.case_id.in_(_subjects(incident, governance))
    rows = connection.execute(select(*columns).where(mine).order_by(outbox.c.id.desc()).limit(MOST)).all()
    return tuple(map(_told, reversed(rows)))


def _told(row: Row[Any]) -> Told:
    if row.kind in _WAS:  # it was delivered as it was made, and rewritten since
        return Told(moment(row.created_at), "delivered", row.peer, row.destination, _WAS[row.kind], row.case_id)
    at, became = moment(row.settled_at or row.created_at), _BECAME.get(row.state, row.state)
    return Told(at, became, row.peer, row.destination, row.kind, row.case_id)


def _subjects(incident: Incident, governance: Governance) -> list[str]:
    """The incident itself, what it is about, and the cases that belong to that."""
    alert = governance.alert(incident.about)
    cases = _cases(alert) if alert is not None else ()
    return sorted({incident.id, incident.about, incident.newest, *incident.others, *cases} - {""})


def _cases(alert: Alert) -> set[str]:
    return {str(alert.figures[name]) for name in ("case", "newest") if alert.figures.get(name)}
