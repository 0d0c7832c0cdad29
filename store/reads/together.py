"""Asks the database once for what many ask for at the same moment: a read of its own costs more than what it finds. Owns who waits for
which answer; what is read is the caller's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Together(Generic[K, V]):
    """`read` gives what there is by key, or the error that concerns that key alone."""

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V | Exception]]]) -> None:
        self._read = read
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._reading = set[asyncio.Task[None]]()

    async def ask(self, key: K) -> V | None:
        """What there is now or a moment later, None where there is nothing. Raises what `read` raises, and the error of this key."""
        loop = asyncio.get_running_loop()
        if not self._asked:  # its turn comes after those of all who are about to ask
            task = loop.create_task(self._answer(), name="read together")
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        answer = self._asked.get(key) or self._asked.setdefault(key, loop.create_future())
        return await asyncio.shield(answer)  # whoever goes away takes nobody else's answer along

    async def _answer(self) -> None:
        asked, self._asked = self._asked, {}
        found: Mapping[K, V | Exception]
        try:
            found = await self._read(asked.keys())
        except Exception as problem:  # noqa: BLE001 - it is handed to everybody who asked
            found = dict.fromkeys(asked, problem)
        for key, answer in asked.items():
            told = found.get(key)
            if isinstance(told, Exception):
                answer.set_exception(told)
                answer.exception()  # whoever asked may be gone
            else:
                answer.set_result(told)
