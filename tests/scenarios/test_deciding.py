"""A case comes in, people decide it, the service is called back: the stories of the presses that decide."""

import asyncio
from pathlib import Path

import pytest

from routing.vocabulary import EventKind, State, Verdict
from tests.world import ANNA, BEN, CHIARA, DMITRI, GUEST, STRANGER, World, running
from tests.written import POLICY


async def test_approve(world: World) -> None:
    """Signed webhook, card in the tier's channel, one press, signed callback with a receipt; the hash is the same everywhere."""
    case_id = await world.submit()
    await world.drain()
    assert world.card(case_id)["channel"] == "C0TIER10001"
    assert {"approve", "reject", "modify", "escalate", "ask", "comment", "claim", "open_evidence"} <= set(world.buttons(case_id))
    assert (await world.click(ANNA, "approve", case_id)).ok
    await world.drain()
    case = await world.case(case_id)
    assert (case.state, case.verdict) == (State.DECIDED, Verdict.APPROVED)
    assert "approve" not in world.buttons(case_id)
    [decided] = world.callbacks(case_id)
    assert decided["verdict"] == "approved"
    assert decided["action_sha256"] == case.action_sha256
    assert decided["decided_by"][0]["slack_id"] == ANNA
    assert case.action_sha256[:12] in world.text(case_id)
    assert world.sandbox.customer.refused == 0


async def test_reject_with_reason(world: World) -> None:
    """Rejecting opens a form; without a reason nothing happens, with one the service learns code and words."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "reject", case_id)
    assert (await world.fill_in(ANNA, {"reason": "inaccurate", "text": "The order was charged once."})).ok
    await world.drain()
    [decided] = world.callbacks(case_id)
    assert (decided["verdict"], decided["reason_code"], decided["rationale"]) == ("rejected", "inaccurate", "The order was charged once.")
    assert "approve" not in world.buttons(case_id)


async def test_modify_with_diff(world: World) -> None:
    """A reviewer corrects the amount: sees the difference first, then sends; the callback carries the new action and its hash."""
    case_id = await world.submit()
    await world.drain()
    before = (await world.case(case_id)).action_sha256
    await world.click(ANNA, "modify", case_id)
    await world.fill_in(ANNA, {"param:/amount": "60.00", "reason": "wrong_amount"})
    preview = world.sandbox.slack.open_view(ANNA)
    assert preview is not None
    assert "80.00" in str(preview["blocks"])
    assert "60.00" in str(preview["blocks"])
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    [decided] = world.callbacks(case_id)
    assert decided["verdict"] == "modified"
    assert decided["action"]["params"]["amount"] == "60.00"
    assert decided["modified_fields"] == ["params.amount"]
    assert decided["reason_code"] == "wrong_amount"
    assert decided["action_sha256"] != before
    assert decided["action_sha256"][:12] in world.text(case_id)


async def test_correct_what_the_model_filled_in(world: World) -> None:
    """Only the category was wrong: the difference is shown, the callback carries the corrected fields and the very same action."""
    case_id = await world.submit(prefill={"category": "billing", "priority": "high", "summary": "Charged twice"})
    await world.drain()
    before = (await world.case(case_id)).action_sha256
    await world.click(ANNA, "modify", case_id)
    await world.fill_in(ANNA, {"prefill:category": "delivery", "reason": "wrong_category"})
    preview = world.sandbox.slack.open_view(ANNA)
    assert preview is not None
    assert "billing" in str(preview["blocks"])
    assert "delivery" in str(preview["blocks"])
    await world.fill_in(ANNA, {"reason": "wrong_category"})
    await world.drain()
    [decided] = world.callbacks(case_id)
    assert (decided["verdict"], decided["modified_fields"]) == ("modified", ["prefill.category"])
    assert decided["prefill"] == {"category": "delivery", "priority": "high", "summary": "Charged twice"}
    assert decided["action_sha256"] == before
    assert world.sandbox.customer.refused == 0


async def test_a_failed_check_is_overridden_with_words(world: World) -> None:
    """The card names the check; without words nothing counts, with them the log and the service have them."""
    case_id = await world.submit(checks=[{"name": "rules", "result": "fail", "detail": "Above the limit of 50 USD."}])
    await world.drain()
    assert "Above the limit of 50 USD." in world.text(case_id)
    await world.click(ANNA, "approve", case_id)
    await world.fill_in(ANNA, {"reason": "other", "text": "  "})
    assert (await world.case(case_id)).open
    await world.fill_in(ANNA, {"reason": "other", "text": "The limit was raised this morning."})
    await world.drain()
    [decided] = world.callbacks(case_id)
    assert (decided["verdict"], decided["rationale"]) == ("approved", "The limit was raised this morning.")
    approved = next(one for one in await world.bot.reads.history(case_id) if one.kind is EventKind.APPROVED)
    assert (approved.fields["reason_code"], approved.fields["override_check"]) == ("other", True)


@pytest.mark.parametrize("failed", [False, True])
async def test_a_large_change_is_confirmed_in_a_form(tmp_path: Path, sqlite_url: str, *, failed: bool) -> None:
    """It names all that speaks against the action; the press itself counts nothing yet. A modification that goes as far says so as well."""
    limited = POLICY.replace("required: [request], sensitive", "required: [request], checks: {change_percent: {refunded: 50}}, sensitive")
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=limited)) as world:
        checks = [{"name": "rules", "result": "fail", "detail": "Above the limit of 50 USD."}] if failed else None
        action = {"type": "refund.create", "params": {"refunded": "80.00"}, "before": {"refunded": "10.00"}}
        case_id = await world.submit(checks=checks, action=action)
        await world.drain()
        assert "by more than the policy lets pass unnoticed" in world.text(case_id)
        await world.click(ANNA, "modify", case_id)
        await world.fill_in(ANNA, {"param:/refunded": "90.00", "reason": "inaccurate", "text": "It is 90."})
        preview = world.sandbox.slack.open_view(ANNA)
        assert "by more than the policy lets pass unnoticed" in str(preview)
        await world.click(ANNA, "approve", case_id)
        form = str(world.sandbox.slack.open_view(ANNA))
        assert "The action changes refunded by more than" in form
        assert ("Above the limit of 50 USD." in form) == failed
        assert (await world.case(case_id)).open
        await world.fill_in(ANNA, {"reason": "other", "text": "It was agreed."} if failed else {"text": ""})
        await world.drain()
        [decided] = world.callbacks(case_id)
        assert (decided["verdict"], decided["action"]["params"]) == ("approved", {"refunded": "80.00"})


async def test_two_people(world: World) -> None:
    """A payout is verified by one and approved by another; the same person is refused with a reason they can read."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert (await world.case(case_id)).step == 1
    await world.click(ANNA, "approve", case_id)
    assert "another person" in world.told(ANNA)
    assert world.callbacks(case_id) == []
    await world.click(BEN, "approve", case_id)
    await world.drain()
    [decided] = world.callbacks(case_id)
    assert [(one["slack_id"], one["step"]) for one in decided["decided_by"]] == [(ANNA, "verify"), (BEN, "approve")]


async def test_the_requester_does_not_decide(world: World) -> None:
    """Who asked for the action is refused, named by Slack id or by e-mail address; somebody else decides."""
    by_id = await world.submit(requester={"slack_id": ANNA})
    by_email = await world.submit(requester={"email": "Anna@northwind.example"})
    await world.drain()
    for case_id in (by_id, by_email):
        await world.click(ANNA, "approve", case_id)
        assert (await world.case(case_id)).open
        assert "somebody else has to decide" in world.told(ANNA)
    await world.click(BEN, "approve", by_id)
    assert (await world.case(by_id)).verdict is Verdict.APPROVED


async def test_a_double_click_counts_once(world: World) -> None:
    """The same press delivered twice, and pressed again, is one decision and one callback."""
    case_id = await world.submit()
    await world.drain()
    card = world.card(case_id)
    first = await world.click(ANNA, "approve", case_id, deliver_twice=True)
    assert first.ok
    await world.click(ANNA, "approve", case_id, as_seen=card)
    await world.drain()
    assert len(world.callbacks(case_id)) == 1
    kinds = [one.kind for one in await world.bot.reads.history(case_id)]
    assert kinds.count(EventKind.DECIDED) == 1
    assert "already decided" in world.told(ANNA)


async def test_two_people_race(world: World) -> None:
    """One approves while another rejects: exactly one of them decides, the other is told, and both are in the log."""
    case_id = await world.submit()
    await world.drain()
    await world.click(BEN, "reject", case_id)
    view = world.sandbox.slack.open_view(BEN)
    assert view is not None
    approving = world.click(ANNA, "approve", case_id)
    rejecting = world.sandbox.slack.submit(BEN, view["id"], {"reason": "unsure"})
    await asyncio.gather(approving, rejecting)
    await world.drain()
    [decided] = world.callbacks(case_id)
    kinds = [one.kind for one in await world.bot.reads.history(case_id)]
    assert kinds.count(EventKind.DECIDED) == 1
    assert kinds.count(EventKind.PRESS_REFUSED) == 1
    assert decided["verdict"] in ("approved", "rejected")


async def test_a_stale_card_is_refused(world: World) -> None:
    """A press on the card as it was before the action changed decides nothing."""
    case_id = await world.submit(workflow="payouts")
    await world.drain()
    stale = world.card(case_id)
    await world.click(ANNA, "modify", case_id)
    await world.fill_in(ANNA, {"param:/amount": "60.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    await world.click(BEN, "approve", case_id, as_seen=stale)
    assert "changed since this card was drawn" in world.told(BEN)
    assert (await world.case(case_id)).open
    await world.click(BEN, "approve", case_id)
    await world.drain()
    assert world.callbacks(case_id)[0]["verdict"] == "modified"


async def test_outsiders_are_refused(world: World) -> None:
    """Guests, strangers and members outside the group press in vain; each press is an event and each person is told why."""
    case_id = await world.submit()
    await world.drain()
    for person, words in ((GUEST, "Guests"), (STRANGER, "Only members"), (DMITRI, "not in the group")):
        await world.click(person, "approve", case_id)
        assert words in world.told(person)
    refused = [one for one in await world.bot.reads.history(case_id) if one.kind == "press_refused"]
    assert [one.actor.id for one in refused] == [GUEST, STRANGER, DMITRI]
    assert (await world.case(case_id)).open


async def test_an_empty_group_means_nobody(world: World) -> None:
    """Where the group has no members nobody decides, and after its time the case ends in the policy's safe state."""
    case_id = await world.submit(workflow="lonely")
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    assert "not in the group" in world.told(ANNA)
    await world.pass_time(hours=2)
    [decided] = world.callbacks(case_id)
    assert decided["verdict"] == "expired"


async def test_automatic(world: World) -> None:
    """A harmless case of an automatic workflow is decided at once, without a card, and the 202 carries no verdict."""
    status, answer = await world.post(workflow="summaries")
    assert (status, answer["lane"]) == (202, "auto")
    assert "verdict" not in answer
    await world.drain()
    assert world.cards(answer["id"]) == []
    [decided] = world.callbacks(answer["id"])
    assert decided["verdict"] == "auto_approved"


async def test_roll_back(world: World) -> None:
    """Somebody asks, with words, for what was decided to be undone; once another person agrees, the service is asked; the card shows it."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    await world.click(CHIARA, "roll_back", case_id)
    await world.fill_in(CHIARA, {"reason": "wrong_amount", "text": "The customer was already refunded by phone."})
    await world.drain()
    assert len(world.callbacks(case_id)) == 1
    [undo] = (await world.case(case_id)).children
    assert "already refunded by phone" in world.text(undo)
    await world.click(BEN, "approve", undo)
    await world.drain()
    assert [one["sequence"] for one in world.callbacks(case_id)] == [1, 2]
    assert world.callbacks(case_id)[1]["reason_code"] == "wrong_amount"
    assert world.callbacks(case_id)[1]["reason"] == "The customer was already refunded by phone."
    assert "roll_back" not in world.buttons(case_id)


async def test_the_outcome_closes_the_case(world: World) -> None:
    """The service reports what it executed; another action than the approved one is an alarm on the card and in the log."""
    good, bad = await world.submit(), await world.submit()
    await world.drain()
    for case_id in (good, bad):
        await world.click(ANNA, "approve", case_id)
    await world.drain()
    sha256 = (await world.case(good)).action_sha256
    await world.sandbox.customer.report_outcome(good, "executed", executed_action_sha256=sha256)
    await world.sandbox.customer.report_outcome(bad, "executed", executed_action_sha256="0" * 64)
    await world.drain()
    assert (await world.case(good)).state is State.CLOSED
    alarms = [one.fields["alarm"] for one in await world.bot.reads.history(bad) if one.kind == "execution_alarm"]
    assert alarms == ["executed_other_action"]
    assert not [one for one in await world.bot.reads.history(good) if one.kind == "execution_alarm"]


async def test_a_number_that_gets_in_gets_out(world: World) -> None:
    """What readers of JSON read differently is refused at the edge with what to do; all else is taken, approved, modified and executed."""
    for wrong in (1e16, -(2.0**53), 1e21, 10**30):
        status, answer = await world.post(action={"type": "refund.create", "params": {"units": [wrong]}, "reversible": False})
        assert status == 422
        assert answer["errors"][0]["pointer"] == "/action/params/units/0"
        assert "send it as a decimal string" in answer["errors"][0]["message"]
    params = {"whole": 5.0, "minus": -0.0, "most": 2.0**53 - 1, "tiny": 5e-324, "share": 0.1, "text": "1e16"}
    for verb, form in (("approve", None), ("modify", {"param:/whole": "7.00", "reason": "wrong_amount"})):
        case_id = await world.submit(action={"type": "refund.create", "params": params, "reversible": False})
        await world.drain()
        await world.click(ANNA, verb, case_id)
        if form is not None:
            await world.fill_in(ANNA, form)
            await world.fill_in(ANNA, {"reason": "wrong_amount"})
        await world.drain()
        [decided] = world.callbacks(case_id)
        assert decided["action"]["params"] == params | ({"whole": 7} if form is not None else {})
    assert world.sandbox.customer.refused == 0
