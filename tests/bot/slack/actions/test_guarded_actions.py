"""What people press on guarded cases: checklists, triage, checks, undoing, identical cases, quarantine, what is masked."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from routing.case.case import Case
from routing.vocabulary import CaseKind, State, Verdict
from tests.bot.slack.northwind import ANNA, BEN, CHIARA, DMITRI, POLICY, TIER1, TIER2, Northwind, a_company

GUARDED = (
    POLICY.replace(b"workflows:", b"roles: {supervisor: [seniors]}\nworkflows:")
    + b"""
  sorting: {ladder: standard, template: triage, requester: optional}
  replies: {ladder: standard, template: auto, requester: optional, sampling: {rate: 1.0}}
  accounts: {ladder: standard, template: approval, requester: optional, sensitive: {reveal: [seniors]}}
"""
)
PASSED = dict.fromkeys(("evidence", "policy", "sensitive", "prohibited", "entity", "accurate", "wording", "downstream"), "pass")
SURE: dict[str, Any] = {
    "model": {"name": "m", "version": "1", "confidence": 0.97},
    "subject": {"id": "cust-8841", "type": "customer"},
    "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "blast_radius": 0.0},
    "action": {"type": "reply.send", "params": {"template": "late"}, "reversible": True},
    "title": "Send the standard reply",
}


@pytest.fixture
async def company(database_url: str) -> AsyncIterator[Northwind]:
    """Northwind with a policy that guards."""
    async with a_company(database_url, policy=GUARDED) as company:
        yield company


def answers(**changed: str) -> dict[str, object]:
    """The inputs of the default checklist, all passed but for these."""
    return {f"check:{item}": answer for item, answer in (PASSED | changed).items()}


async def child(company: Northwind, parent: Case, kind: CaseKind) -> Case:
    """The newest case of a kind about another one."""
    children = [await company.reads.case(name) for name in (await company.case(parent)).children]
    return next(one for one in reversed(children) if one is not None and one.kind is kind)


def labels(message: dict[str, Any]) -> list[str]:
    """What the buttons of a card say."""
    rows = [block for block in message["blocks"] if block["type"] == "actions"]
    return [element["text"]["text"] for row in rows for element in row["elements"] if element["type"] == "button"]


async def test_a_checklist_is_answered_before_a_vote_counts(company: Northwind) -> None:
    """The button opens the form; all passed is one vote, told in the thread and on the card."""
    case = await company.submit(workflow="pairs")
    await company.drain()
    await company.click(ANNA, "approve")
    assert (await company.case(case)).votes == ()
    await company.fill_in(ANNA, **answers(wording="na"))
    await company.drain()
    assert [vote.checklist["wording"] for vote in (await company.case(case)).votes] == ["na"]
    assert "(7 of 8 passed, 1 not applicable)" in str(company.card()["blocks"])


async def test_a_failed_item_sends_the_case_up_and_says_what_failed(company: Northwind) -> None:
    """No vote counts; the next tier sees what was wrong, and whoever said so is told that it counted."""
    case = await company.submit(workflow="pairs")
    await company.drain()
    await company.click(ANNA, "approve")
    await company.fill_in(ANNA, **answers(evidence="fail"), text="The statement is of another year.")
    await company.drain(20)
    after = await company.case(case)
    assert (after.tier, after.votes) == (1, ())
    assert any("you did not let it pass (Evidence)" in text for text in company.told(ANNA))
    shown = str(company.card(TIER2)["blocks"])
    assert "Verification failed" in shown
    assert "The statement is of another year." in shown


async def test_whoever_modifies_answers_the_checklist_of_their_vote(company: Northwind) -> None:
    """It is asked with the preview, of the changed action; all passed, their change counts as the verification."""
    case = await company.submit(workflow="pairs")
    await company.drain()
    await company.click(ANNA, "modify")
    changed: dict[str, object] = {"param:/amount": "40.00", "reason": "wrong_amount"}
    await company.fill_in(ANNA, **changed)
    await company.fill_in(ANNA, **changed, **answers())
    after = await company.case(case)
    assert (after.modified_fields, after.step) == (("params.amount",), 1)
    assert [(vote.by, len(vote.checklist)) for vote in after.votes] == [(ANNA, 8)]


async def test_triage_confirms_or_corrects_what_was_filled_in(company: Northwind) -> None:
    """Correcting changes the pre-filled fields and nothing of the action."""
    case = await company.submit(workflow="sorting", prefill={"category": "billing", "summary": "Charged twice."})
    await company.drain()
    assert labels(company.card())[:3] == ["Confirm", "Correct", "Reject"]
    await company.click(ANNA, "modify")
    for _ in range(2):
        await company.fill_in(ANNA, **{"prefill:category": "fraud", "reason": "wrong_category"})
    after = await company.case(case)
    assert after.modified_fields == ("prefill.category",)
    assert after.action_sha256 == case.action_sha256
    await company.drain()
    assert '~ category: "billing" → "fraud"' in str(company.card()["blocks"])


async def test_whoever_approves_while_the_workflow_is_paused_is_told_that_it_is_kept_back(company: Northwind) -> None:
    """Beside the card at once; a bare yes would be believed to have left."""
    case = await company.submit(workflow="accounts")
    await company.drain()
    await company.commands.answer(CHIARA, "T0TIERLINE", "pause accounts Wrong totals.", "trigger-1")
    await company.click(ANNA, "approve")
    assert (await company.case(case)).withheld
    told = company.told(ANNA)[-1]
    assert "you approved revision 1" in told
    assert "kept back here: the service has not been told" in told
    assert "reviewed afresh" in told


async def test_a_sampled_check_that_disagrees_proposes_to_undo(company: Northwind) -> None:
    """It was wrong: that counts on the parent, and people are asked whether to undo it; nobody calls the service back about the check."""
    case = await company.submit(workflow="replies", **SURE)
    await company.drain()
    assert (await company.case(case)).verdict is Verdict.AUTO_APPROVED
    shown = company.card()
    assert "Was this automatic approval right?" in str(shown["blocks"])
    assert labels(shown)[:2] == ["It was right", "It was wrong"]
    await company.click(ANNA, "reject")
    await company.fill_in(ANNA, reason="inaccurate", text="The parcel was not late.")
    await company.drain()
    undoing = await child(company, case, CaseKind.ROLLBACK)
    assert (await company.case(case)).rollback
    assert undoing.open
    assert [kind for kind, _ in company.received.got] == ["case.decided"]


async def test_a_sampled_check_that_agrees_asks_for_its_checklist(company: Northwind) -> None:
    """It was right, item by item; nothing is proposed."""
    case = await company.submit(workflow="replies", **SURE)
    await company.drain()
    await company.click(ANNA, "approve")
    await company.fill_in(ANNA, **answers())
    check = await child(company, case, CaseKind.CHECK)
    assert (check.verdict, (await company.case(case)).rollback) == (Verdict.APPROVED, False)
    assert any("you found right revision 1" in text for text in company.told(ANNA))
    assert "check_agreed" in await company.events(case)


async def test_undoing_is_somebody_elses_yes(company: Northwind) -> None:
    """Whoever proposed it cannot say yes; the second person's yes is what the service hears, once."""
    case = await company.submit()
    await company.drain()
    await company.click(ANNA, "approve")
    await company.drain()
    await company.click(BEN, "roll_back")
    await company.fill_in(BEN, reason="inaccurate", text="The second charge was somebody else's.")
    await company.drain()
    assert labels(company.card())[:2] == ["Undo it", "Leave it"]
    assert "tierline:roll_back" not in str(company.card(number=0)["blocks"])
    await company.click(BEN, "approve")
    assert (await child(company, case, CaseKind.ROLLBACK)).open
    await company.click(CHIARA, "approve")
    await company.drain()
    assert company.received.got[-1] == ("case.rollback_requested", 2)
    assert "Roll back requested" in str(company.card(number=0)["blocks"])


async def test_identical_cases_are_parted_by_one_press(company: Northwind) -> None:
    """They share a card with a count; a reviewer who sees a difference gives each its own."""
    first = await company.submit("t-1", **SURE | {"model": {"confidence": 0.8}})
    second = await company.submit("t-2", **SURE | {"model": {"confidence": 0.8}})
    await company.drain()
    assert len(company.sandbox.slack.messages(TIER1)) == 1
    assert "+1 identical case is decided with this one* by Approve and Reject." in str(company.card()["blocks"])
    await company.click(ANNA, "separate")
    await company.drain()
    assert (await company.case(first)).tied == ()
    assert (await company.case(second)).tied_to == ""
    assert len(company.sandbox.slack.messages(TIER1)) == 2


async def test_quarantine_takes_a_role_to_enter_and_to_leave(company: Northwind) -> None:
    """Anna has none; Dmitri sets the case aside with a reason and lets it out with another."""
    case = await company.submit()
    await company.drain()
    await company.click(ANNA, "quarantine")
    assert any("takes a role that you do not have" in text for text in company.told(ANNA))
    await company.click(DMITRI, "quarantine")
    await company.fill_in(DMITRI, reason="other", text="The customer is under investigation.")
    await company.drain()
    held = await company.case(case)
    assert (held.state, held.held_by) == (State.HELD, "quarantine")
    assert "In quarantine" in str(company.card()["blocks"])
    await company.click(DMITRI, "resume")
    assert (await company.case(case)).state is State.HELD
    await company.fill_in(DMITRI, reason="other", text="The investigation is over.")
    assert (await company.case(case)).state is State.PENDING


async def test_what_is_masked_is_revealed_to_whom_the_policy_names(company: Northwind) -> None:
    """The card shows how much; the form with the values opens after it is on record who looked."""
    case = await company.submit(workflow="accounts", request="Write to jane.roe@example.com, please.")
    await company.drain()
    assert "jane.roe@" not in str(company.card()["blocks"])
    assert "🔒 1 value is masked" in str(company.card()["blocks"])
    await company.click(ANNA, "reveal")
    assert company.sandbox.slack.open_view(ANNA) is None
    await company.click(DMITRI, "reveal")
    shown = company.sandbox.slack.open_view(DMITRI)
    assert "jane.roe@example.com" in str(shown)
    assert (await company.events(case)).count("revealed") == 1


async def test_modifying_a_masked_case_keeps_what_is_masked(company: Northwind) -> None:
    """The address has no input and is executed as the service sent it."""
    params = {"to": "jane.roe@example.com", "amount": "80.00"}
    action = {"type": "refund.create", "params": params, "reversible": True}
    case = await company.submit(workflow="accounts", action=action)
    await company.drain()
    await company.click(ANNA, "modify")
    assert "jane.roe@" not in str(company.sandbox.slack.open_view(ANNA))
    for _ in range(2):
        await company.fill_in(ANNA, **{"param:/amount": "40.00", "reason": "wrong_amount"})
    content = await company.reads.content(case.id)
    assert content is not None
    assert content.action.params == params | {"amount": "40.00"}
