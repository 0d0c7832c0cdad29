"""A first tour: what a newcomer does on the page, ticked off as the ledgers of the sandbox see it done. It judges by them alone and does
nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.sandbox.record import Record, Seen


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do. `user` and `channel`: ids of whom to be and where; `words`: what stands in the message it is about, `beside`: it is
    done in PagerDuty. `seen`: whether an entry of a ledger shows that it was done.
    """

    title: str
    hint: str
    user: str
    channel: str
    words: str
    seen: Callable[[Seen], bool]
    beside: bool = False


class Tour:
    """The tasks in their order, and which of them are done. `is_open`: whether it is shown."""

    def __init__(self, tasks: Iterable[Task], records: Iterable[Record]) -> None:
        self.tasks = tuple(tasks)
        self.is_open = bool(self.tasks)
        self._done: set[Task] = set()
        self._stops = [record.watch(self._look) for record in records]

    @property
    def steps(self) -> list[tuple[Task, bool]]:
        """Every task and whether it is done."""
        return [(task, task in self._done) for task in self.tasks]

    @property
    def current(self) -> Task | None:
        """The first that is not done."""
        return next((task for task in self.tasks if task not in self._done), None)

    def end(self) -> None:
        """Look at no ledger any more."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    def _look(self, entry: Seen) -> None:
        self._done.update(task for task in self.tasks if task.seen(entry))
