"""Loops that run for as long as the bot does: started again when they fail, ended when it stops. Owns nothing of what they do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from bot.failures import failure

_LOG = structlog.get_logger("tierline")

PAUSE_S = 1.0
"""The wait before a loop that failed starts again."""


async def for_ever(what: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop that must not end; what it raises is reported, of `what` it is, and it starts again."""
    while True:
        try:
            await loop()
        except Exception:  # noqa: BLE001 - the bot without its courier would be mute
            _LOG.error("a loop failed and starts again", loop=what, **failure())
            await asyncio.sleep(PAUSE_S)


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a loop and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
