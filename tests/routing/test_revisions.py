"""A case whose content changes: modified by a reviewer, completed by the service. Votes void, lane and steps only rise."""

from datetime import timedelta
from typing import Any

import pytest

from routing.case import Case, Step
from routing.change import Change, MessageKind, Refused, Subject
from routing.errors import SubmissionError
from routing.facts import Facts
from routing.followup import Information
from routing.policy_file import load_policy
from routing.review.correspondence import supply
from routing.review.opening import open_case
from routing.review.verbs import step_of
from routing.submission import Submission
from routing.vocabulary import EventKind, Lane, State, Verdict
from tests.routing.factory import FRONT, NOON, POLICY_TEXT, SENIOR, a_person, a_press, a_submission

LATER = NOON + timedelta(minutes=5)
RULES = b"""    rules:
      - {name: large, when: "action.params.amount == '5000.00'", lane: expert, reason: "The amount is large."}
      - {name: never, when: "action.params.amount == '0.00'", lane: reject, reason: "Nothing is no refund."}
"""
POLICY = load_policy(
    POLICY_TEXT.replace(
        b"refunds: {ladder: standard, template: approval, requester: optional}",
        b"refunds:\n    ladder: standard\n    requester: optional\n    required: [request]\n" + RULES,
    ),
    {},
)


def opened(submission: Submission) -> Case:
    """The case a service gets for this submission."""
    return open_case("refund-agent", submission)("c_01", POLICY, Facts(), NOON).case


def modified(case: Case, content: Submission, params: dict[str, Any], **changes: Any) -> Change | Refused:
    """Somebody sends other parameters."""
    return step_of(a_press(case, "modify", params=params, **changes))(Subject(case, POLICY, content), LATER)


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
    letter = Information(type="case.information", case_id=case.id, case={"request": "I was charged twice."})
    change = supply(letter)(Subject(case, POLICY, content), LATER)
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
    letter = Information(type="case.information", case_id=case.id, answer="The one ending in 17.", case={"labels": {"card": "17"}})
    change = supply(letter)(Subject(asked.case, POLICY, content), LATER + timedelta(hours=10))
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
    letter = Information(type="case.information", case_id="c_01", case={"evidence": [{"id": "b", "kind": "record", "title": "new b"}]})
    change = supply(letter)(Subject(opened(content), POLICY, content), LATER)
    assert isinstance(change, Change)
    supplied = next(event.submission for event in change.events if event.submission is not None)
    assert [(source.id, source.title) for source in supplied.evidence] == [("a", "old a"), ("b", "new b")]


def test_wrong_information_is_an_error_that_lists_the_fields() -> None:
    """Fields in the wrong form are refused at once, all of them, and the case stays as it was."""
    content = a_submission()
    letter = Information(type="case.information", case_id="c_01", case={"request": 7, "output": ["x"]})
    with pytest.raises(SubmissionError) as error:
        supply(letter)(Subject(opened(content), POLICY, content), LATER)
    assert {problem.pointer for problem in error.value.problems} == {"/request", "/output"}
