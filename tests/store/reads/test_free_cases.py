"""Which case comes next: the order of all that wait, found without sorting them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Connection, event, select

from routing.case.case import Case, Clocks
from routing.change import Change, Subject
from routing.evaluation.risk import waiting_priority
from routing.vocabulary import State
from store.ledger.queue_order import Sizes
from store.reads.free_cases import free_cases
from store.schema import cases
from tests.store.a_store import Clock, a_delivery, a_submission, open_books, opening

HOURS = 90
"""In which the cases come: half of them have waited as long as counts."""


def placed(random: Random, came: datetime) -> Callable[[Subject, datetime], Change]:
    """A step to a case that waits, mostly, with a due time of its own; or that is held, claimed or decided with another."""

    def step(subject: Subject, _now: datetime) -> Change:
        became = {
            "clocks": Clocks(decide=came + timedelta(hours=random.randint(0, 5) * 100)),
            "state": random.choice([*[State.PENDING] * 6, State.HELD, State.NEEDS_INFO]),
            "claimed_by": random.choice([*[""] * 6, "U0FRONT"]),
            "tied_to": random.choice([*[""] * 6, "c_first"]),
        }
        return Change(subject.case.model_copy(update=became), ())

    return step


def naive(connection: Connection, now: datetime) -> list[str]:
    """Ids of all that are free, sorted."""
    every = [Case.model_validate_json(each) for each in connection.execute(select(cases.c.snapshot)).scalars()]
    free = [case for case in every if case.state is State.PENDING and not case.claimed_by and not case.tied_to]
    ranked = sorted(free, key=lambda case: (-waiting_priority(case.route.priority, case.created_at, now), case.due_at, case.id))
    return [case.id for case in ranked]


@pytest.mark.parametrize("seed", range(2))
async def test_the_order_is_that_of_all_that_wait(database_url: str, seed: int) -> None:
    """At any time, however many are asked for, and however much is read at once: a case comes where sorting all of them has it."""
    random = Random(seed)  # noqa: S311 - the same in every run
    clock = Clock()
    start = clock.now
    async with open_books(database_url, clock=clock) as books:
        for minute in sorted(random.choices(range(HOURS * 60), k=60)):
            clock.now, task = start + timedelta(minutes=minute), f"t-{minute}-{random.random()}"
            priority = random.choice([100, 110, 150, 150, 300, 500])
            await books.ledger.open(a_delivery(task), opening(a_submission(task_id=task), priority=priority))
        for case_id in await books.database.read(lambda connection: connection.execute(select(cases.c.id)).scalars().all()):
            await books.ledger.change(case_id, placed(random, start))

        def agree(connection: Connection) -> None:
            for hours in (1, 39.5, 40, HOURS, HOURS + 39):
                now = start + timedelta(hours=hours)
                wanted = naive(connection, now)
                assert len(wanted) > 20
                for limit, chunk, bucket in ((1, 200, 2_000), (5, 3, 4), (5, 1, 1), (17, 2, 1), (100, 4, 3), (100, 200, 2_000)):
                    found = free_cases(connection, limit=limit, now=now, sizes=Sizes(chunk, bucket))
                    assert [case.id for case in found] == wanted[:limit], (hours, limit, chunk, bucket)

        await books.database.read(agree)


async def test_nothing_is_read_that_was_not_asked_for(sqlite_url: str) -> None:
    """Each statement goes along an index that holds all it asks for, in its own order."""
    asked = list[tuple[str, tuple[object, ...]]]()
    clock = Clock()

    def ask(connection: Connection) -> list[str]:
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        free_cases(connection, limit=5, now=clock.now, sizes=Sizes(1, 1))
        reading = [(statement, said) for statement, said in asked if "priority" in statement]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", said).all() for statement, said in reading]
        return [str(row[-1]) for plan in plans for row in plan]

    async with open_books(sqlite_url, clock=clock) as books:
        await books.open()
        steps = await books.database.read(ask)
    of_cases = [step for step in steps if " cases " in step]
    assert of_cases
    assert all(step.startswith("SEARCH cases USING COVERING INDEX cases_") for step in of_cases), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps
