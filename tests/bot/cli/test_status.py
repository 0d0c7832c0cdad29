"""`tierline status` where the database does not answer: said in words, and no error of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import typer

from bot.cli import running_readiness
from bot.cli.files import configuration
from bot.cli.status import status


@asynccontextmanager
async def silent() -> AsyncIterator[None]:
    """A database that does not answer in time."""
    raise TimeoutError
    yield


@pytest.mark.parametrize("as_json", [False, True])
def test_a_database_that_is_silent_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """Exit 1 and one sentence, as text and as JSON."""

    async def ready(_settings: object) -> dict[str, object]:
        return {"ready": True, "obstacles": [], "attention": []}

    monkeypatch.setattr(configuration, "reading", silent)
    monkeypatch.setattr(configuration, "settings", lambda: None)
    monkeypatch.setattr(running_readiness, "running_readiness", ready)
    with pytest.raises(typer.Exit) as ended:
        status(as_json=as_json)
    assert ended.value.exit_code == 1
    assert "The database does not answer." in capsys.readouterr().out
