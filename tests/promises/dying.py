"""A story told again and again, dying at another point each time."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.promises.crash_point import Fate
from tests.promises.crashing_world import Traces
from tests.promises.test_crash_points import room

Tell = Callable[[Path, Fate], Awaitable[list[str]]]
"""Tells the story in a folder. Gives what is wrong in the end."""


async def wrong_after_dying(tmp_path: Path, tell: Tell, near: Callable[[str], bool], stride: int, *, full: bool) -> str:
    """What is wrong after dying at every `stride`th point that comes at or just before a step whose name is `near`; `full`: at every point
    that differs. The story is told once without dying first.
    """
    folder = room(tmp_path, "survey")
    traces = Traces(folder / "tierline.db")
    fate = Fate(state=traces)
    try:
        assert await tell(folder, fate) == []
    finally:
        traces.close()
    points = fate.telling()
    close = [at for at in points if any(near(name) for name, _ in fate.passed[at : at + 3])]
    wrong = []
    for point in points if full else close[::stride]:
        place = room(tmp_path, f"death-{point}")
        found = await tell(place, Fate(point))
        shutil.rmtree(place)
        wrong += [f"died at point {point} ({fate.passed[point][0]}): {one}" for one in found]
    return "\n".join(wrong)
