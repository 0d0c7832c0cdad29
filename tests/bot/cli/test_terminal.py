"""What is printed where when somebody watches."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from bot.cli.terminal import emit, progress
with progress("sending") as advance:
    for done in range(3):
        emit({"line": done})
        advance(done + 1, 3)
"""


@pytest.mark.parametrize("watched", [True, False])
def test_results_and_progress_never_mix(tmp_path: Path, watched: bool) -> None:
    """On a terminal the bar is drawn on standard error and every result still goes to standard output; elsewhere there is no bar."""
    leader, follower = pty.openpty()
    with (tmp_path / "err").open("w+b") as file:
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            stderr=follower if watched else file,
            env={"PATH": os.environ["PATH"], "TERM": "xterm"},
            check=True,
        )
    os.close(follower)
    drawn = _drain(leader) if watched else (tmp_path / "err").read_bytes()
    assert ran.stdout.splitlines() == [b'{"line": 0}', b'{"line": 1}', b'{"line": 2}']
    assert (b"sending" in drawn) is watched
    assert b"line" not in drawn


def _drain(leader: int) -> bytes:
    """What was written to the terminal; reading past its end is an error once nobody holds the other side."""
    found = b""
    try:
        while chunk := os.read(leader, 65_536):
            found += chunk
    except OSError:
        return found
    finally:
        os.close(leader)
    return found
