"""What each verb does to a case, told as short stories on the pure core."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from routing.authorize import demands, refuse
from routing.case.case import TRANSITIONS, Case, Reason, Step, check_transition
from routing.case.followup import Outcome, Withdrawal
from routing.change import Change, Message, MessageKind, Refused, Subject
from routing.errors import TransitionError
from routing.review import followups
from routing.review.holds import afresh
from routing.review.verbs import STEPS, step_of
from routing.vocabulary import CaseKind, EventKind, State, Verb, Verdict
from tests.routing.factory import FRONT, NOON, POLICY, SENIOR, a_case, a_person, a_press, a_route, a_submission

LATER = NOON + timedelta(minutes=5)


def carry_out(case: Case, verb: str, *, at: datetime = LATER, **changes: Any) -> Change | Refused:
    """Press on the case as it is now."""
    return step_of(a_press(case, verb, **changes))(Subject(case, POLICY), at)


def changed(answer: Change | Refused) -> Change:
    """The change, which the story says there is."""
    assert isinstance(answer, Change), answer
    return answer


def kinds(change: Change) -> list[EventKind]:
    """The kinds of its events in order."""
    return [event.kind for event in change.events]


def sent(change: Change, kind: MessageKind) -> list[Message]:
    """Its messages of one kind."""
    return [message for message in change.messages if message.kind is kind]


def test_one_approval_decides_a_plain_case() -> None:
    """Approve: decided, clocks stopped, card updated, the service called back once."""
    change = changed(carry_out(a_case(), "approve"))
    assert (change.case.state, change.case.verdict) == (State.DECIDED, Verdict.APPROVED)
    assert change.case.due_at is None
    assert kinds(change) == [EventKind.ACKNOWLEDGED, EventKind.APPROVED, EventKind.DECIDED]
    assert [(message.callback, message.sequence) for message in sent(change, MessageKind.CALLBACK)] == [("case.decided", 1)]
    assert [message.tier for message in sent(change, MessageKind.CARD_UPDATE)] == [0]


def test_two_steps_need_two_people() -> None:
    """The verifier cannot approve too; another person can, and both are named in the decision."""
    case = a_case(route=a_route(steps=(Step(name="verify"), Step(name="approve"))))
    verified = changed(carry_out(case, "approve")).case
    assert (verified.state, verified.step) == (State.PENDING, 1)
    assert verified.clocks.decide == LATER + timedelta(hours=4)
    assert carry_out(verified, "approve") == refuse("already_voted")
    decided = changed(carry_out(verified, "approve", person=a_person(id=SENIOR)))
    assert decided.case.verdict is Verdict.APPROVED
    assert decided.events[-1].fields["decided_by"] == [
        {"by": FRONT, "step": "verify", "verb": "approve"},
        {"by": SENIOR, "step": "approve", "verb": "approve"},
    ]


def test_a_step_for_two_people_waits_for_the_second() -> None:
    """One of two approvals changes the card, not the state."""
    case = a_case(route=a_route(steps=(Step(name="approve", people=2),)))
    first = changed(carry_out(case, "approve")).case
    assert (first.state, first.step, len(first.votes)) == (State.PENDING, 0, 1)
    assert changed(carry_out(first, "approve", person=a_person(id=SENIOR))).case.verdict is Verdict.APPROVED


def test_overriding_a_failed_check_stands_in_the_log() -> None:
    """The approval carries the reason code and says that a check was overridden; the words are sealed; without one it says nothing."""
    assert carry_out(a_case(failed_checks=1), "approve", reason_code="") == refuse("reason_required")
    change = changed(carry_out(a_case(failed_checks=1), "approve", reason_code="other", text="The rule is out of date."))
    approved = next(event for event in change.events if event.kind is EventKind.APPROVED)
    assert (approved.fields["reason_code"], approved.fields["override_check"]) == ("other", True)
    assert approved.sealed["text"] == "The rule is out of date."
    plain = changed(carry_out(a_case(), "approve"))
    assert "override_check" not in next(event for event in plain.events if event.kind is EventKind.APPROVED).fields


@pytest.mark.parametrize("kind", list(CaseKind))
@pytest.mark.parametrize(("failed", "warned"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_large_change_is_approved_by_whoever_was_asked_alone(kind: CaseKind, failed: int, warned: int) -> None:
    """Whatever else speaks against it; of a check and a roll back nobody asks that, they let nothing through."""
    large = a_route(reasons=(Reason(code="change_large", text="The action changes price by more than the policy lets pass unnoticed."),))
    case = a_case(route=large, kind=kind, failed_checks=failed, warned_checks=warned)
    given: dict[str, Any] = {"reason_code": "other", "text": "It was agreed."}
    if kind is CaseKind.CASE:
        assert carry_out(case, "approve", **given) == refuse("confirm_first")
        assert changed(carry_out(case, "approve", confirmed=True, **given)).case.verdict is Verdict.APPROVED
    assert not demands(Verb.REJECT, case).confirm
    assert demands(Verb.APPROVE, case).confirm == (kind is CaseKind.CASE)


def test_one_no_decides_at_any_step() -> None:
    """Rejecting at the first of two steps is final and carries its reason code; the words are sealed."""
    case = a_case(route=a_route(steps=(Step(name="verify"), Step(name="approve"))))
    change = changed(carry_out(case, "reject", reason_code="inaccurate", text="the amount is wrong"))
    assert (change.case.verdict, change.case.reason_code) == (Verdict.REJECTED, "inaccurate")
    rejected = next(event for event in change.events if event.kind is EventKind.REJECTED)
    assert rejected.sealed["text"] == "the amount is wrong"
    assert "the amount is wrong" not in str(rejected.fields)


def test_what_the_card_cut_must_be_opened_before_approving() -> None:
    """A card that could not show everything refuses the approval until this person has opened the evidence."""
    case = a_case()
    assert carry_out(case, "approve", cut=True) == refuse("open_evidence_first")
    opened = changed(carry_out(case, "open_evidence")).case
    assert changed(carry_out(opened, "approve", cut=True)).case.verdict is Verdict.APPROVED
    assert isinstance(carry_out(opened, "approve", cut=True, person=a_person(id=SENIOR)), Refused)


def test_escalating_by_hand_takes_everything_along_and_pages() -> None:
    """The next tier gets a card and a page, the old card is told, and the group of the old tier can no longer decide."""
    change = changed(carry_out(a_case(), "escalate", reason_code="needs_specialist"))
    case = change.case
    assert (case.tier, case.state) == (1, State.PENDING)
    assert [(message.destination, message.tier) for message in sent(change, MessageKind.CARD)] == [("review-tier2", 1)]
    assert [message.destination for message in sent(change, MessageKind.CARD_UPDATE)] == ["review-tier1"]
    assert [(message.destination, message.round) for message in sent(change, MessageKind.PAGE)] == [("standard/2", 1)]
    assert carry_out(case, "approve") == refuse("not_in_group")


def test_the_highest_tier_cannot_escalate() -> None:
    """At the top escalating is refused with words, nothing changes."""
    case = a_case(tier=1)
    assert carry_out(case, "escalate", person=a_person(groups=frozenset({"experts"}))) == refuse("top_of_ladder")


def test_asking_stops_the_decide_clock() -> None:
    """A question pauses the decision with the time that was left and starts the service's clock."""
    change = changed(carry_out(a_case(), "ask", text="Which invoice?"))
    case = change.case
    assert case.state is State.NEEDS_INFO
    assert case.clocks.decide is None
    assert case.clocks.left_s == timedelta(hours=3, minutes=55).total_seconds()
    assert case.due_at == LATER + timedelta(days=1)
    assert [message.callback for message in sent(change, MessageKind.CALLBACK)] == ["case.information_requested"]


def test_a_claim_acknowledges_and_keeps_others_off() -> None:
    """Claiming stops the acknowledge clock; a second claim is refused; giving back needs the claimer."""
    claimed = changed(carry_out(a_case(), "claim")).case
    assert (claimed.claimed_by, claimed.acknowledged_by, claimed.clocks.acknowledge) == (FRONT, FRONT, None)
    other = a_person(id=SENIOR)
    assert carry_out(claimed, "claim", person=other) == refuse("claimed")
    assert carry_out(claimed, "unclaim", person=other) == refuse("not_claimed")
    assert changed(carry_out(claimed, "unclaim")).case.claimed_by == ""


def test_a_comment_by_an_outsider_does_not_acknowledge() -> None:
    """Any full member may comment; only somebody who answers for the case stops its clock by that."""
    outsider = changed(carry_out(a_case(), "comment", person=a_person(groups=frozenset())))
    assert outsider.case.acknowledged_by == ""
    assert changed(carry_out(a_case(), "comment")).case.acknowledged_by == FRONT


def test_withdrawing_ends_the_case_for_everybody() -> None:
    """A withdrawn case is decided as withdrawn, its card loses its buttons; withdrawing again is refused."""
    step = followups.withdraw(Withdrawal(type="case.withdraw", case_id="c_01", reason="customer hung up"))
    change = changed(step(Subject(a_case(), POLICY), LATER))
    assert change.case.verdict is Verdict.WITHDRAWN
    assert sent(change, MessageKind.CARD_UPDATE)
    assert isinstance(step(Subject(change.case, POLICY), LATER), Refused)


@pytest.mark.parametrize(
    ("verdict", "executed", "alarm"),
    [
        (Verdict.APPROVED, "a" * 64, None),
        (Verdict.APPROVED, "c" * 64, "executed_other_action"),
        (Verdict.REJECTED, "a" * 64, "executed_without_decision"),
        (None, "a" * 64, "executed_without_decision"),
    ],
)
def test_executing_what_was_not_decided_is_an_alarm(verdict: Verdict | None, executed: str, alarm: str | None) -> None:
    """The outcome is compared with the decision: another action, or none decided, is recorded as an alarm."""
    case = a_case(state=State.PENDING if verdict is None else State.DECIDED, verdict=verdict)
    followup = Outcome(type="case.outcome", case_id=case.id, result="executed", executed_action_sha256=executed)
    change = changed(followups.report(followup)(Subject(case, POLICY), LATER))
    alarms = [event.fields["alarm"] for event in change.events if event.kind is EventKind.EXECUTION_ALARM]
    assert alarms == ([alarm] if alarm else [])
    assert change.case.state is (State.PENDING if verdict is None else State.CLOSED)


def test_every_verb_has_a_step() -> None:
    """A button without a step would be a press that vanishes."""
    assert set(STEPS) == set(Verb)


def test_no_step_reopens_a_decided_case() -> None:
    """From closed no way leads back, from decided only that of a decision that was kept back; every verb leaves an ended case ended."""
    assert TRANSITIONS[State.CLOSED] == {State.CLOSED}
    assert TRANSITIONS[State.DECIDED] == {State.DECIDED, State.CLOSED, State.PENDING, State.HELD}
    with pytest.raises(TransitionError):
        check_transition(State.CLOSED, State.PENDING)
    for state, verb in itertools.product((State.DECIDED, State.CLOSED), Verb):
        case = a_case(state=state, verdict=Verdict.APPROVED)
        press = step_of(a_press(case, verb, params={"amount": "1.00"}))
        answer = press(Subject(case, POLICY, a_submission()), LATER)
        assert isinstance(answer, Refused) or answer.case.state is state
    assert isinstance(afresh()(Subject(a_case(state=State.DECIDED, verdict=Verdict.APPROVED), POLICY), LATER), Refused)
