"""What many ask for at once is read once, and nobody's answer is another's, or older than the question."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from store.reads.together import Together


class Shelf:
    """Values by key, read slowly."""

    def __init__(self) -> None:
        self.values: dict[int, str | Exception] = {}
        self.reads: list[list[int]] = []
        self.open, self.begun = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def read(self, keys: Collection[int]) -> Mapping[int, str | Exception]:
        """What is there as the read begins."""
        self.reads.append(sorted(keys))
        found = dict(self.values)
        self.begun.set()
        await self.open.wait()
        if 13 in keys:
            raise ConnectionError("gone")
        return found


async def test_what_is_asked_at_once_is_read_once() -> None:
    """Each gets its own: a value, nothing, or what is wrong with it alone; twice the same is one question."""
    shelf = Shelf()
    shelf.values = {1: "one", 2: "two", 3: ValueError("damaged")}
    together = Together(shelf.read)
    *found, wrong = await asyncio.gather(*map(together.ask, (1, 2, 2, 4, 3)), return_exceptions=True)
    assert found == ["one", "two", "two", None]
    assert isinstance(wrong, ValueError)
    assert shelf.reads == [[1, 2, 3, 4]]


async def test_an_answer_is_never_older_than_its_question() -> None:
    """What is asked for while a read is under way is read afterwards."""
    shelf = Shelf()
    shelf.values = {1: "before"}
    together = Together(shelf.read)
    shelf.open.clear()
    first = asyncio.create_task(together.ask(1))
    await shelf.begun.wait()
    shelf.values = {1: "after"}
    second = asyncio.create_task(together.ask(1))
    await asyncio.sleep(0)
    shelf.open.set()
    assert list(await asyncio.gather(first, second)) == ["before", "after"]


async def test_a_read_that_fails_fails_for_those_who_asked_and_for_nobody_after() -> None:
    """The database comes back, and so do the answers."""
    shelf = Shelf()
    shelf.values = {1: "one"}
    together = Together(shelf.read)
    assert {type(one) for one in await asyncio.gather(together.ask(1), together.ask(13), return_exceptions=True)} == {ConnectionError}
    assert await together.ask(1) == "one"


@pytest.mark.parametrize("key", [1, 3, 13])
async def test_who_goes_away_takes_nobody_along(key: int) -> None:
    """One of two who ask for the same gives up while it is read."""
    shelf = Shelf()
    shelf.values = {1: "one", 3: ValueError("damaged")}
    together = Together(shelf.read)
    shelf.open.clear()
    gone, stays = (asyncio.create_task(together.ask(key)) for _ in range(2))
    await shelf.begun.wait()
    gone.cancel()
    await asyncio.sleep(0)
    shelf.open.set()
    [told] = await asyncio.gather(stays, return_exceptions=True)
    assert told == "one" if key == 1 else isinstance(told, ValueError | ConnectionError)
    assert gone.cancelled()
