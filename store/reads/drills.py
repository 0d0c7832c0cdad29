"""What became of drills, from the log and the outbox: all for the report of one, and when each tier last answered. Owns these reads; opens
no content.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from routing.case.case import Case
from routing.change import Actor
from routing.governance.drill import Drill
from routing.governance.drill_report import Contact, DrillReport, Sent, report
from routing.governance.governance import Governance
from routing.governance.incident import Entry
from routing.vocabulary import EventKind
from store.audit.stored_tree import read_leaf
from store.reads.snapshots import readable
from store.schema import IS_CHILD, cases, leaves, moment, outbox

AT_ONCE = 500
"""Ids in one question."""


def drill_report(connection: Connection, drill: Drill, governance: Governance) -> DrillReport:
    """What it has shown so far."""
    mine = select(cases.c.snapshot).where(IS_CHILD, cases.c.parent == drill.id).order_by(cases.c.id)
    found: Sequence[Case] = readable(connection.execute(mine).scalars())
    digests = [one.id for one in governance.digests if one.drill == drill.id]
    subjects = [*(case.id for case in found), *digests, *([drill.alert] if drill.alert else [])]
    told = report(drill, found, _events(connection, subjects), _sent(connection, subjects), governance.alerts)
    last = {(one.ladder, one.tier): one for one in last_answers(connection, governance)}
    tiers = [(drill.ladder, tier) for tier in range(len(found[0].route.tiers))] if found else []
    alarms = [("", 0)] if drill.alert or ("", 0) in last else []
    return replace(told, contacts=tuple(last.get(place, Contact(*place)) for place in (*tiers, *alarms)))


def last_answers(connection: Connection, governance: Governance) -> Sequence[Contact]:
    """The last answer of each tier to the drills that are remembered, and to their alarms."""
    ladders = {case_id: drill.ladder for drill in governance.drills for case_id in drill.cases}
    ladders |= {drill.alert: "" for drill in governance.drills if drill.alert}
    found: dict[tuple[str, int], Contact] = {}
    ids = sorted(ladders)
    for start in range(0, len(ids), AT_ONCE):
        answers = (EventKind.ACKNOWLEDGED.value, EventKind.ESCALATED.value, EventKind.ALERT_ACKNOWLEDGED.value)
        these = leaves.c.case_id.in_(ids[start : start + AT_ONCE])
        columns = select(leaves.c.idx, leaves.c.body, leaves.c.at, leaves.c.case_id, leaves.c.kind)
        for row in connection.execute(columns.where(these, leaves.c.kind.in_(answers)).order_by(leaves.c.idx)):
            entry = _entry(row)
            if entry.actor.kind == "human":
                ladder = ladders[row.case_id]
                tier = int(str(entry.fields["tier"])) - 1 if ladder else 0
                found[ladder, tier] = Contact(ladder, tier, entry.at, entry.actor.id)
    return sorted(found.values(), key=lambda one: (one.ladder, one.tier))


def _events(connection: Connection, subjects: Sequence[str]) -> dict[str, Sequence[Entry]]:
    columns = select(leaves.c.idx, leaves.c.body, leaves.c.at, leaves.c.case_id, leaves.c.kind)
    rows = connection.execute(columns.where(leaves.c.case_id.in_(subjects)).order_by(leaves.c.case_id, leaves.c.idx)).all()
    return {about: [_entry(row) for row in those] for about, those in groupby(rows, key=lambda row: row.case_id)}


def _entry(row: Any) -> Entry:  # noqa: ANN401 - a row of the log
    leaf = read_leaf(row.idx, row.body)
    return Entry(moment(row.at), row.kind, Actor(leaf["actor"]["kind"], leaf["actor"]["id"]), row.case_id, leaf["fields"])


def _sent(connection: Connection, subjects: Sequence[str]) -> list[Sent]:
    rows = connection.execute(select(outbox).where(outbox.c.case_id.in_(subjects)).order_by(outbox.c.id)).all()
    return [
        Sent(
            row.case_id,
            row.kind,
            row.tier,
            row.round,
            row.destination,
            row.state,
            moment(row.created_at),
            None if row.settled_at is None else moment(row.settled_at),
            row.last_error,
            row.attempts,
        )
        for row in rows
    ]
