"""Facts of the risk that the policy ties to the action are those of the action; a modification that cannot move the others goes up."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.authorize import refuse
from routing.case.case import Case
from routing.case.facts import Facts
from routing.case.followup import Information
from routing.case.submission import Submission, read_submission
from routing.change import Arrival, Change, Refused, Subject
from routing.errors import PolicyError
from routing.evaluation.derived_risk import derived, left_behind, unreadable
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.followups import supply
from routing.review.opening import open_case
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.simulation.explain import explain
from routing.simulation.precheck import prospect, read_inquiry
from routing.simulation.replay import Replayed, replay
from routing.vocabulary import EventKind, Lane, State, Verdict
from tests.examples_drawn import examples
from tests.routing.factory import NOON, POLICY_TEXT, SENIOR, a_person, a_press

LATER = NOON + timedelta(minutes=5)
LARGE = "has(risk.amount) && double(risk.amount) > 1000.0"
TIED = "risk_from: {amount: action.params.amount, currency: action.params.currency}"


def a_policy(*keys: str, when: str = LARGE) -> Policy:
    """Refunds on two tiers, with a rule for experts and further keys of the workflow."""
    rule = f"rules: [{{name: large, when: '{when}', lane: expert, reason: \"Over 1,000.\"}}]" if when else "rules: []"
    flow = "".join(f"\n    {key}" for key in ("ladder: standard", "requester: optional", rule, *keys))
    return load_policy(
        POLICY_TEXT.replace(b"refunds: {ladder: standard, template: approval, requester: optional}", f"refunds:{flow}".encode()), {}
    )


def a_refund(amount: object = "20.00", *, said: str | None = "20.00", **parts: Any) -> Submission:
    """A refund: `amount` stands in the action, `said` is the service's word for it."""
    risk: dict[str, Any] = {"impact": "low", "likelihood": 0.1, "recoverability": "easy"}
    params = {"order": "8841", "amount": amount, "currency": "EUR"}
    document = {
        "workflow": "refunds",
        "task_id": "t-1",
        "title": "Refund",
        "request": "Twice.",
        "action": {"type": "refund.create", "params": params, "reversible": True},
        "model": {"confidence": 0.97},
        "risk": risk | ({"amount": said, "currency": "USD"} if said is not None else {}),
    }
    return read_submission(document | parts)


def opened(policy: Policy, content: Submission) -> Case:
    """The case that a service gets."""
    return open_case("refund-agent", content)(Arrival("c_01", policy, Facts(), NOON)).case


def modified(policy: Policy, content: Submission, **changed: Any) -> Change | Refused:
    """Somebody of the first tier changes parameters of the case that just came in."""
    case = opened(policy, content)
    return step_of(a_press(case, "modify", params={**(content.action.params or {}), **changed}))(Subject(case, policy, content), LATER)


def test_a_modification_meets_the_limit_that_the_policy_ties_to_the_action() -> None:
    """20.00 changed to 99,999.00 is not executed on one press: the rule reads the action, and an expert decides."""
    change = modified(a_policy(TIED), a_refund(), amount="99999.00")
    assert isinstance(change, Change)
    case = change.case
    assert (case.state, case.verdict, case.route.lane, case.tier, case.route.rule) == (State.PENDING, None, Lane.EXPERT, 1, "large")
    assert step_of(a_press(case, person=a_person(groups=frozenset({"frontline", "experts"}))))(Subject(case), LATER) == refuse(
        "already_voted"
    )


def test_a_modification_within_the_limit_still_takes_one_press() -> None:
    """What can be judged anew and is harmless is decided by its author, as before."""
    change = modified(a_policy(TIED), a_refund(), amount="25.00")
    assert isinstance(change, Change)
    assert (change.case.verdict, change.case.route.lane) == (Verdict.MODIFIED, Lane.REVIEW)


@pytest.mark.parametrize("said", ["20.00", None, "0", "-5"])
def test_the_services_word_never_takes_the_place_of_the_action(said: str | None) -> None:
    """Whatever it says in `risk`, the case that comes in is judged by its action."""
    chosen = route(a_policy(TIED), a_refund("5000.00", said=said), Facts(), NOON)
    assert (chosen.lane, chosen.rule) == (Lane.EXPERT, "large")


@pytest.mark.parametrize("amount", [None, "", "abc", "1,240.00", "1e5", "12.50 EUR", True, [], {}, ["20.00"], "٣٠", " 20.00", 1e300])
def test_what_cannot_be_read_is_asked_for_and_then_decided_by_an_expert(amount: object) -> None:
    """Never the service's word in its place: the path is missing, and where no answer comes experts have it."""
    policy, content = a_policy(TIED, when=""), a_refund(amount)
    case = opened(policy, content)
    assert (case.state, case.route.missing, case.route.lane) == (State.NEEDS_INFO, ("action.params.amount",), Lane.EXPERT)
    assert case.route.reasons[0].code == "fact_unreadable"
    assert explain(policy, content, Facts(), NOON).root.why == case.route.reasons[0].text
    assert derived(policy.workflows["refunds"], content).risk.amount is None
    due = case.clocks.information
    assert due is not None
    late = on_time(Subject(case, policy), due)
    assert isinstance(late, Change)
    assert (late.case.state, late.case.tier) == (State.PENDING, 1)
    answered = supply(
        Information(type="case.information", case_id=case.id, case={"action": a_refund("7.00").action.model_dump(mode="json")})
    )
    change = answered(Subject(case, policy, content), LATER)
    assert isinstance(change, Change)
    assert (change.case.state, change.case.route.lane, change.case.tier) == (State.PENDING, Lane.REVIEW, 0)


def test_information_moves_a_tied_fact_by_the_action_only() -> None:
    """The service's new word for the amount does nothing; a new action does."""
    policy, content = a_policy(TIED), a_refund()
    case = opened(policy, content)
    for fields, lane in (({"risk": {"amount": "9999.00"}}, Lane.REVIEW), ({"action": a_refund(9999).action.model_dump()}, Lane.EXPERT)):
        change = supply(Information(type="case.information", case_id=case.id, case=fields))(Subject(case, policy, content), LATER)
        assert isinstance(change, Change)
        assert change.case.route.lane is lane


READ = {
    "risk.amount": "double(risk.amount) > 1e9",
    "risk.score": "has(risk.score) && risk.score > 0.99",
    "risk.blast_radius": "has(risk.blast_radius) && risk.blast_radius > 0.99",
    "risk.impact": 'has(risk.impact) && risk.impact == "critical"',
    "risk.flags": '"x" in risk.flags',
    "risk.segment": 'has(risk.segment) && risk.segment == "x"',
    "labels": '"amount" in labels && double(labels["amount"]) > 1000.0',
    "evidence": 'evidence.exists(e, has(e.text) && e.text == "9")',
    "context": "size(context.conflicts) > 8",
    "checks": 'checks.exists(c, c.result == "fail" && c.name == "limit")',
}


@pytest.mark.parametrize("name", READ)
def test_a_modification_that_cannot_move_what_a_rule_reads_goes_one_lane_up(name: str) -> None:
    """Its author does not decide it, a senior of the next tier does; the card says what still speaks of the proposed action."""
    policy = a_policy(when=READ[name].replace("'", "''"))
    change = modified(policy, a_refund(), amount="99999.00")
    assert isinstance(change, Change)
    case = change.case
    assert (case.state, case.route.lane, case.tier, case.votes) == (State.PENDING, Lane.SPECIALIST, 1, ())
    assert next(reason.text for reason in case.route.reasons if reason.code == "facts_left_behind").endswith(
        f": {', '.join(dict.fromkeys(('risk.amount', name)))}."
    )
    assert EventKind.MODIFIED in [event.kind for event in change.events]
    senior = a_person(id=SENIOR, groups=frozenset({"experts"}))
    ended = step_of(a_press(case, person=senior))(Subject(case, policy), LATER)
    assert isinstance(ended, Change)
    assert ended.case.verdict is Verdict.MODIFIED


@pytest.mark.parametrize("fact", [{"amount": "20.00"}, {"blast_radius": 0.01}, {"score": 0.1}])
def test_a_measure_that_the_service_gave_counts_without_any_rule(fact: dict[str, object]) -> None:
    """The gates read it; so do caps and priorities."""
    change = modified(a_policy(when=""), a_refund(said=None, risk=fact), amount="99999.00")
    assert isinstance(change, Change)
    assert change.case.route.lane is Lane.SPECIALIST


JUDGED = {
    "nothing": (TIED, LARGE, True),
    "a rule": (TIED, f'{LARGE} || risk.currency == "XXX"', False),
    "fixed": (TIED + "\n    modification: {fixed: [risk.currency]}", LARGE, False),
}


@pytest.mark.parametrize("judged", JUDGED)
@pytest.mark.parametrize(("was", "now"), [("USD", "BTC"), ("USD", "US"), ("EUR", "840"), ("usd", "btc"), ("usd", "BTC")])
def test_another_currency_is_not_executed_on_one_press(judged: str, was: str, now: str) -> None:
    """80.00 USD are not 80.00 BTC: nobody converts, so somebody else decides, unless the policy judges the currency."""
    key, when, rises = JUDGED[judged]
    policy = a_policy(key, when=when)
    content = a_refund(action={"type": "refund.create", "params": {"amount": "80.00", "currency": was}, "reversible": True})
    change = modified(policy, content, currency=now)
    assert isinstance(change, Change)
    case = change.case
    codes = [reason.code for reason in case.route.reasons]
    assert (case.verdict, "currency_changed" in codes, "facts_left_behind" in codes) == (None if rises else Verdict.MODIFIED, rises, False)
    assert case.route.lane is (Lane.SPECIALIST if rises else Lane.REVIEW)


@pytest.mark.parametrize("judged", ["nothing", "fixed"])
@pytest.mark.parametrize(
    ("given", "changed", "other"),
    [
        ("EUR", {"currency": "BTC"}, True),
        ("EUR", {"currency": "JPY", "amount": "19.00"}, True),
        ("EUR", {"currency": ""}, True),
        ("EUR", {"lines": [{"in": "USD"}]}, True),
        ("EUR", {"amount": "19.00"}, False),
        ("EUR", {"order": "8842"}, False),
        ("EUR", {"lines": [{"in": "eur"}]}, False),
        ("USD", {"currency": "BTC"}, False),  # the service said another one than its action, so nobody knows which it is
        (None, {"currency": "BTC"}, False),
    ],
)
def test_another_currency_than_the_service_named_is_not_executed_on_one_press(
    judged: str, given: str | None, changed: dict[str, Any], *, other: bool
) -> None:
    """Where the policy reads the amount from the action and not its currency, which then is what the service said, wherever it stands."""
    key, when, rises = JUDGED[judged]
    policy = a_policy(key.replace(", currency: action.params.currency", ""), when=when)
    params = {"order": "8841", "amount": "20.00", "currency": "eur", "lines": [{"in": "EUR"}]}
    risk = {"impact": "low", "likelihood": 0.1, "recoverability": "easy"} | ({"currency": given} if given else {})
    change = modified(policy, a_refund(action={"type": "refund.create", "params": params, "reversible": True}, risk=risk), **changed)
    assert isinstance(change, Change)
    reasons = " ".join(reason.text for reason in change.case.route.reasons)
    assert (change.case.verdict is None, "risk.currency" in reasons) == (other and rises, other and rises)


def test_another_currency_at_the_top_is_decided_by_somebody_else() -> None:
    """There is no lane above the expert's."""
    policy, content = a_policy(TIED), a_refund("5000.00")
    case = opened(policy, content)
    senior = a_person(id=SENIOR, groups=frozenset({"experts"}))
    press = a_press(case, "modify", params={**(content.action.params or {}), "currency": "BTC"}, person=senior)
    change = step_of(press)(Subject(case, policy, content), LATER)
    assert isinstance(change, Change)
    assert (case.route.lane, change.case.state, change.case.votes) == (Lane.EXPERT, State.PENDING, ())


def test_the_same_currency_in_capitals_is_no_other() -> None:
    """What was proposed in small letters may be written as it should be."""
    content = a_refund(action={"type": "refund.create", "params": {"amount": "80.00", "currency": "usd"}, "reversible": True})
    change = modified(a_policy(TIED), content, currency="USD")
    assert isinstance(change, Change)
    assert change.case.verdict is Verdict.MODIFIED


def test_at_the_top_somebody_else_than_the_author_decides() -> None:
    """There is no lane above the expert's: the modification is no vote."""
    policy, content = a_policy(), a_refund("20.00", said="5000.00")
    case = opened(policy, content)
    assert case.route.lane is Lane.EXPERT
    senior = a_person(id=SENIOR, groups=frozenset({"experts"}))
    params = {**(content.action.params or {}), "amount": "99999.00"}
    change = step_of(a_press(case, "modify", params=params, person=senior))(Subject(case, policy, content), LATER)
    assert isinstance(change, Change)
    assert (change.case.state, change.case.votes) == (State.PENDING, ())
    assert step_of(a_press(change.case, person=senior))(Subject(change.case, policy), LATER) == refuse("already_voted")


def test_what_is_left_behind_stays_so_until_the_service_proposes_anew() -> None:
    """Later words about the risk lower nothing; a new action of the service ends it, and its lane stays."""
    policy, content = a_policy(), a_refund()
    change = modified(policy, content, amount="99999.00")
    assert isinstance(change, Change)
    case, now_content = change.case, next(event.submission for event in change.events if event.submission is not None)
    again = supply(Information(type="case.information", case_id=case.id, case={"risk": {"amount": "1.00"}}))(
        Subject(case, policy, now_content), LATER
    )
    assert isinstance(again, Change)
    assert (again.case.route.lane, "facts_left_behind" in [one.code for one in again.case.route.reasons]) == (Lane.SPECIALIST, True)
    anew = {"action": a_refund("30.00").action.model_dump(), "risk": {"amount": "30.00"}}
    fresh = supply(Information(type="case.information", case_id=case.id, case=anew))(Subject(case, policy, now_content), LATER)
    assert isinstance(fresh, Change)
    assert (fresh.case.route.lane, fresh.case.facts.left_behind, fresh.case.modified_by) == (Lane.SPECIALIST, (), "")


def test_a_correction_of_prefilled_fields_moves_no_lane() -> None:
    """The action is as it was, so everything said of it still holds."""
    content = a_refund(prefill={"category": "billing"})
    case = opened(a_policy(), content)
    press = a_press(case, "modify", params=dict(content.action.params or {}), prefill={"category": "other"})
    change = step_of(press)(Subject(case, a_policy(), content), LATER)
    assert isinstance(change, Change)
    assert change.case.verdict is Verdict.MODIFIED


def test_explain_precheck_and_replay_read_the_action_too() -> None:
    """The same fact everywhere: said with its path, asked for where it is not known yet, routed alike again."""
    policy, content = a_policy(TIED), a_refund("5000.00")
    assert "risk.amount: 5000.00 - read from action.params.amount" in explain(policy, content, Facts(), NOON).text()
    found = replay(policy, [Replayed("t-1", content, Facts(), NOON)])
    assert found.after.lanes == {"expert": 1}
    asked = prospect(policy, read_inquiry({"workflow": "refunds"}), Facts(), NOON)
    assert (asked.allowed, asked.missing) == (Lane.REVIEW, ("action.params.amount", "action.params.currency"))
    known = read_inquiry({"workflow": "refunds", "action": {"type": "refund.create", "params": {"amount": 4000}}, "risk": {"amount": "1"}})
    assert prospect(policy, known, Facts(), NOON).allowed is Lane.EXPERT


FACTS: list[tuple[str, str, dict[str, Any], object]] = [
    ("amount", "amount", {"amount": 12.5}, "12.5"),
    ("amount", "amount", {"amount": 7}, "7"),
    ("amount", "items.*.price", {"items": [{"price": "10.10"}, {"price": 5}, {"price": "-1.05"}]}, "14.05"),
    ("amount", "items.*.price", {"items": [{"price": "10.10"}, {"cost": "5"}]}, None),
    ("amount", "items.*.price", {"items": []}, None),
    ("amount", "total.net", {"total": {"net": "3.50"}}, "3.50"),
    ("currency", "currency", {"currency": "eur"}, "EUR"),
    ("currency", "items.*.currency", {"items": [{"currency": "EUR"}, {"currency": "USD"}]}, None),
    ("currency", "currency", {"currency": "u\u017fd"}, None),
    ("currency", "currency", {"currency": "in euros, please"}, None),
    ("impact", "class", {"class": "High"}, "high"),
    ("impact", "class", {"class": "huge"}, None),
    ("likelihood", "p", {"p": "0.25"}, 0.25),
    ("blast_radius", "share", {"share": 1.5}, None),
    ("blast_radius", "share", {"share": 0.5}, 0.5),
    ("score", "score", {"score": True}, None),
    ("novelty", "novelty", {"novelty": 0}, 0.0),
    ("recoverability", "undo", {"undo": "none"}, "none"),
    ("flags", "flags", {"flags": ["new", "hr"]}, ("new", "hr")),
    ("flags", "flags", {"flags": []}, ()),
    ("flags", "flags", {"flags": [1]}, None),
]


@pytest.mark.parametrize(("fact", "path", "params", "expected"), FACTS)
def test_every_fact_is_read_as_a_case_has_it_or_not_at_all(fact: str, path: str, params: dict[str, Any], expected: object) -> None:
    """Amounts of a list are added up; a fact that is not the same in every item is none."""
    workflow = a_policy(f"risk_from: {{{fact}: action.params.{path}}}").workflows["refunds"]
    content = a_refund(action={"type": "refund.create", "params": params})
    assert getattr(derived(workflow, content).risk, fact) == expected
    assert unreadable(workflow, content) == ((f"action.params.{path}",) if expected is None else ())


def test_actions_that_differ_have_paths_of_their_own() -> None:
    """An action type that is not named keeps the service's word, and its modification goes up."""
    policy = a_policy("risk_from: {amount: {refund.create: action.params.amount, refund.split: action.params.parts.*.amount}}")
    parts = {"type": "refund.split", "params": {"parts": [{"amount": "600"}, {"amount": "600"}]}}
    assert route(policy, a_refund(action=parts), Facts(), NOON).rule == "large"
    other = a_refund(action={"type": "refund.note", "params": {"text": "x"}})
    assert (unreadable(policy.workflows["refunds"], other), left_behind(policy, other)) == ((), ("risk.amount",))


@pytest.mark.parametrize(
    "wrong", ["{amount: risk.amount}", "{amount: action.params}", "{amount: params.amount}", "{size: action.params.a}"]
)
def test_a_path_outside_the_parameters_is_refused(wrong: str) -> None:
    """A modification changes parameters only, so nothing else would be moved by it."""
    with pytest.raises(PolicyError):
        a_policy(f"risk_from: {wrong}")


@given(
    before=st.decimals(min_value=1, max_value=20_000, places=2),
    after=st.decimals(min_value=1, max_value=20_000, places=2),
    said=st.none() | st.decimals(min_value=1, max_value=20_000, places=2),
    tied=st.booleans(),
)
@settings(max_examples=examples(60), deadline=None)
def test_no_single_press_executes_what_the_limit_keeps_for_experts(before: object, after: object, said: object, tied: bool) -> None:
    """Whatever was proposed and said, a modification to more than 1,000 is never decided by its author alone."""
    policy = a_policy(TIED) if tied else a_policy()
    content = a_refund(str(before), said=None if said is None else str(said))
    change = modified(policy, content, amount=str(after))
    if isinstance(change, Refused):
        return  # a case of experts, or no change
    if float(str(after)) > 1000 or not tied:
        assert change.case.state is State.PENDING
        assert change.case.route.lane.severity >= Lane.SPECIALIST.severity
