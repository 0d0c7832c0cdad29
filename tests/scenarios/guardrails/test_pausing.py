"""The brakes: pause keeps approvals here, freeze holds everything, a stopped line restarts only after somebody looked."""

from routing.vocabulary import State, Verdict
from tests.governed import GovernedWorld as World
from tests.world import ANNA, BEN, CHIARA, DMITRI, GRACE, HUGO


async def test_pause_keeps_approvals_here_until_a_fresh_review(world: World) -> None:
    """Approved while paused: the service hears "held" and no verdict; after the resume the case is decided afresh, once."""
    case_id = await world.submit()
    await world.drain()
    await world.say(GRACE, "pause refunds The model repeats itself.")
    await world.drain()
    assert world.told_service("workflow.paused")[-1]["automation"] == "paused"
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert [one["verdict"] for one in world.callbacks(case_id) if "verdict" in one] == []
    assert (await world.answer(case_id))["state"] == "held"
    assert (await world.answer(case_id))["verdict"] is None
    assert "paused" in world.text(case_id)
    await world.say(HUGO, "resume refunds The prompt was mended.")
    await world.pass_time(minutes=2)
    case = await world.case(case_id)
    assert (case.state, case.verdict, case.votes, case.revision) == (State.PENDING, None, (), 2)
    await world.click(BEN, "approve", case_id)
    await world.drain()
    assert [one["verdict"] for one in world.callbacks(case_id) if one.get("verdict")] == ["approved"]


async def test_rejections_leave_a_paused_workflow(world: World) -> None:
    """What makes nothing happen need not be kept."""
    case_id = await world.submit()
    await world.drain()
    await world.say(GRACE, "pause refunds Looking into it.")
    await world.click(ANNA, "reject", case_id)
    await world.fill_in(ANNA, {"reason": "inaccurate"})
    await world.drain()
    assert [one["verdict"] for one in world.callbacks(case_id) if one.get("verdict")] == ["rejected"]


async def test_an_approval_that_had_not_left_is_called_back(world: World) -> None:
    """Decided before the pause, its callback still here: within one sweep it is kept back, and never leaves."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.say(GRACE, "pause refunds Now.")
    await world.bot.tick()
    await world.drain()
    assert [one for one in world.callbacks(case_id) if one.get("verdict")] == []
    assert (await world.case(case_id)).withheld
    await world.say(GRACE, "resume refunds Mended.")
    await world.pass_time(minutes=2)
    assert (await world.case(case_id)).state is State.PENDING


async def test_nothing_is_automatic_while_everything_is_reviewed(world: World) -> None:
    """`review-all` sends to people what would have been approved; resume ends that."""
    await world.say(GRACE, "review-all summaries A new model came.")
    case_id = await world.submit(workflow="summaries")
    await world.drain()
    assert (await world.case(case_id)).state is State.PENDING
    assert "automation_off" in [reason.code for reason in (await world.case(case_id)).route.reasons]
    await world.say(GRACE, "resume summaries It is fine.")
    assert (await world.case(await world.submit(workflow="summaries"))).verdict is Verdict.AUTO_APPROVED


async def test_freeze_holds_what_is_open_and_what_comes(world: World) -> None:
    """Nothing moves: the open case loses its buttons, a new one is taken in and held, and both come back with fresh clocks."""
    before = await world.submit()
    await world.drain()
    await world.say(HUGO, "freeze refunds A leak is being looked into.")
    await world.pass_time(minutes=2)
    after = await world.submit()
    await world.drain()
    for case_id in (before, after):
        case = await world.case(case_id)
        assert (case.state, case.held_by) == (State.HELD, "frozen")
    assert "approve" not in world.buttons(before)
    await world.pass_time(hours=6)
    assert (await world.case(before)).tier == 0
    await world.say(HUGO, "resume refunds Over.")
    await world.pass_time(minutes=2)
    for case_id in (before, after):
        assert (await world.case(case_id)).state is State.PENDING
        assert "approve" in world.buttons(case_id)


async def test_quarantine_is_released_by_somebody_with_authority(world: World) -> None:
    """One case is held; its reviewers cannot take it up, the supervisor can."""
    case_id = await world.submit()
    await world.drain()
    await world.say(GRACE, f"quarantine {case_id} The evidence looks forged.")
    await world.drain()
    assert (await world.case(case_id)).held_by == "quarantine"
    assert "approve" not in world.buttons(case_id)
    await world.say(ANNA, f"release {case_id} It is fine.")
    assert (await world.case(case_id)).state is State.HELD
    await world.say(HUGO, f"release {case_id} The evidence is genuine.")
    await world.drain()
    assert (await world.case(case_id)).state is State.PENDING
    assert "case.held" in world.told_types(case_id)
    assert "case.released" in world.told_types(case_id)


async def test_only_the_authorized_brake_and_every_try_is_recorded(world: World) -> None:
    """A reviewer cannot pause, gets told why, and the audit log has it."""
    await world.say(ANNA, "pause refunds Because.")
    assert (await world.automation("refunds"))["automation"] == "on"
    assert await world.leaves("governance_refused") == 1
    await world.say(GRACE, "pause refunds")
    assert (await world.automation("refunds"))["automation"] == "on"  # without a reason nothing happens


async def test_a_prohibited_case_stops_the_line(world: World) -> None:
    """The workflow is paused with the case, in the same moment; nobody resumes it while that case is open, and then only with authority."""
    case_id = await world.submit(risk={"flags": ["prohibited_content"]})
    assert (await world.automation("refunds"))["automation"] == "paused"
    await world.drain()
    assert world.told_service("workflow.paused")
    assert world.sandbox.pagerduty.incidents
    await world.say(GRACE, "resume refunds It was nothing.")
    assert (await world.automation("refunds"))["automation"] == "paused"
    for person in (CHIARA, DMITRI):
        await world.click(person, "reject", case_id)
        if (await world.case(case_id)).state is State.PENDING and world.sandbox.slack.open_view(person):
            await world.fill_in(person, {"reason": "policy_violation"})
    await world.drain()
    assert (await world.case(case_id)).verdict is Verdict.REJECTED
    await world.say(GRACE, "resume refunds The case was rejected and the prompt mended.")
    assert (await world.automation("refunds"))["automation"] == "on"


async def test_cards_that_stand_already_say_what_an_approval_is_worth(world: World) -> None:
    """Drawn before the pause they name it within a sweep, and no longer once the workflow goes on; other workflows are left alone."""
    case_id, other = await world.submit(), await world.submit(workflow="transfers")
    await world.drain()
    drawn = (await world.bot.reads.cards(other))[0].at
    assert "an approval is kept back" not in world.text(case_id)
    await world.say(GRACE, "pause refunds The model repeats itself.")
    await world.pass_time(seconds=2)
    assert "an approval is kept back" in world.text(case_id)
    await world.say(HUGO, "resume refunds The prompt was mended.")
    await world.pass_time(seconds=2)
    assert "an approval is kept back" not in world.text(case_id)
    assert (await world.bot.reads.cards(other))[0].at == drawn


async def test_a_card_that_was_under_way_when_the_workflow_was_paused(world: World) -> None:
    """Drawn before the pause, noted after it: it is looked at once more; and a bot that begins anew looks at all of them."""
    case_id = await world.submit()
    await world.drain()
    await world.say(GRACE, "pause refunds The model repeats itself.")
    await world.pass_time(seconds=2)
    before = (await world.bot.reads.cards(case_id))[0].at
    await world.pass_time(minutes=2)
    assert before < (await world.bot.reads.cards(case_id))[0].at
    settled = (await world.bot.reads.cards(case_id))[0].at
    await world.restart()
    await world.pass_time(minutes=5)
    assert (await world.bot.reads.cards(case_id))[0].at == settled
