"""Stories of guardrails, told as those of `tests.promises.stories`: brakes, checks, roll backs, near-duplicates, the life of a policy.

`ALL` is every story there is.
"""

from routing.authority import Automation
from routing.case.case import Case
from routing.vocabulary import CaseKind, Verdict
from tests.promises.crashing_world import Seen
from tests.promises.stories import TALES, Step, Tale, approved, decided, opened, over, settled
from tests.world import ANNA, BEN, CHIARA, GRACE, HUGO
from tests.written import POLICY

STRICTER = (
    POLICY.replace('version: "2026-11-20.1"', 'version: "2026-11-20.2"')
    .replace('"for the stories"', '"summaries are approved by people"')
    .replace("summaries: {ladder: standard, template: auto", "summaries: {ladder: standard, template: approval")
)
PROHIBITED = {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "flags": ["prohibited_content"]}


def _level(workflow: str, level: Automation) -> Seen:
    return lambda governance: governance.control(workflow).automation is level


async def paused(tale: Tale) -> None:
    """Grace pauses the workflow."""
    await tale.mortal.say(GRACE, "pause refunds The model repeats itself.", _level("refunds", Automation.PAUSED))


async def kept(tale: Tale) -> None:
    """Two minutes pass: what had not left is kept back."""
    await tale.mortal.pass_minutes(2)


async def resumed(tale: Tale) -> None:
    """Hugo lets it go on; within a minute what was kept back is under review again."""
    await tale.mortal.say(HUGO, "resume refunds The prompt was mended.", _level("refunds", Automation.ON))
    await tale.mortal.pass_minutes(2)
    await tale.settle()


async def approved_afresh(tale: Tale) -> None:
    """Ben approves what Anna had approved in vain."""
    await tale.press(BEN, "approve", decided)


async def decided_at_last(tale: Tale) -> None:
    """Ben approves it afresh, unless it had left before the pause."""
    if (await tale.mortal.world.case(tale.case_id)).revision > 1:
        await tale.press(BEN, "approve", decided)


async def opened_prohibited(tale: Tale) -> None:
    """The service posts a case that stops the line."""
    tale.case_id = await tale.mortal.post(1, risk=PROHIBITED)


async def rejected_above(tale: Tale) -> None:
    """Chiara rejects it."""
    tale.end = Verdict.REJECTED
    await tale.press(CHIARA, "reject", decided, reason="policy_violation")


async def acted_first(tale: Tale) -> None:
    """The service posts a case that it may act on at once; its check is opened with it."""
    tale.case_id, tale.end = await tale.mortal.post(1, workflow="tags"), Verdict.AUTO_APPROVED


async def disagreed(tale: Tale) -> None:
    """Anna finds in the check that the approval was wrong."""
    check = await _child(tale, CaseKind.CHECK)
    tale.also[check] = Verdict.REJECTED
    await tale.mortal.press(ANNA, "reject", check, decided, reason="inaccurate")


async def agreed(tale: Tale) -> None:
    """Anna finds in the check that the approval was right."""
    check = await _child(tale, CaseKind.CHECK)
    tale.also[check] = Verdict.APPROVED
    await tale.mortal.press(ANNA, "approve", check, decided)


async def undone(tale: Tale) -> None:
    """Ben agrees that the service shall undo it."""
    undo = await _child(tale, CaseKind.ROLLBACK)
    tale.also[undo] = Verdict.APPROVED
    await tale.mortal.press(BEN, "approve", undo, decided)


async def opened_twins(tale: Tale) -> None:
    """The service posts the very same action twice."""
    tale.case_id = await tale.mortal.post(1, workflow="twins")
    tale.also[await tale.mortal.post(2, workflow="twins")] = Verdict.APPROVED


async def approved_both(tale: Tale) -> None:
    """Anna approves the first."""
    await tale.press(ANNA, "approve", decided)


async def separated(tale: Tale) -> None:
    """Anna sees a difference."""
    await tale.press(ANNA, "separate", lambda case: not case.tied)


async def rejected_the_other(tale: Tale) -> None:
    """Ben rejects the second."""
    [other] = tale.also
    tale.also[other] = Verdict.REJECTED
    await tale.mortal.press(BEN, "reject", other, decided, reason="duplicate")


async def proposed(tale: Tale) -> None:
    """The operator proposes that people approve what was automatic."""
    await tale.mortal.propose(STRICTER)


async def accepted(tale: Tale) -> None:
    """Grace accepts it on its card."""
    await tale.mortal.press_bulletin(GRACE, "review-owners", "accept_policy", lambda now: now.proposals[-1].state == "accepted")


async def opened_under_it(tale: Tale) -> None:
    """The service posts a case that people decide from now on."""
    tale.case_id = await tale.mortal.post(1, workflow="summaries")


async def rolled_back(tale: Tale) -> None:
    """Hugo goes back to the policy before."""
    await tale.mortal.say(HUGO, "policy rollback Too many cards.", lambda governance: not governance.activated)


async def excepted(tale: Tale) -> None:
    """Grace asks for an exception, Hugo approves it."""
    asked = "exception request summaries waives=confidence_low days=1 uses=1 It was recalibrated and reads low."
    await tale.mortal.say(GRACE, asked, lambda governance: bool(governance.waivers))
    await tale.settle()
    await tale.mortal.press_bulletin(HUGO, "review-owners", "approve_exception", lambda now: now.waivers[0].state == "in_force")


async def opened_excepted(tale: Tale) -> None:
    """The service posts a case that only the exception lets through; with that it is used up."""
    low = {"name": "support-model", "version": "2026-10", "confidence": 0.9}
    tale.case_id, tale.end = await tale.mortal.post(1, workflow="summaries", model=low), Verdict.AUTO_APPROVED
    await tale.mortal.pass_minutes(2)


async def _child(tale: Tale, kind: CaseKind) -> str:
    """The one child of this kind."""
    parent = await tale.mortal.world.case(tale.case_id)
    children: list[Case] = [await tale.mortal.world.case(child) for child in parent.children]
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
    "exception": (excepted, opened_excepted, settled, agreed, over),
}
ALL = TALES | GOVERNED
