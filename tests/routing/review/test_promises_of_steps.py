"""Whatever people, services, brakes and time do to cases in whatever order: what must never happen does not."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.authority import Automation
from routing.authorize import EXECUTABLE, is_requester
from routing.case.case import Case
from routing.case.followup import Information, Outcome, Withdrawal
from routing.case.people import Person
from routing.case.submission import Submission
from routing.change import Change, Refused
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.followups import report, supply, withdraw
from routing.review.holds import afresh, freeze, release
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.vocabulary import CaseKind, EventKind, Verb, Verdict
from tests.examples_drawn import examples
from tests.routing.desk import Desk, Step
from tests.routing.factory import FRONT, SENIOR, a_person, a_press, a_submission

TEXT = b"""
version: "1"
changes: "for tests of the review core"
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}, duty: {users: [U0DUTY]}}
roles: {duty_officer: [duty]}
ladders:
  standard:
    exhausted: %s
    tiers:
      - {channel: review-tier1, group: frontline, ack: 15m, decide: 4h}
      - {channel: review-tier2, group: experts, ack: 15m, decide: 30m, pagerduty: {routing_key: "R0KEY"}}
clocks: [{clock: total, lasts: 30h}]
defaults: {undo: 0s, checklist: {steps: [verify, check], items: {evidence: "It is there."}}}
workflows:
  refunds:
    ladder: standard
    template: %s
    requester: optional
    required: [request]
    rules:
      - {name: pair, when: "action.params.amount == '700.00'", template: dual, reason: "Two people look."}
      - {name: large, when: "action.params.amount == '5000.00'", lane: expert, reason: "It is large."}
      - {name: never, when: "action.params.amount == '0.00'", lane: reject, reason: "It is nothing."}
"""
POLICIES = [
    load_policy(TEXT % (exhausted, template), {})
    for exhausted in (b"hold", b"reject", b"quarantine")
    for template in (b"auto", b"verify_after", b"triage", b"approval", b"dual")
]
PEOPLE = (
    a_person(),
    a_person(id="U0SECOND", email="second@example.com"),
    a_person(id=SENIOR, email="senior@example.com", groups=frozenset({"experts", "frontline"})),
    a_person(id="U0DUTY", email="duty@example.com", groups=frozenset({"duty"})),
)
AMOUNTS = ("80.00", "700.00", "5000.00", "0.00")
VERBS = tuple(verb for verb in Verb if verb is not Verb.REVEAL)
ANSWERS: tuple[dict[str, str] | None, ...] = ({"evidence": "pass"}, {"evidence": "pass"}, {"evidence": "fail"}, None)
LEVELS = tuple(Automation)


@dataclass
class Watch:
    """Carries things out and looks after each whether anything happened that must not."""

    desk: Desk
    decided: Counter[tuple[str, int]] = field(default_factory=Counter)

    def take(self, case: Case, step: Step, *, failing: bool = False) -> None:
        """One step, and everything that must hold of it."""
        desk = self.desk
        before = dict(desk.cases)
        change = desk.do(case, step)
        if isinstance(change, Refused):
            assert desk.cases == before
            return
        if failing and case.route.steps[case.step].checklist:
            assert EventKind.VERIFICATION_FAILED in [event.kind for event in change.events], "a failed item was passed over"
            assert desk.cases[case.id].verdict is None
        for one in (change, *change.along):
            self._look(before[one.case.id], one)
        for name in desk.cases.keys() - before.keys():
            self._settled(desk.cases[name])

    def opened(self, case: Case) -> None:
        """What must hold of a case that came in."""
        self._settled(case)
        self.decided[case.id, case.revision] += case.verdict is not None

    def _look(self, before: Case, change: Change) -> None:
        after = self.desk.cases[change.case.id]
        said, told = [event.kind for event in change.events], [message.callback for message in change.messages]
        self.decided[after.id, after.revision] += said.count(EventKind.DECIDED)
        assert self.decided[after.id, after.revision] <= 1, "decided twice in one revision"
        if after.kind is CaseKind.CASE and self.desk.automation.level >= Automation.PAUSED.level and after.verdict in EXECUTABLE:
            assert "case.decided" not in told, "an approval left a paused workflow"
        if before.tied_to and before.open and not after.open:
            first = self.desk.cases[before.tied_to]
            alone = after.verdict in (Verdict.EXPIRED, Verdict.WITHDRAWN, Verdict.AUTO_REJECTED)
            assert alone or (after.verdict, after.votes) == (first.verdict, first.votes), "a tied case was decided by nobody"
        if not before.open and after.open:
            assert before.withheld, "a decision that had left was taken back"
        assert told.count("case.rollback_requested") <= 1
        self._settled(after)

    def _settled(self, case: Case) -> None:
        voters = [vote.by for vote in case.votes]
        assert len(voters) == len(set(voters)), "one person took two steps"
        assert not any(is_requester(person, case) for person in PEOPLE if person.id in voters), "the requester decided"
        if case.open and case.held_by != "frozen" and not case.tied_to:
            assert case.due_at is not None, "an open case that nobody will ever look at again"
        asked = [child for child in self.desk.children(case) if child.kind is CaseKind.ROLLBACK and child.verdict is Verdict.APPROVED]
        assert self.desk.told(case).count("case.rollback_requested") <= len(asked) <= 1, "undone twice"


def carry_out(watch: Watch, kind: int, which: int, what: int, who: int) -> None:
    """One thing that happens, chosen by numbers."""
    desk, person, amount = watch.desk, PEOPLE[who % len(PEOPLE)], AMOUNTS[what % len(AMOUNTS)]
    if kind < 3 or not desk.cases:
        watch.opened(desk.now_of(desk.post(_submission(len(desk.cases), amount, who), lot=(what % 10) / 10)))
        return
    case = desk.cases[sorted(desk.cases)[which % len(desk.cases)]]
    match kind:
        case 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11:
            answers = ANSWERS[which % len(ANSWERS)]
            verb = VERBS[what % len(VERBS)] if kind < 6 else (Verb.APPROVE, Verb.REJECT, Verb.ROLL_BACK)[kind // 10 * (kind - 9)]
            failing = verb is Verb.APPROVE and answers == {"evidence": "fail"}
            watch.take(case, _pressed(case, verb, person, answers, amount), failing=failing)
        case 12:
            desk.now += timedelta(hours=(1 + what) * 0.3)
            for late in sorted(desk.cases):
                for _ in range(3):
                    watch.take(desk.cases[late], on_time)
        case 13:
            desk.automation = LEVELS[what % len(LEVELS)]
            _enforce(watch)
        case 14:
            action = {"type": "refund.create", "params": {"amount": amount}, "reversible": True}
            parts: tuple[dict[str, Any], ...] = ({}, {"action": action}, {"request": "Why."}, {"requester": {"slack_id": person.id}})
            if case.kind is CaseKind.CASE:
                watch.take(case, supply(Information(type="case.information", case_id=case.id, case=parts[who % 4])))
        case 15 if what < 4:
            watch.take(case, withdraw(Withdrawal(type="case.withdraw", case_id=case.id, reason="no longer needed")))
        case _:
            watch.take(case, report(Outcome(type="case.outcome", case_id=case.id, result="executed")))


def _submission(number: int, amount: str, who: int) -> Submission:
    parts: dict[str, Any] = {"action": {"type": "ticket.refund", "params": {"amount": amount}, "reversible": True}}
    parts |= {"request": None} if who % 5 == 4 else {}
    parts |= {"requester": {"slack_id": FRONT}} if who % 5 == 3 else {}
    parts |= {"deadline": "2026-11-20T20:00:00Z"} if who % 5 == 2 else {}
    return a_submission(task_id=f"t-{number}", subject={"id": "cust-1"}, prefill={"category": "billing"}, **parts)


def _pressed(case: Case, verb: Verb, person: Person, answers: dict[str, str] | None, amount: str) -> Step:
    changes: dict[str, Any] = {"person": person, "checklist": answers, "params": {"amount": amount}, "prefill": {"category": amount}}
    return step_of(a_press(case, verb, **changes))


def _enforce(watch: Watch) -> None:
    """What the sweep does after a brake was touched, as far as the core goes: callbacks count as sent once they were promised."""
    desk = watch.desk
    for name in sorted(desk.cases):
        if desk.automation.level < Automation.PAUSED.level:
            watch.take(desk.cases[name], afresh())
        if desk.automation is Automation.FROZEN:
            watch.take(desk.cases[name], freeze())
        else:
            watch.take(desk.cases[name], release("workflow_resumed"))


OPERATIONS = st.tuples(st.integers(0, 15), st.integers(0, 7), st.integers(0, 12), st.integers(0, 11))


@settings(max_examples=examples(400))
@given(
    policy=st.sampled_from(POLICIES),
    automation=st.sampled_from(LEVELS),
    operations=st.lists(OPERATIONS, min_size=10, max_size=60),
)
def test_whatever_happens_in_whatever_order(policy: Policy, automation: Automation, operations: list[tuple[int, int, int, int]]) -> None:
    """One decision in a revision; no approval leaves a paused workflow; a tied case follows the first or ends by itself; nobody counts
    twice; no open case is forgotten; nothing is undone twice.
    """
    watch = Watch(Desk(policy, automation=automation))
    for operation in operations:
        carry_out(watch, *operation)
