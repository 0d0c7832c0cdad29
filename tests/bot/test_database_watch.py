"""What is found in the database is told once, and not lost where it could not be told at first."""

from typing import cast

import pytest

from bot.database_watch import DatabaseWatch
from routing.change import Event
from routing.governance.ruling import GovernStep
from store.integrity.database_check import DatabaseCheck, Place
from store.integrity.findings import Finding
from store.ledger.ledger import Ledger
from store.ledger.writer import CannotRecordError


class Check:
    """Finds something in the first part, and nothing after."""

    def __init__(self) -> None:
        self.parts = 0

    async def part(self, _place: Place, _tiles: int, _cases_most: int) -> list[Finding]:
        """One part."""
        self.parts += 1
        return [Finding("case c_1", "its row cannot be read", "refunds")] if self.parts == 1 else []


class Book:
    """A ledger that cannot record at first."""

    def __init__(self) -> None:
        self.away = True
        self.told: list[Event | GovernStep] = []

    async def record(self, event: Event) -> None:
        """An event."""
        if self.away:
            raise CannotRecordError
        self.told.append(event)

    async def govern(self, step: GovernStep) -> None:
        """An alert."""
        self.told.append(step)


async def test_what_could_not_be_recorded_is_told_as_soon_as_it_can_be() -> None:
    """Event and alert come with the next look, though that looks at another part, and never again."""
    book = Book()
    watch = DatabaseWatch(cast("DatabaseCheck", Check()), cast("Ledger", book), lambda: ("refunds",))
    with pytest.raises(CannotRecordError):
        await watch.look()
    assert [one.name for one in await watch.obstacles()] == ["integrity"]
    book.away = False
    await watch.look()
    assert len(book.told) == 2
    await watch.look()
    assert len(book.told) == 2
