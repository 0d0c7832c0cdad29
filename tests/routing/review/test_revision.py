"""A case whose content changes: modified by a reviewer, completed by the service. Votes void, lane and steps only rise."""

from datetime import timedelta
from typing import Any

import pytest

from routing.authorize import refuse
from routing.case.case import Case, Step
from routing.case.facts import Facts
from routing.case.followup import Information
from routing.case.submission import Submission
from routing.change import Arrival, Change, MessageKind, Refused, Subject
from routing.errors import SubmissionError
from routing.policy.file import load_policy
from routing.policy.form.checks import DEFAULT_CHECKLIST
from routing.review.followups import supply
from routing.review.opening import open_case
from routing.review.revision import changed_fields
from routing.review.verbs import step_of
from routing.vocabulary import EventKind, Lane, State, Verdict
from tests.routing.factory import FRONT, NOON, POLICY_TEXT, SENIOR, a_person, a_press, a_submission

LATER = NOON + timedelta(minutes=5)
RULES = b"""    rules:
      - {name: large, when: "action.params.amount == '5000.00'", lane: expert, reason: "The amount is large."}
      - {name: never, when: "action.params.amount == '0.00'", lane: reject, reason: "Nothing is no refund."}
      - {name: pair, when: "action.params.amount == '700.00'", template: dual, reason: "Two people look at this amount."}
"""
TEXT = POLICY_TEXT.replace(
    b"refunds: {ladder: standard, template: approval, requester: optional}",
    b"refunds:\n    ladder: standard\n    requester: optional\n    required: [request]\n" + RULES,
)
POLICY = load_policy(TEXT, {})


def opened(submission: Submission) -> Case:
    """The case a service gets for this submission."""
    return open_case("refund-agent", submission)(Arrival("c_01", POLICY, Facts(), NOON)).case


def supplied(case: Case, content: Submission, **fields: Any) -> Case:
    """The case after the service sent these fields."""
    followup = Information(type="case.information", case_id=case.id, case=fields)
    change = supply(followup)(Subject(case, POLICY, content), LATER)
    assert isinstance(change, Change)
    return change.case


def modified(case: Case, content: Submission, params: dict[str, Any], **changes: Any) -> Change | Refused:
    """Somebody sends other parameters in the place of those named, and leaves the others."""
    whole = {**(content.action.params or {}), **params}
    return step_of(a_press(case, "modify", params=whole, **changes))(Subject(case, POLICY, content), LATER)


def test_modifying_a_plain_case_decides_it_with_the_new_hash() -> None:
    """One reviewer corrects the amount: decided as modified, the hash is that of the new action, the changed fields are named."""
    content = a_submission()
    case = opened(content)
    change = modified(case, content, {"customer": "8841", "amount": "60.00", "note": {"text": "sorry"}})
    assert isinstance(change, Change)
    assert (change.case.verdict, change.case.revision) == (Verdict.MODIFIED, 2)
    assert change.case.modified_fields == ("params.amount",)
    assert change.case.action_sha256 != case.action_sha256
    assert change.events[-1].fields["action_sha256"] == change.case.action_sha256


def test_the_author_of_a_modification_is_never_both_people() -> None:
    """In a dual review the modification is one vote; the author cannot give the other, somebody else can."""
    content = a_submission()
    case = opened(content)
    case = case.model_copy(update={"route": case.route.model_copy(update={"steps": (Step(name="verify"), Step(name="approve"))})})
    change = modified(case, content, {"amount": "60.00"})
    assert isinstance(change, Change)
    waiting = change.case
    assert (waiting.state, waiting.step, [vote.by for vote in waiting.votes]) == (State.PENDING, 1, [FRONT])
    assert isinstance(step_of(a_press(waiting))(Subject(waiting, POLICY), LATER), Refused)
    by_another = step_of(a_press(waiting, person=a_person(id=SENIOR)))(Subject(waiting, POLICY), LATER)
    assert isinstance(by_another, Change)
    assert by_another.case.verdict is Verdict.MODIFIED


def test_a_modification_that_raises_the_lane_goes_up_without_the_authors_vote() -> None:
    """Changing 80 into 5,000 makes it a case for experts: new card at their tier, and the author's vote does not count there."""
    content = a_submission()
    change = modified(opened(content), content, {"amount": "5000.00"})
    assert isinstance(change, Change)
    assert (change.case.route.lane, change.case.tier, change.case.votes) == (Lane.EXPERT, 1, ())
    assert [message.destination for message in change.messages if message.kind is MessageKind.CARD] == ["review-tier2"]
    author = a_press(change.case, person=a_person(groups=frozenset({"experts"})))
    assert isinstance(step_of(author)(Subject(change.case, POLICY), LATER), Refused)


def test_a_modification_that_lowers_the_lane_keeps_it() -> None:
    """An expert case stays one when the amount is made small."""
    content = a_submission(action={"type": "refund.create", "params": {"amount": "5000.00"}, "reversible": True})
    case = opened(content)
    assert case.route.lane is Lane.EXPERT
    change = modified(case, content, {"amount": "1.00"}, person=a_person(groups=frozenset({"experts"})))
    assert isinstance(change, Change)
    assert change.case.route.lane is Lane.EXPERT


def test_correcting_only_what_the_model_filled_in_is_a_modification_of_the_same_action() -> None:
    """Another category decides the case as modified: a new revision with the new field, the hash of the action is the same."""
    content = a_submission(prefill={"category": "billing", "summary": "Charged twice"})
    case = opened(content)
    change = modified(case, content, {**(content.action.params or {})}, prefill={"category": "delivery", "summary": "Charged twice"})
    assert isinstance(change, Change)
    assert (change.case.verdict, change.case.revision, change.case.action_sha256) == (Verdict.MODIFIED, 2, case.action_sha256)
    assert change.case.modified_fields == ("prefill.category",)
    new = next(event.submission for event in change.events if event.submission is not None)
    assert new.prefilled == {"category": "delivery", "summary": "Charged twice"}
    assert new.action == content.action


def test_action_and_pre_filled_fields_are_modified_together() -> None:
    """Both are named, and a press that says nothing of the pre-filled fields leaves them as they are."""
    content = a_submission(prefill={"priority": "high"})
    both = modified(opened(content), content, {"amount": "60.00"}, prefill={"priority": "low"})
    assert isinstance(both, Change)
    assert both.case.modified_fields == ("params.amount", "prefill.priority")
    one = modified(opened(content), content, {**(content.action.params or {}), "amount": "60.00"})
    assert isinstance(one, Change)
    assert one.case.modified_fields == ("params.amount",)


def test_an_action_without_parameters_stays_one_when_only_a_field_is_corrected() -> None:
    """The form knows no difference between no parameters and none given; the hash of the action does, and must not change."""
    content = a_submission(action={"type": "ticket.close", "reversible": True}, prefill={"category": "billing"})
    case, expert = opened(content), a_person(groups=frozenset({"experts"}))
    assert modified(case, content, {}, prefill={"category": "billing"}, person=expert) == refuse("no_change")
    change = modified(case, content, {}, prefill={"category": "delivery"}, person=expert)
    assert isinstance(change, Change)
    assert change.case.action_sha256 == case.action_sha256


def test_what_the_service_proposes_anew_is_no_longer_a_modification() -> None:
    """A corrected category stays a modification while the service sends another action, and ends when it sends the fields itself."""
    content = a_submission(prefill={"category": "billing"})
    case = opened(content)
    case = case.model_copy(update={"modified_by": FRONT, "modified_fields": ("params.amount", "prefill.category")})
    action = {"type": "refund.create", "params": {"amount": "70.00"}, "reversible": True}
    other_action = supplied(case, content, action=action)
    assert (other_action.modified_by, other_action.modified_fields) == (FRONT, ("prefill.category",))
    all_anew = supplied(case, content, action=action, prefill={"category": "delivery"})
    assert (all_anew.modified_by, all_anew.modified_fields) == ("", ())


@pytest.mark.parametrize(("amount", "reason"), [("0.00", "not_allowed"), ("80.00", "no_change")])
def test_what_a_modification_cannot_be(amount: str, reason: str) -> None:
    """What the policy rejects, and what changes nothing, is refused and nothing is recorded as decided."""
    content = a_submission()
    answer = modified(opened(content), content, {"customer": "8841", "amount": amount, "note": {"text": "sorry"}})
    assert isinstance(answer, Refused)
    assert answer.reason == reason


def test_missing_information_comes_in_and_the_case_is_shown_for_the_first_time() -> None:
    """A case without its required request waits for the service, shows no card, and goes to people once it is complete."""
    content = a_submission(request=None)
    case = opened(content)
    assert (case.state, case.route.missing, case.tier_since) == (State.NEEDS_INFO, ("request",), None)
    followup = Information(type="case.information", case_id=case.id, case={"request": "I was charged twice."})
    change = supply(followup)(Subject(case, POLICY, content), LATER)
    assert isinstance(change, Change)
    assert (change.case.state, change.case.revision, change.case.clocks.information) == (State.PENDING, 2, None)
    assert [message.kind for message in change.messages] == [MessageKind.CARD]


def test_an_answer_resumes_the_decision_and_voids_votes() -> None:
    """After a question the decide clock goes on with what was left, and an earlier verification no longer counts."""
    content = a_submission()
    case = opened(content)
    case = case.model_copy(update={"route": case.route.model_copy(update={"steps": (Step(name="verify"), Step(name="approve"))})})
    verified = step_of(a_press(case))(Subject(case, POLICY), LATER)
    assert isinstance(verified, Change)
    asked = step_of(a_press(verified.case, "ask", text="Which card?"))(Subject(verified.case, POLICY), LATER + timedelta(hours=1))
    assert isinstance(asked, Change)
    followup = Information(type="case.information", case_id=case.id, answer="The one ending in 17.", case={"labels": {"card": "17"}})
    change = supply(followup)(Subject(asked.case, POLICY, content), LATER + timedelta(hours=10))
    assert isinstance(change, Change)
    assert (change.case.state, change.case.step, change.case.votes) == (State.PENDING, 0, ())
    assert change.case.clocks.decide == LATER + timedelta(hours=13)
    supplied = next(event for event in change.events if event.kind is EventKind.INFORMATION_SUPPLIED)
    assert supplied.sealed == {"answer": "The one ending in 17."}
    assert supplied.submission is not None
    assert supplied.submission.labels == {"card": "17"}


def test_supplied_evidence_is_added_to_what_was_there() -> None:
    """The service sends one more source: the earlier ones stay, one with the same id is replaced."""
    content = a_submission(evidence=[{"id": "a", "kind": "record", "title": "old a"}, {"id": "b", "kind": "record", "title": "old b"}])
    followup = Information(type="case.information", case_id="c_01", case={"evidence": [{"id": "b", "kind": "record", "title": "new b"}]})
    change = supply(followup)(Subject(opened(content), POLICY, content), LATER)
    assert isinstance(change, Change)
    supplied = next(event.submission for event in change.events if event.submission is not None)
    assert [(source.id, source.title) for source in supplied.evidence] == [("a", "old a"), ("b", "new b")]


def test_wrong_information_is_an_error_that_lists_the_fields() -> None:
    """Fields in the wrong form are refused at once, all of them, and the case stays as it was."""
    content = a_submission()
    followup = Information(type="case.information", case_id="c_01", case={"request": 7, "output": ["x"]})
    with pytest.raises(SubmissionError) as error:
        supply(followup)(Subject(opened(content), POLICY, content), LATER)
    assert {problem.pointer for problem in error.value.problems} == {"/request", "/output"}


def test_a_modification_cannot_slip_past_a_rule_that_asks_for_two_people() -> None:
    """The lane stays, but the new amount takes two people: the author verifies it, or not even that, and does not decide alone."""
    content = a_submission()
    for checklist, step in ((dict.fromkeys(DEFAULT_CHECKLIST, "pass"), 1), (None, 0)):
        change = modified(opened(content), content, {"amount": "700.00"}, checklist=checklist)
        assert isinstance(change, Change)
        steps = [step.name for step in change.case.route.steps]
        assert (change.case.verdict, steps, change.case.step, len(change.case.votes)) == (None, ["verify", "approve"], step, step)


def test_a_case_for_two_people_stays_one_when_it_goes_to_an_expert() -> None:
    """A more severe lane never asks fewer people than the one before."""
    content = a_submission(action={"type": "refund.create", "params": {"amount": "700.00"}, "reversible": True})
    change = modified(opened(content), content, {"amount": "5000.00"})
    assert isinstance(change, Change)
    assert (change.case.route.lane, sum(step.people for step in change.case.route.steps)) == (Lane.EXPERT, 2)


def test_the_author_is_no_verifier_without_being_in_the_verifiers_group() -> None:
    """The approver of a dual review modifies: verifying is left to the verifiers, whom the author does not stand in for."""
    content = a_submission()
    case = opened(content)
    steps = (Step(name="verify", group="experts"), Step(name="approve", group="frontline"))
    case = case.model_copy(update={"route": case.route.model_copy(update={"steps": steps}), "step": 1})
    change = modified(case, content, {"amount": "60.00"})
    assert isinstance(change, Change)
    assert (change.case.step, change.case.votes, change.case.verdict, change.case.acknowledged_by) == (0, (), None, "")


def test_the_card_a_case_began_with_follows_it_when_the_lane_rises() -> None:
    """A modification that moves the case up leaves no live card behind, now or later."""
    content = a_submission()
    change = modified(opened(content), content, {"amount": "5000.00"})
    assert isinstance(change, Change)
    assert "review-tier1" in {message.destination for message in change.messages if message.kind is MessageKind.CARD_UPDATE}
    senior = a_press(change.case, person=a_person(id=SENIOR, groups=frozenset({"experts"})))
    decided = step_of(senior)(Subject(change.case, POLICY), LATER)
    assert isinstance(decided, Change)
    updated = {message.destination for message in decided.messages if message.kind is MessageKind.CARD_UPDATE}
    assert updated == {"review-tier1", "review-tier2"}


def test_information_that_the_policy_rejects_ends_the_case() -> None:
    """Nobody could press anything on a case without steps: it is rejected as it would have been at once."""
    content = a_submission()
    case = supplied(opened(content), content, action={"type": "refund.create", "params": {"amount": "0.00"}})
    assert (case.state, case.verdict, case.due_at) == (State.DECIDED, Verdict.AUTO_REJECTED, None)


def test_a_requester_named_later_by_e_mail_does_not_decide() -> None:
    """Information names the requester by address: that person is refused, and naming nobody afterwards takes nothing back."""
    content = a_submission()
    case = supplied(opened(content), content, requester={"email": "Fran@Example.com"})
    for known in (case, supplied(case, content, requester=None)):
        refused = step_of(a_press(known))(Subject(known, POLICY), LATER)
        assert isinstance(refused, Refused)
        assert refused.reason == "requester"


@pytest.mark.parametrize("seen", [True, False])
def test_a_deadline_supplied_later_counts(*, seen: bool) -> None:
    """Whether people have seen the case or not, it expires when the service now says."""
    content = a_submission(request="I was charged twice." if seen else None)
    case = supplied(opened(content), content, request="I was charged twice.", deadline="2026-11-20T13:00:00Z")
    assert case.clocks.deadline == NOON + timedelta(hours=1)


def test_an_action_that_the_service_sends_anew_is_nobodys_modification() -> None:
    """A reviewer modified, then the service proposes something else: the verdict must not say that a person wrote it."""
    content = a_submission()
    change = modified(opened(content), content, {"amount": "5000.00"})
    assert isinstance(change, Change)
    content = next(event.submission for event in change.events if event.submission is not None)
    case = supplied(change.case, content, action={"type": "refund.create", "params": {"amount": "90.00"}, "reversible": True})
    assert (case.modified_by, case.modified_fields) == ("", ())


def test_fields_that_two_people_modified_are_all_named() -> None:
    """The service is told of every field that differs from its proposal, not of those changed last."""
    content = a_submission()
    change = modified(opened(content), content, {"customer": "8841", "amount": "5000.00", "note": {"text": "sorry"}})
    assert isinstance(change, Change)
    content = next(event.submission for event in change.events if event.submission is not None)
    senior = a_person(id=SENIOR, groups=frozenset({"experts"}))
    again = modified(change.case, content, {"customer": "8841", "amount": "5000.00", "note": {"text": "so sorry"}}, person=senior)
    assert isinstance(again, Change)
    assert again.case.modified_fields == ("params.amount", "params.note.text")


def test_evidence_without_a_readable_id_is_an_error_and_not_a_crash() -> None:
    """Nobody checked the fields of a letter before they are merged."""
    content = a_submission(evidence=[{"id": "a", "kind": "record"}])
    followup = Information(type="case.information", case_id="c_01", case={"evidence": [{"id": ["a"], "kind": "record"}]})
    with pytest.raises(SubmissionError):
        supply(followup)(Subject(opened(content), POLICY, content), LATER)


def test_nobody_talks_a_case_out_of_stop_the_line() -> None:
    """A case that lacks a field and is flagged as a data exposure is before people at once, and stays in the stop lane when the service
    drops the flag: who stopped the line must be decided before it goes on.
    """
    content = a_submission(request=None, risk={"flags": ["data_exposure"]})
    case = opened(content)
    assert (case.state, case.route.lane, case.route.missing) == (State.PENDING, Lane.STOP, ("request",))
    followup = Information(type="case.information", case_id=case.id, case={"request": "I was charged twice.", "risk": {"impact": "low"}})
    change = supply(followup)(Subject(case, POLICY, content), LATER)
    assert isinstance(change, Change)
    assert change.case.route.lane is Lane.STOP
    assert change.case.state is State.PENDING


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": [True]}, {"a": [1]}, ("params.a",)),
        ({"a": True}, {"a": 1}, ("params.a",)),
        ({"a": 0}, {"a": False}, ("params.a",)),
        ({"a": {"b": 1.0, "c": 2}}, {"a": {"c": 2, "b": 1}}, ()),
        ({"a": -0.0}, {"a": 0}, ()),
        ({"a": None}, {}, ("params.a",)),
        ({"a": "1"}, {"a": 1}, ("params.a",)),
    ],
)
def test_fields_are_compared_as_json(before: dict[str, Any], after: dict[str, Any], said: tuple[str, ...]) -> None:
    """What is one value in Python and two in JSON is changed; another spelling of a number is not."""
    assert changed_fields(before, after) == said
