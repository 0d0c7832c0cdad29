"""What is to be sent, from claim to settlement. Owns lanes (one message at a time for a case and destination, in order), leases, and what
a lost lease means. It never sends and never decides whether to try again: the courier does.

States: ready -> (claimed) -> trying -> done | ready | ambiguous | dead; cancelled when something later made it needless. A lease that ran
out while trying leaves the row ambiguous: the peer may have applied it, so nobody sends it again without looking.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, bindparam, null, or_, select, update

from routing.canonical import Json
from routing.change import SYSTEM, Actor, Change, Event, Message, MessageKind, Refused, Subject
from routing.governance.ruling import DIGEST
from routing.review.playbook import came_of
from routing.vocabulary import LETS_THROUGH, EventKind
from store.database.database import Database
from store.database.prepared import Prepared
from store.ledger.answers import Changed
from store.ledger.draft import Also
from store.ledger.identifiers import CASE
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.writer import Passing, Writer
from store.outbox.claiming import LEASE_S, claim, end_leases, outgoing, waiting
from store.outbox.delivered_cards import forget_card, keep_card
from store.outbox.delivery import Delivered, MessageGoneError, Outgoing
from store.outbox.token_buckets import TokenBucket
from store.outbox.withholding import kept_back
from store.schema import SENDABLE, UNSETTLED, among, micros, outbox

MAX_ERROR_CHARS = 300
AT_ONCE = 500
"""Rows changed in one transaction: everything else that is recorded waits for it."""

_MOVING = ("ready", "trying", "ambiguous")
"""States of what somebody may still send."""

POSTED_BY = {MessageKind.BULLETIN_UPDATE: MessageKind.BULLETIN}
"""What posts the message that a kind is about, where it is not a card."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a row is put back: when to look at it again, and what happened. `ambiguous`: the peer may have applied it."""

    until: datetime
    error: str
    ambiguous: bool = False


class Outbox:
    """Narrow writes on the process's writer; `boot_id` names this process and no other, also none before it."""

    def __init__(self, database: Database, writer: Writer, ledger: Ledger, boot_id: str, *, passing: Passing = lambda _name: None) -> None:
        """`passing` is called with a name after each step that was committed: there tests let the process die."""
        self._database = database
        self._writer = writer
        self._ledger = ledger
        self._boot_id = boot_id
        self._passing = passing

    async def start(self) -> None:
        """On SQLite, end the leases of the process before: one process serves, so it is gone. On PostgreSQL they run out by themselves."""
        if not self._database.is_postgres:
            await self._writer.write(partial(end_leases, everyone_but=self._boot_id))

    async def waiting(self, now: datetime, only_updates: Mapping[str, Collection[str]] | None = None) -> set[str]:
        """Peers for which something may be taken up now, or whose lease is over: a look that writes nothing. `only_updates` as for `claim`,
        by peer.
        """
        return await self._database.read(partial(waiting, now=now, only_updates=only_updates or {}))

    async def claim(
        self, peer: str, limit: int = 16, *, skip: Collection[str] = (), only_updates: Collection[str] = (), pace: TokenBucket | None = None
    ) -> list[Outgoing]:
        """Lease up to `limit` lane heads of a peer: urgent first, then by priority (higher first), then oldest.

        None to destinations in `skip`, and only updates to those in `only_updates`: a channel that has to wait with posts need not wait
        with updates. Updates of one card that follow each other become one. With `pace`, no more updates than it has tokens for and one
        post for a destination: what could not go out now is not taken up.
        """
        claimed = partial(claim, peer=peer, limit=limit, skip=skip, only_updates=only_updates, pace=pace, boot_id=self._boot_id)
        rows = await self._writer.write(claimed)
        self._passing("outbox.claimed")
        return rows

    async def trying(self, row: Outgoing) -> bool:
        """Note that a try begins, before it does, and renew the lease. False when the lease was lost, or when it is an approval whose
        workflow was paused meanwhile: then do not send.
        """
        mine = await self._writer.write(partial(_trying, row=row, boot_id=self._boot_id))
        self._passing("outbox.trying")
        return mine

    async def settle(self, row: Outgoing, delivered: Delivered, step: Step | None = None) -> bool:
        """The peer has it, by this try or, found again, by an earlier one. False when it was settled before.

        `step`: what that means for its case, in the same transaction, so that neither is without the other.
        """
        self._passing("outbox.settle")
        settled = partial(_settle, row=row, delivered=delivered)
        return await self._with(row, step, settled) or await self._writer.write(settled)

    def settling(self, row: Outgoing, delivered: Delivered) -> Also:
        """The same as `settle`, beside a change that says so, in its transaction."""

        def write(connection: Connection, now: datetime) -> None:
            _settle(connection, now, row=row, delivered=delivered)

        return write

    def putting_back(self, row: Outgoing, doubt: Doubt) -> Also:
        """The same as `put_back`, beside a change that says why, in its transaction."""

        def write(connection: Connection, now: datetime) -> None:
            _put_back(connection, now, row=row, doubt=doubt, boot_id=self._boot_id)

        return write

    async def put_back(self, row: Outgoing, doubt: Doubt) -> bool:
        """Give the lease back and try, or look, again at a later time. False when the lease was lost."""
        self._passing("outbox.put_back")
        return await self._writer.write(partial(_put_back, row=row, doubt=doubt, boot_id=self._boot_id))

    async def dead(self, row: Outgoing, error: str, step: Step | None = None) -> None:
        """Give up, with an event in the case's history; `step` as for `settle`, after it. A page that cannot be sent takes its
        acknowledgement and resolve along.
        """
        self._passing("outbox.dead")
        event = Event(
            EventKind.NOT_DELIVERED,
            SYSTEM,
            {**_fields(row.peer, row.message, row.leaf_idx), "attempts": row.attempts, "error": _cut(error)},
        )
        change = None if step is None else told_with(event, step)
        if not await self._with(row, change, partial(_dead, row=row, error=error)):
            await self._ledger.record(event, case_id=row.case_id, also=partial(_dead, row=row, error=error))

    async def lost(self, row: Outgoing, gone: MessageGoneError) -> None:
        """The message that the row was to change, or answer under, is gone: forgotten, with an event, and in the same transaction the row
        turns into one that posts it anew, where it is wanted; what was to be said under it follows.

        The new post carries the row's id as any post does, so that neither a crash nor a lost reply leads to a second one.
        """
        self._passing("outbox.lost")
        fields = {**_fields(row.peer, row.message, row.leaf_idx), "channel": gone.channel, "ts": gone.ts, "error": _cut(gone.reason)}
        event = Event(EventKind.CARD_LOST, SYSTEM, {**fields, "posted_again": gone.again})
        note = gone.again and row.message.kind is MessageKind.NOTE
        told = ((row.message, row.leaf_idx),) if note else ()
        await self._ledger.record(event, case_id=row.case_id, also=partial(_lost, row=row, gone=gone), told=told)

    async def hasten(self, peer: str, destinations: Collection[str], now: datetime) -> int:
        """What was put back until after `now` and is for these destinations may go at once. Gives how many rows that are.

        They are looked for beside the writer: thousands may wait behind the one that was tried.
        """
        ids = await self._database.read(partial(_put_off, now=now, peer=peer, destinations=tuple(destinations)))
        parts = [ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)]
        return sum([await self._writer.write(partial(_hasten, ids=part)) for part in parts])

    async def cancel(self, row: Outgoing, reason: str, step: Step | None = None) -> bool:
        """It is no longer needed. `step` as for `settle`."""
        cancelling = partial(_cancel, row=row, reason=reason)
        return await self._with(row, step, cancelling) or await self._writer.write(cancelling)

    async def retry(self, ids: Iterable[int], by: Actor) -> int:
        """Make dead rows ready again, each with an event in its case's history. Gives how many were dead."""
        rows = await self._database.read(partial(_dead_rows, ids=list(ids)))
        for row in rows:
            event = Event(EventKind.DELIVERY_RETRIED, by, _fields(row.peer, row.message, row.leaf_idx))
            reviving = partial(_revive, row_id=row.id)
            if not await self._with(row, told_with(event, came_of(row.message, "waiting")), reviving):
                await self._ledger.record(event, case_id=row.case_id, also=reviving)
        return len(rows)

    async def doubt_all(self) -> int:
        """After the database was restored: everything not yet sent may have been. Gives how many rows became ambiguous."""
        return await self._writer.write(_doubt_all)

    async def _with(self, row: Outgoing, step: Step | None, also: Also) -> bool:
        """Change the row beside its case; False where the step means nothing for the case as it is, and nothing happened."""
        if step is None or not row.case_id.startswith(CASE):
            return False
        return isinstance(await self._ledger.change(row.case_id, step, also=also), Changed)


def told_with(event: Event, step: Step) -> Step:
    """The step with this event before its own."""

    def telling(subject: Subject, now: datetime) -> Change | Refused:
        change = step(subject, now)
        if isinstance(change, Refused):
            return change
        messages = tuple(replace(message, event=message.event + 1) for message in change.messages)
        return replace(change, events=(event, *change.events), messages=messages)

    return telling


def _trying(connection: Connection, now: datetime, *, row: Outgoing, boot_id: str) -> bool:
    if row.message.callback in LETS_THROUGH and kept_back(connection, now, _leased(row, boot_id)):
        return False
    until = micros(now + timedelta(seconds=LEASE_S[row.peer]))
    return _TRYING.execute(connection, row=row.id, boot=boot_id, now=micros(now), until=until).rowcount == 1


def _settle(connection: Connection, now: datetime, *, row: Outgoing, delivered: Delivered) -> bool:
    settled = _SETTLE.execute(connection, row=row.id, now=micros(now)).rowcount == 1
    if delivered.ts:
        keep_card(connection, now, row.case_id, row.message.tier, delivered)
    return settled


def _put_back(connection: Connection, _now: datetime, *, row: Outgoing, doubt: Doubt, boot_id: str) -> bool:
    values = {
        "state": "ambiguous" if doubt.ambiguous else "ready",
        "not_before": micros(doubt.until),
        "last_error": _cut(doubt.error),
        "lease_owner": "",
        "lease_until": None,
    }
    return _hit(connection, update(outbox).where(_leased(row, boot_id)).values(values))


def _dead(connection: Connection, now: datetime, *, row: Outgoing, error: str) -> None:
    over = {"settled_at": micros(now), "lease_owner": "", "lease_until": None}
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(state="dead", last_error=_cut(error), **over))
    if row.message.kind is MessageKind.PAGE:
        _cancel_follow_ups(connection, now, row)


def _cancel_follow_ups(connection: Connection, now: datetime, row: Outgoing) -> None:
    """PagerDuty never had the page, so there is nothing to acknowledge or to resolve."""
    over = {"settled_at": micros(now), "lease_owner": "", "lease_until": None}
    follows = and_(
        outbox.c.case_id == row.case_id,
        outbox.c.peer == row.peer,
        outbox.c.destination == row.message.destination,
        outbox.c.round == row.message.round,
        outbox.c.kind.in_((MessageKind.PAGE_ACKNOWLEDGE, MessageKind.PAGE_RESOLVE)),
        among(outbox.c.state, UNSETTLED),
        outbox.c.state != "dead",
    )
    connection.execute(update(outbox).where(follows).values(state="cancelled", last_error="its page was not delivered", **over))


def _lost(connection: Connection, now: datetime, *, row: Outgoing, gone: MessageGoneError) -> None:
    forget_card(connection, row.case_id, row.message.tier, gone.channel, gone.ts)
    if not gone.again:
        _cancel(connection, now, row=row, reason=f"{gone.reason}: it is not wanted any more")
        return
    values = {
        "kind": POSTED_BY.get(row.message.kind, MessageKind.CARD).value,
        "state": "ready",
        "urgent": True,
        "attempts": 0,
        "not_before": 0,
        "intent_at": None,
        "created_at": micros(now),
        "last_error": _cut(gone.reason),
        "lease_owner": "",
        "lease_until": None,
    }
    connection.execute(update(outbox).where(outbox.c.id == row.id, outbox.c.state != "done").values(values))


def cancelled(connection: Connection, now: datetime, *, row: Outgoing, reason: str) -> None:
    """Cancel a message beside a change that says why, in its transaction."""
    _cancel(connection, now, row=row, reason=reason)


def _put_off(connection: Connection, *, now: datetime, peer: str, destinations: Sequence[str]) -> Sequence[int]:
    waiting = (outbox.c.peer == peer, outbox.c.destination.in_(destinations), among(outbox.c.state, SENDABLE))
    later = and_(outbox.c.lease_until.is_(None), outbox.c.not_before > micros(now))
    return connection.execute(select(outbox.c.id).where(*waiting, later)).scalars().all()


def _hasten(connection: Connection, _now: datetime, *, ids: Sequence[int]) -> int:
    still = and_(outbox.c.id.in_(ids), among(outbox.c.state, SENDABLE), outbox.c.lease_until.is_(None))
    return connection.execute(update(outbox).where(still).values(not_before=0)).rowcount


def _cancel(connection: Connection, now: datetime, *, row: Outgoing, reason: str) -> bool:
    values = {"state": "cancelled", "last_error": _cut(reason), "settled_at": micros(now), "lease_owner": "", "lease_until": None}
    said_before = row.case_id.startswith(DIGEST)  # a digest is sent again and again under one key: it may ring already
    if row.message.kind is MessageKind.PAGE and not row.doubtful and not said_before:
        _cancel_follow_ups(connection, now, row)
    return _hit(connection, update(outbox).where(outbox.c.id == row.id, outbox.c.state.in_(_MOVING)).values(values))


def _revive(connection: Connection, _now: datetime, *, row_id: int) -> None:
    values = {"state": "ready", "attempts": 0, "not_before": 0, "settled_at": None}
    connection.execute(update(outbox).where(outbox.c.id == row_id, outbox.c.state == "dead").values(values))


def _doubt_all(connection: Connection, now: datetime) -> int:
    values = {
        "state": "ambiguous",
        "intent_at": micros(now),
        "last_error": "the database was restored",
        "lease_owner": "",
        "lease_until": None,
    }
    return connection.execute(update(outbox).where(or_(outbox.c.state == "ready", outbox.c.state == "trying")).values(values)).rowcount


def _dead_rows(connection: Connection, *, ids: Sequence[int]) -> list[Outgoing]:
    return [outgoing(row) for row in connection.execute(select(outbox).where(outbox.c.id.in_(ids), outbox.c.state == "dead"))]


def _leased(row: Outgoing, boot_id: str) -> Any:  # noqa: ANN401 - SQLAlchemy's type of a condition
    return and_(outbox.c.id == row.id, outbox.c.lease_owner == boot_id, outbox.c.state.in_(_MOVING))


_IS_IT = outbox.c.id == bindparam("row")
_TRYING = Prepared(
    update(outbox)
    .where(_IS_IT, outbox.c.lease_owner == bindparam("boot"), or_(*(outbox.c.state == state for state in _MOVING)))
    .values(state="trying", intent_at=bindparam("now"), attempts=outbox.c.attempts + 1, lease_until=bindparam("until"))
)
_SETTLE = Prepared(
    update(outbox)
    .where(_IS_IT, outbox.c.state != "done")
    .values(state="done", settled_at=bindparam("now"), lease_owner="", lease_until=null(), last_error="")
)


def _hit(connection: Connection, statement: Any) -> bool:  # noqa: ANN401 - an update
    return connection.execute(statement).rowcount == 1


def _fields(peer: str, message: Message, leaf_idx: int) -> dict[str, Json]:
    return {"peer": peer, "kind": message.kind.value, "destination": message.destination, "tier": message.tier, "leaf": leaf_idx}


def _cut(text: str) -> str:
    return text[:MAX_ERROR_CHARS]
