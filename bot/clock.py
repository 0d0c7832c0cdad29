"""The wall clock and the steady one. Owns the only readings of the machine's time; everything else takes a time or one of these."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The machine's idea of the time, aware, in UTC."""
    return datetime.now(UTC)


def steady() -> float:
    """Seconds that only ever grow, from an arbitrary start; nobody can set them. Where the machine can tell, sleep counts (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
