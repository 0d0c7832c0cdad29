"""Cancelling a coroutine at one of its awaits, whichever: how a test tries them all."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from types import coroutine
from typing import Any


@coroutine
def cut(work: Coroutine[Any, Any, object], at: int) -> Generator[Any, Any, object]:
    """Run `work` as if it were awaited; whoever waits for it is cancelled as it waits for the `at`-th time (from 0)."""
    thrown: BaseException | None = None
    for number in itertools.count():
        try:
            waited_for = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration as end:
            return end.value
        if number == at:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            yield waited_for
            thrown = None
        except BaseException as problem:  # noqa: BLE001 - handed on to the work
            thrown = problem
    return None


async def each_await(work: Callable[[], Coroutine[Any, Any, object]]) -> AsyncIterator[int]:
    """Do `work` again and again, each time cancelled one await later, until there is none left. Gives the number of each await."""
    for at in itertools.count():
        task = asyncio.get_running_loop().create_task(cut(work(), at))
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()
            return
        yield at
