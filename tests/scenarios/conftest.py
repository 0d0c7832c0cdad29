"""Each story runs on both databases and over both ways into Slack."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, a_world


@pytest.fixture(params=["http", "socket"])
async def world(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A running bot, its Slack, its PagerDuty and a service."""
    async with a_world(tmp_path, database_url, socket_mode=request.param == "socket") as world:
        yield world
