"""How people work on a case: triage, a checklist, two people, act first and verify after, and a check drawn by lot."""

from math import sqrt

import pytest

from bot.sandbox.slack.errors import ClientError
from routing.vocabulary import CaseKind, Verdict
from tests.governed import GovernedWorld as World
from tests.world import ANNA, BEN, CHIARA

PREFILL = {"category": "billing", "priority": "high", "summary": "Charged twice."}


async def test_triage_confirms_or_corrects_the_prefill(world: World) -> None:
    """One case is confirmed as it is; in another the category is corrected, and the service gets the corrected fields and their names."""
    right, wrong = await world.submit(workflow="tickets", prefill=PREFILL), await world.submit(workflow="tickets", prefill=PREFILL)
    await world.drain()
    assert "billing" in world.text(right)
    await world.click(ANNA, "approve", right)
    await world.click(BEN, "modify", wrong)
    await world.fill_in(BEN, {"prefill:category": "refund", "reason": "wrong_category"})
    await world.fill_in(BEN, {"reason": "wrong_category"})
    await world.drain()
    [confirmed], [corrected] = world.callbacks(right), world.callbacks(wrong)
    assert (confirmed["verdict"], confirmed["prefill"]) == ("approved", PREFILL)
    assert corrected["verdict"] == "modified"
    assert corrected["prefill"] == PREFILL | {"category": "refund"}
    assert corrected["modified_fields"] == ["prefill.category"]


async def test_the_checklist_goes_with_the_verification(world: World) -> None:
    """Eight items, each answered; then another person approves."""
    case_id = await world.submit(workflow="audited")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.fill_in(ANNA, await world.checked(case_id))
    assert (await world.case(case_id)).step == 1
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    assert (await world.case(case_id)).verdict is None
    await world.click(BEN, "approve", case_id)
    await world.drain()
    assert (await world.case(case_id)).verdict is Verdict.APPROVED
    [decided] = world.callbacks(case_id)
    assert [one["step"] for one in decided["decided_by"]] == ["verify", "approve"]


async def test_a_failed_item_never_goes_on(world: World) -> None:
    """One fail sends the case to the next tier; nothing is approved, and the card says which item failed."""
    case_id = await world.submit(workflow="audited")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.fill_in(ANNA, await world.checked(case_id, entity="fail"))
    await world.drain()
    case = await world.case(case_id)
    assert (case.tier, case.step, case.votes, case.verdict) == (1, 0, (), None)
    assert await world.leaves("verification_failed") == 1


async def test_an_unanswered_item_is_asked_for(world: World) -> None:
    """An incomplete checklist is answered beside the input; nothing is recorded as approved."""
    case_id = await world.submit(workflow="audited")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    incomplete = await world.checked(case_id)
    incomplete.popitem()
    with pytest.raises(ClientError, match="is required"):  # Slack itself does not let an unanswered item through
        await world.fill_in(ANNA, incomplete)
    assert (await world.case(case_id)).votes == ()


async def test_act_first_verify_after(world: World) -> None:
    """The service may act at once; people look at every case afterwards, and the service hears of that only if something is wrong."""
    case_id = await world.submit(workflow="tags")
    await world.drain()
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["auto_approved"]
    check = await world.child(case_id)
    assert check.kind is CaseKind.CHECK
    await world.click(ANNA, "approve", check.id)
    await world.drain()
    assert await world.leaves("check_agreed") == 1
    assert [one["verdict"] for one in world.callbacks(case_id)] == ["auto_approved"]
    assert world.callbacks(check.id) == []


async def test_a_check_that_disagrees_asks_for_a_roll_back_and_raises_sampling(world: World) -> None:
    """The caught error is recorded, more cases are checked from now on, and somebody else decides whether to undo it."""
    case_id = await world.submit(workflow="tags")
    await world.drain()
    check = await world.child(case_id)
    await world.click(ANNA, "reject", check.id)
    await world.fill_in(ANNA, {"reason": "inaccurate"})
    await world.drain()
    assert await world.leaves("check_disagreed") == 1
    assert (await world.automation("tags"))["automation"] == "sampling_raised"
    undo = await world.child(case_id, CaseKind.ROLLBACK)
    await world.click(BEN, "approve", undo.id)
    await world.drain()
    assert world.told_types(case_id) == ["case.decided", "case.rollback_requested"]
    assert await world.report(case_id, "rolled_back") == 200
    await world.drain()
    assert (await world.case(case_id)).outcome == "rolled_back"
    assert "rolled back" in world.text(undo.id).lower()


async def test_sampling_keeps_to_its_rate(world: World) -> None:
    """Of 200 automatic approvals at 20 % as many are checked as a fair lot draws (six standard deviations), each with one check."""
    ids = [await world.submit(workflow="drawn") for _ in range(200)]
    cases = [await world.case(case_id) for case_id in ids]
    drawn = [case for case in cases if case.children]
    assert all(case.verdict is Verdict.AUTO_APPROVED for case in cases)
    assert abs(len(drawn) - 40) < 6 * sqrt(200 * 0.2 * 0.8)
    assert all(len(case.children) == 1 for case in drawn)
    assert {case.id for case in drawn} == {case.id for case in cases if (case.facts.lot or 0.0) < 0.2}


async def test_roll_back_needs_another_person_and_happens_once(world: World) -> None:
    """Asked by one, approved by another, told once although the service's answer was lost."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    await world.click(CHIARA, "roll_back", case_id)
    await world.fill_in(CHIARA, {"reason": "wrong_amount", "text": "It was refunded already."})
    await world.drain()
    undo = await world.child(case_id, CaseKind.ROLLBACK)
    assert world.told_types(case_id) == ["case.decided"]
    await world.click(CHIARA, "approve", undo.id)
    assert (await world.case(undo.id)).verdict is None
    world.lose_answers(1)
    await world.click(BEN, "approve", undo.id)
    await world.pass_time(minutes=5)
    asked = [one for one in world.sandbox.customer.inbox if one.type == "case.rollback_requested"]
    assert len({one.webhook_id for one in asked}) == 1
