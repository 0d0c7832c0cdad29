"""A story told again and again, dying at another point each time."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.sandbox.faults import Fault, Mode
from tests.mail_server import MailServer
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import CrashingWorld, Traces
from tests.promises.test_crash_points import room

Tell = Callable[[Path, Fate], Awaitable[list[str]]]
"""Tells the story in a folder. Gives what is wrong in the end."""

Near = Callable[[int, str], bool]
"""Whether to die around a step, which comes as so many points were passed, by its name."""

DEATHS = 6
"""By default so many are tried, spread evenly, or all where there are fewer."""


async def wrong_after_dying(tmp_path: Path, tell: Tell, near: Near, *, full: bool) -> str:
    """What is wrong after dying around the steps that are `near`, a point for each that differs; `full`: at every point that differs.
    The story is told once without dying first.
    """
    folder = room(tmp_path, "survey")
    traces = Traces(folder / "tierline.db")
    fate = Fate(state=traces)
    try:
        assert await tell(folder, fate) == []
    finally:
        traces.close()
    points = fate.telling()
    close = around(fate, points, near)
    print(f"{len(points)} points, {len(close)} of them close")  # noqa: T201 - the figure of the promise
    wrong = []
    for point in points if full else spread(close, DEATHS):
        place = room(tmp_path, f"death-{point}")
        found = await tell(place, Fate(point))
        shutil.rmtree(place)
        wrong += [f"died at point {point} ({fate.passed[point][0]}): {one}" for one in found]
    return "\n".join(wrong)


def refuse_until(crashing: CrashingWorld, mail: MailServer, mails: int) -> None:
    """PagerDuty refuses every page until so many different mails are out, and takes them from that moment."""
    faults = crashing.world.sandbox.faults
    refuses = faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=403, times=None))
    mail.after = lambda: faults.remove(refuses) if mail.different >= mails else None


def around(fate: Fate, points: list[int], near: Near) -> list[int]:
    """Of the `points` that differ, those where a crash finds what it would at a step that is `near`, and the one before each."""
    at = {fate.passed[point][1]: number for number, point in enumerate(points)}
    steps = {at[state] for number, (name, state) in enumerate(fate.passed) if near(number, name)}
    assert steps, "nothing is near"
    return [points[number] for number in sorted(steps | {max(0, step - 1) for step in steps})]


def spread(points: list[int], most: int) -> list[int]:
    """At most so many of them, evenly, with the first and the last."""
    if len(points) <= most:
        return points
    return [points[round(number * (len(points) - 1) / (most - 1))] for number in range(most)]
