"""`tierline status` where the database does not answer: said in words, and no error of ours."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from sqlalchemy.engine import make_url

from bot.cli.status import standing, tell
from bot.timeouts import ManualTimeouts


@contextmanager
def stopped(url: str) -> Iterator[None]:
    """The PostgreSQL behind this URL takes calls and answers none, as a machine that hangs would, until the block ends."""
    host = Path(str(make_url(url).query["host"]))
    postmaster = int((host / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(postmaster, signal.SIGCONT)


async def test_a_database_that_is_silent_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_url: str, tmp_path: Path
) -> None:
    """Exit 1 and one sentence, as text and as JSON; a moment later, when it answers, the figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIERLINE_DATABASE_URL", postgres_url)
    monkeypatch.setenv("TIERLINE_SIGNING_KEY_FILE", "signing.pem")
    monkeypatch.setenv("TIERLINE_VAULT_KEY_FILE", "vault.key")
    monkeypatch.setenv("TIERLINE_PORT", "1")  # where nobody serves
    timeouts = ManualTimeouts()
    with stopped(postgres_url):
        asking = asyncio.create_task(standing(timeouts))
        _, waiting = await asyncio.wait({asking}, timeout=0.3)
        assert waiting == {asking}
        timeouts.run_out()
        found = await asking
    for as_json in (False, True):
        with pytest.raises(typer.Exit) as ended:
            tell(found, as_json=as_json)
        assert ended.value.exit_code == 1
        assert "The database does not answer." in capsys.readouterr().out
    assert (await standing(timeouts))["queue"] == []
