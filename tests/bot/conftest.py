"""What tests of the bot may ask for: its edge on a port over an empty database."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.edge import Edge, open_edge


@pytest.fixture
async def edge(sqlite_url: str) -> AsyncIterator[Edge]:
    """A running edge on an empty database."""
    async with open_edge(sqlite_url) as opened:
        yield opened
