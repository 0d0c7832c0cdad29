"""Stories of guardrails, told as those of `tests.promises.stories`: brakes, checks, roll backs, near-duplicates, the life of a policy.

`ALL` is every story there is.
"""

from routing.authority import Automation
from routing.case.case import Case
from routing.vocabulary import CaseKind, Verdict
from tests.promises.crashing_world import COMPANY, Seen
from tests.promises.stories import STORIES, Step, Story, approved, decided, opened, over, settled
from tests.world import ANNA, BEN, CHIARA, DMITRI, GRACE, HUGO

STRICTER = (
    COMPANY.replace('version: "2026-11-20.1"', 'version: "2026-11-20.2"')
    .replace('"for the stories"', '"summaries are approved by people"')
    .replace("summaries: {ladder: standard, template: auto", "summaries: {ladder: standard, template: approval")
)
PROHIBITED = {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "flags": ["prohibited_content"]}


def _level(workflow: str, level: Automation) -> Seen:
    return lambda governance: governance.control(workflow).automation is level


async def paused(story: Story) -> None:
    """Grace pauses the workflow."""
    await story.world_that_crashes.say(GRACE, "pause refunds The model repeats itself.", _level("refunds", Automation.PAUSED))


async def kept(story: Story) -> None:
    """Two minutes pass: what had not left is kept back."""
    await story.world_that_crashes.pass_minutes(2)


async def resumed(story: Story) -> None:
    """Hugo lets it go on; within a minute what was kept back is under review again."""
    await story.world_that_crashes.say(HUGO, "resume refunds The prompt was mended.", _level("refunds", Automation.ON))
    await story.world_that_crashes.pass_minutes(2)
    await story.settle()


async def approved_afresh(story: Story) -> None:
    """Ben approves what Anna had approved in vain."""
    await story.press(BEN, "approve", decided)


async def decided_at_last(story: Story) -> None:
    """Ben approves it afresh, unless it had left before the pause."""
    if (await story.world_that_crashes.world.case(story.case_id)).revision > 1:
        await story.press(BEN, "approve", decided)


async def opened_prohibited(story: Story) -> None:
    """The service posts a case that stops the line."""
    story.case_id = await story.world_that_crashes.post(1, risk=PROHIBITED)


async def rejected_above(story: Story) -> None:
    """Chiara rejects it."""
    story.end = Verdict.REJECTED
    await story.press(CHIARA, "reject", decided, reason="policy_violation")


async def acted_first(story: Story) -> None:
    """The service posts a case that it may act on at once; its check is opened with it."""
    story.case_id, story.end = await story.world_that_crashes.post(1, workflow="tags"), Verdict.AUTO_APPROVED


async def disagreed(story: Story) -> None:
    """Anna finds in the check that the approval was wrong."""
    check = await _child(story, CaseKind.CHECK)
    story.also[check] = Verdict.REJECTED
    await story.world_that_crashes.press(ANNA, "reject", check, decided, reason="inaccurate")


async def agreed(story: Story) -> None:
    """Anna finds in the check that the approval was right."""
    check = await _child(story, CaseKind.CHECK)
    story.also[check] = Verdict.APPROVED
    await story.world_that_crashes.press(ANNA, "approve", check, decided)


async def undone(story: Story) -> None:
    """Ben agrees that the service shall undo it."""
    undo = await _child(story, CaseKind.ROLLBACK)
    story.also[undo] = Verdict.APPROVED
    await story.world_that_crashes.press(BEN, "approve", undo, decided)


async def opened_twins(story: Story) -> None:
    """The service posts the very same action twice."""
    story.case_id = await story.world_that_crashes.post(1, workflow="twins")
    story.also[await story.world_that_crashes.post(2, workflow="twins")] = Verdict.APPROVED


async def approved_both(story: Story) -> None:
    """Anna approves the first."""
    await story.press(ANNA, "approve", decided)


async def separated(story: Story) -> None:
    """Anna sees a difference."""
    await story.press(ANNA, "separate", lambda case: not case.tied)


async def rejected_the_other(story: Story) -> None:
    """Ben rejects the second."""
    [other] = story.also
    story.also[other] = Verdict.REJECTED
    await story.world_that_crashes.press(BEN, "reject", other, decided, reason="duplicate")


async def proposed(story: Story) -> None:
    """The operator proposes that people approve what was automatic."""
    await story.world_that_crashes.propose(STRICTER)


async def accepted(story: Story) -> None:
    """Grace accepts it on its card."""
    await story.world_that_crashes.press_bulletin(GRACE, "review-owners", "accept_policy", lambda g: g.proposals[-1].state == "accepted")


async def opened_under_it(story: Story) -> None:
    """The service posts a case that people decide from now on."""
    story.case_id = await story.world_that_crashes.post(1, workflow="summaries")


async def rolled_back(story: Story) -> None:
    """Hugo goes back to the policy before."""
    await story.world_that_crashes.say(HUGO, "policy rollback Too many cards.", lambda governance: not governance.activated)


async def excepted(story: Story) -> None:
    """Grace asks for an exception, Hugo approves it."""
    asked = "exception request summaries waives=confidence_low days=1 uses=1 It was recalibrated and reads low."
    await story.world_that_crashes.say(GRACE, asked, lambda governance: bool(governance.waivers))
    await story.settle()
    await story.world_that_crashes.press_bulletin(HUGO, "review-owners", "approve_exception", lambda g: g.waivers[0].state == "in_force")


async def opened_excepted(story: Story) -> None:
    """The service posts a case that only the exception lets through; with that it is used up."""
    low = {"name": "support-model", "version": "2026-10", "confidence": 0.9}
    story.case_id, story.end = await story.world_that_crashes.post(1, workflow="summaries", model=low), Verdict.AUTO_APPROVED
    await story.world_that_crashes.pass_minutes(2)


async def drill_begun(story: Story) -> None:
    """Grace starts a drill that is to reach the second tier."""
    await story.world_that_crashes.say(GRACE, "drill nobody-available refunds", lambda governance: bool(governance.drills))
    [drill] = (await story.world_that_crashes.world.bot.reads.governance()).drills
    [story.case_id] = drill.cases
    story.end = Verdict.WITHDRAWN


async def answered_below(story: Story) -> None:
    """Anna claims it at the first, which sends it on."""
    await story.press(ANNA, "claim", lambda case: case.tier == 1)


async def answered_above(story: Story) -> None:
    """Dmitri claims it at the second, which ends it."""
    await story.press(DMITRI, "claim", decided)


async def _child(story: Story, kind: CaseKind) -> str:
    """The one child of this kind."""
    parent = await story.world_that_crashes.world.case(story.case_id)
    children: list[Case] = [await story.world_that_crashes.world.case(child) for child in parent.children]
    [found] = [child for child in children if child.kind is kind]
    return found.id


GOVERNED: dict[str, tuple[Step, ...]] = {
    "pause": (opened, settled, paused, approved, settled, resumed, approved_afresh, over),
    "late pause": (opened, settled, approved, paused, kept, resumed, decided_at_last, over),
    "stop": (opened_prohibited, settled, rejected_above, settled, resumed, over),
    "check": (acted_first, settled, disagreed, settled, undone, over),
    "twins": (opened_twins, settled, approved_both, over),
    "apart": (opened_twins, settled, separated, settled, approved_both, rejected_the_other, over),
    "policy": (proposed, settled, accepted, opened_under_it, settled, approved, rolled_back, over),
    "drill": (drill_begun, settled, answered_below, settled, answered_above, over),
    "exception": (excepted, opened_excepted, settled, agreed, over),
}
ALL = STORIES | GOVERNED
