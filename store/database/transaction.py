"""The write transaction, as whoever writes sees it on either database."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

Say = Callable[[str], Awaitable[None]]
"""Says fewer than 8,000 bytes to the other processes that have a line to this database."""


class Transaction(Protocol):
    """The write transaction that is open: run work in it, the last of it with `commit`. Leaving its block without rolls back."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` inside the transaction."""
        ...

    async def commit(self, work: Callable[[Connection], None]) -> None:
        """Run `work` inside the transaction, then make all of it durable."""
        ...
