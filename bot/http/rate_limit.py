"""How fast a service may call: a token bucket each, in memory. Owns the arithmetic; never waits, never reads a clock by itself."""

from collections.abc import Callable
from dataclasses import dataclass

RATE_PER_S = 1_000.0
BURST = 5_000.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """Token buckets by name. `steady` gives seconds that only grow; names must come from a closed list, or memory would not."""

    def __init__(self, steady: Callable[[], float], *, rate_per_s: float = RATE_PER_S, burst: float = BURST) -> None:
        self._steady = steady
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, name: str) -> float:
        """0 and one token less, or the seconds until there is one."""
        now = self._steady()
        bucket = self._buckets.setdefault(name, _Bucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate_per_s)
        bucket.at = now
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._rate_per_s
        bucket.tokens -= 1.0
        return 0.0
