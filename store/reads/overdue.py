"""What should have happened by now and did not: a clock that nobody acted on, a message that nobody takes up, a page that nobody accepts.
Owns these reads, which ask nobody who would have had to do it.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from routing.case.case import Case
from routing.change import MessageKind
from store.ledger.identifiers import CASE
from store.ledger.sealed_head import read_ruling
from store.outbox.claiming import PAGING, UPDATES, blocked
from store.reads.snapshots import readable
from store.schema import SENDABLE, UNSETTLED, among, buckets, cases, micros, moment, outbox

QUIET = timedelta(seconds=30)
"""After an unclear reply PagerDuty is left alone for so long."""

PAGES = (MessageKind.PAGE.value, MessageKind.EMAIL.value)

PROMISED = timedelta(seconds=30)
"""How long a page may take whose turn has not come: so soon each has to be accepted (promise P3)."""

AT_ONCE = 200
"""Waiting pages looked at together, the oldest first, until one is found that nobody has."""

WORKSPACE = "workspace"
"""The scope of the pace at which all of Slack's messages are changed."""


def overdue_clock(connection: Connection) -> datetime | None:
    """When the first clock of a case was due, or will be; None where none runs."""
    due = select(cases.c.due_at).where(cases.c.due_at.is_not(None)).order_by(cases.c.due_at).limit(1)
    at = connection.execute(due).scalar_one_or_none()
    return None if at is None else moment(at)


def stuck_message(connection: Connection, now: datetime, late: timedelta) -> tuple[str, datetime] | None:
    """Of the messages that could have gone for longer than `late`, the peer of the one waiting longest, and since when it could have.

    Only where nothing at all moves to its destination: a channel into which a card goes each second has a queue and is not stuck, and
    what a peer refuses, hangs on or asks a pause for was tried.
    """
    before = micros(now - late)
    paced = set(connection.execute(select(buckets.c.scope).where(buckets.c.at > before)).scalars())
    free = [among(outbox.c.state, SENDABLE), outbox.c.lease_until.is_(None)]
    free += [outbox.c.not_before <= before, outbox.c.created_at <= before]
    if WORKSPACE in paced:
        free.append(outbox.c.kind.not_in(UPDATES))
    places = select(outbox.c.peer, outbox.c.destination).where(*free).group_by(outbox.c.peer, outbox.c.destination)
    waiting = {(row.peer, row.destination) for row in connection.execute(places)}
    waiting -= {("slack", channel) for channel in paced}
    found = list[tuple[datetime, str]]()
    for peer, destination in waiting - _moving(connection, before) if waiting else ():
        here = (outbox.c.peer == peer, outbox.c.destination == destination, *free, ~blocked(peer))
        first = select(outbox.c.not_before, outbox.c.created_at).where(*here).order_by(outbox.c.created_at).limit(1)
        found += [(moment(max(row.not_before, row.created_at)), peer) for row in connection.execute(first)]
    return min(((peer, since) for since, peer in found), key=lambda one: one[1], default=None)


def unaccepted_page(connection: Connection, now: datetime, late: timedelta) -> tuple[datetime, str] | None:
    """Since when the oldest page waits that is older than `late`, was accepted by nobody by any route and is still wanted, and why: what
    its last try came to, or that of what stands before it. One that was not tried yet has at least as long as is promised.

    Not one that somebody has taken, or whose incident is closed here: those are only still to be cancelled.
    """
    here = (outbox.c.peer.in_(PAGING), outbox.c.kind.in_(PAGES))
    tried_since = or_(outbox.c.last_error != "", outbox.c.created_at <= micros(now - max(late, PROMISED)))
    ready = and_(outbox.c.state == "ready", outbox.c.created_at <= micros(now - late), tried_since)
    unclear = and_(outbox.c.state != "ready", outbox.c.created_at <= micros(now - late - QUIET))
    waits = select(outbox).where(among(outbox.c.state, SENDABLE), *here, or_(ready, unclear))
    tried = select(outbox).where(outbox.c.lease_until.is_not(None), outbox.c.state == "trying", *here, unclear)
    found = {row.id: row for one in (waits, tried) for row in connection.execute(one)}
    rows = sorted(found.values(), key=lambda row: (row.created_at, row.id))
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        known = _cases(connection, {row.case_id for row in some})
        for row in some:
            if _wanted(connection, row, known):
                return moment(row.created_at), row.last_error or _why_it_waits(connection, row)
    return None


def _wanted(connection: Connection, row: Row[*tuple[Any, ...]], known: Mapping[str, Case]) -> bool:
    """Whether somebody still has to be found by this page. One whose case nobody can read counts: nobody knows that it does not."""
    if row.case_id.startswith(CASE):
        case = known.get(row.case_id)
        return case is None or wanted(case, row.round)
    governance = read_ruling(connection).governance
    digest, alert = governance.digest(row.case_id), governance.alert(row.case_id)
    if digest is not None:
        return digest.wanted and not digest.accepted
    return alert is not None and alert.page_open and not alert.acknowledged_by


def wanted(case: Case, page_round: int) -> bool:
    """Whether somebody still has to be found by the page of that round: it is open, nobody has it and nobody has taken the case."""
    page = next((one for one in case.pages if one.round == page_round), None)
    return page is not None and not page.accepted and not page.acknowledged_by and not (page.tier == case.tier and case.acknowledged_by)


def _why_it_waits(connection: Connection, row: Row[*tuple[Any, ...]]) -> str:
    """What became of the try before it in its lane, for one that has had none."""
    lane = (outbox.c.case_id == row.case_id, outbox.c.peer == row.peer, outbox.c.destination == row.destination)
    before = select(outbox.c.last_error).where(*lane, outbox.c.id < row.id, outbox.c.last_error != "", among(outbox.c.state, UNSETTLED))
    error = connection.execute(before.order_by(outbox.c.id.desc()).limit(1)).scalar_one_or_none()
    return f"behind another: {error}" if error else "not tried yet"


def _cases(connection: Connection, ids: Collection[str]) -> dict[str, Case]:
    return {case.id: case for case in readable(connection.execute(select(cases.c.snapshot).where(cases.c.id.in_(ids))).scalars())}


def _moving(connection: Connection, before: int) -> set[tuple[Any, ...]]:
    """Destinations by peer of which something is under way, or was put back lately or for later."""
    put_back: ColumnElement[bool] = and_(outbox.c.last_error != "", outbox.c.not_before > before)
    tried = select(outbox.c.peer, outbox.c.destination).where(
        among(outbox.c.state, UNSETTLED), or_(outbox.c.lease_until.is_not(None), put_back)
    )
    return {tuple(row) for row in connection.execute(tried.distinct())}
