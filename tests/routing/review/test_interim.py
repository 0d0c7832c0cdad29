"""The interim action of a playbook is never forgotten and never misreported, whatever happens to the case and in whatever order."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.authority import Automation
from routing.authorize import EXECUTABLE
from routing.case.case import Case
from routing.case.facts import Facts
from routing.case.followup import Information, Outcome, Withdrawal
from routing.change import SYSTEM, Arrival, Change, MessageKind, Subject
from routing.policy.file import load_policy
from routing.review.erasure import erase
from routing.review.followups import report, supply, withdraw
from routing.review.holds import afresh, freeze, release, withhold
from routing.review.opening import open_case
from routing.review.timing import on_time
from routing.review.unproven import keep_unproven
from routing.review.verbs import step_of
from routing.vocabulary import CaseKind, State
from tests.examples_drawn import examples
from tests.routing.factory import a_person, a_press, a_submission

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
POLICY = """
version: "1"
changes: "for the interim action"
defaults: {{undo: 0s}}
groups: {{frontline: {{users: [U0FRONT]}}, experts: {{users: [U0SENIOR]}}}}
roles: {{supervisor: [frontline]}}
ladders:
  standard:
    exhausted: {exhausted}
    tiers:
      - {{channel: review-tier1, group: frontline, owner: U0OWNER, ack: 15m, decide: 4h}}
      - {{channel: review-tier2, group: frontline, owner: U0LEAD, ack: 15m, decide: 30m}}
playbooks:
  - {{name: first, when: {{flags: [legal]}}, interim: {first}}}
  - {{name: second, when: {{flags: [hr]}}, interim: quarantine}}
  - {{name: third, when: {{lanes: [auto]}}, interim: hold}}
workflows:
  refunds: {{ladder: standard, template: {template}, requester: optional, clocks: [{{clock: total, lasts: 9h}}]}}
"""
ACTS = (
    *("approve", "reject", "modify", "escalate", "ask", "claim", "resume", "quarantine", "comment", "withdraw", "report", "time"),
    *("supply", "supply hr", "freeze", "release", "withhold", "afresh", "pause", "go on", "unproven", "erase"),
)

TOGETHER = (
    ("quarantine", "resume"),
    ("freeze", "release"),
    ("pause", "approve", "go on", "afresh"),
    ("approve", "withhold", "afresh"),
    ("go on", "afresh"),
    ("time", "time", "time", "resume"),
)
"""What follows each other now and then; drawn one by one, hardly ever."""
PHRASES = st.lists(st.sampled_from([*TOGETHER, *((act,) for act in ACTS)]), max_size=6)


def submitted(flags: list[str]) -> Any:  # noqa: ANN401 - the strict submission of the factory
    """A harmless refund but for its flags."""
    return a_submission(
        risk={"impact": "low", "likelihood": 0.01, "flags": flags},
        model={"name": "m", "version": "1", "confidence": 0.99},
        action={"type": "refund.create", "params": {"customer": "8841"}, "before": {}, "reversible": True},
    )


def done(case: Case, act: str, subject: Subject, now: datetime) -> Change | None:
    """What came of it; None where it was refused."""
    person = a_person(id=f"U0{now:%H%M%S}", groups=frozenset({"frontline"}))
    match act:
        case "supply" | "supply hr":
            flags = {"case": {"risk": {"impact": "low", "likelihood": 0.01, "flags": ["hr"]}}} if act == "supply hr" else {"answer": "Yes."}
            step: Any = supply(Information.model_validate({"type": "case.information", "case_id": case.id} | flags))
        case "withdraw":
            step = withdraw(Withdrawal(type="case.withdraw", case_id=case.id, reason="no need"))
        case "report":
            step = report(Outcome(type="case.outcome", case_id=case.id, result="executed"))
        case "time":
            step = on_time
        case "freeze" | "withhold" | "afresh":
            step = {"freeze": freeze, "withhold": withhold, "afresh": afresh}[act]()
        case "release":
            step = release("over")
        case "unproven":
            step = keep_unproven("case.decided", 3, "tampered", tell_service=True)
        case "erase":
            step = erase(SYSTEM, "over")
        case _:
            more = {"params": {"customer": f"{now:%M%S}"}} if act == "modify" else {}
            step = step_of(a_press(case, act, person=person, **more))
    result = step(subject, now)
    return result if isinstance(result, Change) else None


def judge(case: Case, told: list[str]) -> None:
    """What has to be so after every step. `told` are the callbacks, in order."""
    held = next((one for one in reversed(told) if one in ("case.held", "case.released")), "")
    interim = case.interim
    planned = any(step.kind == "interim" for playbook in case.playbooks for step in playbook.steps)
    counts = case.state in (State.DECIDED, State.CLOSED) and not case.withheld
    if interim is None:
        assert not (planned and case.open), "a playbook asks for it, and it is not in force"
        return
    if interim.in_force:
        assert not counts, "it was forgotten"
        assert held == "case.held", "the service was told that it is released"
        return
    assert counts, "it ended before a verdict that counts"
    released = case.verdict in EXECUTABLE
    assert (interim.ended, held) == (("released", "case.released") if released else ("kept", "case.held"))


@settings(max_examples=examples(150))
@given(
    flags=st.sampled_from([["legal"], ["hr"], ["legal", "hr"], []]),
    first=st.sampled_from(["hold", "quarantine"]),
    template=st.sampled_from(["approval", "auto", "dual"]),
    exhausted=st.sampled_from(["hold", "reject", "quarantine"]),
    automation=st.sampled_from([Automation.ON, Automation.PAUSED]),
    acts=PHRASES.map(lambda drawn: [act for one in drawn for act in one]),
)
@example(flags=[], first="hold", template="auto", exhausted="hold", automation=Automation.ON, acts=["withhold", "afresh"])
def test_it_is_in_force_until_a_verdict_counts(
    *, flags: list[str], first: str, template: str, exhausted: str, automation: Automation, acts: list[str]
) -> None:
    """The service was last told what is so: held while it is in force, released by an approval, kept by any other end."""
    policy = load_policy(POLICY.format(first=first, template=template, exhausted=exhausted).encode(), {})
    content, facts = submitted(flags), Facts(automation=automation)
    change = open_case("refund-agent", content)(Arrival("c_01", policy, facts, NOON))
    case, now, told = change.case, NOON, list[str]()
    for act in ("", *acts):
        automation = {"pause": Automation.PAUSED, "freeze": Automation.FROZEN, "release": Automation.ON, "go on": Automation.ON}.get(
            act, automation
        )
        if act in ("pause", "go on"):
            continue
        if act:
            now = case.due_at if act == "time" and case.due_at is not None else now + timedelta(seconds=7)
            result = done(case, act, Subject(case, policy, content, automation=automation, present=facts), now)
            if result is None:
                continue
            change, case = result, result.case
            content = next((event.submission for event in reversed(change.events) if event.submission is not None), content)
        cancelled = "case.decided" if act == "withhold" and told[-1:] == ["case.decided"] else ""
        told = told[:-1] if cancelled else told
        told += [one.callback for one in change.messages if one.kind is MessageKind.CALLBACK]
        assert case.kind is CaseKind.CASE
        if case.held_by != "unproven":
            judge(case, told)
