"""Stories of one case each, told step by step with peers who insist: the same end, whatever goes wrong between the steps.

Those of guardrails stand in `tests.promises.governance_stories`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from routing.case.case import Case
from routing.vocabulary import State, Verdict
from tests.promises.crashing_world import CrashingWorld
from tests.world import ANNA, BEN, DMITRI, NOON

Step = Callable[["Story"], Awaitable[None]]


@dataclass
class Story:
    """A story under way. `end`: the verdict it comes to; `also`: the other cases that there are in the end, and theirs."""

    world_that_crashes: CrashingWorld
    end: Verdict = Verdict.APPROVED
    case_id: str = ""
    also: dict[str, Verdict] = field(default_factory=dict)

    @property
    def ends(self) -> dict[str, Verdict]:
        """Every case and what it came to."""
        return {self.case_id: self.end} | self.also

    async def settle(self) -> None:
        """Everything goes out that can."""
        await self.world_that_crashes.settle()

    async def press(self, person: str, verb: str, done: Callable[[Case], bool], **form: str) -> None:
        """Somebody presses until it counts."""
        await self.world_that_crashes.press(person, verb, self.case_id, done, **form)


def decided(case: Case) -> bool:
    """Whether the case has its verdict."""
    return case.state is State.DECIDED


async def opened(story: Story) -> None:
    """The service posts a case that one person decides."""
    story.case_id = await story.world_that_crashes.post(1)


async def opened_for_two(story: Story) -> None:
    """The service posts a case that two people decide."""
    story.case_id = await story.world_that_crashes.post(1, workflow="payouts")


async def opened_by_the_playbook(story: Story) -> None:
    """The service posts a case for which somebody has to be told, a ticket opened, and the service held."""
    story.case_id = await story.world_that_crashes.post(1, risk={"impact": "low", "likelihood": 0.1, "flags": ["legal"]})


async def settled(story: Story) -> None:
    """What is to be sent is sent."""
    await story.settle()


async def approved(story: Story) -> None:
    """Anna approves."""
    await story.press(ANNA, "approve", lambda case: any(vote.by == ANNA for vote in case.votes))


async def approved_again(story: Story) -> None:
    """Ben approves."""
    await story.press(BEN, "approve", lambda case: any(vote.by == BEN for vote in case.votes))


async def asked(story: Story) -> None:
    """Anna asks the service."""
    await story.press(ANNA, "ask", lambda case: case.state is not State.PENDING or case.revision > 1, question="Which order?")


async def supplied(story: Story) -> None:
    """The service answers."""
    await story.world_that_crashes.write(
        story.case_id, 1, "information", answer="Order 17.", case={"request": "Twice charged for order 17."}
    )


async def rejected(story: Story) -> None:
    """Anna rejects, with a reason."""
    story.end = Verdict.REJECTED
    await story.press(ANNA, "reject", decided, reason="wrong_amount", text="It was 40.")


async def halfway(story: Story) -> None:
    """Anna claims it, then nothing happens for more than half of the first tier's time: a reminder."""
    await story.press(ANNA, "claim", lambda case: case.claimed_by == ANNA)
    await story.world_that_crashes.wait_until(NOON + timedelta(hours=2, minutes=5))


async def claimed(story: Story) -> None:
    """Anna takes it, which is said under the card."""
    await story.press(ANNA, "claim", lambda case: case.claimed_by == ANNA)


async def deleted(story: Story) -> None:
    """Somebody deletes the card, of which nobody tells us."""
    card = story.world_that_crashes.world.card(story.case_id)
    story.world_that_crashes.world.sandbox.slack.delete_message(card["channel"], card["ts"])


async def reminded(story: Story) -> None:
    """More than half of the first tier's time passes: what would remind finds the card gone and posts it anew."""
    await story.world_that_crashes.wait_until(NOON + timedelta(hours=2, minutes=5))


async def climbed(story: Story) -> None:
    """Nothing happens for the whole of the first tier's time: the case climbs and pages."""
    await story.world_that_crashes.wait_until(NOON + timedelta(hours=4, minutes=5))


async def acknowledged(story: Story) -> None:
    """Dmitri acknowledges in PagerDuty."""
    await story.world_that_crashes.acknowledge_page(story.case_id, "PDMITRI1")


async def approved_above(story: Story) -> None:
    """Dmitri approves on the second tier's card."""
    await story.press(DMITRI, "approve", decided)


async def over(story: Story) -> None:
    """Long after, when every message has been tried again."""
    await story.world_that_crashes.wait_until(story.world_that_crashes.world.clock.now + timedelta(minutes=10))
    await story.settle()


STORIES: dict[str, tuple[Step, ...]] = {
    "approve": (opened, settled, approved, over),
    "pair": (opened_for_two, settled, approved, settled, approved_again, over),
    "ask": (opened, settled, asked, settled, supplied, settled, approved, over),
    "reject": (opened, settled, rejected, over),
    "lost": (opened, settled, claimed, settled, deleted, reminded, approved, over),
    "playbook": (opened_by_the_playbook, settled, approved, over),
    "climb": (opened, settled, halfway, climbed, acknowledged, settled, approved_above, over),
}
