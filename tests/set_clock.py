"""A wall clock that somebody sets: for our own reading of it and for the libraries that read it by themselves.

Owns where Python code asks what time it is. The steady clocks stay as they are, as when an operator or NTP sets the machine's clock.
"""

import datetime as dt
import sys
import time

import pytest

READERS = ("apscheduler", "bot.clock", "slack_sdk")
"""Packages whose `datetime.now` is meant, by what their modules imported."""


class WallClock:
    """`by_s`: how far it was set, in seconds."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.by_s = 0.0
        clock, told = self, time.time

        class Told(type):
            def __instancecheck__(cls, instance: object) -> bool:
                return isinstance(instance, dt.datetime)

        class Datetime(dt.datetime, metaclass=Told):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
                return dt.datetime.now(tz) + dt.timedelta(seconds=clock.by_s)

        patch.setattr(time, "time", lambda: told() + clock.by_s)
        for name, module in tuple(sys.modules.items()):
            if name.startswith(READERS) and getattr(module, "datetime", None) is dt.datetime:
                patch.setattr(module, "datetime", Datetime)


@pytest.fixture
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """The machine's clock, for this test to set."""
    return WallClock(monkeypatch)
