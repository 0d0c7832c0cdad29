"""What should have happened by now and did not: a clock that nobody acted on, a message that nobody takes up, a page that nobody accepts.
Owns these reads, which ask nobody who would have had to do it.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from routing.change import MessageKind
from store.outbox.claiming import UPDATES, blocked
from store.schema import SENDABLE, UNSETTLED, among, buckets, cases, micros, moment, outbox

QUIET = timedelta(seconds=30)
"""After an unclear reply PagerDuty is left alone for so long."""

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
    """Since when the oldest page waits that was tried, is older than `late` and was accepted by nobody, and what its last try came to."""
    unclear = and_(outbox.c.state == "ambiguous", outbox.c.created_at <= micros(now - late - QUIET))
    failed = and_(outbox.c.state == "ready", outbox.c.created_at <= micros(now - late))
    mine = (outbox.c.peer == "pagerduty", outbox.c.kind == MessageKind.PAGE.value, outbox.c.last_error != "")
    oldest = select(outbox.c.created_at, outbox.c.last_error).where(among(outbox.c.state, SENDABLE), *mine, or_(failed, unclear))
    row = connection.execute(oldest.order_by(outbox.c.created_at).limit(1)).first()
    return None if row is None else (moment(row.created_at), row.last_error)


def _moving(connection: Connection, before: int) -> set[tuple[Any, ...]]:
    """Destinations by peer of which something is under way, or was put back lately or for later."""
    put_back: ColumnElement[bool] = and_(outbox.c.last_error != "", outbox.c.not_before > before)
    tried = select(outbox.c.peer, outbox.c.destination).where(
        among(outbox.c.state, UNSETTLED), or_(outbox.c.lease_until.is_not(None), put_back)
    )
    return {tuple(row) for row in connection.execute(tried.distinct())}
