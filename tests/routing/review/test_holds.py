"""What a pause, a freeze and a quarantine do to single cases, and that nothing goes on without a fresh review."""

from datetime import timedelta

import pytest

from routing.authority import Automation, Role
from routing.authorize import refuse
from routing.case.case import Case
from routing.case.followup import Information, Outcome
from routing.change import SYSTEM, Change, MessageKind, Refused
from routing.policy.file import load_policy
from routing.review.erasure import erase
from routing.review.followups import report, supply
from routing.review.holds import afresh, freeze, release, withhold
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.vocabulary import CaseKind, EventKind, Lane, State, Verdict
from tests.routing.desk import Desk
from tests.routing.factory import NOON, POLICY, POLICY_TEXT, SENIOR, a_person, a_press, a_submission

AUTO = load_policy(POLICY_TEXT.replace(b"template: approval", b"template: auto"), {})
ROLES = load_policy(
    POLICY_TEXT.replace(b"experts: {users: [U0SENIOR]}", b"experts: {users: [U0SENIOR]}, duty: {users: [U0DUTY]}")
    + b"roles: {duty_officer: [duty]}\n",
    {},
)
DUTY = a_person(id="U0DUTY", groups=frozenset({"duty"}))
SUMMARY = {"type": "ticket.summarize", "params": {}, "reversible": True}


def press(desk: Desk, case: Case, verb: str, **changes: object) -> Change | Refused:
    """Somebody presses on the case as it is now."""
    now = desk.now_of(case)
    return desk.do(now, step_of(a_press(now, verb, **changes)))


def test_an_approval_in_a_paused_workflow_stays_here() -> None:
    """Decided and kept back: the service hears that the case is held, and nothing of a verdict."""
    desk = Desk(POLICY, automation=Automation.PAUSED)
    case = desk.post(a_submission())
    press(desk, case, "approve")
    now = desk.now_of(case)
    assert (now.state, now.verdict, now.withheld) == (State.DECIDED, Verdict.APPROVED, True)
    assert desk.kinds(case)[-2:] == [EventKind.DECIDED, EventKind.WITHHELD]
    assert desk.told(case) == ["case.held"]
    assert press(desk, case, "roll_back") == refuse("nothing_to_roll_back")
    assert desk.do(case, erase(SYSTEM, "asked for")) == refuse("still_open")


@pytest.mark.parametrize("automation", [Automation.ON, Automation.SAMPLING_RAISED, Automation.REVIEW_ALL])
def test_less_than_a_pause_keeps_nothing_back(automation: Automation) -> None:
    """Where people review everything, what they approve leaves."""
    desk = Desk(POLICY, automation=automation)
    case = desk.post(a_submission())
    press(desk, case, "approve")
    assert desk.told(case) == ["case.decided"]


def test_a_rejection_leaves_a_paused_workflow() -> None:
    """A no is safe, whoever paused what."""
    desk = Desk(POLICY, automation=Automation.FROZEN)
    case = desk.post(a_submission())
    desk.cases[case.id] = case.model_copy(update={"state": State.PENDING, "held_by": ""})  # not swept yet
    press(desk, case, "reject")
    assert (desk.now_of(case).withheld, desk.told(case)[-1]) == (False, "case.decided")


def test_what_was_kept_back_is_reviewed_afresh() -> None:
    """After the pause the approval is void: a new revision, no votes, fresh clocks, and the service is told that it is under way again."""
    desk = Desk(POLICY, automation=Automation.PAUSED)
    case = desk.post(a_submission(deadline="2026-11-22T12:00:00Z"))
    press(desk, case, "approve")
    desk.automation, desk.now = Automation.ON, NOON + timedelta(days=1)
    assert isinstance(desk.do(case, afresh()), Change)
    now = desk.now_of(case)
    assert (now.state, now.verdict, now.withheld, now.votes, now.revision) == (State.PENDING, None, False, (), 2)
    assert (now.clocks.decide, now.clocks.deadline) == (desk.now + timedelta(hours=4), NOON + timedelta(days=2))
    assert desk.said(case, EventKind.VOIDED)["verdict"] == "approved"
    assert desk.do(case, afresh()) == refuse("not_withheld")
    press(desk, case, "approve")
    assert desk.told(case) == ["case.held", "case.released", "case.decided"]


def test_a_deadline_that_passed_meanwhile_expires_the_case() -> None:
    """The service no longer waits, so nobody is asked again in vain."""
    desk = Desk(POLICY, automation=Automation.PAUSED)
    case = desk.post(a_submission(deadline="2026-11-20T18:00:00Z"))
    press(desk, case, "approve")
    desk.automation, desk.now = Automation.ON, NOON + timedelta(days=1)
    desk.do(case, afresh())
    desk.do(case, on_time)
    assert desk.now_of(case).verdict is Verdict.EXPIRED


def test_an_automatic_approval_that_has_not_left_goes_to_people() -> None:
    """Approved before the pause and not sent yet: it is kept back, and afterwards a person decides what was automatic."""
    desk = Desk(AUTO)
    case = desk.post(a_submission(action=SUMMARY))
    assert case.verdict is Verdict.AUTO_APPROVED
    assert isinstance(desk.do(case, withhold()), Change)
    assert desk.do(case, withhold()) == refuse("nothing_to_withhold")
    desk.do(case, afresh())
    now = desk.now_of(case)
    assert (now.state, now.route.lane, [step.name for step in now.route.steps], now.tier_since) == (
        State.PENDING,
        Lane.REVIEW,
        ["approve"],
        NOON,
    )
    press(desk, case, "approve")
    assert desk.told(case) == ["case.decided", "case.held", "case.released", "case.decided"]


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.EXPIRED, Verdict.AUTO_REJECTED, Verdict.WITHDRAWN])
def test_only_approvals_are_kept_back(verdict: Verdict) -> None:
    """Nothing else could do harm."""
    desk = Desk(AUTO)
    case = desk.post(a_submission(action=SUMMARY))
    desk.cases[case.id] = case.model_copy(update={"verdict": verdict})
    assert desk.do(case, withhold()) == refuse("nothing_to_withhold")


def test_in_a_frozen_workflow_nothing_moves_but_the_deadline() -> None:
    """An open case is held, its page resolved, nobody reminded or asked again; its deadline still expires it."""
    desk = Desk(POLICY)
    case = desk.post(a_submission(deadline="2026-11-22T12:00:00Z"))
    press(desk, case, "escalate")
    desk.automation = Automation.FROZEN
    assert isinstance(desk.do(case, freeze()), Change)
    now = desk.now_of(case)
    assert (now.state, now.held_by, now.pages, now.due_at) == (State.HELD, "frozen", (), NOON + timedelta(days=2))
    assert desk.do(case, freeze()) == refuse("not_now")
    assert press(desk, case, "resume", person=a_person(groups=frozenset({"experts"}))) == refuse("frozen")
    assert desk.do(case, release("workflow_resumed")) == refuse("not_now")
    desk.now = NOON + timedelta(days=2)
    desk.do(case, on_time)
    assert desk.now_of(case).verdict is Verdict.EXPIRED


def test_after_the_freeze_a_case_goes_on_where_it_was() -> None:
    """At its tier, with fresh clocks and no votes."""
    desk = Desk(POLICY)
    case = desk.post(a_submission())
    press(desk, case, "escalate")
    desk.automation = Automation.FROZEN
    desk.do(case, freeze())
    desk.automation, desk.now = Automation.ON, NOON + timedelta(days=1)
    assert isinstance(desk.do(case, release("workflow_resumed")), Change)
    now = desk.now_of(case)
    assert (now.state, now.held_by, now.tier, now.clocks.decide) == (State.PENDING, "", 1, desk.now + timedelta(minutes=30))
    assert desk.said(case, EventKind.RESUMED)["reason"] == "workflow_resumed"
    assert desk.told(case) == ["case.held", "case.released"]


def test_a_case_that_comes_into_a_frozen_workflow_is_taken_in_and_held() -> None:
    """Nobody sees it before the workflow goes on; then it takes its place as if it had just come in."""
    desk = Desk(POLICY, automation=Automation.FROZEN)
    case = desk.post(a_submission())
    assert (case.state, case.held_by, case.tier_since, desk.told(case)) == (State.HELD, "frozen", None, ["case.held"])
    desk.automation = Automation.ON
    desk.do(case, release("workflow_resumed"))
    now = desk.now_of(case)
    assert (now.state, now.tier_since) == (State.PENDING, NOON)


def test_frozen_while_it_lacked_something_a_case_waits_for_it_again() -> None:
    """Nobody has seen it, so nobody gets it half done; what was supplied meanwhile counts."""
    text = POLICY_TEXT.replace(b"requester: optional", b"requester: optional, required: [request]")
    for supplied in (False, True):
        desk = Desk(load_policy(text, {}), automation=Automation.FROZEN)
        case = desk.post(a_submission(request=None))
        assert (case.state, case.held_by) == (State.HELD, "frozen")
        if supplied:
            desk.do(case, supply(Information(type="case.information", case_id=case.id, case={"request": "Charged twice."})))
            assert desk.now_of(case).state is State.HELD
        desk.automation = Automation.ON
        desk.do(case, release("workflow_resumed"))
        assert desk.now_of(case).state is (State.PENDING if supplied else State.NEEDS_INFO)


def test_the_total_of_a_frozen_case_does_not_let_it_go() -> None:
    """It is said that the time is over, and the case stays held by the freeze."""
    desk = Desk(load_policy(POLICY_TEXT + b"clocks: [{clock: total, lasts: 1h}]\n", {}), automation=Automation.FROZEN)
    case = desk.post(a_submission())
    desk.now = NOON + timedelta(hours=1)
    desk.do(case, on_time)
    now = desk.now_of(case)
    assert (now.state, now.held_by, now.due_at, now.tier_since) == (State.HELD, "frozen", None, None)


def test_quarantine_takes_a_role_to_begin_and_to_end() -> None:
    """Only those whom the policy names set a case aside and let it go on, both with a reason; the group of the case cannot."""
    desk = Desk(ROLES)
    assert desk.policy.form.roles == {Role.DUTY_OFFICER: ("duty",)}
    case = desk.post(a_submission())
    assert press(desk, case, "quarantine") == refuse("not_in_role")
    assert press(desk, case, "quarantine", person=DUTY, text="") == refuse("text_required")
    assert isinstance(press(desk, case, "quarantine", person=DUTY), Change)
    now = desk.now_of(case)
    assert (now.state, now.held_by) == (State.HELD, "quarantine")
    assert desk.kinds(case)[-2:] == [EventKind.QUARANTINED, EventKind.HELD]
    assert press(desk, case, "quarantine", person=DUTY) == refuse("quarantined")
    assert press(desk, case, "resume") == refuse("not_in_role")
    assert press(desk, case, "resume", person=DUTY, reason_code="") == refuse("reason_required")
    assert isinstance(press(desk, case, "resume", person=DUTY), Change)
    now = desk.now_of(case)
    assert (now.state, now.held_by, now.votes, now.acknowledged_by) == (State.PENDING, "", (), "")
    assert desk.told(case) == ["case.held", "case.released"]


def test_information_does_not_let_a_case_out_of_quarantine() -> None:
    """Not even when it raises the lane: whoever may release it finds what it has become."""
    rule = b"    rules: [{name: large, when: \"action.params.amount == '5000.00'\", lane: expert, reason: It is large.}]\n"
    written = b"refunds: {ladder: standard, template: approval, requester: optional}"
    roles = b"roles: {admin: [experts]}\n"
    desk = Desk(load_policy(POLICY_TEXT.replace(written, b"refunds:\n    ladder: standard\n    requester: optional\n" + rule) + roles, {}))
    case = desk.post(a_submission())
    press(desk, case, "quarantine", person=a_person(groups=frozenset({"experts"})))
    action = {"type": "refund.create", "params": {"amount": "5000.00"}, "reversible": True}
    desk.do(case, supply(Information(type="case.information", case_id=case.id, case={"action": action})))
    now = desk.now_of(case)
    assert (now.state, now.held_by, now.route.lane, now.tier) == (State.HELD, "quarantine", Lane.EXPERT, 0)
    change = press(desk, case, "resume", person=a_person(groups=frozenset({"experts"})))
    assert isinstance(change, Change)
    assert (change.case.state, change.case.tier, len(change.case.pages)) == (State.PENDING, 1, 1)
    assert "review-tier1" in {message.destination for message in change.messages if message.kind is MessageKind.CARD_UPDATE}


def test_a_freeze_leaves_roll_backs_alone() -> None:
    """They may be what the freeze is for."""
    desk = Desk(AUTO)
    case = desk.post(a_submission(action=SUMMARY))
    press(desk, case, "roll_back")
    (rollback,) = desk.children(case)
    assert rollback.kind is CaseKind.ROLLBACK
    desk.automation = Automation.FROZEN
    assert desk.do(rollback, freeze()) == refuse("not_now")
    assert isinstance(press(desk, rollback, "approve", person=a_person(id=SENIOR)), Change)


def test_executing_what_was_kept_back_is_an_alarm() -> None:
    """The service was told nothing that it could have executed; the case stays where it is and is reviewed afresh."""
    desk = Desk(POLICY, automation=Automation.PAUSED)
    case = desk.post(a_submission())
    press(desk, case, "approve")
    desk.do(case, report(Outcome(type="case.outcome", case_id=case.id, result="executed")))
    assert desk.said(case, EventKind.EXECUTION_ALARM)["alarm"] == "executed_without_decision"
    assert desk.now_of(case).state is State.DECIDED
    desk.automation = Automation.ON
    assert isinstance(desk.do(case, afresh()), Change)


def informed(desk: Desk, case: Case, **fields: object) -> Case:
    """The service supplies these fields; the case as it is then."""
    desk.do(case, supply(Information(type="case.information", case_id=case.id, case=fields)))
    return desk.now_of(case)


def test_what_is_not_allowed_any_more_is_rejected_when_the_freeze_ends() -> None:
    """While it was held, its service made it an action that the workflow does not allow: nobody is left with a case that has no step."""
    text = POLICY_TEXT.replace(b"requester: optional}", b"requester: optional, action_types: [refund.create]}")
    desk = Desk(load_policy(text, {}))
    case = desk.post(a_submission())
    desk.automation = Automation.FROZEN
    desk.do(case, freeze())
    informed(desk, case, action={"type": "refund.other", "params": {}, "reversible": True})
    desk.automation = Automation.ON
    desk.do(case, release("workflow_resumed"))
    assert (desk.now_of(case).state, desk.now_of(case).verdict) == (State.DECIDED, Verdict.AUTO_REJECTED)
    assert desk.told(case) == ["case.held", "case.released", "case.decided"]


def test_a_service_takes_up_no_held_case() -> None:
    """What ran out of time is held until people take it up; information that asks for an expert does not do it for them."""
    text = POLICY_TEXT.replace(b"requester: optional}", b"requester: optional, clocks: [{clock: total, lasts: 1h}]}")
    desk = Desk(load_policy(text, {}))
    case = desk.post(a_submission())
    desk.now += timedelta(hours=1)
    desk.do(case, on_time)
    assert (desk.now_of(case).state, desk.now_of(case).tier) == (State.HELD, 0)
    now = informed(desk, case, model={"name": "m", "version": "1", "confidence": 0.1})
    assert (now.state, now.held_by, now.route.lane) == (State.HELD, "ladder", Lane.EXPERT)
    press(desk, case, "resume")
    assert (desk.now_of(case).state, desk.now_of(case).tier) == (State.PENDING, 1)


def test_nothing_comes_back_while_the_workflow_is_paused_again() -> None:
    """Resumed and braked once more before the case was its turn: it stays kept back."""
    desk = Desk(AUTO)
    case = desk.post(a_submission())
    desk.do(case, withhold())
    for level in (Automation.PAUSED, Automation.FROZEN):
        desk.automation = level
        assert desk.do(case, afresh()) == refuse("not_now")


def test_what_was_approved_automatically_goes_to_people_whatever_it_lacks_by_now() -> None:
    """A rule that holds since then asks for a requester whom nobody named: the void decision still comes back."""
    rule = b"rules: [{name: late, when: \"now > timestamp('2026-11-20T13:00:00Z')\", template: dual, reason: Late.}]}"
    desk = Desk(load_policy(POLICY_TEXT.replace(b"template: approval, requester: optional}", b"template: auto, " + rule), {}))
    case = desk.post(a_submission())
    desk.do(case, withhold())
    desk.now += timedelta(hours=5)
    desk.do(case, afresh())
    assert (desk.now_of(case).state, len(desk.now_of(case).route.steps)) == (State.PENDING, 2)


def test_a_receiver_hears_last_how_a_released_case_ended() -> None:
    """Its deadline passed during the freeze: released comes before decided, since a receiver goes by the highest sequence."""
    desk = Desk(POLICY, automation=Automation.FROZEN)
    case = desk.post(a_submission(deadline="2026-11-20T13:00:00Z"))
    desk.now, desk.automation = NOON + timedelta(hours=2), Automation.ON
    desk.do(case, release("workflow_resumed"))
    assert desk.now_of(case).verdict is Verdict.EXPIRED
    assert desk.told(case) == ["case.held", "case.released", "case.decided"]
