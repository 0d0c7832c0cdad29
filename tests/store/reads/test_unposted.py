"""What Slack does not show is found from what is to be sent and from the channels that are closed, not from the cases that wait."""

from typing import Any

import pytest
from sqlalchemy import Connection, event

from store.reads.unposted import seen_again, unseen_cards
from tests.store.a_store import NOON, open_books

pytestmark = pytest.mark.outside

REACHED = ("sqlite_autoindex_cases_1 (id=?)", "cases_due (due_at<?)", "cases_waiting (channel=?)")
"""One by one by their ids; those of which something is due; and those behind the boards of the channels that are asked for."""


@pytest.mark.parametrize(("destinations", "closed"), [((), ()), (("review-tier1", "C01"), ("C01",))])
async def test_no_case_is_looked_at_for_waiting_alone(sqlite_url: str, destinations: tuple[str, ...], closed: tuple[str, ...]) -> None:
    """It is asked every few seconds, in the line of the clocks, however many wait."""
    asked = list[tuple[str, Any]]()

    def ask(connection: Connection) -> list[str]:
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        for question in (unseen_cards, seen_again):
            question(connection, destinations, closed, NOON, 100)
        reading = [(statement, values) for statement, values in asked if statement.startswith("SELECT")]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all() for statement, values in reading]
        return [str(row[-1]) for plan in plans for row in plan]

    async with open_books(sqlite_url) as books:
        await books.open()
        steps = [step for step in await books.database.read(ask) if " cases " in step]
    assert len(steps) >= 4
    assert all(step.endswith(REACHED) for step in steps), steps
