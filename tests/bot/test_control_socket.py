"""The running bot's ear for commands."""

import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.control_socket import CommandFailedError, Control, NobodyListensError, ask, person_of
from routing.change import Actor

pytestmark = pytest.mark.outside


async def _echo(by: Actor, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"by": by.id, **arguments}


async def _break(_by: Actor, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    raise RuntimeError("a secret")


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    """Where a bot listens that knows two commands; a killed one has left its socket there before."""
    path = tmp_path / "tierline.db.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(os.fspath(path))
    control = Control(path, {"echo": _echo, "break": _break})
    await control.start()
    yield path
    await control.stop()
    assert not path.exists()


async def test_a_command_is_carried_out_for_the_user_who_asked(path: Path) -> None:
    """The running bot knows from the system, not from the caller, who asks."""
    assert await ask(path, "echo", {"case": "c_1"}) == {"by": person_of(os.getuid()).id, "case": "c_1"}
    assert (await ask(path, "echo", {}))["by"].startswith("os:")


async def test_only_the_owner_may_open_it(path: Path) -> None:
    """The socket has mode 0600."""
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600  # noqa: PTH116  # one look, in a test


async def test_what_fails_is_said_without_what_it_was(path: Path) -> None:
    """A command that fails, and one that is unknown, are errors at the caller's; the bot goes on listening."""
    with pytest.raises(CommandFailedError) as failed:
        await ask(path, "break", {})
    assert "secret" not in str(failed.value)
    with pytest.raises(CommandFailedError, match="does not know this command"):
        await ask(path, "frobnicate", {})
    assert await ask(path, "echo", json.loads("{}"))


async def test_nobody_listens(tmp_path: Path) -> None:
    """Without a running bot there is nobody to ask."""
    with pytest.raises(NobodyListensError):
        await ask(tmp_path / "tierline.db.sock", "echo", {})
