"""A bot in a process of its own, in a hurry: what takes seconds takes parts of one. Its standard input says what befalls it, a line each.

`disk 1` and `disk 1000000`: how many pages its SQLite file may have; `clock -7200` and `clock 0`: how far its machine's clock is set, in
seconds; `stall` and `go on`: whether its clocks are looked at; `busy FILE`: something keeps its event loop until there is such a file.
"""

import asyncio
import os
import sys
import threading
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from bot import clock
from bot.app import App
from bot.cli.terminal import emit
from bot.settings import read_settings
from bot.timeouts import Rhythm, Timeouts

RHYTHM = Rhythm(beat_s=0.2, again_s=0.1, late_s=1.5, peer_s=0.2, lately_s=1.0)
HURRY = 0.4


class Hurried(Timeouts):
    """Waits for a part of the time."""

    def within(self, seconds: float) -> asyncio.Timeout:
        """The same part of each bound."""
        return asyncio.timeout(seconds * HURRY)


class Fate:
    """What befalls the bot."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._going = asyncio.Event()
        self._going.set()
        tick = app.watch.tick

        async def stalling() -> int:
            await self._going.wait()
            return await tick()

        app.watch.tick = stalling  # type: ignore[method-assign]

    async def befall(self, line: str) -> None:
        """One line of those above."""
        match line.split():
            case ["disk", pages]:
                await self._app.writer.write(lambda connection, _now: _may_have(connection, int(pages)))
            case ["clock", seconds]:
                OFF[0] = timedelta(seconds=float(seconds))
            case ["stall"]:
                self._going.clear()
            case ["go", "on"]:
                self._going.set()
            case ["busy", file]:
                _keep_the_loop_until(Path(file))
            case _:
                raise ValueError(line)


OFF = [timedelta(0)]
_NOW = clock.now


def _may_have(connection: Connection, pages: int) -> None:
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").close()


def _keep_the_loop_until(file: Path) -> None:
    while not file.exists():
        pass


async def main() -> None:
    """Serve until the input ends."""
    clock.now = lambda: _NOW() + OFF[0]
    environment = dict(os.environ)
    settings = read_settings({name: value for name, value in environment.items() if name.startswith("TIERLINE_")})
    app = await App.start(settings, environment, timeouts=Hurried(), rhythm=RHYTHM)
    emit({"url": app.url})
    lines, loop, fate = asyncio.Queue[str](), asyncio.get_running_loop(), Fate(app)

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        await fate.befall(line)
    await app.stop()


if __name__ == "__main__":
    asyncio.run(main())
