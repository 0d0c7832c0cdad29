"""Every way a peer is spoken to goes wrong once, at every step of every story: reply lost, applied late, refused, limited.

Keeps P4, P6, P7 and P10 against peers, in virtual time. By default every `STRIDE`th trouble on SQLite; with `--full` all on both databases.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault, Mode
from tests.postgres import Postgres
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import a_crashing_world
from tests.promises.governance_stories import ALL
from tests.promises.judge import judge
from tests.promises.stories import STORIES, Story
from tests.promises.test_crash_points import room, sqlite

TROUBLE = {
    "reply lost": Fault("", "", Mode.DROP_REPLY),
    "applied late": Fault("", "", Mode.APPLY_LATE, seconds=20.0),
    "refused": Fault("", "", Mode.SERVER_ERROR),
    "limited": Fault("", "", Mode.RATE_LIMITED, retry_after_s=7),
    "gone": Fault("", "", Mode.UNREACHABLE),
}
CALLS = {
    "slack": (
        "auth.test",
        "chat.postMessage",
        "chat.update",
        "chat.postEphemeral",
        "conversations.history",
        "conversations.list",
        "conversations.replies",
        "interactive",
        "response_url",
        "usergroups.list",
        "usergroups.users.list",
        "users.info",
        "views.open",
        "views.update",
    ),
    "pagerduty": ("enqueue", "incidents", "oncalls", "webhook"),
    "customer": ("callback",),
}
STRIDE, GOVERNED_STRIDE = 17, 62
"""Coprime to the number of troubles, so that each kind has its turn."""

GOVERNED_BY_DEFAULT = ("stop", "policy")
"""Of the stories of guardrails those with bulletins, callbacks about a workflow and a page about an alert; with `--full` all are told."""

INTO_US = frozenset({"interactive", "webhook"})
"""What peers send to us: it can get lost or be sent again; there is nothing of theirs to be applied late."""


def harmless(peer: str, method: str) -> Fault:
    """A fault that changes nothing; it is used up once the call was made."""
    return Fault(peer, method, Mode.DELAY)


async def calls_of(name: str, folder: Path) -> list[list[tuple[str, str]]]:
    """For each step of a story, which peers it speaks to, and how."""
    used = []
    async with a_crashing_world(folder, sqlite(folder), Fate()) as world_that_crashes:
        story, faults = Story(world_that_crashes), world_that_crashes.world.sandbox.faults
        for step in ALL[name]:
            armed = [(peer, method) for peer, methods in CALLS.items() for method in methods]
            for peer, method in armed:
                faults.add(harmless(peer, method))
            await step(story)
            used.append([(peer, method) for peer, method in armed if faults.take(peer, method) is None])
        found = await judge(world_that_crashes.world, story.ends)
    assert not found, "\n".join(found)
    return used


def troubles(calls: list[list[tuple[str, str]]]) -> Iterator[tuple[int, str, Fault]]:
    """Every trouble of a story: at which step, its name, and the fault."""
    for at, used in enumerate(calls):
        for peer, method in used:
            for name, kind in TROUBLE.items():
                if method in INTO_US and kind.mode not in (Mode.DROP_REPLY, Mode.UNREACHABLE):
                    continue
                yield at, name, Fault(peer, method, kind.mode, seconds=kind.seconds, retry_after_s=kind.retry_after_s)


async def tell(name: str, folder: Path, url: str, at: int, fault: Fault) -> list[str]:
    """Tell a story with one trouble in it; gives what is wrong at its end."""
    async with a_crashing_world(folder, url, Fate()) as world_that_crashes:
        story = Story(world_that_crashes)
        for number, step in enumerate(ALL[name]):
            if number == at:
                world_that_crashes.world.sandbox.faults.add(fault)
            await step(story)
        world_that_crashes.world.sandbox.faults.apply_pending()
        return await judge(world_that_crashes.world, story.ends)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The stories that are told."""
    metafunc.parametrize("name", ALL if metafunc.config.getoption("--full") else (*STORIES, *GOVERNED_BY_DEFAULT))


@pytest.mark.timeout(3_600)
async def test_any_call_goes_wrong(name: str, tmp_path: Path, postgres: Postgres, *, full: bool) -> None:
    """However one call goes wrong, the story ends as if it had not."""
    wrong, told = [], 0
    all_troubles = list(troubles(await calls_of(name, room(tmp_path, "survey"))))
    for at, trouble, fault in all_troubles if full else all_troubles[:: STRIDE if name in STORIES else GOVERNED_STRIDE]:
        for engine in ("sqlite", "postgresql") if full else ("sqlite",):
            folder = room(tmp_path, f"trouble-{told}")
            url = sqlite(folder) if engine == "sqlite" else postgres.url(postgres.create())
            found = await tell(name, folder, url, at, fault)
            shutil.rmtree(folder)
            told += 1
            if found:
                step = ALL[name][at].__name__
                wrong.append("\n  ".join([f"{engine}: {fault.method} {trouble} at step {at} ({step}):", *found]))
    print(f"{name}: {told} troubles")  # noqa: T201 - the figure of the promise
    assert not wrong, f"{len(wrong)} of {told} troubles\n" + "\n".join(wrong)
