"""What is said of a case is what happens: `upcoming` against the engine, over ladders, clocks, calendars, states and presses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.case.case import Case, OpenPage
from routing.case.facts import Facts
from routing.case.followup import Information, Withdrawal
from routing.change import Arrival, Change, MessageKind, Subject
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.closed_hours import landing
from routing.review.followups import supply, withdraw
from routing.review.holds import freeze
from routing.review.opening import open_case
from routing.review.outlook import Upcoming, due, goes_to, outlook, upcoming
from routing.review.page_news import PagerNews, page_acknowledged, page_resolved
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.vocabulary import Consequence, EventKind, State, Verdict
from tests.examples_drawn import examples
from tests.routing.factory import a_person, a_press, a_submission

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SHORT = st.sampled_from(["1m", "7m", "15m", "30m"])
LONG = st.sampled_from(["5m", "40m", "4h", "9h"])
VERBS = ("approve", "escalate", "ask", "claim", "unclaim", "comment", "modify", "resume", "quarantine")

LAST = frozenset(
    {
        *(Consequence.ESCALATED, Consequence.HELD, Consequence.QUARANTINED, Consequence.EXPIRED, Consequence.DECIDED),
        *(Consequence.ASKED_AGAIN, Consequence.REVIEWED),
    }
)
"""With what everything that is announced ends: the case leaves those who have it, or is asked about anew."""


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Ladders of one to four tiers with and without clocks, pagers, calendars, another for closed hours; safe states, totals, templates."""
    tiers, count = [], draw(st.integers(1, 4))
    for number in range(1, count + 1):
        ack = f", ack: {draw(SHORT)}" if draw(st.booleans()) else ""
        pager = ', pagerduty: {routing_key: "R0KEY"}' if draw(st.booleans()) else ""
        office = f", calendar: {draw(st.sampled_from(['berlin', 'tokyo']))}" if draw(st.booleans()) else ""
        if office and number < count and draw(st.booleans()):
            risk = draw(st.sampled_from(["low", "high", "critical"]))
            office += f", closed: {{to: {draw(st.sampled_from([*range(number + 1, count + 1), 'last']))}, from: {risk}}}"
        tiers.append(f"      - {{channel: tier{number}, group: frontline, owner: U0OWNER{ack}, decide: {draw(LONG)}{pager}{office}}}\n")
    clocks = [f"{{clock: {name}, lasts: {draw(LONG)}}}" for name in ("total", "information", "hold") if draw(st.booleans())]
    template = draw(st.sampled_from(["approval", "dual", "auto"]))
    asked = draw(st.sampled_from(["", ", required: [request]"]))
    text = f"""
version: "1"
changes: "drawn"
defaults: {{undo: 0s}}
groups: {{frontline: {{users: [U0FRONT]}}}}
roles: {{supervisor: [frontline]}}
calendars:
  berlin: {{timezone: Europe/Berlin, hours: "09:00-12:00, 13:00-17:00"}}
  tokyo: {{timezone: Asia/Tokyo, hours: "22:00-06:00"}}
ladders:
  standard:
    exhausted: {draw(st.sampled_from(["hold", "reject", "quarantine"]))}
    tiers:
{"".join(tiers)}
clocks: [{", ".join(clocks)}]
workflows:
  refunds: {{ladder: standard, template: {template}, requester: optional{asked}}}
"""
    return load_policy(text.encode(), {})


def what_became(before: Case, change: Change) -> Consequence:
    """What a step of the engine came to, read from the case and what was recorded; nothing of the announcement."""
    case, kinds = change.case, [event.kind for event in change.events]
    if case.verdict in (Verdict.AUTO_APPROVED, Verdict.AUTO_REJECTED):
        return Consequence.DECIDED
    if case.verdict is not None:
        return Consequence.EXPIRED
    if case.state is State.HELD and before.state is not State.HELD:
        return Consequence.QUARANTINED if case.held_by == "quarantine" else Consequence.HELD
    if case.state is State.HELD:
        return Consequence.ASKED_AGAIN if case.clocks.hold != before.clocks.hold else Consequence.NOTED
    if case.tier > before.tier:
        return Consequence.ESCALATED
    if case.state is State.PENDING and before.state is State.NEEDS_INFO:
        return Consequence.REVIEWED
    return Consequence.PAGED if EventKind.PAGED in kinds else Consequence.REMINDED


def acted(case: Case, policy: Policy, verb: str, now: datetime) -> Case:
    """The case after somebody did something, as it was where that was refused."""
    subject = Subject(case, policy, a_submission(), present=Facts())
    person = a_person(id=f"U0{now:%H%M%S}", groups=frozenset({"frontline"}))
    match verb:
        case "supply":
            step: Any = supply(Information(type="case.information", case_id=case.id, case={"request": f"Since {now}."}))
        case "withdraw":
            step = withdraw(Withdrawal(type="case.withdraw", case_id=case.id, reason="no need"))
        case "freeze":
            step = freeze()
        case "acknowledged there" | "resolved there":
            page = case.pages[-1] if case.pages else OpenPage(tier=0, round=1)
            news = PagerNews(tier=page.tier, round=page.round, who="PUSER")
            step = (page_acknowledged if verb == "acknowledged there" else page_resolved)(news)
        case _:
            more = {"params": {"customer": "8841", "amount": f"{now.minute + 1}.00"}} if verb == "modify" else {}
            step = step_of(a_press(case, verb, person=person, **more))
    result = step(subject, now)
    return result.case if isinstance(result, Change) else case


ACTS = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from([*VERBS, "supply", "withdraw", "freeze", "acknowledged there", "resolved there"])),
    max_size=6,
)


@settings(max_examples=examples(60))
@given(
    policy=policies(),
    acts=ACTS,
    deadline=st.none() | st.integers(1, 900),
    request=st.booleans(),
    flags=st.sampled_from([[], ["financial"], ["prohibited_content"]]),
)
def test_what_is_announced_is_what_happens_first(
    policy: Policy, acts: list[tuple[int, str]], deadline: int | None, request: bool, flags: list[str]
) -> None:
    """At every moment the announced time and kind are what the engine then does; only a press or news changes an announcement."""
    fields: dict[str, Any] = {"risk": {"impact": "high", "likelihood": 0.5, "flags": flags}}
    fields |= {} if request else {"request": None}
    fields |= {"deadline": f"{MONDAY + timedelta(minutes=deadline):%Y-%m-%dT%H:%M:%SZ}"} if deadline is not None else {}
    change = open_case("refund-agent", a_submission(**fields))(Arrival("c_01", policy, Facts(), MONDAY))
    case, now = change.case, MONDAY
    todo = sorted((MONDAY + timedelta(minutes=after), verb) for after, verb in acts)
    assert case.state is not State.PENDING or landing(case, case.tier, now) == case.tier, "it came to a tier that is closed"
    for _ in range(120):
        announced = upcoming(case)
        at = case.due_at
        if todo and (at is None or todo[0][0] < at):
            now, verb = max(now, todo[0][0]), todo.pop(0)[1]
            case = acted(case, policy, verb, now)
            continue
        if at is None:
            assert announced is None
            return
        assert at >= now
        before, now = case, at
        moved = on_time(Subject(before, policy, a_submission()), now)
        assert isinstance(moved, Change)
        case, became = moved.case, what_became(before, moved)
        if became in (Consequence.REMINDED, Consequence.NOTED):
            assert announced is None or announced.at > now or (due(before, now) or announced).consequence is became
            assert upcoming(case) == announced, "a reminder changes nothing that was said"
            continue
        assert announced is not None
        assert (announced.at, announced.consequence) == (now, became)
        assert became is not Consequence.ESCALATED or goes_to(before, announced) == case.tier
        if case.state is State.PENDING and due(case, now) is None:
            assert landing(case, case.tier, now) == case.tier, "it waits for a tier that is closed"
        foretold(before, case, became)


@st.composite
def offices(draw: st.DrawFn) -> Policy:
    """Ladders whose tiers keep hours, all but the top one, and hand cases over outside of them, each to a tier above."""
    count, tiers = draw(st.integers(2, 4)), []
    for number in range(1, count + 1):
        hours = ""
        if number < count:
            to = draw(st.integers(number + 1, count))
            risk, office = draw(st.sampled_from(["low", "medium"])), draw(st.sampled_from(["berlin", "tokyo"]))
            hours = f", calendar: {office}, closed: {{to: {to}, from: {risk}}}"
        pager = ', pagerduty: {routing_key: "R0KEY"}' if draw(st.booleans()) else ""
        ack = f", ack: {draw(SHORT)}" if draw(st.booleans()) else ""
        tiers.append(f"      - {{channel: tier{number}, group: frontline{ack}, decide: {draw(LONG)}{pager}{hours}}}\n")
    text = f"""
version: "1"
changes: "drawn"
defaults: {{undo: 0s}}
groups: {{frontline: {{users: [U0FRONT]}}}}
roles: {{supervisor: [frontline]}}
calendars:
  berlin: {{timezone: Europe/Berlin, hours: "09:00-12:00, 13:00-17:00"}}
  tokyo: {{timezone: Asia/Tokyo, hours: "22:00-06:00"}}
ladders:
  standard:
    tiers:
{"".join(tiers)}
workflows:
  refunds:
    {{ladder: standard, template: {draw(st.sampled_from(["approval", "dual"]))}, requester: optional, start: {{specialist: 1, expert: 1}}}}
"""
    return load_policy(text.encode(), {})


@settings(max_examples=examples(150))
@given(policy=offices(), acts=ACTS, opens=st.integers(0, 1_440))
def test_no_case_ever_waits_for_a_tier_to_open(policy: Policy, acts: list[tuple[int, str]], opens: int) -> None:
    """Looked at every 20 minutes of a day and a half, whatever people did: it is at a tier that is there, and went where that was said."""
    start = MONDAY + timedelta(minutes=opens)
    risk = {"risk": {"impact": "high", "likelihood": 0.5}}
    case = open_case("refund-agent", a_submission(**risk))(Arrival("c_01", policy, Facts(), start)).case
    todo = sorted((start + timedelta(minutes=after * 3), verb) for after, verb in acts)
    for minutes in range(0, 36 * 60, 20):
        now = start + timedelta(minutes=minutes)
        while (at := min([*([case.due_at] if case.due_at else []), *(moment for moment, _ in todo[:1])], default=None)) and at <= now:
            if todo and todo[0][0] <= at:
                case = acted(case, policy, todo.pop(0)[1], at)
                continue
            before, announced = case, due(case, at)
            moved = on_time(Subject(case, policy, a_submission(**risk)), at)
            assert isinstance(moved, Change)
            assert announced is not None
            case = moved.case
            assert announced.consequence is not Consequence.ESCALATED or case.tier == goes_to(before, announced)
            assert case.tier >= before.tier
        assert case.state is not State.PENDING or landing(case, case.tier, now) == case.tier


def foretold(before: Case, after: Case, became: Consequence) -> None:
    """The whole outlook is kept: after a page that was announced the rest comes as it was announced."""
    said = outlook(before)
    if became is Consequence.PAGED:
        assert outlook(after) == said[1:]
    assert not said or said[-1].consequence in LAST
    assert [one.at for one in said] == sorted(one.at for one in said)


@settings(max_examples=examples(40))
@given(policy=policies(), acts=ACTS)
def test_whatever_holds_or_ends_a_case_settles_its_incidents(policy: Policy, acts: list[tuple[int, str]]) -> None:
    """Every page that was sent is resolved in the change that decides or holds the case, and none is left open beside it."""
    change = open_case("refund-agent", a_submission(risk={"impact": "critical", "flags": ["prohibited_content"]}))(
        Arrival("c_01", policy, Facts(), MONDAY)
    )
    case, now = change.case, MONDAY
    todo = sorted((MONDAY + timedelta(minutes=after), verb) for after, verb in acts)
    for _ in range(40):
        before, at = case, case.due_at
        if todo and (at is None or todo[0][0] < at):
            now, verb = max(now, todo[0][0]), todo.pop(0)[1]
            case = acted(case, policy, verb, now)
        elif at is not None:
            moved = on_time(Subject(case, policy, a_submission()), now := at)
            assert isinstance(moved, Change)
            case = moved.case
            resolved = {(one.tier, one.round) for one in moved.messages if one.kind is MessageKind.PAGE_RESOLVE}
            if case.state is not before.state:
                assert {(one.tier, one.round) for one in before.pages} - {(one.tier, one.round) for one in case.pages} <= resolved
        else:
            return
        newly_held = case.state is State.HELD and before.state is not State.HELD
        assert not (case.pages and (newly_held or not case.open)), "an incident is open and nobody owes an answer"


def test_a_critical_case_is_not_held_before_what_was_said() -> None:
    """The second acknowledge time of the top tier runs out before its decide time: said from the first, with what happens then."""
    policy = load_policy(
        b"""
version: "1"
changes: "one tier that pages"
defaults: {undo: 0s}
groups: {frontline: {users: [U0FRONT]}}
ladders:
  standard:
    tiers:
      - {channel: top, group: frontline, ack: 10m, decide: 40m, pagerduty: {routing_key: "R0KEY"}}
workflows: {refunds: {ladder: standard, template: approval, requester: optional}}
""",
        {},
    )
    case = open_case("refund-agent", a_submission())(Arrival("c_01", policy, Facts(), MONDAY)).case
    ten, twenty = MONDAY + timedelta(minutes=10), MONDAY + timedelta(minutes=20)
    assert outlook(case) == (Upcoming(ten, "acknowledge", Consequence.PAGED), Upcoming(twenty, "acknowledge", Consequence.HELD))
    paged = on_time(Subject(case, policy), ten)
    assert isinstance(paged, Change)
    held = on_time(Subject(paged.case, policy), twenty)
    assert isinstance(held, Change)
    assert held.case.state is State.HELD
    assert {name: value for event in held.events for name, value in event.fields.items()} == {
        "reason": "ladder_exhausted_hold",
        "tier": 1,
        "ran_out": "acknowledge",
    }
    assert [message.kind for message in held.messages].count(MessageKind.PAGE_RESOLVE) == 1
