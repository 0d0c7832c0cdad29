"""Which cards stand in a channel and which wait behind its board: a channel shows so many open cards at a time and no more, so that people
can read it (V10). Decided where messages are written, in the transaction that writes them.

A card that waits is no message yet: its case has a bit in the column `unposted`, and what would be said in its thread, or change it, is not
written either. Whenever places become free, as many cards as have room come forward, by the order of `store.ledger.queue_order`, in the
very transaction that frees them. A card that stands stays. What cannot wait is shown beyond the window (`shown_at_once`).

Owns this choice and the column; never changes a case.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from routing.case.case import Case
from routing.change import Message, MessageKind
from routing.vocabulary import NEVER_FROZEN, EventKind, Lane, Risk, State
from store.database.prepared import Prepared
from store.ledger.board import board_row, reminder_row
from store.ledger.draft import Draft, Row
from store.ledger.places import Standing, channel_of, is_behind, place, waits
from store.ledger.prefetch import Known
from store.ledger.queue_order import first_waiting, rank_of
from store.ledger.rows import message_row
from store.schema import cases, queue

OF_A_CARD = frozenset({MessageKind.CARD.value, MessageKind.CARD_UPDATE.value, MessageKind.NOTE.value})
"""Kinds of messages that are nothing without the card of their tier."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """What a transaction leaves: `unposted` of each case that it writes, the messages to send, how cases moved for the counts, and the
    cases it does not write that come forward, with their `unposted`.
    """

    unposted: Mapping[str, int]
    outbox: list[Row]
    moved: list[tuple[Standing, Standing]]
    forward: Mapping[str, int]

    def bring_forward(self, connection: Connection) -> None:
        """Write the cases that nothing else writes."""
        if self.forward:
            connection.execute(_FORWARD, [{"case": case_id, "left": left} for case_id, left in self.forward.items()])


def shown_at_once(case: Case) -> bool:
    """Whether the card is shown however many stand there: of critical risk, stopping the line, undoing something, taken by somebody, or of
    a case for which somebody is woken; a page that only lists it leads to what is most urgent.
    """
    urgent = case.route.risk is Risk.CRITICAL or case.route.lane is Lane.STOP or case.kind in NEVER_FROZEN
    return urgent or bool(case.claimed_by) or any(page.tier == case.tier and not page.digest for page in case.pages)


def arrange(connection: Connection, known: Known, kept: Draft, written: AbstractSet[str], now: datetime, *, most: int) -> Arranged:
    """Decide for the cases that are `written`, of which `known` is what was before and `kept` what is after; `most` is the window."""
    opened = {row["id"] for row in kept.opened}
    before = {each: (None if each in opened else known.cases[each], known.unposted.get(each, 0)) for each in written}
    posted = {(row["case_id"], row["tier"]) for row in kept.outbox if row["kind"] == MessageKind.CARD.value}
    after = {each: _at_first(kept.cases[each], before[each][1], posted) for each in written}
    coming = [case for each, (case, unposted) in after.items() if unposted != _at_last(case, unposted)]
    after |= {case.id: (case, _at_last(case, after[case.id][1])) for case in coming}
    counts, boards, forward = _Counts(connection, before, after), list[Row | None](), dict[str, Standing]()
    leaf = known.size + len(kept.leaves) - 1
    for channel in counts.channels:
        for case, unposted in _first(connection, channel, after, counts, now, room=most - counts.shown[channel]):
            (after if case.id in written else forward)[case.id] = (case, unposted & ~(1 << case.tier))
            before.setdefault(case.id, (case, unposted))
            counts.behind[channel] -= 1
            coming.append(case)
        if counts.had[channel] or counts.behind[channel]:
            boards.append(board_row(connection, channel, leaf, now, begins=not counts.had[channel]))
    boards += [reminder_row(connection, channel, leaf, now) for channel in _reminded(kept, after)]
    anew = [case for case in coming if (case.id, case.tier) not in posted]
    cards = [message_row(_card(case), case, leaf, now) for case in anew]
    hidden = known.unposted | {each: unposted for each, (_, unposted) in after.items()}
    drawn = {(case.id, case.tier) for case in anew}
    said = [row for row in kept.outbox if row["kind"] not in OF_A_CARD or not _is_needless(row, hidden, drawn)]
    moved = [(before[each], standing) for each, standing in (after | forward).items()]
    left = {each: unposted for each, (_, unposted) in after.items()}
    return Arranged(left, [*filter(None, boards), *cards, *said], moved, {each: unposted for each, (_, unposted) in forward.items()})


def _at_first(case: Case, unposted: int, posted: Collection[tuple[str, int]]) -> tuple[Case, int]:
    """Every card of people's that would be posted now waits, until it is found that there is room."""
    return case, unposted | (1 << case.tier if waits(case) and (case.id, case.tier) in posted else 0)


def _at_last(case: Case, unposted: int) -> int:
    """What is left once those are shown that cannot wait."""
    shown = shown_at_once(case) if waits(case) else _has_stopped(case)
    return unposted & ~(1 << case.tier) if shown else unposted


def _has_stopped(case: Case) -> bool:
    """Whether a case stands at its tier and goes on only if somebody acts on it: no board counts it, so it needs its card. One that is
    frozen goes on with its workflow, and back behind the board.
    """
    alone = case.open and case.tier_since is not None and not case.tied_to
    return alone and case.state is not State.PENDING and case.held_by != "frozen"


def _card(case: Case) -> Message:
    return Message(MessageKind.CARD, case.rung.channel, tier=case.tier, urgent=bool(case.claimed_by))


class _Counts:
    """How many cards stand in each channel where something moves (`shown`) and how many wait there (`behind`; `had` before)."""

    def __init__(self, connection: Connection, before: Mapping[str, Standing], after: Mapping[str, Standing]) -> None:
        changes = Counter[tuple[str, bool]]()
        for each, became in after.items():
            if place(before[each]) != place(became):
                for (case, unposted), change in ((before[each], -1), (became, 1)):
                    if case is not None and waits(case):
                        changes[channel_of(case), is_behind(case, unposted)] += change
        self.channels = sorted({channel for channel, _ in changes})
        self.shown, self.behind, self.had = Counter[str](), Counter[str](), Counter[str]()
        for row in _WAITING.execute(connection, self.channels) if self.channels else ():
            (self.had if row.behind else self.shown)[row.channel] += int(row.cases)
        self.behind.update(self.had)
        for (channel, behind), change in changes.items():
            (self.behind if behind else self.shown)[channel] += change


def _reminded(kept: Draft, after: Mapping[str, tuple[Case, int]]) -> list[str]:
    """The channels behind whose board a case waits of which people are to be reminded: it has no thread in which that could be said."""
    told = {leaf["case_id"] for leaf in kept.leaves if leaf["kind"] == EventKind.REMINDED.value}
    these = [after[each] for each in sorted(told & after.keys())]
    return list(dict.fromkeys(channel_of(case) for case, unposted in these if waits(case) and is_behind(case, unposted)))


def _first(
    connection: Connection, channel: str, after: Mapping[str, tuple[Case, int]], counts: _Counts, now: datetime, *, room: int
) -> list[tuple[Case, int]]:
    """Of all that wait behind a board, as many as have room, each with its `unposted`: of those in `after`, and of the others."""
    if room <= 0 or not counts.behind[channel]:
        return []
    here = {
        case.id: (case, unposted)
        for case, unposted in after.values()
        if waits(case) and is_behind(case, unposted) and channel_of(case) == channel
    }
    ranked = [rank_of(case, now) for case, _ in here.values()]
    if counts.had[channel]:
        others = first_waiting(connection, (channel,), limit=room + len(after), now=now, behind=True)
        ranked += [each for each in others if each[1][1] not in after]
    first = [case_id for _, (_, case_id) in sorted(ranked)[:room]]
    return [here[each] for each in first if each in here] + _read(connection, [each for each in first if each not in here])


def _read(connection: Connection, wanted: Collection[str]) -> list[tuple[Case, int]]:
    """These cases, without those that somebody damaged: they stay where they are."""
    found = list[tuple[Case, int]]()
    for row in connection.execute(select(cases.c.snapshot, cases.c.unposted).where(cases.c.id.in_(wanted))) if wanted else ():
        with suppress(ValueError):
            found.append((Case.model_validate_json(row.snapshot), row.unposted))
    return found


def _is_needless(row: Row, hidden: Mapping[str, int], drawn: Collection[tuple[str, int]]) -> bool:
    """Whether a message of a card has none to stand on, or changes one that is drawn with this transaction."""
    updates = row["kind"] == MessageKind.CARD_UPDATE.value and (row["case_id"], row["tier"]) in drawn
    return updates or bool(hidden.get(row["case_id"], 0) >> row["tier"] & 1)


_WAITING = Prepared(
    lambda channels: (
        select(queue.c.channel, queue.c.behind, func.sum(queue.c.cases).label("cases"))
        .where(queue.c.channel.in_(channels), queue.c.state == "pending", ~queue.c.tied)
        .group_by(queue.c.channel, queue.c.behind)
    )
)
_FORWARD = update(cases).where(cases.c.id == bindparam("case")).values(unposted=bindparam("left"))
