"""What a corrected case takes along: who may never decide it, how strict it was, its clocks, the pager, and the brake of its workflow."""

from datetime import timedelta

import pytest

from routing.authority import Automation
from routing.authorize import refuse
from routing.case.address import name_of_address
from routing.case.case import Item, Step
from routing.case.facts import Facts
from routing.case.followup import Information
from routing.change import SYSTEM, Arrival, Change, MessageKind, Subject
from routing.policy.file import load_policy
from routing.review.erasure import erase
from routing.review.followups import supply
from routing.review.opening import open_case
from routing.review.revision import risen
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.vocabulary import Lane, Risk, State, Template, Verdict
from tests.routing.desk import Desk
from tests.routing.factory import FRONT, NOON, POLICY_TEXT, SENIOR, a_person, a_press, a_route, a_submission
from tests.routing.review.test_revision import LATER, POLICY, TEXT, opened, supplied


def test_naming_somebody_else_as_requester_does_not_unbar_the_first() -> None:
    """Whoever was named once never decides, by id or by address, however often the service changes its mind."""
    content = a_submission(requester={"slack_id": FRONT, "email": "fran@example.com"})
    case = supplied(opened(content), content, requester={"slack_id": "U0ELSE"})
    case = supplied(case, content, requester={"email": "third@example.com"})
    assert case.barred == ("U0ELSE", f"{FRONT} {name_of_address('fran@example.com')}")
    by_id, by_address = a_person(id="U0ELSE", email="else@example.com"), a_person(id="U03", email="third@example.com")
    for person in (a_person(), by_id, a_person(id="U0ALT", email="fran@example.com"), by_address):
        assert step_of(a_press(case, person=person))(Subject(case, POLICY), LATER) == refuse("requester")
    allowed = a_person(id="U0FREE", email="free@example.com")
    assert isinstance(step_of(a_press(case, person=allowed))(Subject(case, POLICY), LATER), Change)


def test_an_erased_case_keeps_no_digest_of_an_address() -> None:
    """Addresses are easily guessed; ids stay."""
    content = a_submission(requester={"slack_id": FRONT, "email": "fran@example.com"})
    case = supplied(opened(content), content, requester={"email": "third@example.com"})
    ended = case.model_copy(update={"state": State.DECIDED, "verdict": Verdict.REJECTED})
    change = erase(SYSTEM, "asked for")(Subject(ended), LATER)
    assert isinstance(change, Change)
    assert (change.case.barred, change.case.requester_email_sha256) == ((FRONT,), "")


@pytest.mark.parametrize("by", ["service", "reviewer"])
def test_a_case_that_rises_to_stop_pages_where_it_is(by: str) -> None:
    """It is at the top of its ladder already: its pager rings there, and the line is stopped."""
    rule = b"      - {name: halt, when: \"action.params.amount == '666.00'\", lane: stop, reason: Never.}\n"
    policy = load_policy(TEXT.replace(b"    rules:\n", b"    rules:\n" + rule), {})
    content = a_submission(action={"type": "refund.create", "params": {"amount": "5000.00"}, "reversible": True})
    case = open_case("refund-agent", content)(Arrival("c_01", policy, Facts(), NOON)).case
    assert (case.tier, case.pages) == (1, ())
    subject, action = Subject(case, policy, content), {"type": "refund.create", "params": {"amount": "666.00"}, "reversible": True}
    followup = Information(type="case.information", case_id=case.id, case={"action": action})
    senior = a_person(id=SENIOR, groups=frozenset({"experts"}))
    step = supply(followup) if by == "service" else step_of(a_press(case, "modify", params={"amount": "666.00"}, person=senior))
    change = step(subject, LATER)
    assert isinstance(change, Change)
    assert (change.case.route.lane, len(change.case.pages), change.case.tier) == (Lane.STOP, 1, 1)
    assert [message.kind for message in change.messages].count(MessageKind.PAGE) == 1
    assert change.stop is not None
    assert (change.stop.workflow, change.stop.reason) == ("refunds", "Case c_01: Never.")


def test_a_stop_is_pulled_when_the_case_comes_in() -> None:
    """Also where the case still lacks something: the line does not wait for it."""
    for request in ("I was charged twice.", None):
        arrival = Arrival("c_01", POLICY, Facts(), NOON)
        change = open_case("refund-agent", a_submission(request=request, risk={"flags": ["data_exposure"]}))(arrival)
        assert change.stop is not None
        assert change.stop.workflow == "refunds"


def test_reminders_go_on_after_a_question() -> None:
    """Asked after an hour of four and answered: reminders come an hour and 2.6 hours later, and the decision is due in three."""
    content = a_submission()
    case = opened(content)
    asked = step_of(a_press(case, "ask"))(Subject(case, POLICY), NOON + timedelta(hours=1))
    assert isinstance(asked, Change)
    followup = Information(type="case.information", case_id=case.id, answer="Yes.")
    at = NOON + timedelta(hours=9)
    change = supply(followup)(Subject(asked.case, POLICY, content), at)
    assert isinstance(change, Change)
    clocks = change.case.clocks
    assert clocks.reminders == (at + timedelta(hours=1), at + timedelta(hours=2.6))
    assert (clocks.decide, clocks.acknowledge) == (at + timedelta(hours=3), None)
    unanswered = on_time(Subject(asked.case, POLICY), NOON + timedelta(hours=25))
    assert isinstance(unanswered, Change)
    assert len(unanswered.case.clocks.reminders) == 2


def test_a_pause_counts_when_a_case_is_routed_again() -> None:
    """Paused meanwhile: what would have been automatic once it was complete goes to people."""
    written, wanted = b"template: approval, requester: optional", b"template: auto, requester: optional, required: [request]"
    policy = load_policy(POLICY_TEXT.replace(written, wanted), {})
    content = a_submission(request=None, action={"type": "ticket.summarize", "params": {}, "reversible": True})
    case = open_case("refund-agent", content)(Arrival("c_01", policy, Facts(), NOON)).case
    followup = Information(type="case.information", case_id=case.id, case={"request": "Sum it up."})
    for automation, lane in ((Automation.ON, Lane.AUTO), (Automation.REVIEW_ALL, Lane.REVIEW)):
        change = supply(followup)(Subject(case, policy, content, automation=automation), LATER)
        assert isinstance(change, Change)
        assert (change.case.route.lane, change.case.facts.automation) == (lane, automation)


def test_a_new_route_takes_nothing_back() -> None:
    """Checklist, skills, people and the known requester of either stay; what people decide is not sampled as well."""
    item = Item(id="evidence", text="It is there.")
    old = a_route(steps=(Step(name="verify", checklist=(item,)), Step(name="approve")), skills=("tax",), requester="required")
    new = a_route(lane=Lane.EXPERT, steps=(Step(name="approve"),), skills=("fraud",))
    both = risen(old, new)
    assert (both.lane, both.steps[0].people, both.steps[0].checklist) == (Lane.EXPERT, 2, (item,))
    assert (both.skills, both.requester) == (("tax", "fraud"), "required")
    auto = a_route(lane=Lane.AUTO, template=Template.AUTO, steps=(), sampled="lot")
    assert risen(auto, a_route()).sampled == risen(a_route(), auto).sampled == ""
    assert risen(auto, a_route(lane=Lane.AUTO, template=Template.AUTO, steps=())).sampled == "lot"
    triage = a_route(template=Template.TRIAGE, steps=(Step(name="triage"),))
    assert [step.name for step in risen(triage, a_route()).steps] == ["approve"]


def test_a_correction_that_takes_other_skills_goes_to_whoever_has_them() -> None:
    """In the same lane, but the amount asks for a skill of the tier above: its author does not decide it alone."""
    rule = b"""rules: [{name: taxed, when: "action.params.amount == '500.00'", skills: [tax], reason: Tax.}]}"""
    text = POLICY_TEXT.replace(b"users: [U0SENIOR]}", b"users: [U0SENIOR], skills: [tax]}")
    desk = Desk(load_policy(text.replace(b"requester: optional}", b"requester: optional, " + rule), {}))
    case = desk.post(a_submission())
    desk.do(case, step_of(a_press(case, "modify", params={"customer": "8841", "amount": "500.00", "note": {"text": "sorry"}})))
    now = desk.now_of(case)
    assert (now.state, now.tier, now.votes) == (State.PENDING, 1, ())


def test_a_case_that_turns_out_riskier_in_its_lane_says_so() -> None:
    """An expert has it already; what the service supplies makes its risk high, and its priority with it."""
    text = POLICY_TEXT.replace(b"template: approval, requester: optional}", b"template: expert, requester: optional}")
    desk = Desk(load_policy(text, {}))
    case = desk.post(a_submission())
    fields = {"risk": {"impact": "critical", "likelihood": 0.9, "recoverability": "hard"}}
    desk.do(case, supply(Information(type="case.information", case_id=case.id, case=fields)))
    now = desk.now_of(case)
    assert (case.route.risk, now.route.risk, now.route.lane) == (Risk.LOW, Risk.CRITICAL, Lane.EXPERT)
    assert now.route.priority > case.route.priority
