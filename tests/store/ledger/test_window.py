"""Which cards a channel shows: whatever comes, moves and ends, in whichever order and company."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select

from routing.case.case import Case, Tier
from routing.change import SYSTEM, Change, Event, Message, MessageKind, Subject
from routing.vocabulary import EventKind, Risk, State
from store.database.database import Database
from store.integrity.queue_check import check_queue
from store.ledger.items import OpenStep
from store.ledger.places import is_behind, waits
from store.ledger.queue_order import rank_of
from store.ledger.window import shown_at_once
from store.schema import cases, outbox
from tests.store.a_store import POLICY_TEXT, Books, Clock, a_delivery, a_submission, commenting, deciding, open_books, opening

MOST = 3
POLICY = POLICY_TEXT.replace(b"groups:", b"channels: {window: 3}\ngroups:", 1)
CHANNELS = ("one", "two")


def on_two_tiers(task_id: str, *, priority: int, risk: Risk) -> OpenStep:
    """Opens a case in the first of two channels."""
    first = opening(a_submission(task_id=task_id), CHANNELS[0], priority=priority)

    def step(arrival: object) -> Change:
        change = first(arrival)  # type: ignore[arg-type]
        tiers = tuple(Tier(channel=channel, group="frontline", decide_s=14_400) for channel in CHANNELS)
        route = change.case.route.model_copy(update={"risk": risk, "tiers": tiers})
        return replace(change, case=change.case.model_copy(update={"route": route}))

    return step


def becoming(**fields: object) -> Callable[[Subject, datetime], Change]:
    """A step that changes a case so, with a note in its thread and every card drawn anew."""

    def step(subject: Subject, _now: datetime) -> Change:
        case = subject.case.model_copy(update=fields)
        drawn = [Message(MessageKind.CARD_UPDATE, CHANNELS[tier], tier=tier, urgent=True) for tier in range(case.tier + 1)]
        note = Message(MessageKind.NOTE, case.rung.channel, tier=case.tier)
        return Change(case, (Event(EventKind.CHANGED, SYSTEM),), (*drawn, note))

    return step


def climbing(subject: Subject, now: datetime) -> Change:
    """To the second channel, as a case climbs."""
    case = subject.case.model_copy(update={"tier": 1, "tier_since": now, "claimed_by": ""})
    messages = (Message(MessageKind.CARD, CHANNELS[1], tier=1, urgent=True), Message(MessageKind.CARD_UPDATE, CHANNELS[0], tier=0))
    return Change(case, (Event(EventKind.ESCALATED, SYSTEM),), messages)


async def what_happens(books: Books, random: Random, clock: Clock) -> None:
    """Something, to some of the cases at once."""
    found = await books.database.read(lambda connection: connection.execute(select(cases.c.snapshot)).scalars().all())
    known = [case for case in map(Case.model_validate_json, found) if case.open]
    these = random.sample(known, min(len(known), random.choice([1, 1, 2, 5])))
    match random.choice(["open", "open", "decide", "decide", "claim", "unclaim", "hold", "back", "climb", "comment"]):
        case "open":
            for number in range(random.choice([1, 2, 6])):
                task = f"t-{clock.now.timestamp()}-{number}"
                step = on_two_tiers(task, priority=random.choice([100, 100, 300]), risk=random.choice([*[Risk.LOW] * 9, Risk.CRITICAL]))
                await books.ledger.open(a_delivery(task), step)
        case "decide":
            await asyncio.gather(*(books.ledger.change(case.id, deciding()) for case in these))
        case "claim":
            await asyncio.gather(
                *(books.ledger.change(one.id, becoming(claimed_by="U0FRONT")) for one in these if one.state is State.PENDING)
            )
        case "unclaim":
            await asyncio.gather(*(books.ledger.change(case.id, becoming(claimed_by="")) for case in these))
        case "hold":
            await asyncio.gather(*(books.ledger.change(one.id, becoming(state=State.HELD)) for one in these if one.state is State.PENDING))
        case "back":
            await asyncio.gather(*(books.ledger.change(one.id, becoming(state=State.PENDING)) for one in these if one.state is State.HELD))
        case "climb":
            await asyncio.gather(*(books.ledger.change(one.id, climbing) for one in these if one.tier == 0 and one.state is State.PENDING))
        case _:
            await asyncio.gather(*(books.ledger.change(case.id, commenting()) for case in these if case.tier == 0))


def hold_true(connection: Connection) -> None:
    """What is true whatever happened."""
    rows = connection.execute(select(cases.c.snapshot, cases.c.unposted)).all()
    every = [(Case.model_validate_json(row.snapshot), row.unposted) for row in rows]
    sent = connection.execute(select(outbox.c.case_id, outbox.c.kind, outbox.c.tier, outbox.c.id).order_by(outbox.c.id)).all()
    posted = Counter((row.case_id, row.tier) for row in sent if row.kind == "card")
    assert set(posted.values()) <= {1}
    for case, unposted in every:
        for tier in range(case.tier + 1):
            assert ((case.id, tier) in posted) is not bool(unposted >> tier & 1), (case.id, tier, unposted)
        if waits(case) and shown_at_once(case):
            assert not is_behind(case, unposted)
    first = {(row.case_id, row.tier): row.id for row in reversed(sent) if row.kind == "card"}
    for row in sent:
        if row.kind in ("card_update", "note"):
            assert first[row.case_id, row.tier] < row.id, "it is said of a card that is not there before it"
    for channel in CHANNELS:
        here = [(case, unposted) for case, unposted in every if waits(case) and case.rung.channel == channel]
        behind = [case for case, unposted in here if is_behind(case, unposted)]
        assert not behind or len(here) - len(behind) >= MOST, "cases wait although there is room"
        boards = [row for row in sent if row.case_id == f"q_{channel}"]
        assert not behind or boards
    assert list(check_queue(connection)) == []


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_the_window_is_kept(database_url: str, seed: int) -> None:
    """Each card is posted once or waits; none waits where there is room; nothing is said of a card that is not there; counts are exact."""
    random, clock = Random(seed), Clock()  # noqa: S311 - the same in every run
    async with open_books(database_url, clock=clock, policy=POLICY) as books:
        for _ in range(40):
            clock.forward(random.choice([1, 60, 4_000]))
            await what_happens(books, random, clock)
            await books.database.read(hold_true)


async def test_the_first_in_the_order_comes_forward(sqlite_url: str) -> None:
    """A place becomes free: of all that wait the one comes that the order of the queue has first, urgent or long waiting."""
    clock = Clock()
    async with open_books(sqlite_url, clock=clock, policy=POLICY) as books:
        opened = [await open_one(books, clock, priority) for priority in (100, 100, 100, 300, 100, 120, 700, 100)]
        waiting = opened[MOST:]
        for gone in opened[:MOST] + waiting:
            expected = min(waiting, key=lambda case: rank_of(case, clock.now), default=None)
            await books.ledger.change(gone.id, deciding())
            shown = await posted(books.database)
            assert expected is None or expected.id in shown
            waiting = [case for case in waiting if case.id not in shown]
            if not waiting:
                break
        assert not waiting


async def open_one(books: Books, clock: Clock, priority: int) -> Case:
    """One case, an hour after the one before."""
    clock.now += timedelta(hours=1)
    task = f"t-{clock.now:%H}"
    await books.ledger.open(a_delivery(task), on_two_tiers(task, priority=priority, risk=Risk.LOW))
    found = await books.database.read(
        lambda connection: connection.execute(select(cases.c.snapshot).where(cases.c.task_id == task)).scalar_one()
    )
    return Case.model_validate_json(found)


async def posted(database: Database) -> set[str]:
    """Ids of the cases that have a card."""
    these = select(outbox.c.case_id).where(outbox.c.kind == "card")
    return set(await database.read(lambda connection: connection.execute(these).scalars().all()))


async def test_bringing_forward_costs_the_same_however_many_wait(sqlite_url: str) -> None:
    """Deciding a case asks as much, by indexes alone, with ten behind the board as with three hundred."""
    asked = list[str]()

    async def costs(books: Books, many: int) -> list[str]:
        for number in range(many):
            task = f"t-{many}-{number}"
            await books.ledger.open(a_delivery(task), on_two_tiers(task, priority=100 + number % 7, risk=Risk.LOW))
        [gone] = sorted(await posted(books.database))[:1]
        asked.clear()
        await books.ledger.change(gone, deciding())
        return list(asked)

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        asked.append(statement)

    async with open_books(sqlite_url, policy=POLICY) as books:
        await costs(books, 20)
        event.listen(Engine, "before_cursor_execute", note)
        try:
            few, many = await costs(books, 1), await costs(books, 300)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    assert few
    assert len(many) <= len(few)
