"""Somebody's hosted monitor: waits for a GET again and again, and alarms where none has come for too long. It looks at nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from bot.sandbox.record import Record

PATH = "/ping/northwind-tierline"


class Monitor:
    """Beats come as they come in real time, so silence is counted in real seconds, whatever the clock of the sandbox says."""

    def __init__(self, clock: Callable[[], float], silent_s: float = 60.0) -> None:
        """`silent_s`: for how long none may have come before it alarms."""
        self.record = Record("monitor", clock)
        self.silent_s = silent_s
        self.beats = 0
        self._at: float | None = None

    def routes(self) -> list[web.RouteDef]:
        """Where beats come in."""
        return [web.get(PATH, self._take, allow_head=False)]

    @property
    def alarming(self) -> bool:
        """Whether beats came, and none for too long."""
        return self._at is not None and asyncio.get_running_loop().time() - self._at > self.silent_s

    async def _take(self, _request: web.Request) -> web.Response:
        self.beats += 1
        self._at = asyncio.get_running_loop().time()
        self.record.add("beat")
        return web.Response(text="OK")
