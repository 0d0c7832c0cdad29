"""Stories of one case each, told step by step with peers who insist: the same end, whatever goes wrong between the steps.

Those of guardrails stand in `tests.promises.governance_stories`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from routing.case.case import Case
from routing.vocabulary import State, Verdict
from tests.promises.crashing_world import Mortal
from tests.world import ANNA, BEN, DMITRI, NOON

Step = Callable[["Tale"], Awaitable[None]]


@dataclass
class Tale:
    """A story under way. `end`: the verdict it comes to; `also`: the other cases that there are in the end, and theirs."""

    mortal: Mortal
    end: Verdict = Verdict.APPROVED
    case_id: str = ""
    also: dict[str, Verdict] = field(default_factory=dict)

    @property
    def ends(self) -> dict[str, Verdict]:
        """Every case and what it came to."""
        return {self.case_id: self.end} | self.also

    async def settle(self) -> None:
        """Everything goes out that can."""
        await self.mortal.settle()

    async def press(self, person: str, verb: str, done: Callable[[Case], bool], **form: str) -> None:
        """Somebody presses until it counts."""
        await self.mortal.press(person, verb, self.case_id, done, **form)


def decided(case: Case) -> bool:
    """Whether the case has its verdict."""
    return case.state is State.DECIDED


async def opened(tale: Tale) -> None:
    """The service posts a case that one person decides."""
    tale.case_id = await tale.mortal.post(1)


async def opened_for_two(tale: Tale) -> None:
    """The service posts a case that two people decide."""
    tale.case_id = await tale.mortal.post(1, workflow="payouts")


async def settled(tale: Tale) -> None:
    """What is to be sent is sent."""
    await tale.settle()


async def approved(tale: Tale) -> None:
    """Anna approves."""
    await tale.press(ANNA, "approve", lambda case: any(vote.by == ANNA for vote in case.votes))


async def approved_again(tale: Tale) -> None:
    """Ben approves."""
    await tale.press(BEN, "approve", lambda case: any(vote.by == BEN for vote in case.votes))


async def asked(tale: Tale) -> None:
    """Anna asks the service."""
    await tale.press(ANNA, "ask", lambda case: case.state is not State.PENDING or case.revision > 1, question="Which order?")


async def supplied(tale: Tale) -> None:
    """The service answers."""
    await tale.mortal.write(tale.case_id, 1, "information", answer="Order 17.", case={"request": "Twice charged for order 17."})


async def rejected(tale: Tale) -> None:
    """Anna rejects, with a reason."""
    tale.end = Verdict.REJECTED
    await tale.press(ANNA, "reject", decided, reason="wrong_amount", text="It was 40.")


async def halfway(tale: Tale) -> None:
    """Anna claims it, then nothing happens for more than half of the first tier's time: a reminder."""
    await tale.press(ANNA, "claim", lambda case: case.claimed_by == ANNA)
    await tale.mortal.wait_until(NOON + timedelta(hours=2, minutes=5))


async def climbed(tale: Tale) -> None:
    """Nothing happens for the whole of the first tier's time: the case climbs and pages."""
    await tale.mortal.wait_until(NOON + timedelta(hours=4, minutes=5))


async def acknowledged(tale: Tale) -> None:
    """Dmitri acknowledges in PagerDuty."""
    await tale.mortal.acknowledge_page(tale.case_id, "PDMITRI1")


async def approved_above(tale: Tale) -> None:
    """Dmitri approves on the second tier's card."""
    await tale.press(DMITRI, "approve", decided)


async def over(tale: Tale) -> None:
    """Long after, when every message has been tried again."""
    await tale.mortal.wait_until(tale.mortal.world.clock.now + timedelta(minutes=10))
    await tale.settle()


TALES: dict[str, tuple[Step, ...]] = {
    "approve": (opened, settled, approved, over),
    "pair": (opened_for_two, settled, approved, settled, approved_again, over),
    "ask": (opened, settled, asked, settled, supplied, settled, approved, over),
    "reject": (opened, settled, rejected, over),
    "climb": (opened, settled, halfway, climbed, acknowledged, settled, approved_above, over),
}
