"""Near-duplicates: one look for the same action, no vote for what nobody looked at, and a way out for whoever sees a difference."""

from datetime import timedelta

import pytest

from routing.authority import Automation
from routing.authorize import refuse
from routing.case.case import Case
from routing.case.followup import Information, Withdrawal
from routing.case.near_duplicate import likeness
from routing.case.submission import Submission
from routing.change import Change, MessageKind, Refused
from routing.policy.file import load_policy
from routing.review.followups import supply, withdraw
from routing.review.holds import freeze
from routing.review.related.near_duplicates import MOST
from routing.review.timing import on_time
from routing.review.verbs import STEPS, step_of
from routing.vocabulary import EventKind, State, Verdict
from tests.routing.desk import SERVICE, Desk
from tests.routing.factory import FRONT, NOON, POLICY, POLICY_TEXT, SENIOR, a_person, a_press, a_submission

ALICE = {"id": "cust-8841", "type": "customer"}


def of_alice(task: str, **changes: object) -> Submission:
    """A refund for the same customer."""
    return a_submission(task_id=task, subject=ALICE, **changes)


def press(desk: Desk, case: Case, verb: str, **changes: object) -> Change | Refused:
    """Somebody presses on the case as it is now."""
    now = desk.now_of(case)
    return desk.do(now, step_of(a_press(now, verb, **changes)))


def two(desk: Desk, **second: object) -> tuple[Case, Case]:
    """Two refunds for the same customer, one after the other."""
    return desk.post(of_alice("t-1")), desk.post(of_alice("t-2", **second))


def test_likeness_is_about_whom_and_what_and_not_about_details() -> None:
    """Same service, workflow, action type and subject: alike. Without a subject a case is like no other."""
    other_amount = of_alice("t-2", action={"type": "refund.create", "params": {"amount": "9.00"}})
    assert likeness(SERVICE, of_alice("t-1")) == likeness(SERVICE, other_amount) != ""
    assert likeness(SERVICE, a_submission()) == ""
    differing = (
        likeness("other-agent", of_alice("t-1")),
        likeness(SERVICE, a_submission(subject={"id": "cust-9", "type": "customer"})),
        likeness(SERVICE, of_alice("t-1", action={"type": "refund.cancel", "params": {}})),
    )
    assert likeness(SERVICE, of_alice("t-1")) not in differing


def test_the_very_same_action_is_shown_once() -> None:
    """The second case gets no card; the card of the first is updated and its face changes, so nobody decides both unknowingly."""
    desk = Desk(POLICY)
    first = desk.post(of_alice("t-1"))
    stale = a_press(first)
    second = desk.post(of_alice("t-2"))
    assert (second.state, second.tied_to, second.tier_since, second.due_at) == (State.PENDING, first.id, None, None)
    assert desk.now_of(first).tied == (second.id,)
    assert desk.kinds(second) == [EventKind.RECEIVED, EventKind.TIED]
    assert desk.kinds(first)[-1] is EventKind.TIED
    assert desk.do(first, step_of(stale)) == refuse("stale")
    assert press(desk, second, "approve") == refuse("tied")


@pytest.mark.parametrize(("verb", "verdict"), [("approve", Verdict.APPROVED), ("reject", Verdict.REJECTED)])
def test_people_decide_both_at_once(verb: str, verdict: Verdict) -> None:
    """Each case gets its own events, names the same person, and has its service called back."""
    desk = Desk(POLICY)
    first, second = two(desk)
    press(desk, first, verb)
    for case in (first, second):
        now = desk.now_of(case)
        assert (now.verdict, [vote.by for vote in now.votes], desk.told(case)) == (verdict, [FRONT], ["case.decided"])
        assert desk.said(case, EventKind.DECIDED)["decided_by"] == [{"by": FRONT, "step": "approve", "verb": verb}]
    said = EventKind.APPROVED if verb == "approve" else EventKind.REJECTED
    assert desk.said(second, said)["with"] == first.id


@pytest.mark.parametrize(
    "other",
    [
        {"action": {"type": "refund.create", "params": {"amount": "81.00"}, "reversible": True}},
        {"output": "Something else is said to the customer."},
        {"requester": {"slack_id": FRONT}},
        {"checks": [{"name": "limits", "result": "fail"}]},
        {"request": None, "context": {"missing": ["invoice"]}},
    ],
    ids=["amount", "output", "requester", "check", "missing"],
)
def test_what_differs_is_only_linked(other: dict[str, object]) -> None:
    """Another amount, text, requester or check: both name each other and each is decided by itself."""
    desk = Desk(POLICY)
    first, second = two(desk, **other)
    assert (second.tied_to, second.linked, desk.now_of(first).linked) == ("", (first.id,), (second.id,))
    assert (desk.kinds(first)[-1], EventKind.LINKED in desk.kinds(second)) == (EventKind.LINKED, True)
    press(desk, first, "approve")
    assert desk.now_of(second).verdict is None


def test_a_case_somebody_has_worked_on_is_not_joined() -> None:
    """Whoever voted or passed it on has not seen the second one."""
    dual = load_policy(
        POLICY_TEXT.replace(b"template: approval", b"template: dual").replace(b"defaults: {", b"defaults: {checklist: {steps: []}, "),
        {},
    )
    for policy, verb in ((dual, "approve"), (POLICY, "escalate")):
        desk = Desk(policy)
        first = desk.post(of_alice("t-1"))
        assert isinstance(press(desk, first, verb), Change)
        second = desk.post(of_alice("t-2"))
        assert (second.tied_to, second.linked) == ("", (first.id,))


def test_a_policy_can_keep_cases_apart() -> None:
    """With tying switched off they are linked."""
    desk = Desk(load_policy(POLICY_TEXT.replace(b"requester: optional", b"requester: optional, duplicates: {tie: false}"), {}))
    first, second = two(desk)
    assert (second.tied_to, second.linked) == ("", (first.id,))


def test_somebody_who_sees_a_difference_separates_them() -> None:
    """Each tied case gets a card and clocks of its own; separating again finds nothing."""
    desk = Desk(POLICY)
    first, second = two(desk)
    third = desk.post(of_alice("t-3"))
    change = press(desk, first, "separate")
    assert isinstance(change, Change)
    for case in (second, third):
        now = desk.now_of(case)
        assert (now.tied_to, now.tier_since, now.state) == ("", NOON, State.PENDING)
        assert desk.kinds(case)[-1] is EventKind.SEPARATED
    cards = [message.kind for along in change.along for message in along.messages]
    assert cards.count(MessageKind.CARD) == 2
    assert desk.said(first, EventKind.SEPARATED)["others"] == [second.id, third.id]
    assert press(desk, first, "separate") == refuse("nothing_tied")
    press(desk, first, "approve")
    assert desk.now_of(second).verdict is None


def test_separating_is_for_the_group_that_answers() -> None:
    """Nobody else makes work of it."""
    desk = Desk(POLICY)
    first, _ = two(desk)
    assert press(desk, first, "separate", person=a_person(groups=frozenset())) == refuse("not_in_group")


@pytest.mark.parametrize("end", ["modify", "withdraw", "deadline", "revise", "reject by policy"])
def test_any_other_end_of_the_first_sets_the_others_free(end: str) -> None:
    """What happens to the first without anybody having looked at the same action for both leaves the second to be decided by itself."""
    rule = b"    rules: [{name: never, when: \"action.params.amount == '0.00'\", lane: reject, reason: Nothing is no refund.}]\n"
    written = b"refunds: {ladder: standard, template: approval, requester: optional}"
    block = b"refunds:\n    ladder: standard\n    template: approval\n    requester: optional\n"
    desk = Desk(load_policy(POLICY_TEXT.replace(written, block + rule), {}))
    first = desk.post(of_alice("t-1", deadline="2026-11-20T13:00:00Z"))
    second = desk.post(of_alice("t-2"))
    assert second.tied_to == first.id
    if end == "modify":
        press(desk, first, "modify", params={**(desk.contents[first.id].action.params or {}), "amount": "60.00"})
    elif end == "withdraw":
        desk.do(first, withdraw(Withdrawal(type="case.withdraw", case_id=first.id, reason="twice")))
    elif end == "deadline":
        desk.now = NOON + timedelta(hours=1)
        desk.do(first, on_time)
    else:
        action = {"type": "refund.create", "params": {"amount": "60.00" if end == "revise" else "0.00"}, "reversible": True}
        desk.do(first, supply(Information(type="case.information", case_id=first.id, case={"action": action})))
    now = desk.now_of(second)
    assert (now.verdict, now.tied_to, now.state, now.tier_since) == (None, "", State.PENDING, desk.now)
    assert desk.now_of(first).tied == ()
    assert (desk.kinds(first)[-1], EventKind.SEPARATED in desk.kinds(second)) == (EventKind.SEPARATED, True)
    assert desk.told(second) == []


def test_information_that_leaves_the_action_as_it_was_keeps_them_together() -> None:
    """A label more is no other action."""
    desk = Desk(POLICY)
    first, second = two(desk)
    desk.do(first, supply(Information(type="case.information", case_id=first.id, case={"labels": {"card": "17"}})))
    press(desk, first, "approve")
    assert desk.now_of(second).verdict is Verdict.APPROVED


def test_a_tied_case_keeps_the_deadline_of_its_own_service() -> None:
    """It expires alone, leaves the first one, and is not approved by a press that comes at the same instant."""
    for press_first in (False, True):
        desk = Desk(POLICY)
        first, second = two(desk, deadline="2026-11-20T13:00:00Z")
        assert second.due_at == NOON + timedelta(hours=1)
        desk.now = NOON + timedelta(hours=1)
        if press_first:
            press(desk, first, "approve")
        else:
            desk.do(second, on_time)
            assert desk.now_of(first).tied == ()
        assert desk.now_of(second).verdict is Verdict.EXPIRED
        assert desk.told(second) == ["case.decided"]


def test_the_total_of_a_tied_case_shows_it_and_holds_it() -> None:
    """Nothing is approved by time: it leaves the first one and is held like any other case whose time is over."""
    desk = Desk(load_policy(POLICY_TEXT + b"clocks: [{clock: total, lasts: 1h}]\n", {}))
    first, second = two(desk)
    desk.now = NOON + timedelta(hours=1)
    desk.do(second, on_time)
    now = desk.now_of(second)
    assert (now.state, now.held_by, now.tied_to, now.tier_since) == (State.HELD, "ladder", "", desk.now)
    assert desk.now_of(first).tied == ()


def test_withdrawing_a_tied_case_leaves_the_first_alone() -> None:
    """Its service takes it back; the first is decided as ever."""
    desk = Desk(POLICY)
    first, second = two(desk)
    desk.do(second, withdraw(Withdrawal(type="case.withdraw", case_id=second.id, reason="twice")))
    assert desk.now_of(second).verdict is Verdict.WITHDRAWN
    assert desk.now_of(first).tied == ()
    press(desk, first, "approve")
    assert desk.told(second) == ["case.decided"]


def test_information_on_a_tied_case_takes_it_out() -> None:
    """Whatever the service sends, the case is no longer the one that was tied; its lane does not fall by that."""
    desk = Desk(POLICY)
    first, second = two(desk)
    desk.do(second, supply(Information(type="case.information", case_id=second.id, case={"labels": {"card": "17"}})))
    now = desk.now_of(second)
    assert (now.tied_to, now.state, now.tier_since, now.revision) == ("", State.PENDING, NOON, 2)
    assert desk.now_of(first).tied == ()


def test_a_tied_case_can_be_set_aside() -> None:
    """Quarantine takes it out and holds it; the first goes on."""
    desk = Desk(load_policy(POLICY_TEXT + b"roles: {supervisor: [experts]}\n", {}))
    first, second = two(desk)
    press(desk, second, "quarantine", person=a_person(id=SENIOR, groups=frozenset({"experts"})))
    now = desk.now_of(second)
    assert (now.state, now.held_by, now.tied_to, desk.now_of(first).tied) == (State.HELD, "quarantine", "", ())


def test_in_a_paused_workflow_both_are_kept_back() -> None:
    """The approval of the second leaves no more than that of the first."""
    desk = Desk(POLICY)
    first, second = two(desk)
    desk.automation = Automation.PAUSED
    press(desk, first, "approve", person=a_person(id=SENIOR))
    assert [(desk.now_of(case).withheld, desk.told(case)) for case in (first, second)] == [(True, ["case.held"])] * 2


def test_there_is_an_end_to_tying() -> None:
    """So many are decided with one; the next stands by itself."""
    desk = Desk(POLICY)
    first = desk.post(of_alice("t-0"))
    for number in range(MOST):
        assert desk.post(of_alice(f"t-{number + 1}")).tied_to == first.id
    assert desk.post(of_alice("t-x")).tied_to == ""
    press(desk, first, "approve")
    assert sum(case.verdict is Verdict.APPROVED for case in desk.cases.values()) == MOST + 1


LOW = {"impact": "low", "likelihood": 0.1, "recoverability": "easy"}
HIGH = {"impact": "high", "likelihood": 0.3, "recoverability": "hard"}


@pytest.mark.parametrize(
    "second",
    [
        {"risk": {**LOW, "flags": ["legal"]}},
        {"context": {"stale": ["address"]}},
        {"risk": {"impact": "medium", "likelihood": 0.6, "recoverability": "easy"}},
    ],
)
def test_what_speaks_against_one_is_not_approved_on_the_card_of_another(second: dict[str, object]) -> None:
    """The same action, and the same lane; but the first card does not say what is wrong with the second case: it gets its own."""
    first, other = two(Desk(POLICY), **second)
    assert (first.route.lane, other.route.lane) == (first.route.lane, first.route.lane)
    assert (other.tied_to, other.linked) == ("", (first.id,))


def test_what_opens_with_senior_people_is_not_decided_below_them() -> None:
    """Two severe signals open the second case at tier 3, one alone the first at tier 2: they are decided apart."""
    third = b"      - {channel: review-tier3, group: experts}\nworkflows:"
    text = POLICY_TEXT.replace(b"workflows:", third).replace(b"requester: optional}", b"requester: optional, start: {expert: 3}}")
    desk = Desk(load_policy(text, {}))
    unsure = {"name": "m", "version": "1", "confidence": 0.3}
    first, second = desk.post(of_alice("t-1", model=unsure)), desk.post(of_alice("t-2", model=unsure, risk=HIGH))
    assert (first.route.lane, first.route.start) == (second.route.lane, 1)
    assert (second.route.start, second.tied_to) == (2, "")


WITHOUT_A_TIER_ABOVE = POLICY_TEXT.replace(b"      - {channel: review-tier2", b"      # {channel: review-tier2")
ONE_TIER = load_policy(WITHOUT_A_TIER_ABOVE.replace(b"tiers:", b"exhausted: reject\n    tiers:"), {})
"""Left alone, a case expires there."""


@pytest.mark.parametrize("end", [*(verb.value for verb in STEPS), "withdraw", "expire", "freeze", "supply"])
def test_what_the_card_says_of_identical_cases_is_so_for_every_verb(end: str) -> None:
    """Approve and reject decide both; a modification, and any other end, is of this one alone: the other goes on by itself, with a card."""
    desk = Desk(ONE_TIER)
    first, second = two(desk)
    match end:
        case "withdraw":
            desk.do(first, withdraw(Withdrawal(type="case.withdraw", case_id=first.id, reason="no need")))
        case "supply":
            desk.do(first, supply(Information(type="case.information", case_id=first.id, case={"request": "Since Monday."})))
        case "freeze":
            desk.do(first, freeze())
        case "expire":
            while desk.now_of(first).open:
                desk.now = desk.now_of(first).due_at or desk.now
                desk.do(first, on_time)
        case _:
            press(desk, first, end, params={"customer": "8841", "amount": "7.00"})
    one, other = desk.now_of(first), desk.now_of(second)
    if end in ("approve", "reject"):
        assert (other.verdict, other.votes) == (one.verdict, one.votes)
    elif other.tied_to:
        assert one.open
        assert other.id in one.tied
    else:
        assert end in ("modify", "withdraw", "expire", "separate")
        assert (other.verdict, other.state, other.action_sha256) == (None, State.PENDING, second.action_sha256)
        assert other.tier_since == desk.now
