"""Why a verdict must not leave is written into log and alarm, so it quotes nothing of the row."""

import json

import pytest
from sqlalchemy import update

from store.integrity import release
from store.integrity.release import Doubt, Releases
from store.schema import cases
from tests.store.a_store import open_books

SECRET = "anna@example.com"


@pytest.mark.parametrize("snapshot", [SECRET, json.dumps(SECRET), json.dumps({"id": SECRET}), json.dumps({"state": [SECRET]}), ""])
async def test_a_row_that_is_no_case_is_not_quoted(database_url: str, snapshot: str) -> None:
    """What stands there instead stays there."""
    async with open_books(database_url) as books:
        case = await books.open()
        await books.writer.write(lambda c, _now: c.execute(update(cases).values(snapshot=snapshot)))
        found = await Releases(books.database, books.vault).judge_case(case.id)
    assert isinstance(found, Doubt)
    assert found.reason == "what the database has of it cannot be read: its row has not the form of a case"


async def test_of_any_other_error_only_the_kind_is_named(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of an error may hold the value that raised it."""
    monkeypatch.setattr(release, "_reasons", lambda *_parts: [str(int(SECRET))])
    async with open_books(database_url) as books:
        case = await books.open()
        found = await Releases(books.database, books.vault).judge_case(case.id)
    assert isinstance(found, Doubt)
    assert found.reason == "what the database has of it cannot be read (ValueError)"
