"""Automatic approvals that people check afterwards, and roll backs that another person approves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from routing.authority import Automation
from routing.authorize import demands, refuse
from routing.case.case import Case
from routing.case.followup import Information, Outcome, Withdrawal
from routing.change import Change, Refused
from routing.policy.file import load_policy
from routing.policy.form.checks import DEFAULT_CHECKLIST
from routing.review.followups import report, supply, withdraw
from routing.review.timing import on_time
from routing.review.verbs import needs_content, step_of
from routing.vocabulary import ApprovalCode, CaseKind, EventKind, State, Verb, Verdict
from tests.routing.desk import Desk
from tests.routing.factory import FRONT, NOON, POLICY_TEXT, SENIOR, a_person, a_press, a_submission

AUTO = load_policy(POLICY_TEXT.replace(b"template: approval", b"template: auto"), {})
SUMMARY = {"type": "ticket.summarize", "params": {}, "reversible": True}
PASSED = dict.fromkeys(DEFAULT_CHECKLIST, "pass")


def an_approved(desk: Desk, *, lot: float = 0.01, **parts: object) -> Case:
    """A case that was approved automatically, with this lot."""
    case = desk.post(a_submission(action=SUMMARY, **parts), lot=lot)
    assert case.verdict is Verdict.AUTO_APPROVED
    return desk.now_of(case)


def a_check(desk: Desk) -> tuple[Case, Case]:
    """An automatic approval and its check."""
    parent = an_approved(desk)
    (check,) = desk.children(parent)
    return parent, check


def press(desk: Desk, case: Case, verb: str, **changes: object) -> Change | Refused:
    """Somebody presses on the case as it is now."""
    now = desk.now_of(case)
    return desk.do(now, step_of(a_press(now, verb, **changes)))


def test_a_sampled_approval_is_checked_by_a_case_of_its_own() -> None:
    """The service has its approval; people get a check with the checklist, a day of its own, and nobody is paged or has to acknowledge."""
    desk = Desk(AUTO)
    parent, check = a_check(desk)
    assert (check.kind, check.parent, check.task_id) == (CaseKind.CHECK, parent.id, f"{parent.id}:check")
    assert ([step.name for step in check.route.steps], check.tier, check.state) == (["check"], 0, State.PENDING)
    assert [item.id for item in check.route.steps[0].checklist] == list(DEFAULT_CHECKLIST)
    assert check.clocks.decide == NOON + timedelta(hours=8)
    assert check.clocks.acknowledge is None
    assert not any(tier.page for tier in check.route.tiers)
    assert desk.said(parent, EventKind.CHECK_OPENED) == {"sampled": "lot", "rate": 0.05}
    assert (desk.told(parent), desk.told(check)) == (["case.decided"], [])


def test_what_is_not_drawn_is_not_checked() -> None:
    """A lot above the rate opens nothing."""
    desk = Desk(AUTO)
    assert desk.children(an_approved(desk, lot=0.5)) == []


def test_a_check_that_agrees_says_so_on_the_case() -> None:
    """The approval was right: recorded on both cases, and the service hears nothing more."""
    desk = Desk(AUTO)
    parent, check = a_check(desk)
    assert press(desk, check, "approve") == refuse("checklist_required")
    assert isinstance(press(desk, check, "approve", checklist=PASSED), Change)
    assert desk.now_of(check).verdict is Verdict.APPROVED
    assert desk.kinds(parent)[-1] is EventKind.CHECK_AGREED
    assert (desk.told(parent), desk.told(check), desk.caught) == (["case.decided"], [], 0)


def test_a_check_that_disagrees_is_a_caught_error_and_asks_for_a_roll_back() -> None:
    """The approval was wrong: counted as caught, and a roll back of the case, not of the check, waits for a person."""
    desk = Desk(AUTO)
    parent, check = a_check(desk)
    press(desk, check, "reject", reason_code="inaccurate")
    assert desk.said(parent, EventKind.CHECK_DISAGREED)["reason_code"] == "inaccurate"
    assert desk.caught == 1
    _, rollback = desk.children(parent)
    assert (rollback.kind, rollback.parent, rollback.requester, rollback.state) == (CaseKind.ROLLBACK, parent.id, FRONT, State.PENDING)
    assert desk.now_of(parent).rollback
    assert press(desk, rollback, "approve") == refuse("requester")  # whoever found it wrong does not also decide what follows
    press(desk, rollback, "approve", person=a_person(id=SENIOR))
    assert desk.told(parent) == ["case.decided", "case.rollback_requested"]


def test_a_check_nobody_does_expires_and_says_nothing() -> None:
    """It is asked at every tier for its time, without a page, and then the approval counts as not checked."""
    desk = Desk(AUTO)
    parent, check = a_check(desk)
    before = desk.kinds(parent)
    for _ in range(9):
        due = desk.now_of(check).due_at
        if due is None:
            break
        desk.now = due
        desk.do(check, on_time)
    assert desk.now_of(check).verdict is Verdict.EXPIRED
    assert EventKind.PAGED not in desk.kinds(check)
    assert desk.kinds(parent) == before
    assert not desk.now_of(parent).rollback


def test_whoever_asked_for_the_action_does_not_check_it() -> None:
    """The requester of the case is barred from its check."""
    desk = Desk(AUTO)
    (check,) = desk.children(an_approved(desk, requester={"slack_id": FRONT}))
    assert press(desk, check, "approve", checklist=PASSED) == refuse("requester")
    assert isinstance(press(desk, check, "approve", checklist=PASSED, person=a_person(id="U0OTHER")), Change)


@pytest.mark.parametrize("verb", ["modify", "ask"])
def test_a_check_is_answered_with_yes_or_no(verb: str) -> None:
    """Nothing in a check can be changed, and its service knows nothing of it."""
    desk = Desk(AUTO)
    _, check = a_check(desk)
    assert press(desk, check, verb, params={}) == refuse("yes_or_no")
    for step in (
        supply(Information(type="case.information", case_id=check.id)),
        report(Outcome(type="case.outcome", case_id=check.id, result="executed")),
    ):
        assert desk.do(check, step) == refuse("yes_or_no")


def test_a_case_completed_later_is_checked_as_well() -> None:
    """What was missing comes in, the case is approved automatically, and the lot that was drawn for it holds."""
    text = POLICY_TEXT.replace(b"template: approval, requester: optional", b"template: auto, requester: optional, required: [request]")
    desk = Desk(load_policy(text, {}))
    case = desk.post(a_submission(action=SUMMARY, request=None), lot=0.01)
    assert case.state is State.NEEDS_INFO
    desk.do(case, supply(Information(type="case.information", case_id=case.id, case={"request": "Please sum it up."})))
    assert desk.now_of(case).verdict is Verdict.AUTO_APPROVED
    assert [child.kind for child in desk.children(case)] == [CaseKind.CHECK]


def test_only_a_check_needs_its_content_to_be_rejected() -> None:
    """A roll back is opened with it; no other rejection reads anything."""
    assert needs_content(Verb.REJECT, CaseKind.CHECK)
    assert not needs_content(Verb.REJECT, CaseKind.CASE)
    assert not needs_content(Verb.APPROVE, CaseKind.CHECK)
    assert needs_content(Verb.ROLL_BACK, CaseKind.CASE)


def a_rollback(desk: Desk, **changes: object) -> tuple[Case, Case]:
    """A decided case that somebody wants undone, and the case that asks."""
    parent = an_approved(desk, lot=0.9)
    assert isinstance(press(desk, parent, "roll_back", reason_code="wrong_amount", text="The customer was paid twice.", **changes), Change)
    (rollback,) = desk.children(parent)
    return parent, rollback


def test_a_roll_back_is_approved_by_somebody_else_and_asked_for_once() -> None:
    """Whoever asks does not approve; the service is told once, however often anybody presses."""
    desk = Desk(AUTO)
    parent, rollback = a_rollback(desk)
    assert (rollback.task_id, rollback.requester, desk.told(parent)) == (f"{parent.id}:rollback", FRONT, ["case.decided"])
    assert press(desk, parent, "roll_back") == refuse("rollback_running")
    assert press(desk, rollback, "approve") == refuse("requester")
    assert isinstance(press(desk, rollback, "approve", person=a_person(id=SENIOR)), Change)
    assert press(desk, rollback, "approve", person=a_person(id="U0THIRD")) == refuse("already_decided")
    assert press(desk, parent, "roll_back") == refuse("rollback_running")
    assert desk.told(parent) == ["case.decided", "case.rollback_requested"]
    asked = desk.said(parent, EventKind.ROLLBACK_REQUESTED)
    assert (asked["reason_code"], asked["child"]) == ("wrong_amount", rollback.id)
    assert desk.told(rollback) == []


@pytest.mark.parametrize("end", ["reject", "expire"])
def test_a_roll_back_that_is_not_approved_frees_the_case(end: str) -> None:
    """Declined or left alone: the case says so and can be rolled back by a new one with its own number."""
    text = POLICY_TEXT.replace(b"template: approval", b"template: auto").replace(b"  standard:\n", b"  standard:\n    exhausted: reject\n")
    desk = Desk(load_policy(text, {}))
    parent, rollback = a_rollback(desk)
    if end == "reject":
        press(desk, rollback, "reject", person=a_person(id=SENIOR))
    else:
        while (due := desk.now_of(rollback).due_at) is not None:
            desk.now = due
            desk.do(rollback, on_time)
    assert desk.kinds(parent)[-1] is EventKind.ROLLBACK_DECLINED
    assert not desk.now_of(parent).rollback
    assert desk.told(parent) == ["case.decided"]
    assert isinstance(press(desk, parent, "roll_back"), Change)
    assert [child.task_id for child in desk.children(parent)] == [f"{parent.id}:rollback", f"{parent.id}:rollback2"]


def test_nothing_is_rolled_back_that_was_not_let_through() -> None:
    """A rejected case, and one whose approval was kept back, have nothing to undo."""
    desk = Desk(AUTO)
    parent = an_approved(desk, lot=0.9)
    for changed in ({"verdict": Verdict.REJECTED}, {"withheld": True}):
        desk.cases[parent.id] = parent.model_copy(update=changed)
        assert press(desk, parent, "roll_back") == refuse("nothing_to_roll_back")


def test_undoing_goes_on_while_the_workflow_is_frozen() -> None:
    """A freeze is when a roll back is needed most; its approval leaves although approvals are kept back."""
    desk = Desk(AUTO)
    parent, rollback = a_rollback(desk)
    desk.automation = Automation.FROZEN
    press(desk, rollback, "approve", person=a_person(id=SENIOR))
    assert not desk.now_of(rollback).withheld
    assert desk.told(parent) == ["case.decided", "case.rollback_requested"]


def test_the_outcome_of_a_roll_back_is_shown_on_both_cards() -> None:
    """The service reports on the case; the card of the roll back is brought up to date with it."""
    desk = Desk(AUTO)
    parent, rollback = a_rollback(desk)
    press(desk, rollback, "approve", person=a_person(id=SENIOR))
    change = desk.do(parent, report(Outcome(type="case.outcome", case_id=parent.id, result="rolled_back")))
    assert isinstance(change, Change)
    assert desk.now_of(parent).outcome == "rolled_back"
    assert [along.case.id for along in change.along if along.messages] == [rollback.id]


def test_the_group_that_decided_is_asked_about_the_roll_back() -> None:
    """A case decided at the second tier is rolled back by people of that tier."""
    desk = Desk(load_policy(POLICY_TEXT, {}))
    case = desk.post(a_submission())
    press(desk, case, "escalate")
    expert = a_person(id=SENIOR, groups=frozenset({"experts"}))
    press(desk, case, "approve", person=expert)
    press(desk, case, "roll_back", person=expert)
    (rollback,) = desk.children(case)
    assert (rollback.tier, rollback.rung.group) == (1, "experts")
    assert press(desk, rollback, "approve", person=a_person(id="U0OTHER")) == refuse("not_in_group")
    assert isinstance(press(desk, rollback, "approve", person=replace(expert, id="U0THIRD", email="third@example.com")), Change)


def test_a_service_does_not_withdraw_its_own_check() -> None:
    """Whoever is checked has no say in whether it is."""
    desk = Desk(load_policy(POLICY_TEXT.replace(b"template: approval", b"template: verify_after"), {}))
    check = desk.children(desk.post(a_submission()))[0]
    followup = Withdrawal(type="case.withdraw", case_id=check.id, reason="not needed")
    assert desk.do(check, withdraw(followup)) == refuse("yes_or_no")
    assert desk.now_of(check).state is State.PENDING


def test_approving_a_roll_back_overrides_no_check() -> None:
    """A failed check of the action stands against letting it through, not against undoing it; why it is undone is what was said first."""
    desk = Desk(load_policy(POLICY_TEXT, {}))
    parent = desk.post(a_submission(checks=[{"name": "second-model", "result": "fail"}]))
    press(desk, parent, "approve", reason_code=ApprovalCode.CHECK_IS_WRONG)
    press(desk, parent, "roll_back", reason_code="wrong_amount")
    rollback = desk.children(parent)[0]
    assert (rollback.failed_checks, demands(Verb.APPROVE, rollback).reason, demands(Verb.APPROVE, parent).reason) == (1, False, True)
    assert isinstance(press(desk, rollback, "approve", person=a_person(id="U0OTHER"), reason_code="", text=""), Change)
    assert "override_check" in desk.said(parent, EventKind.APPROVED)
    assert "override_check" not in desk.said(rollback, EventKind.APPROVED)
    assert desk.said(parent, EventKind.ROLLBACK_REQUESTED)["reason_code"] == "wrong_amount"
