"""The stories of guardrails run on both databases; how a press reaches the bot is told by the other stories."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.governed import GovernedWorld
from tests.world import running


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[GovernedWorld]:
    """A running bot, its Slack, its PagerDuty and a service."""
    async with running(GovernedWorld(tmp_path, database_url, False)) as world:
        yield world
