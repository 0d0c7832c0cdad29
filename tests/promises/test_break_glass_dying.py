"""The process dies at any point while somebody decides by break-glass: one decision, one review, each supervisor told once.

By default at a few points around the step, on SQLite; with `--full` at every point that differs.
"""

from pathlib import Path

import pytest

from routing.case.case import Case
from routing.vocabulary import CaseKind, State, Verdict
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import CrashingWorld, Traces, a_crashing_world
from tests.promises.dying import wrong_after_dying
from tests.promises.judge import doubled
from tests.promises.replay import replay
from tests.promises.stories import decided
from tests.promises.test_crash_points import sqlite
from tests.scenarios.guardrails.test_break_glass import APPROVE, WHY, WITH
from tests.world import FARID, GRACE, HUGO

SUPERVISORS = (GRACE, HUGO)


async def used(crashing: CrashingWorld, case_id: str) -> None:
    """Farid decides by break-glass, again while nothing shows that it counted."""
    world = crashing.world
    for _ in range(6):
        if decided(await world.case(case_id)):
            return
        await crashing.outside(lambda: world.say(FARID, f"break-glass {case_id} {WHY}"))
        if world.sandbox.slack.open_view(FARID) is not None:
            await crashing.outside(lambda: world.fill_in(FARID, APPROVE))
        await crashing.settle()
    raise AssertionError(f"break-glass never counted: {world.told(FARID)}")


async def reviews(crashing: CrashingWorld, case_id: str) -> list[Case]:
    """The cases in which the use is reviewed."""
    children = [await crashing.world.case(child) for child in (await crashing.world.case(case_id)).children]
    return [child for child in children if child.kind is CaseKind.REVIEW]


@pytest.mark.timeout(3_600)
async def test_dying_around_break_glass(tmp_path: Path, *, full: bool) -> None:
    """Wherever it dies, it is decided once, reviewed once, and those who review it hear of it once."""
    there: list[int] = []

    async def tell(folder: Path, fate: Fate) -> list[str]:
        async with a_crashing_world(folder, sqlite(folder), fate, policy=WITH) as crashing:
            if isinstance(fate.state, Traces):
                fate.state.world = crashing.world
            world = crashing.world
            case_id = await crashing.post(1)
            await crashing.settle()
            begun = len(fate.passed)
            await used(crashing, case_id)
            await crashing.settle()
            there[:] = there or [begun, len(fate.passed)]
            found = [] if len(await reviews(crashing, case_id)) == 1 else ["it is reviewed more than once, or never"]
            for review in await reviews(crashing, case_id):
                await crashing.press(GRACE, "approve", review.id, lambda case: case.state in (State.DECIDED, State.CLOSED))
            await crashing.pass_minutes(5)
            for person in SUPERVISORS:
                told = [one for one in world.sandbox.slack.direct_messages(person) if "break-glass" in str(one["blocks"]).lower()]
                found += [] if len(told) == 1 else [f"{person} was told {len(told)} times"]
            uses = (await world.bot.reads.governance()).break_glass
            found += [] if [one.by for one in uses] == [FARID] and all(one.over for one in uses) else [f"uses: {uses}"]
            executed = [one for one in world.sandbox.customer.executed if one.data["case_id"] == case_id]
            found += [] if len(executed) == 1 else [f"executed {len(executed)} times"]
            found += [] if (await world.case(case_id)).verdict is Verdict.APPROVED else ["it is not approved"]
            return found + doubled(world.sandbox) + await replay(world.bot.database)

    assert not await wrong_after_dying(tmp_path, tell, lambda number, _name: there[0] <= number < there[1], full=full)
