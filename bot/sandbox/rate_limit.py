"""How fast Slack lets an app go: token buckets by key. Grants or says how long to wait; never sleeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable


class RateLimit:
    """Buckets that fill with the clock (unix seconds)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # key -> (tokens, when)

    def take(self, key: Hashable, burst: int, per_second: float) -> int:
        """Take one token of `key`. 0 when granted, otherwise whole seconds until one is there (nothing taken)."""
        now = self._clock()
        tokens, then = self._buckets.get(key, (float(burst), now))
        tokens = min(float(burst), tokens + max(0.0, now - then) * per_second)
        granted = tokens >= 1.0 - 1e-9  # a float second is not always a whole one
        self._buckets[key] = (tokens - 1.0 if granted else tokens, now)
        return 0 if granted else max(1, math.ceil((1.0 - tokens) / per_second - 1e-9))
