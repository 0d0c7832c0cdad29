"""A database of an earlier version, whose events tell of no rows: it is held against what they say instead."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.ext.asyncio import create_async_engine

from routing.case.case import Case, Vote
from routing.vocabulary import State, Verdict
from store.audit.signed_note import VerifierKey
from store.integrity.database_check import DatabaseCheck
from store.schema import cases
from tests.store.a_store import open_books
from tests.store.test_upgrade import DECIDED, PENDING, old_url

__all__ = ["old_url"]

KEYS: list[VerifierKey] = []


async def findings(url: str) -> list[str]:
    """What is found once the bot has brought the database up to date."""
    async with open_books(url) as books:
        found = await DatabaseCheck(books.database, books.vault, KEYS).everything()
    return [str(one) for one in found.findings if not one.about.startswith("checkpoint")]


async def test_nothing_is_found_in_what_an_earlier_version_wrote(old_url: str) -> None:
    """Its cases, columns, callbacks, content and log are as they were."""
    assert await findings(old_url) == []


@pytest.mark.parametrize(
    ("case_id", "change"),
    [
        (PENDING, lambda case: {"votes": (Vote(step=0, by="U0MALLORY01", verb="approve", at=case.created_at),)}),
        (PENDING, lambda _case: {"content_at": 0}),
        (PENDING, lambda _case: {"revision": 2}),
        (PENDING, lambda _case: {"task_id": "t-other"}),
        (PENDING, lambda _case: {"service": "other-agent"}),
        (PENDING, lambda case: {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": case.created_at}),
        (DECIDED, lambda _case: {"verdict": Verdict.REJECTED}),
        (DECIDED, lambda _case: {"verdict": None, "state": State.PENDING}),
        (DECIDED, lambda _case: {"decided_index": None}),
    ],
)
async def test_what_its_events_say_is_held_against_its_rows(old_url: str, case_id: str, change: Callable[[Case], dict[str, Any]]) -> None:
    """Votes, action, revision, verdict and whose case it is stand in the events of any version."""
    async with open_books(old_url):
        pass  # the schema is brought up to date

    def write(connection: Connection) -> None:
        case = Case.model_validate_json(connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one())
        connection.execute(
            update(cases).where(cases.c.id == case_id).values(snapshot=case.model_copy(update=change(case)).model_dump_json())
        )

    engine = create_async_engine(old_url)
    async with engine.begin() as connection:
        await connection.run_sync(write)
    await engine.dispose()
    found = await findings(old_url)
    assert any(one.startswith(f"case {case_id}: ") and "columns" not in one for one in found), found
