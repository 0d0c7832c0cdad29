"""Whether an id was used before in a log. Owns what has to be remembered for that: little, as ids go up with time."""

from collections.abc import Callable, Iterable, Sequence


class UsedIds:
    """The ids of the bundles so far. They need not go up, but where they do not, all have to be kept."""

    def __init__(self, before: Callable[[int], Iterable[Sequence[str]]]) -> None:
        """`before(n)` gives the ids of the first n bundles once more; it is called at most once."""
        self._before = before
        self._bundles = 0
        self._highest = ""
        self._kept = set[str]()
        self._kept_above: str | None = ""  # None: all are kept

    def take(self, ids: Sequence[str]) -> bool:
        """Take the ids of the next bundle; whether none was used before, in this bundle or an earlier one."""
        lowest = min(ids, default="")
        if self._kept_above is not None and lowest > self._highest:
            self._kept, self._kept_above = set(), self._highest
        elif self._kept_above is not None and ids and lowest <= self._kept_above:
            self._kept, self._kept_above = {name for bundle in self._before(self._bundles) for name in bundle}, None
        known = len(self._kept)
        self._kept.update(ids)
        self._highest = max(self._highest, max(ids, default=""))
        self._bundles += 1
        return len(self._kept) == known + len(ids)
