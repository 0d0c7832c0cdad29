"""What is said to happen first among open cases is the first of what is said of each, and is found without reading them."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, update

from routing.case.case import Case, Clocks
from routing.case.facts import Facts
from routing.change import Arrival, Change, Subject
from routing.policy.policy import Policy
from routing.review.opening import open_case
from routing.review.outlook import Upcoming, upcoming
from routing.review.timing import on_time
from routing.vocabulary import Exhausted, Lane, State, Verdict
from store.integrity.queue_check import check_queue
from store.ledger.flush import columns
from store.reads.queue import open_by_state, queue_counts
from store.reads.tier_status import tier_statuses
from store.schema import cases, micros, queue
from tests.examples_drawn import examples
from tests.routing import factory
from tests.routing.review.test_outlook import ACTS, MONDAY, acted, policies
from tests.store.a_store import NOON, open_books

CLOCKS = ("deadline", "total", "acknowledge", "decide", "information", "hold", "page")


@settings(max_examples=examples(30))
@given(policy=policies(), acts=ACTS, deadline=st.none() | st.integers(1, 900))
def test_the_column_is_the_announced_time_all_through_a_life(policy: Policy, acts: list[tuple[int, str]], deadline: int | None) -> None:
    """After every press, freeze, reminder, page and climb; none where nothing is announced, and never before the case is looked at."""
    fields = {"deadline": f"{MONDAY + timedelta(minutes=deadline):%Y-%m-%dT%H:%M:%SZ}"} if deadline is not None else {}
    case = open_case("refund-agent", factory.a_submission(**fields))(Arrival("c_01", policy, Facts(), MONDAY)).case
    todo = sorted((MONDAY + timedelta(minutes=after), verb) for after, verb in acts)
    now = MONDAY
    for _ in range(40):
        row, first = columns(case, ""), upcoming(case)
        assert row["next_at"] == (None if first is None else micros(first.at))
        assert row["next_at"] is None or row["due_at"] <= row["next_at"]
        if todo and (case.due_at is None or todo[0][0] < case.due_at):
            now, verb = max(now, todo[0][0]), todo.pop(0)[1]
            case = acted(case, policy, verb, now)
        elif case.due_at is not None:
            moved = on_time(Subject(case, policy, factory.a_submission()), now := case.due_at)
            assert isinstance(moved, Change)
            case = moved.case
        else:
            return


def lived(random: Random) -> Callable[[Subject, datetime], Change]:
    """A step to any state and place of a case, with any clocks; often a reminder comes before everything."""

    def at() -> datetime:
        return NOON + timedelta(minutes=random.randint(-300, 300))

    def step(subject: Subject, _now: datetime) -> Change:
        case = subject.case
        weighed = [*[State.PENDING] * 4, State.NEEDS_INFO, State.HELD, State.DECIDED]
        state = random.choice([each for each in weighed if case.open or each is case.state] or [case.state])
        tiers = case.route.tiers[:1] * 2
        route = {"tiers": tiers, "exhausted": random.choice(list(Exhausted)), "lane": random.choice([Lane.REVIEW, Lane.AUTO])}
        clocks = {name: at() for name in CLOCKS if random.random() < 0.2}
        reminders = (at() - timedelta(hours=6),) if random.random() < 0.7 else ()
        became = {
            "state": state,
            "verdict": Verdict.APPROVED if state is State.DECIDED else None,
            "decided_at": NOON if state is State.DECIDED else None,
            "workflow": random.choice(["refunds", "payouts"]),
            "route": case.route.model_copy(update=route),
            "tier": random.choice([0, 1]),
            "tied_to": random.choice(["", "", "", "c_first"]),
            "held_by": random.choice(["frozen", "quarantine"]) if state is State.HELD else "",
            "claimed_by": random.choice(["", "U0FRONT"]),
            "clocks": Clocks(reminders=reminders).model_copy(update=clocks),
        }
        return Change(case.model_copy(update=became), ())

    return step


def first_at(some: Sequence[Case]) -> datetime | None:
    """When the first thing happens to any of them."""
    return min((move.at for move in map(upcoming, some) if move is not None), default=None)


async def test_what_is_said_of_many_is_what_is_said_of_each(database_url: str) -> None:
    """Held, frozen, tied, claimed and late ones, at every tier, after each of a few changes: as all snapshots read one by one say."""
    random = Random(8)  # noqa: S311 - the same in every run
    async with open_books(database_url) as books:
        opened = list[Case]()
        for turn in range(4):
            changes = asyncio.gather(*(books.ledger.change(case.id, lived(random)) for case in [*opened, *opened[:5]]))
            opened += await asyncio.gather(*(books.open(f"t-{turn}-{number}") for number in range(12)))  # with them in one transaction
            await changes

            def rows(connection: Connection) -> list[Case]:
                return [Case.model_validate_json(each) for each in connection.execute(select(cases.c.snapshot)).scalars()]

            some = [case for case in await books.database.read(rows) if case.open]
            counts = await books.database.read(queue_counts)
            assert sum(count.cases for count in counts) == len(some)
            assert {state: number for state, number in (await books.database.read(open_by_state)).items() if number} == Counter(
                case.state.value for case in some
            )
            for count in counts:
                alike = [c for c in some if (c.tier, c.route.lane.value, c.state.value) == (count.tier, count.lane, count.state)]
                assert count.cases == len(alike)
                agrees(count.next, alike)
            pending = [case for case in some if case.state is State.PENDING and not case.tied_to]
            statuses = await books.database.read(lambda c: tier_statuses(c, NOON))
            assert sum(status.waiting for status in statuses) == len(pending)
            assert [(one.tier, one.workflow) for one in statuses] == sorted((one.tier, one.workflow) for one in statuses)
            for status in statuses:
                here = [case for case in pending if (case.tier, case.workflow) == (status.tier, status.workflow)]
                late = sum(move is not None and move.at <= NOON for move in map(upcoming, here))
                assert (status.waiting, status.late, status.claimed) == (len(here), late, sum(bool(case.claimed_by) for case in here))
                agrees(status.next, here)


def agrees(said: Upcoming | None, some: Sequence[Case]) -> None:
    """It is the first of theirs, and one of them comes to just that."""
    assert (said.at if said is not None else None) == first_at(some)
    assert said is None or said in [upcoming(case) for case in some]


async def test_what_the_ledger_counts_is_what_a_check_finds(database_url: str) -> None:
    """After a step that fails among others in a transaction, too: nothing of it is counted."""

    def broken(_subject: Subject, _now: datetime) -> Change:
        raise ZeroDivisionError

    async with open_books(database_url) as books:
        opened = await asyncio.gather(*(books.open(f"t-{number}") for number in range(5)))
        said = [books.ledger.change(case.id, step) for case in opened for step in (lived(Random(1)), broken)]  # noqa: S311
        assert sum(isinstance(one, Exception) for one in await asyncio.gather(*said, return_exceptions=True)) == len(opened)

        def tampered(connection: Connection) -> None:
            connection.execute(update(queue).where(queue.c.cases > 0).values(cases=queue.c.cases + 1))

        assert await books.database.read(lambda connection: list(check_queue(connection))) == []
        await books.writer.write(lambda connection, _now: tampered(connection))
        assert await books.database.read(lambda connection: list(check_queue(connection)))


async def test_one_statement_tells_of_all_places(database_url: str) -> None:
    """However many there are, and however many cases are late; only for a case that nobody can read, another of its moment is looked up."""
    asked = list[str]()

    def ask(connection: Connection) -> int:
        said = queue_counts(connection), tier_statuses(connection, NOON + timedelta(days=9))
        asked.clear()
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert (queue_counts(connection), tier_statuses(connection, NOON + timedelta(days=9))) == said
        assert all(one.next is not None for each in said for one in each)
        return sum(status.late for status in said[1])

    def damage(connection: Connection) -> None:
        first = select(cases.c.id).where(cases.c.state == "pending").order_by(cases.c.id).limit(1).scalar_subquery()
        connection.execute(update(cases).where(cases.c.id == first).values(snapshot="{"))

    def spread(subject: Subject, _now: datetime) -> Change:
        number, route = int(subject.case.task_id.removeprefix("t-")), subject.case.route
        became = {"tier": number % 2, "workflow": f"w-{number % 9}", "route": route.model_copy(update={"tiers": route.tiers[:1] * 2})}
        return Change(subject.case.model_copy(update=became), ())

    async with open_books(database_url) as books:
        opened = await asyncio.gather(*(books.open(f"t-{number}") for number in range(40)))  # their clocks run out at one moment
        await asyncio.gather(*(books.ledger.change(case.id, spread) for case in opened))
        assert await books.database.read(ask) == len(opened)
        assert len([statement for statement in asked if statement.startswith("SELECT")]) == 2
        await books.writer.write(lambda connection, _now: damage(connection))
        assert await books.database.read(ask) == len(opened)


async def test_no_case_is_read_to_count_them_or_to_find_the_first(sqlite_url: str) -> None:
    """Of the cases that wait only entries of one index are looked up, and the one that comes first at each place."""
    asked = list[tuple[str, tuple[object, ...]]]()

    def ask(connection: Connection) -> str:
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        queue_counts(connection)
        tier_statuses(connection, NOON + timedelta(days=9))
        reading = [(statement, said) for statement, said in asked if statement.startswith("SELECT")]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", said).all() for statement, said in reading]
        return "\n".join(str(row[-1]) for plan in plans for row in plan)

    async with open_books(sqlite_url) as books:
        await books.open()
        steps = await books.database.read(ask)
    of_cases = [step for step in steps.splitlines() if " cases " in step]
    assert len(of_cases) == 5  # the earliest time of each place and the first case, twice; and how many are late
    assert all(re.search(r"SEARCH cases USING (COVERING )?INDEX cases_next", step) for step in of_cases), of_cases
