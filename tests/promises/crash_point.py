"""When a simulated process dies: named points are counted, and the process that passes the chosen one ends there.

Owns the count and the tasks of each process. It knows nothing of what a process does.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

A_MOMENT_S = 5.0
"""Real seconds after which a task that goes on is told again: some of aiohttp's take the first for a client that left. Told twice
in the middle of its end, one that is slow would leave open what it was about to close."""


class ProcessDied(BaseException):
    """The process was killed at this point."""


class Process:
    """One life of the bot, from start to death. Called with a point's name; once dead it gets past no point any more."""

    def __init__(self, fate: "Fate") -> None:
        self._fate = fate
        self._loop = asyncio.get_running_loop()
        self.dead = False
        self.died = asyncio.Event()
        self.tasks = set[asyncio.Task[Any]]()

    def __call__(self, point: str) -> None:
        """Pass a point, or die there; some points are passed in threads."""
        if not self.dead and self._fate.reached(point):
            self.dead = True
            self._loop.call_soon_threadsafe(self.died.set)
        if self.dead:
            raise ProcessDied(point)

    def run(self, act: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something as this process: every task that comes of it is the process's own and dies with it."""
        context = copy_context()
        context.run(_OWNER.set, self)
        return asyncio.get_running_loop().create_task(act, context=context)

    async def end(self) -> None:
        """Stop whatever this process does. What closes connections then may do so for a moment: the system would close them."""
        self.dead = True
        for task in tuple(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=A_MOMENT_S)
        while self.tasks:
            for task in tuple(self.tasks):
                task.cancel()
            await asyncio.wait(self.tasks, timeout=A_MOMENT_S)


_OWNER: ContextVar[Process | None] = ContextVar("owner", default=None)


class Fate:
    """Counts points over all lives; the `deadly` one (counted from 0, None: none) kills whoever passes it.

    `state` tells what a crash could find at this moment; of each passed point it is kept in `passed` with the point's name.
    """

    def __init__(self, deadly: int | None = None, state: Callable[[], Hashable] = lambda: None) -> None:
        self.deadly = deadly
        self.state = state
        self.passed: list[tuple[str, Hashable]] = []

    def reached(self, point: str) -> bool:
        """Count one point; whether it is the deadly one."""
        self.passed.append((point, self.state()))
        return len(self.passed) - 1 == self.deadly

    @property
    def struck(self) -> bool:
        """Whether the deadly point was reached."""
        return self.deadly is not None and len(self.passed) > self.deadly

    def telling(self) -> list[int]:
        """Of points between which nothing changed that outlives a process, one each: dying at any of them leaves the same behind."""
        last = {state: number for number, (_, state) in enumerate(self.passed)}
        return sorted(last.values())


def own_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """From now on every task of `loop` belongs to the process in whose name it was made."""

    def make(loop: asyncio.AbstractEventLoop, act: Any, **more: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - as asyncio has it
        task: asyncio.Task[Any] = asyncio.Task(act, loop=loop, **more)
        owner = _OWNER.get()
        if more.get("context") is not None:
            owner = more["context"].get(_OWNER)
        if owner is not None:
            owner.tasks.add(task)
            task.add_done_callback(owner.tasks.discard)
        return task

    loop.set_task_factory(make)
