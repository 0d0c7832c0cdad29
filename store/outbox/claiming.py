"""Which messages a process takes up next: heads of lanes, in order of urgency, no more than may go out now. Owns the choice and the leases;
what becomes of a message is `store.outbox.outbox`'s.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, TextClause, and_, bindparam, null, or_, select, text, update

from routing.change import Message, MessageKind
from store.database.prepared import Prepared
from store.outbox.delivery import Outgoing
from store.outbox.token_buckets import TokenBucket, tokens
from store.outbox.withholding import keep_back
from store.schema import SENDABLE, UNSETTLED, among, micros, moment, outbox

UPDATES = (MessageKind.CARD_UPDATE.value, MessageKind.BULLETIN_UPDATE.value)
"""Kinds that change a message that stands already."""

PAGING = frozenset({"pagerduty", "email"})
"""Peers that take pages."""

LEASE_S = {"slack": 60, "pagerduty": 20, "email": 60, "callback": 60, "ticket": 60}


def end_leases(connection: Connection, now: datetime, *, everyone_but: str | None = None) -> None:
    """Rows whose lease is over: those being tried are in doubt, the others are ready again."""
    for ending in _END_LEASES if everyone_but is None else _END_OTHERS:
        ending.execute(connection, now=micros(now), boot=everyone_but)


def claim(
    connection: Connection,
    now: datetime,
    *,
    peer: str,
    limit: int,
    skip: Collection[str],
    only_updates: Collection[str],
    pace: TokenBucket | None,
    boot_id: str,
) -> list[Outgoing]:
    """Lease lane heads; see `store.outbox.outbox.Outbox.claim`."""
    end_leases(connection, now)
    if peer == "callback":
        keep_back(connection, now)
    updates = limit if pace is None else min(limit, int(tokens(connection, now, pace)))
    statement = _free(peer, updates=bool(updates), skips=bool(skip), holds=bool(only_updates))
    values = {"now": micros(now), "most": limit, "skipped": list(skip), "held": list(only_updates)}
    rows = connection.execute(statement, values).all()
    if pace is not None:
        rows = _sendable_now(rows, updates)
    if not rows:
        return []
    until = micros(now + timedelta(seconds=LEASE_S[peer]))
    _LEASE.execute(connection, [row.id for row in rows], boot=boot_id, until=until)
    _coalesce(connection, now, [row for row in rows if row.kind in UPDATES and row.state == "ready"])
    return [outgoing(row) for row in rows]


def _sendable_now(rows: Sequence[Row[*tuple[Any, ...]]], updates: int) -> list[Row[*tuple[Any, ...]]]:
    """As many updates as may go now, and the first post for each destination."""
    posted, found, left = set[str](), list[Row[*tuple[Any, ...]]](), updates
    for row in rows:
        if row.kind in UPDATES:
            left -= 1
            if left >= 0:
                found.append(row)
        elif row.destination not in posted:
            posted.add(row.destination)
            found.append(row)
    return found


def blocked(peer: str) -> ColumnElement[bool]:
    """Something of the same lane goes first. Each round of a page is a lane of its own, as it is an incident of its own: a new page never
    waits for what is still owed to an old one.
    """
    earlier = outbox.alias("earlier")
    blocking = [] if peer == "callback" else [earlier.c.state != "dead"]
    if peer in PAGING:
        blocking.append(earlier.c.round == outbox.c.round)
    in_lane = and_(earlier.c.case_id == outbox.c.case_id, earlier.c.peer == outbox.c.peer, earlier.c.destination == outbox.c.destination)
    unsettled = text(f"earlier.state IN {UNSETTLED}")  # written out, so that the index serves
    return select(earlier.c.id).where(in_lane, earlier.c.id < outbox.c.id, unsettled, *blocking).exists()


@cache
def _free(peer: str, *, updates: bool, skips: bool, holds: bool) -> Select[*tuple[Any, ...]]:
    """Heads of lanes that may be taken up `now`, `most` of them, in order."""
    statement = (
        select(outbox)
        .where(*_takeable(peer))
        .order_by(outbox.c.urgent.desc(), outbox.c.priority.desc(), outbox.c.id)
        .limit(bindparam("most"))
        .with_for_update(of=outbox, skip_locked=True)
    )
    if skips:
        statement = statement.where(outbox.c.destination.not_in(bindparam("skipped", expanding=True)))
    if holds:
        statement = statement.where(_not_held(bindparam("held", expanding=True)))
    return statement if updates else statement.where(outbox.c.kind.not_in(UPDATES))


def _takeable(peer: str) -> tuple[ColumnElement[bool] | TextClause, ...]:
    sendable = text(f"outbox.state IN {SENDABLE}")  # written out, so that the index serves
    return outbox.c.peer == peer, sendable, outbox.c.lease_until.is_(None), outbox.c.not_before <= bindparam("now"), ~blocked(peer)


def _not_held(only_updates: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a list, or a parameter for one
    return or_(outbox.c.destination.not_in(only_updates), *(outbox.c.kind == kind for kind in UPDATES))


def waiting(connection: Connection, *, now: datetime, only_updates: Mapping[str, Collection[str]]) -> set[str]:
    """Peers with something to take up, or to free."""
    at = micros(now)
    over = set(_OVER.execute(connection, now=at).scalars())
    return {peer for peer in LEASE_S if peer in over or _SOMETHING[peer].execute(connection, only_updates.get(peer, ()), now=at).first()}


def _something(peer: str) -> Prepared:
    return Prepared(lambda held: select(outbox.c.id).where(*_takeable(peer), *([_not_held(held)] if held else [])).limit(1))


_SOMETHING = {peer: _something(peer) for peer in LEASE_S}
_IS_OVER = outbox.c.lease_until <= bindparam("now")
_OVER = Prepared(select(outbox.c.peer).where(_IS_OVER).distinct())
_IS_ANOTHERS = and_(outbox.c.lease_until.is_not(None), outbox.c.lease_owner != bindparam("boot"))


def _end(which: ColumnElement[bool]) -> tuple[Prepared, Prepared]:
    ended = update(outbox).where(which).values(lease_owner="", lease_until=null())
    in_doubt = ended.where(outbox.c.state == "trying").values(state="ambiguous", last_error="lease lost")
    return Prepared(in_doubt), Prepared(ended.where(outbox.c.state != "trying"))


_END_LEASES, _END_OTHERS = _end(_IS_OVER), _end(_IS_ANOTHERS)
_LEASE = Prepared(
    lambda ids: update(outbox).where(outbox.c.id.in_(ids)).values(lease_owner=bindparam("boot"), lease_until=bindparam("until"))
)


def _coalesce(connection: Connection, now: datetime, heads: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Cancel the updates that directly follow a head for the same card: what the head sends is drawn when it is sent."""
    if not heads:
        return
    later = select(outbox.c.id, outbox.c.case_id, outbox.c.destination, outbox.c.kind, outbox.c.tier).where(
        outbox.c.case_id.in_([row.case_id for row in heads]),
        outbox.c.peer == "slack",
        among(outbox.c.state, UNSETTLED),
        outbox.c.state == "ready",
        outbox.c.lease_until.is_(None),
    )
    lanes: dict[tuple[str, str], list[Row[*tuple[Any, ...]]]] = {}
    for row in connection.execute(later.order_by(outbox.c.id)):
        lanes.setdefault((row.case_id, row.destination), []).append(row)
    needless = list[int]()
    for head in heads:
        for row in lanes.get((head.case_id, head.destination), ()):
            if (row.kind, row.tier) != (head.kind, head.tier):
                break
            needless.append(row.id)
    if needless:
        gone = update(outbox).where(outbox.c.id.in_(needless))
        connection.execute(gone.values(state="cancelled", last_error="joined with the update before", settled_at=micros(now)))


def outgoing(row: Row[*tuple[Any, ...]]) -> Outgoing:
    """A row as the courier gets it."""
    message = Message(
        MessageKind(row.kind),
        row.destination,
        tier=row.tier,
        round=row.round,
        callback=row.callback,
        sequence=row.sequence,
        urgent=row.urgent,
    )
    return Outgoing(
        id=row.id,
        case_id=row.case_id,
        peer=row.peer,
        message=message,
        leaf_idx=row.leaf_idx,
        doubtful=row.state == "ambiguous",
        attempts=row.attempts,
        intent_at=None if row.intent_at is None else moment(row.intent_at),
        created_at=moment(row.created_at),
    )
