"""When a drill comes round and when it waits; who may start one; that its alarm concerns no brake; what its report says."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from routing.authority import AlertLevel, Automation, GovernanceVerb
from routing.case.case import Page
from routing.change import SYSTEM, Actor
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import acknowledge
from routing.governance.automation import resume
from routing.governance.control import Control
from routing.governance.digest import Digest
from routing.governance.drill import Drill
from routing.governance.drill_lifecycle import Order, come_round, due_at, is_due, run_out, start, stop, what_is_the_matter
from routing.governance.drill_report import Sent, report
from routing.governance.governance import KEPT, Governance
from routing.governance.incident import Entry
from routing.governance.on_call_gap import nobody_on_call
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.ruling import Governed
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import DrillKind, EventKind, Risk
from tests.routing.factory import a_case, a_route
from tests.routing.governed import ADMIN, DUTY, LEAD, NOBODY, NOON, OWNER, POLICY, after, governed, kinds, press, refused, ruled
from tests.routing.low_risk import golden

SCHEDULED = b"""drills:
  roles: [policy_owner]
  schedule:
    - {name: monthly, every: 30d, kinds: [nobody_available, violation], workflow: refunds, calendar: office}
    - {name: nightly, every: 1d, kinds: [violation], workflow: payouts, any_time: true}
calendars: {office: {timezone: Europe/Berlin, hours: "09:00-17:00", holidays: DE-BE, closed: [2026-11-23]}}
"""
ROUND = load_policy(POLICY.text + SCHEDULED, {})
BEGUN: list[str] = []


def opener(drill: Drill, _policy: Policy, count: int, _now: datetime, _dark: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Opens nothing; what would be is kept by."""
    BEGUN.append(f"{drill.kind.value} {count}")
    return ()


def a_drill(**changes: Any) -> Drill:
    """One that runs."""
    values: dict[str, Any] = {"id": "d_1", "kind": DrillKind.NOBODY_AVAILABLE, "workflow": "refunds", "ladder": "standard", "to": 0}
    return Drill(**(values | {"by": "tierline", "at": NOON} | changes))


def seen(governance: Governance, policy: Policy = ROUND) -> Governed:
    """What a step sees under this policy."""
    return Governed(governance, policy, "2" * 26)


def the_schedule(name: str = "monthly") -> Any:  # noqa: ANN401 - a part of the policy's form
    """Of the policy."""
    return next(one for one in ROUND.form.drills.schedule if one.name == name)


@pytest.mark.parametrize("kind", DrillKind)
@pytest.mark.parametrize(("who", "may"), [(LEAD, True), (DUTY, True), (ADMIN, True), (OWNER, False), (NOBODY, False)])
def test_whom_the_policy_names_may_start_and_stop_one(kind: DrillKind, who: str, may: bool) -> None:
    """By default supervisors, duty officers and admins; where it names owners, only these. The command line is not asked for a role."""
    asked = press(GovernanceVerb.START_DRILL, who=who, reason="")
    order = Order(kind, "refunds")
    actor = Actor("human", who)
    if may:
        assert kinds(ruled(start(order, actor, opener, asked))) == ["drill_started"]
        running = governed(Governance(drills=(a_drill(left=("c_1",), cases=("c_1",)),)))
        assert kinds(ruled(stop("", actor, press(GovernanceVerb.STOP_DRILL, "", who, "")), running)) == ["drill_stopped"]
    else:
        assert refused(start(order, actor, opener, asked)) == "not_in_role"
        assert refused(stop("", actor, press(GovernanceVerb.STOP_DRILL, "", who, ""))) == "not_in_role"
    narrower = seen(Governance())
    assert (who == OWNER) == (kinds_or_refusal(start(order, actor, opener, asked), narrower) == ["drill_started"])
    assert kinds(ruled(start(order, Actor("human", "os:anna"), opener))) == ["drill_started"]


def kinds_or_refusal(step: Any, before: Governed) -> list[str]:  # noqa: ANN401
    """What is recorded, nothing where it is refused."""
    result = step(before, NOON)
    return kinds(result) if hasattr(result, "events") else []


A_DIGEST = Digest(
    id="s_1", desk="", policy_sha256="", ladder="standard", tier=0, page=Page(), risk=Risk.HIGH, at=NOON, since=NOON, sent_at=NOON
)
MATTERS: list[Governance] = [
    *(Governance(controls={"payouts": Control(workflow="payouts", automation=one)}) for one in Automation if one.level > 1),
    Governance(alerts=(Alert(id="a_1", rule="x", workflow="payouts", level=AlertLevel.INCIDENT, at=NOON, why="w", action=Automation.ON),)),
    Governance(paging=PagingAlarm(since=NOON, posted=0, posted_at=NOON, drawn_at=NOON)),
    Governance(digests=(A_DIGEST,)),
    Governance(drills=(a_drill(workflow="payouts"),)),
]


@pytest.mark.parametrize("governance", MATTERS, ids=what_is_the_matter)
def test_none_begins_by_itself_while_something_is_the_matter(governance: Governance) -> None:
    """Whatever it is, in whatever workflow; people may start one all the same."""
    assert what_is_the_matter(governance)
    assert not is_due(ROUND, governance, the_schedule(), NOON)
    assert refused(come_round("monthly", opener), seen(governance)) == "not_due"
    assert kinds(ruled(start(Order(DrillKind.VIOLATION, "refunds"), SYSTEM, opener), seen(governance))) == ["drill_started"]


HARMLESS: list[Governance] = [
    Governance(controls={"payouts": Control(workflow="payouts", automation=Automation.SAMPLING_RAISED)}),
    Governance(
        alerts=(
            Alert(
                id="a_1", rule="drill", workflow="payouts", level=AlertLevel.INCIDENT, at=NOON, why="w", action=Automation.ON, drill="d_1"
            ),
        )
    ),
    Governance(alerts=(Alert(id="a_1", rule="x", workflow="payouts", level=AlertLevel.ACTION, at=NOON, why="w", action=Automation.ON),)),
    Governance(drills=(a_drill(ended_at=NOON),)),
    Governance(digests=(A_DIGEST.model_copy(update={"over_at": NOON}),)),
]


@pytest.mark.parametrize("governance", HARMLESS)
def test_what_is_harmless_holds_none_up(governance: Governance) -> None:
    """What is over, what only asks for more checks, the alarm of another drill."""
    assert is_due(ROUND, governance, the_schedule(), NOON)


@pytest.mark.parametrize(
    ("at", "begins"),
    [
        ("2026-11-20T08:00:00Z", True),  # Friday, nine in Berlin
        ("2026-11-20T07:59:59Z", False),
        ("2026-11-20T15:59:59Z", True),
        ("2026-11-20T16:00:00Z", False),
        ("2026-11-21T10:00:00Z", False),  # Saturday
        ("2026-11-23T10:00:00Z", False),  # closed by the policy
        ("2026-12-25T10:00:00Z", False),  # a holiday
        ("2027-03-29T07:00:00Z", False),  # Easter Monday
        ("2027-03-30T07:00:00Z", True),  # summer time
    ],
)
def test_it_begins_within_its_hours_only(at: str, begins: bool) -> None:
    """On the wall of the calendar's place; one that says any time does not ask."""
    now = datetime.fromisoformat(at)
    assert is_due(ROUND, Governance(), the_schedule(), now) is begins
    assert is_due(ROUND, Governance(), the_schedule("nightly"), now)


def test_it_comes_round_once_in_its_time_and_plays_its_kinds_in_turn() -> None:
    """Thirty days of looking every hour, by three replicas each time: one drill, then the next kind."""
    BEGUN.clear()
    before, now = seen(Governance()), NOON
    for _ in range(24 * 91):
        for _replica in range(3):
            result = come_round("monthly", opener)(before, now)
            if hasattr(result, "governance"):
                ended = [one.model_copy(update={"ended_at": now}) for one in result.governance.drills]
                before = seen(result.governance.model_copy(update={"drills": tuple(ended)}))
        now += timedelta(hours=1)
    assert BEGUN == ["nobody_available 1", "violation 1", "nobody_available 1", "violation 1"]
    begun = [one.at for one in before.governance.drills]
    assert all(later - earlier >= timedelta(days=30) for earlier, later in pairwise(begun))
    assert due_at(before.governance, the_schedule(), now) == begun[-1] + timedelta(days=30)


def test_the_alarm_of_a_drill_ends_with_it_and_is_in_nobodys_way() -> None:
    """Acknowledged, run out or stopped, it rings no more; while it is open a supervisor may resume, which an incident would forbid."""
    begun = ruled(start(Order(DrillKind.DOWNSTREAM_FAILURE, "refunds"), SYSTEM, opener))
    [drill], [alert] = begun.governance.drills, begun.governance.alerts
    assert alert.page_open
    braked = begun.governance.with_control(Control(workflow="refunds", automation=Automation.REVIEW_ALL, since=NOON, cause="person"))
    assert kinds(ruled(resume(press(GovernanceVerb.RESUME)), governed(braked)))[0] == "automation_changed"
    taken = ruled(acknowledge(press(GovernanceVerb.ACKNOWLEDGE_ALERT, alert.id)), after(begun))
    late = ruled(run_out(drill.id), after(begun), NOON + timedelta(minutes=30))
    stopped = ruled(stop(drill.id, SYSTEM), after(begun))
    assert refused(run_out(drill.id), after(begun), NOON + timedelta(minutes=29)) == "not_due"
    for done, outcome in ((taken, "answered"), (late, "unanswered"), (stopped, "stopped")):
        assert done.governance.drills[0].outcome == outcome
        assert done.governance.alerts[0].over
        assert [message.kind.value for message in done.messages if message.kind.value.startswith("page")] == ["page_resolve"]


def told(kind: EventKind, minutes: int, by: Actor = SYSTEM, **fields: Any) -> Entry:
    """An event of the case, so many minutes after it came."""
    return Entry(NOON + timedelta(minutes=minutes), kind.value, by, "c_1", fields)


def test_the_report_reads_so() -> None:
    """Each tier once, by whom and how soon; what did not get through; golden."""
    case = a_case(id="c_1", route=a_route(tiers=(*a_route().tiers, a_route().tiers[1].model_copy(update={"channel": "review-tier3"}))))
    events: Sequence[Entry] = [
        told(EventKind.RECEIVED, 0),
        told(EventKind.ACKNOWLEDGED, 3, Actor("human", "U0ANNA"), tier=1),
        told(EventKind.ESCALATED, 3, clock="drill", tier=1),
        told(EventKind.PAGED, 3, tier=2, round=1),
        told(EventKind.PAGE_NOT_ACCEPTED, 8, tier=2, round=1, routes=["pagerduty"], cause="403", tries=3, next="email"),
        told(EventKind.ESCALATED, 18, clock="acknowledge", tier=2),
        told(EventKind.ACKNOWLEDGED, 20, Actor("human", "pagerduty:PX"), tier=3),
        told(EventKind.DECIDED, 20, verdict="withdrawn", reason_code="drill_answered", decided_by=[]),
    ]
    asked = seen(Governance())
    alarm = ruled(nobody_on_call("refunds", "standard", 1, "PPTIER2A"), asked, NOON + timedelta(minutes=4)).governance.alerts[0]
    of_before = alarm.model_copy(update={"id": "a_0", "figures": {"escalation_policy": "PPTIER3"}, "at": NOON, "cleared_at": NOON})
    of_later = alarm.model_copy(update={"id": "a_2", "figures": {"escalation_policy": "PPTIER1"}, "at": NOON + timedelta(hours=1)})
    lost = Sent("c_1", "card", 1, 0, "review-tier2", "ready", NOON, error="is_archived")
    needless = Sent("c_1", "page", 2, 2, "standard/3", "cancelled", NOON, error="the case is decided", tries=4)
    played = a_drill(cases=("c_1",), ended_at=NOON + timedelta(minutes=20), on_call=("PPTIER1", "PPTIER2A", "PPTIER3"))
    found = report(played, [case], {"c_1": events}, [lost, needless], [of_before, alarm, of_later])
    lines = [f"tier {hop.tier + 1} {hop.channel}: {hop.end} by {hop.by or '-'} after {hop.seconds} s" for hop in found.hops]
    golden("drill-report.txt", "\n".join([*lines, *found.failed]) + "\n")
    assert found.answered == 1


def test_when_the_next_one_is_due_is_known_however_many_others_there_were() -> None:
    """The newest of each schedule is kept, by which the next is counted."""
    governance = Governance().with_drill(a_drill(id="d_month", schedule="monthly", ended_at=NOON))
    due = due_at(governance, the_schedule(), NOON + timedelta(days=3))
    for number in range(KEPT + 50):
        governance = governance.with_drill(a_drill(id=f"d_{number}", at=NOON + timedelta(minutes=number), ended_at=NOON))
    assert due_at(governance, the_schedule(), NOON + timedelta(days=3)) == due
    assert len(governance.drills) == KEPT
