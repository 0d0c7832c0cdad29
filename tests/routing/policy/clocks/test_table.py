"""The clock table: which row a case gets, in which time it counts, and what happens when each clock runs out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.case.case import Case, Route
from routing.case.facts import Facts
from routing.case.followup import Information
from routing.change import Arrival, Change, MessageKind, Subject
from routing.policy.clocks.presets import ROWS, Preset
from routing.policy.clocks.row import EXPIRY, seconds, written
from routing.policy.clocks.table import row_for
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.draft import Draft
from routing.review.followups import supply
from routing.review.opening import open_case
from routing.review.revision import revise
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.simulation.explain import explain
from routing.vocabulary import ClockName, EventKind, Lane, Mode, Risk, State, Verdict
from tests.routing.factory import NOON, POLICY_TEXT, a_person, a_press, a_route, a_submission

FRIDAY_EVENING = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
SENIOR = a_person(id="U0SENIOR", groups=frozenset({"experts"}))


def a_policy(rows: str = "", own: str = "", *, calendar: bool = False, other: tuple[str, str] = ("", "")) -> Policy:
    """The policy of the factory with a clock table, one for its workflow, office hours for the first tier and another word if wanted."""
    assert other[0] in POLICY_TEXT.decode()
    text = POLICY_TEXT.decode().replace(*other) if other[0] else POLICY_TEXT.decode()
    text = text.replace("requester: optional}", f"requester: optional, clocks: [{own}]}}") + f"clocks: [{rows}]\n"
    if calendar:
        text = text.replace("decide: 4h}", "decide: 4h, calendar: office}") + 'calendars: {office: {timezone: UTC, hours: "09:00-17:00"}}\n'
    return load_policy(text.encode(), {})


def opened(policy: Policy, at: datetime = NOON, **parts: Any) -> Case:
    """A refund that was opened under the policy."""
    return open_case("refund-agent", a_submission(**parts))(Arrival("c_01", policy, Facts(), at)).case


def tick(case: Case, policy: Policy, at: datetime) -> Change:
    """One turn of the clock that must do something."""
    answer = on_time(Subject(case, policy), at)
    assert isinstance(answer, Change), answer
    return answer


def press(case: Case, policy: Policy, verb: str, at: datetime, **more: Any) -> Case:
    """The case after somebody pressed."""
    answer = step_of(a_press(case, verb, **more))(Subject(case, policy, a_submission()), at)
    assert isinstance(answer, Change), answer
    return answer.case


def lasts(rows: str, own: str = "", **route: Any) -> int | None:
    """How long `decide` lasts for such a route, None where no row fits."""
    row = row_for(a_policy(rows, own).clock_tables("refunds"), ClockName.DECIDE, a_route(**route))
    return row.lasts_s if row else None


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"risk": Risk.LOW, "mode": Mode.ASYNC}, 3_600),
        ({"risk": Risk.HIGH, "mode": Mode.ASYNC}, 1_800),
        ({"risk": Risk.LOW, "mode": Mode.SYNC}, 2_400),
        ({"risk": Risk.HIGH, "mode": Mode.SYNC}, 600),
        ({"risk": Risk.HIGH, "mode": Mode.SYNC, "lane": Lane.STOP}, 600),
        ({"risk": Risk.MEDIUM, "mode": Mode.SYNC, "lane": Lane.STOP}, 60),
    ],
)
def test_the_row_with_the_most_conditions_wins_then_the_last(route: dict[str, Any], expected: int) -> None:
    """However the rows are ordered, the more specific one is taken; of equals the later."""
    rows = (
        "{clock: decide, risk: high, mode: sync, lasts: 10m}, {clock: decide, lasts: 2h}, {clock: decide, risk: high, lasts: 30m}, "
        "{clock: decide, mode: sync, lasts: 40m}, {clock: decide, lane: stop, lasts: 1m}, {clock: decide, lasts: 1h}"
    )
    assert lasts(rows, **route) == expected


def test_a_workflow_s_own_table_comes_first() -> None:
    """A general row of the workflow wins over a specific one of the policy, which is asked only where the workflow says nothing."""
    rows = "{clock: decide, risk: medium, lasts: 1h}"
    assert lasts(rows, "{clock: decide, lasts: 3h}") == 3 * 3_600
    assert lasts(rows, "{clock: decide, risk: high, lasts: 3h}") == 3_600
    assert lasts("{clock: hold, lasts: 1h}") is None


def test_without_a_fitting_row_the_ladder_keeps_its_own_times() -> None:
    """The tiers' ack and decide stand, a day for information, four hours for a held case, no total."""
    chosen = opened(a_policy("{clock: decide, risk: critical, lasts: 1m}, {clock: total, lane: stop, lasts: 1m}")).route
    assert [(tier.ack_s, tier.decide_s) for tier in chosen.tiers] == [(900, 14_400), (900, 1_800)]
    assert (chosen.information_s, chosen.hold_s, chosen.total_s) == (86_400, 14_400, None)


def test_the_snapshot_carries_what_the_table_says() -> None:
    """Every clock of the route; later tiers have their own, a single approval has no clock of a dual review."""
    table = "{clock: acknowledge, lasts: 5m}, {clock: decide, lasts: 20m}, {clock: escalate, lasts: 1h}, {clock: approve, lasts: 9h}, "
    policy = a_policy(table + "{clock: information, lasts: 2h}, {clock: hold, lasts: 3h}, {clock: total, lasts: 8h}")
    chosen = opened(policy).route
    assert [(tier.ack_s, tier.decide_s) for tier in chosen.tiers] == [(300, 1_200), (300, 3_600)]
    assert (chosen.information_s, chosen.hold_s, chosen.total_s) == (7_200, 10_800, 28_800)
    assert [step.decide_s for step in chosen.steps] == [None]
    assert Route.model_validate_json(chosen.model_dump_json()) == chosen


def test_business_time_is_the_tiers_and_a_row_can_count_day_and_night() -> None:
    """On Friday half an hour before closing: an hour of office time ends on Monday, an elapsed one in an hour."""
    monday = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    office = opened(a_policy("{clock: decide, lasts: 1h}", calendar=True), FRIDAY_EVENING)
    assert office.clocks.decide == monday
    mixed = a_policy("{clock: acknowledge, lasts: 1h}, {clock: decide, lasts: 1h, time: elapsed}", calendar=True)
    clocks = opened(mixed, FRIDAY_EVENING).clocks
    assert (clocks.acknowledge, clocks.decide) == (monday, FRIDAY_EVENING + timedelta(hours=1))
    assert clocks.reminders[0] == FRIDAY_EVENING + timedelta(minutes=30)


def test_information_hold_and_total_run_day_and_night_unless_a_row_says_business() -> None:
    """A service answers at night; whoever wants office time for them writes it."""
    rows = "{{clock: information, lasts: 1h{0}}}, {{clock: total, lasts: 1h{0}}}"
    elapsed = opened(a_policy(rows.format(""), calendar=True), FRIDAY_EVENING)
    business = opened(a_policy(rows.format(", time: business"), calendar=True), FRIDAY_EVENING)
    monday = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert (elapsed.clocks.total, business.clocks.total) == (FRIDAY_EVENING + timedelta(hours=1), monday)
    assert press(business, a_policy(), "ask", FRIDAY_EVENING).clocks.information == monday


def test_what_is_left_of_a_paused_clock_is_counted_as_the_clock_counts() -> None:
    """An elapsed decide clock in an office: half of it is left after half of it, also over the weekend."""
    policy = a_policy("{clock: decide, lasts: 2h, time: elapsed}, {clock: information, lasts: 1h}", calendar=True)
    asked = press(opened(policy, FRIDAY_EVENING), policy, "ask", FRIDAY_EVENING + timedelta(hours=1))
    assert asked.clocks.left_s == 3_600
    back = tick(asked, policy, FRIDAY_EVENING + timedelta(hours=2)).case
    assert back.clocks.decide == FRIDAY_EVENING + timedelta(hours=3)


def test_each_step_of_a_dual_review_has_its_own_clock_and_climbs_when_it_runs_out() -> None:
    """Two hours to verify, then four to approve, whatever the tiers say; the next tier has the step's time again."""
    policy = a_policy(own="{preset: dual-2h-4h}", other=("template: approval", "template: dual"))
    case = opened(policy)
    assert case.clocks.decide == NOON + timedelta(hours=2)
    all_right = {item.id: "pass" for item in case.route.steps[0].checklist}
    verified = press(case, policy, "approve", NOON + timedelta(hours=1), checklist=all_right)
    assert (verified.step, verified.clocks.decide) == (1, NOON + timedelta(hours=5))
    claimed = press(verified, policy, "claim", NOON + timedelta(hours=1), person=a_person(id="U0OTHER"))
    late = claimed.model_copy(update={"clocks": claimed.clocks.model_copy(update={"reminders": ()})})
    climbed = tick(late, policy, NOON + timedelta(hours=5))
    assert (climbed.case.tier, climbed.events[0].kind) == (1, EventKind.ESCALATED)
    assert climbed.case.clocks.decide == NOON + timedelta(hours=9)
    decided = press(climbed.case, policy, "approve", NOON + timedelta(hours=6), person=SENIOR)
    assert decided.verdict is Verdict.APPROVED


TOTAL = "{clock: total, lasts: 10m}"


def test_the_total_brings_the_safe_state_at_any_tier() -> None:
    """Ten minutes after the opening the case is held at its first tier, the log says why, the service is told."""
    policy = a_policy(TOTAL)
    change = tick(opened(policy), policy, NOON + timedelta(minutes=10))
    assert (change.case.state, change.case.tier, change.case.clocks.total) == (State.HELD, 0, None)
    assert [(event.kind, event.fields.get("clock") or event.fields.get("reason")) for event in change.events] == [
        (EventKind.EXPIRED, "total"),
        (EventKind.HELD, "total_passed"),
    ]
    assert [message.callback for message in change.messages if message.kind is MessageKind.CALLBACK] == ["case.held"]


def test_the_total_ends_a_case_whose_ladder_rejects() -> None:
    """The verdict is expired, by the total, and nothing is executed."""
    policy = a_policy(TOTAL, other=("workflows:", "    exhausted: reject\nworkflows:"))
    change = tick(opened(policy), policy, NOON + timedelta(minutes=10))
    assert (change.case.verdict, change.case.reason_code) == (Verdict.EXPIRED, "total_passed")


def test_the_total_does_not_pause_while_information_is_awaited() -> None:
    """Asked or sent back at once, the case is held in time, and people are shown what nobody saw yet."""
    policy = a_policy(TOTAL, own="{clock: hold, lasts: 2h}")
    asked = press(opened(policy), policy, "ask", NOON + timedelta(minutes=5))
    assert tick(asked, policy, NOON + timedelta(minutes=10)).case.state is State.HELD
    demanding = a_policy(TOTAL, other=("template: approval,", "template: approval, required: [request],"))
    unseen = opened(demanding, request=None)
    assert (unseen.state, unseen.tier_since) == (State.NEEDS_INFO, None)
    shown = tick(unseen, demanding, NOON + timedelta(minutes=10))
    assert (shown.case.state, shown.case.verdict) == (State.HELD, None)
    assert [message.kind for message in shown.messages][:1] == [MessageKind.CARD]
    assert press(shown.case, demanding, "resume", NOON + timedelta(hours=1)).clocks.total == NOON + timedelta(hours=1, minutes=10)


def test_a_revision_can_shorten_the_total_but_never_extends_it() -> None:
    """A service that supplies something every hour does not keep its case alive."""
    policy = a_policy("{clock: total, lasts: 4h}")
    case = opened(policy)
    supplied = supply(Information(type="case.information", case_id="c_01", case={"request": "Twice!"}))(
        Subject(case, policy, a_submission()), NOON + timedelta(hours=1)
    )
    assert isinstance(supplied, Change)
    assert (supplied.case.revision, supplied.case.clocks.total) == (2, NOON + timedelta(hours=4))
    draft = Draft(Subject(case, policy), NOON)
    revise(draft, a_submission(), case.route.model_copy(update={"total_s": 60}), case.facts)
    assert draft.case.clocks.total == NOON + timedelta(minutes=1)
    assert press(draft.case, policy, "escalate", NOON + timedelta(seconds=30)).clocks.total == NOON + timedelta(minutes=1)


def test_a_case_that_climbs_is_not_ended_sooner_than_was_said() -> None:
    """The total that began in the office hours of the first tier is not counted anew, by night and day, at the tier above."""
    policy = a_policy("{clock: total, lasts: 6h, time: business}", calendar=True)
    case = opened(policy, FRIDAY_EVENING)
    assert case.clocks.total == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    climbed = press(case, policy, "escalate", FRIDAY_EVENING + timedelta(minutes=5))
    assert climbed.clocks.total == case.clocks.total


def test_a_held_case_is_asked_about_at_the_table_s_pace() -> None:
    """The hold clock asks again, and again after as long."""
    policy = a_policy(f"{TOTAL}, {{clock: hold, lasts: 1h}}")
    held = tick(opened(policy), policy, NOON + timedelta(minutes=10)).case
    again = tick(held, policy, NOON + timedelta(minutes=70))
    assert again.events[0].kind is EventKind.REMINDED
    assert again.case.clocks.hold == NOON + timedelta(minutes=130)


def test_the_acknowledge_and_information_clocks_act_at_the_table_s_time() -> None:
    """Untaken after five minutes the next tier is asked; unanswered after two hours people decide."""
    policy = a_policy("{clock: acknowledge, lasts: 5m}, {clock: information, lasts: 2h}")
    assert tick(opened(policy), policy, NOON + timedelta(minutes=5)).case.tier == 1
    asked = press(opened(policy), policy, "ask", NOON)
    assert tick(asked, policy, NOON + timedelta(hours=2)).case.state is State.PENDING


def test_every_clock_says_what_happens_when_it_runs_out() -> None:
    """The closed list and its sentences go together."""
    assert set(EXPIRY) == set(ClockName)


@pytest.mark.parametrize("text", ["1s", "90s", "15m", "90m", "4h", "36h", "2d"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    """What the explanation prints can be pasted into a policy."""
    assert written(int(str(seconds(text)))) == text


def test_the_explanation_names_the_clocks_this_case_would_get() -> None:
    """How long, in which time, what then, and which row of the file says so."""
    policy = a_policy("{clock: total, risk: low, lasts: 8h}", own="{preset: sync-30m-async-4h}", calendar=True)
    text = explain(policy, a_submission(), Facts(), NOON).text()
    assert "acknowledge: tier 1 15m of business time, tier 2 15m" in text
    assert "decide: tier 1 4h of business time" in text
    assert "(from /workflows/refunds/clocks/0 (sync-30m-async-4h))" in text
    assert "escalate: tier 2 1h" in text
    assert "total: 8h - then the ladder's safe state, whatever tier it is at (from /clocks/0)" in text


PRESETS: list[tuple[Preset, list[tuple[ClockName, dict[str, Any], int | None]]]] = [
    (Preset.BUSINESS_5M, [(ClockName.DECIDE, {}, 300)]),
    (Preset.ACK_15M_DECIDE_4H, [(ClockName.ACKNOWLEDGE, {}, 900), (ClockName.DECIDE, {}, 14_400)]),
    (Preset.STANDARD_10M_HIGH_15M, [(ClockName.DECIDE, {}, 600), (ClockName.DECIDE, {"risk": Risk.CRITICAL}, 900)]),
    (Preset.HIGH_RISK_30M, [(ClockName.DECIDE, {"risk": Risk.HIGH}, 1_800), (ClockName.DECIDE, {}, None)]),
    (Preset.DUTY_15M_30M, [(ClockName.ACKNOWLEDGE, {}, 900), (ClockName.DECIDE, {}, 1_800)]),
    (Preset.DUAL_2H_4H, [(ClockName.VERIFY, {}, 7_200), (ClockName.APPROVE, {}, 14_400), (ClockName.DECIDE, {}, None)]),
    (
        Preset.SYNC_30M_ASYNC_4H,
        [(ClockName.DECIDE, {"mode": Mode.SYNC}, 1_800), (ClockName.DECIDE, {}, 14_400), (ClockName.ESCALATE, {}, 3_600)],
    ),
    (Preset.BUSINESS_DAY, [(ClockName.DECIDE, {}, 28_800)]),
    (Preset.STOP_1H, [(ClockName.DECIDE, {"lane": Lane.STOP}, 3_600), (ClockName.DECIDE, {}, None)]),
]


@pytest.mark.parametrize(("preset", "expected"), PRESETS)
def test_a_preset_gives_what_its_sentence_says(preset: Preset, expected: list[tuple[ClockName, dict[str, Any], int | None]]) -> None:
    """Named in a policy, each preset's durations apply to the cases its sentence speaks of, and to no others."""
    tables = a_policy(f"{{preset: {preset}}}", calendar=True).clock_tables("refunds")
    found = [(clock, route, row.lasts_s if (row := row_for(tables, clock, a_route(**route))) else None) for clock, route, _ in expected]
    assert found == expected


def test_every_preset_is_there_and_a_later_row_wins_over_it() -> None:
    """No name without rows, and no preset that cannot be corrected."""
    assert set(ROWS) == set(Preset) == {preset for preset, _ in PRESETS}
    assert lasts("{preset: duty-15m-30m}, {clock: decide, lasts: 1h}") == 3_600
