"""Each story runs on both databases and over both ways into Slack. The way in knows nothing of the database: two pairs of them do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, a_world


@pytest.fixture(params=["socket-sqlite", "http-postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A running bot, its Slack, its PagerDuty and a service."""
    way, engine = request.param.split("-")
    url = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")
    async with a_world(tmp_path, url, socket_mode=way == "socket") as world:
        yield world
