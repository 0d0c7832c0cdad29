"""The process dies at every point where it touches the database or a peer, in every story: each time the story ends as if it had not.

Keeps P1, P4, P6, P7, P10 and P11 against crashes. By default one point stands for all between which nothing changed that outlives a process
and only every `STRIDE`th of those; with `--full` every occurrence of every point is tried on both databases.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import Traces, a_crashing_world
from tests.promises.governance_stories import ALL, GOVERNED
from tests.promises.judge import judge
from tests.promises.stories import Story

STRIDE = {"sqlite": 7, "postgresql": 30}
GOVERNED_STRIDE = {"sqlite": 100, "postgresql": 200}
"""By default one in so many of the points that differ: a death takes about a second. The stories of guardrails are many."""

Fresh = Callable[[str], str]
"""The URL of a new, empty database."""


@pytest.fixture(scope="module")
def surveys() -> dict[str, Fate]:
    """Of stories told already, which points they pass: the same on both databases."""
    return {}


async def tell(name: str, folder: Path, url: str, fate: Fate) -> list[str]:
    """Tell a story with this fate; gives what is wrong at its end."""
    async with a_crashing_world(folder, url, fate) as world_that_crashes:
        if isinstance(fate.state, Traces):
            fate.state.world = world_that_crashes.world
        story = Story(world_that_crashes)
        for step in ALL[name]:
            await step(story)
        found = await judge(world_that_crashes.world, story.ends)
        if world_that_crashes.deaths != (1 if fate.struck else 0):
            found.append(f"the process died {world_that_crashes.deaths} times")
        return found


async def survey(name: str, tmp_path: Path, known: dict[str, Fate]) -> Fate:
    """Tell a story in which nobody dies, on SQLite; every point it passes and what a crash there would find."""
    if name in known:
        return known[name]
    folder = room(tmp_path, "survey")
    traces = Traces(folder / "tierline.db")
    fate = Fate(state=traces)
    try:
        found = await tell(name, folder, sqlite(folder), fate)
    finally:
        traces.close()
    assert not found, "\n".join(found)
    known[name] = fate
    return fate


def deadly(name: str, engine: str, surveyed: Fate, *, full: bool) -> list[int]:
    """The points of a story at which the process is to die."""
    if full:
        return list(range(len(surveyed.passed)))
    stride = (GOVERNED_STRIDE if name in GOVERNED else STRIDE)[engine]
    return surveyed.telling()[stride // 2 if name in GOVERNED else 0 :: stride]


async def die_everywhere(name: str, tmp_path: Path, points: list[int], survey: Fate, fresh: Fresh) -> None:
    """Tell the story once for each point and die there."""
    wrong = []
    for point in points:
        folder = room(tmp_path, f"death-{point}")
        found = await tell(name, folder, fresh(folder.name), Fate(point))
        shutil.rmtree(folder)
        if found:
            wrong.append("\n  ".join([f"died at point {point} ({survey.passed[point][0]}):", *found]))
    assert not wrong, f"{len(wrong)} of {len(points)} deaths\n" + "\n".join(wrong)


def room(tmp_path: Path, name: str) -> Path:
    """A folder of one story's own."""
    folder = tmp_path / name
    folder.mkdir()
    return folder


def sqlite(folder: Path) -> str:
    """The URL of the SQLite file in a story's folder."""
    return f"sqlite+aiosqlite:///{folder / 'tierline.db'}"


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", ALL)
async def test_dying_anywhere_on_sqlite(name: str, tmp_path: Path, surveys: dict[str, Fate], *, full: bool) -> None:
    """Wherever the process dies, the story ends as if it had not."""
    surveyed = await survey(name, tmp_path, surveys)
    points = deadly(name, "sqlite", surveyed, full=full)
    print(f"{name}: {len(surveyed.passed)} points, {len(points)} deaths")  # noqa: T201 - the figure of the promise
    await die_everywhere(name, tmp_path, points, surveyed, lambda death: sqlite(tmp_path / death))


@pytest.mark.timeout(3_600)
@pytest.mark.filterwarnings(
    "ignore:.*non-checked-in connection", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the dead close nothing
@pytest.mark.parametrize("name", ALL)
async def test_dying_anywhere_on_postgresql(name: str, tmp_path: Path, postgres: Postgres, surveys: dict[str, Fate], *, full: bool) -> None:
    """The same, where leases of a dead process have to run out."""
    surveyed = await survey(name, tmp_path, surveys)
    points = deadly(name, "postgresql", surveyed, full=full)
    await die_everywhere(name, tmp_path, points, surveyed, lambda _death: postgres.url(postgres.create()))
