"""Decided cases to hold a new one against are found by an index, however many there are."""

from typing import Any

import pytest
from sqlalchemy import Connection, event

from store.reads.similar_cases import ended_cases, found_by_checks
from tests.store.a_store import NOON, open_books

pytestmark = pytest.mark.outside

REACHED = (
    "cases_decided (workflow=? AND decided_at>? AND decided_at<?)",
    "cases_children (parent=?)",
    "case_keys USING PRIMARY KEY (case_id=?)",
)


async def test_no_case_is_looked_at_that_is_not_asked_for(sqlite_url: str) -> None:
    """The newest of one workflow, in order, and the checks of those."""
    asked = list[tuple[str, Any]]()

    def ask(connection: Connection) -> list[str]:
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        assert ended_cases(connection, workflow="refunds", until=NOON, limit=500) == []
        assert found_by_checks(connection, ids=["c_1", "c_2"]) == {}
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all() for statement, values in tuple(asked)]
        return [str(row[-1]) for plan in plans for row in plan]

    async with open_books(sqlite_url) as books:
        steps = await books.database.read(ask)
    assert len(steps) == 3, steps
    assert all(step.endswith(REACHED) for step in steps), steps
