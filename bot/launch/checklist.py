"""The running of checks: all at once, each for so long at most, and none can keep the others from being told.

Owns that; what is checked is handed in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.failures import failure
from bot.launch.finding import Finding, State, missing
from bot.timeouts import Timeouts

UNSEEN = "Not looked at."
"""Said of what something else has to be mended for first."""

LONGEST_S = 30.0
"""How long a check may take: peers that answer do so within seconds."""

Look = Callable[[], Awaitable[Sequence[Finding]]]
Told = Callable[[int, int], None]
"""Told how many checks of how many have ended."""


@dataclass(frozen=True, slots=True)
class Check:
    """A part of the checklist. `waits_for`: why it cannot be looked at, empty where it can."""

    name: str
    look: Look
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, by check, in the order of the list."""

    found: Mapping[str, Sequence[Finding]]

    def count(self, state: State) -> int:
        """How many lines stand so."""
        return sum(one.state is state for findings in self.found.values() for one in findings)

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.count(State.MISSING)


async def run(checks: Sequence[Check], timeouts: Timeouts, told: Told) -> Report:
    """Look at everything at once. Never raises for what a check meets."""
    ended = 0

    async def one(check: Check) -> Sequence[Finding]:
        nonlocal ended
        found = await _looked(check, timeouts)
        ended += 1
        told(ended, len(checks))
        return found

    told(0, len(checks))
    found = await asyncio.gather(*map(one, checks))
    return Report({check.name: findings for check, findings in zip(checks, found, strict=True)})


async def _looked(check: Check, timeouts: Timeouts) -> Sequence[Finding]:
    if check.waits_for:
        return (missing(check.name, UNSEEN, check.waits_for),)
    try:
        async with timeouts.within(LONGEST_S):
            return await check.look()
    except TimeoutError:
        return (missing(check.name, "There was no answer in time.", "See whether what it asks can be reached, and run this again."),)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are told
        kind = str(failure(error).get("error"))
        return (missing(check.name, f"It could not be looked at ({kind}).", "Run this again, and report it if it stays so."),)
