"""The wall clock and the steady one. Owns the only readings of the machine's time; everything else takes a time or one of these."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The machine's idea of the time, aware, in UTC."""
    return datetime.now(UTC)


def steady() -> float:
    """Seconds that only ever grow, from an arbitrary start; nobody can set them."""
    return time.monotonic()
