"""Verifying with a checklist, and triage: what has to be answered, what a fail does, and what a correction may touch."""

import pytest

from routing.authorize import refuse
from routing.case.case import Case, Item, Step
from routing.change import Change, MessageKind, Refused
from routing.policy.file import load_policy
from routing.review.verbs import step_of
from routing.vocabulary import EventKind, State, Verdict
from tests.routing.desk import Desk
from tests.routing.factory import FRONT, POLICY, POLICY_TEXT, SENIOR, a_person, a_press, a_submission

ITEMS = (Item(id="evidence", text="It is there."), Item(id="entity", text="It is about the same person."))
PASSED = {"evidence": "pass", "entity": "na"}
FAILED = {"evidence": "fail", "entity": "pass"}
VERIFY = Step(name="verify", checklist=ITEMS)
APPROVE = Step(name="approve")
TRIAGE = Step(name="triage")
EXPERT = a_person(id=SENIOR, groups=frozenset({"experts"}))


def worked(desk: Desk, *steps: Step, **parts: object) -> Case:
    """A case whose work is these steps."""
    case = desk.post(a_submission(**parts))
    desk.cases[case.id] = case.model_copy(update={"route": case.route.model_copy(update={"steps": steps})})
    return desk.cases[case.id]


def press(desk: Desk, case: Case, verb: str = "approve", **changes: object) -> Change | Refused:
    """Somebody presses on the case as it is now."""
    now = desk.now_of(case)
    return desk.do(now, step_of(a_press(now, verb, **changes)))


@pytest.mark.parametrize(
    "given",
    [None, {}, {"evidence": "pass"}, {**PASSED, "more": "pass"}, {"evidence": "pass", "entity": "perhaps"}],
    ids=["none", "empty", "one left out", "one too many", "no such answer"],
)
def test_every_item_has_to_be_answered(given: dict[str, str] | None) -> None:
    """Pass, fail or not applicable for each, for nothing else; a press without that is refused."""
    desk = Desk(POLICY)
    assert press(desk, worked(desk, VERIFY, APPROVE), checklist=given) == refuse("checklist_required")


def test_a_verified_case_goes_on_with_its_answers_on_record() -> None:
    """The vote and the event hold the answers; the next step asks for none."""
    desk = Desk(POLICY)
    case = worked(desk, VERIFY, APPROVE)
    press(desk, case, checklist=PASSED)
    now = desk.now_of(case)
    assert (now.step, now.votes[0].checklist) == (1, PASSED)
    assert desk.said(case, EventKind.APPROVED)["checklist"] == PASSED
    press(desk, case, person=a_person(id=SENIOR))
    assert desk.now_of(case).verdict is Verdict.APPROVED


def test_a_fail_sends_the_case_up() -> None:
    """No vote is counted: the next tier has the same step before it, is paged, and is told what failed."""
    desk = Desk(POLICY)
    case = worked(desk, VERIFY, APPROVE)
    change = press(desk, case, checklist=FAILED, text="No invoice.")
    assert isinstance(change, Change)
    now = desk.now_of(case)
    assert (now.state, now.tier, now.step, now.votes, now.verdict) == (State.PENDING, 1, 0, (), None)
    failed = desk.said(case, EventKind.VERIFICATION_FAILED)
    assert (failed["items"], failed["step"]) == (["evidence"], "verify")
    assert MessageKind.PAGE in [message.kind for message in change.messages]
    assert press(desk, case, checklist=PASSED) == refuse("not_in_group")
    assert press(desk, case, person=EXPERT) == refuse("checklist_required")


def test_at_the_top_a_fail_holds_the_case() -> None:
    """Nobody is above, and time has not run out: the case is held whatever the ladder does when it is exhausted."""
    desk = Desk(load_policy(POLICY_TEXT.replace(b"  standard:\n", b"  standard:\n    exhausted: reject\n"), {}))
    case = worked(desk, VERIFY)
    press(desk, case, checklist=FAILED)
    press(desk, case, checklist=FAILED, person=EXPERT)
    now = desk.now_of(case)
    assert (now.state, now.held_by, now.verdict) == (State.HELD, "ladder", None)
    assert desk.said(case, EventKind.HELD)["reason"] == "verification_failed"
    assert desk.told(case) == ["case.held"]


def test_a_fail_after_triage_goes_back_to_it() -> None:
    """The triage and everything after it is done again, at the same tier, with fresh clocks."""
    desk = Desk(POLICY)
    case = worked(desk, TRIAGE, VERIFY, APPROVE)
    press(desk, case)
    assert desk.now_of(case).step == 1
    press(desk, case, checklist=FAILED, person=a_person(id=SENIOR))
    now = desk.now_of(case)
    assert (now.state, now.tier, now.step, now.votes, now.claimed_by) == (State.PENDING, 0, 0, (), "")
    assert isinstance(press(desk, case), Change)


def test_a_modification_does_not_stand_in_for_a_verification() -> None:
    """Without the answers its author has no vote and somebody else verifies; with them it is one vote as ever; with a fail it is none."""
    for given, votes in ((None, 0), (PASSED, 1), (FAILED, 0)):
        desk = Desk(POLICY)
        case = worked(desk, VERIFY, APPROVE)
        params = {**(a_submission().action.params or {}), "amount": "60.00"}
        press(desk, case, "modify", params=params, checklist=given)
        now = desk.now_of(case)
        assert (now.verdict, len(now.votes), now.step, now.modified_by) == (None, votes, votes, FRONT)


def test_triage_confirms_what_the_model_filled_in() -> None:
    """One person's confirmation decides: approved as proposed."""
    desk = Desk(POLICY)
    case = worked(desk, TRIAGE, prefill={"category": "billing"})
    press(desk, case)
    assert desk.now_of(case).verdict is Verdict.APPROVED


def test_triage_corrects_what_the_model_filled_in_and_nothing_else() -> None:
    """Another category decides as modified; another action is refused, alone or beside a correction."""
    desk = Desk(POLICY)
    case = worked(desk, TRIAGE, prefill={"category": "billing"})
    params = dict(desk.contents[case.id].action.params or {})
    for prefill in (None, {"category": "delivery"}):
        assert press(desk, case, "modify", params={**params, "amount": "1.00"}, prefill=prefill) == refuse("prefill_only")
    press(desk, case, "modify", params=params, prefill={"category": "delivery"})
    now = desk.now_of(case)
    assert (now.verdict, now.modified_fields, now.action_sha256) == (Verdict.MODIFIED, ("prefill.category",), case.action_sha256)
