"""What time does when nobody does anything: reminders, acknowledging, climbing, the safe state. Never an approval."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.case.case import Case, Clocks, Repeat
from routing.case.facts import Facts
from routing.change import Arrival, Change, MessageKind, Refused, Subject
from routing.policy.file import load_policy
from routing.review.opening import open_case
from routing.review.page_news import PagerNews, page_acknowledged, page_resolved
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.vocabulary import EventKind, Exhausted, State, Verdict
from tests.routing.factory import NOON, POLICY, POLICY_TEXT, a_case, a_person, a_press, a_route, a_submission


def tick(case: Case, at: datetime) -> Change:
    """One turn of the clock that must do something."""
    answer = on_time(Subject(case, POLICY), at)
    assert isinstance(answer, Change), answer
    return answer


def run_until(case: Case, end: datetime) -> tuple[Case, list[EventKind]]:
    """Let everything happen that falls due until `end`, each at its own time."""
    kinds: list[EventKind] = []
    for _ in range(200):
        due = case.due_at
        if due is None or due > end:
            return case, kinds
        change = tick(case, due)
        kinds.extend(event.kind for event in change.events)
        case = change.case
    pytest.fail("the clocks never come to rest")


def acknowledged(**changes: Any) -> Case:
    """A case somebody has acknowledged, so that only the decide clock runs."""
    case = a_case(**changes)
    return case.model_copy(update={"acknowledged_by": "U0A", "clocks": case.clocks.model_copy(update={"acknowledge": None})})


def test_nothing_happens_before_its_time() -> None:
    """One microsecond early is early."""
    assert isinstance(on_time(Subject(a_case(), POLICY), NOON + timedelta(minutes=15, microseconds=-1)), Refused)


def test_reminders_come_at_half_and_nine_tenths() -> None:
    """An acknowledged case is reminded twice before it climbs."""
    first = tick(acknowledged(), NOON + timedelta(hours=2))
    assert first.events[0].fields["percent"] == 50
    second = tick(first.case, NOON + timedelta(hours=3.6))
    assert second.events[0].fields["percent"] == 90
    third = tick(second.case, NOON + timedelta(hours=4))
    assert (third.case.tier, third.events[0].kind) == (1, EventKind.ESCALATED)


def test_unacknowledged_climbs_and_pages() -> None:
    """After fifteen minutes without anybody the next tier gets the card and its pager rings."""
    change = tick(a_case(), NOON + timedelta(minutes=15))
    assert change.case.tier == 1
    assert [message.kind for message in change.messages if message.kind is MessageKind.PAGE] == [MessageKind.PAGE]
    assert change.case.clocks.acknowledge == NOON + timedelta(minutes=30)


def test_a_tier_with_a_pager_that_opens_a_case_pages_before_it_climbs() -> None:
    """A case that opens at the paging tier rings there first and is climbed only when that too is ignored."""
    case = a_case(tier=1, route=a_route(start=1))
    paged = tick(case, NOON + timedelta(minutes=15))
    assert (paged.case.tier, paged.events[0].kind) == (1, EventKind.PAGED)
    held = tick(paged.case, NOON + timedelta(minutes=30))
    assert held.case.state is State.HELD


@pytest.mark.parametrize("safe", list(Exhausted))
def test_the_top_of_the_ladder_is_never_an_approval(safe: Exhausted) -> None:
    """Left alone for a month, a case ends held or expired, whatever the policy chose; the service always hears of it."""
    case, kinds = run_until(a_case(route=a_route(exhausted=safe)), NOON + timedelta(hours=6))
    assert case.state is (State.DECIDED if safe is Exhausted.REJECT else State.HELD)
    assert case.verdict is (Verdict.EXPIRED if safe is Exhausted.REJECT else None)
    assert EventKind.APPROVED not in kinds
    assert case.sequence == 1


def test_a_held_case_is_not_forgotten() -> None:
    """Held, it asks again every hold period, by reminder and by page, for as long as it takes."""
    case, _ = run_until(a_case(), NOON + timedelta(hours=1))
    assert case.state is State.HELD
    later, kinds = run_until(case, NOON + timedelta(hours=25))
    assert later.state is State.HELD
    assert kinds.count(EventKind.REMINDED) == 6
    assert (later.page_rounds, len(later.pages)) == (case.page_rounds + 6, 1)


def test_the_services_deadline_expires_the_case_and_never_pauses() -> None:
    """Past the service's own deadline the verdict is expired, also while information is awaited."""
    waiting = a_case(
        state=State.NEEDS_INFO, clocks=Clocks(deadline=NOON + timedelta(hours=1), information=NOON + timedelta(days=1), left_s=60.0)
    )
    change = tick(waiting, NOON + timedelta(hours=1))
    assert (change.case.verdict, change.case.reason_code) == (Verdict.EXPIRED, "deadline_passed")


def test_information_that_does_not_come_gives_the_case_back_to_people() -> None:
    """The decide clock goes on with what was left when it paused."""
    waiting = a_case(state=State.NEEDS_INFO, clocks=Clocks(information=NOON + timedelta(days=1), left_s=3_600.0))
    change = tick(waiting, NOON + timedelta(days=1))
    assert change.case.state is State.PENDING
    assert change.case.clocks.decide == NOON + timedelta(days=1, hours=1)


def test_after_a_question_nobody_answered_the_case_can_be_acknowledged_again() -> None:
    """The acknowledge clock runs anew, so claiming the case has to stop it."""
    asked = step_of(a_press(a_case(), "ask"))(Subject(a_case(), POLICY), NOON)
    assert isinstance(asked, Change)
    back = tick(asked.case, NOON + timedelta(days=1)).case
    assert back.clocks.acknowledge is not None
    claimed = step_of(a_press(back, "claim"))(Subject(back, POLICY), NOON + timedelta(days=1))
    assert isinstance(claimed, Change)
    assert claimed.case.clocks.acknowledge is None


def test_silence_about_a_required_field_never_automates_a_case() -> None:
    """A case that would have been automatic but lacks what the workflow requires goes to people when nothing comes."""
    text = POLICY_TEXT.replace(b"template: approval, requester: optional", b"template: auto, requester: optional, required: [request]")
    policy = load_policy(text, {})
    case = open_case("refund-agent", a_submission(request=None))(Arrival("c_01", policy, Facts(), NOON)).case
    assert case.due_at is not None
    change = on_time(Subject(case, policy), case.due_at)
    assert isinstance(change, Change)
    assert (change.case.state, change.case.verdict) == (State.PENDING, None)


@pytest.mark.parametrize("verb", ["approve", "reject", "modify"])
def test_nobody_decides_after_the_deadline_even_before_it_was_swept(verb: str) -> None:
    """The service may act on its own deadline at that instant, so a press that comes with it is too late."""
    case = a_case(clocks=Clocks(deadline=NOON + timedelta(hours=1), decide=NOON + timedelta(hours=4)))
    press = step_of(a_press(case, verb, params={**(a_submission().action.params or {}), "amount": "1.00"}))
    refused = press(Subject(case, POLICY, a_submission()), NOON + timedelta(hours=1))
    assert isinstance(refused, Refused)
    assert refused.reason == "too_late"
    assert isinstance(press(Subject(case, POLICY, a_submission()), NOON + timedelta(minutes=59)), Change)


def test_a_case_that_arrives_after_its_deadline_is_expired_at_once() -> None:
    """Nothing is approved, by people or without them, that the service no longer waits for."""
    case = open_case("refund-agent", a_submission(deadline="2026-11-20T11:59:59Z"))(Arrival("c_01", POLICY, Facts(), NOON)).case
    assert (case.state, case.verdict) == (State.DECIDED, Verdict.EXPIRED)


def test_acknowledging_in_pagerduty_stops_only_the_acknowledge_clock() -> None:
    """The responder is named, the decide clock runs on, and nobody has decided anything."""
    paged = tick(a_case(), NOON + timedelta(minutes=15)).case
    change = page_acknowledged(PagerNews(tier=1, round=1, who="PUSER"))(Subject(paged, POLICY), NOON + timedelta(minutes=16))
    assert isinstance(change, Change)
    assert change.case.acknowledged_by == "pagerduty:PUSER"
    assert (change.case.clocks.acknowledge, change.case.clocks.decide) == (None, paged.clocks.decide)
    assert not [message for message in change.messages if message.kind is MessageKind.PAGE_ACKNOWLEDGE]


def test_resolved_in_pagerduty_with_the_case_open_pages_again() -> None:
    """Resolving there decides nothing: after the acknowledge time a new round rings."""
    paged = tick(a_case(), NOON + timedelta(minutes=15)).case
    resolved = page_resolved(PagerNews(tier=1, round=1, who="PUSER"))(Subject(paged, POLICY), NOON + timedelta(minutes=16))
    assert isinstance(resolved, Change)
    assert (resolved.case.state, resolved.case.pages) == (State.PENDING, ())
    again = tick(resolved.case, NOON + timedelta(minutes=31))
    assert [(message.kind, message.round) for message in again.messages][:1] == [(MessageKind.PAGE, 2)]
    assert {message.kind for message in again.messages[1:]} == {MessageKind.CARD_UPDATE}  # it said when the page would come


@given(hours=st.lists(st.floats(min_value=0.001, max_value=400.0), min_size=1, max_size=12), safe=st.sampled_from(list(Exhausted)))
def test_waking_up_late_is_as_safe_as_waking_in_time(hours: list[float], safe: Exhausted) -> None:
    """However irregular the ticks, time alone approves nothing, and an open case always has a next due time."""
    case, now = a_case(route=a_route(exhausted=safe)), NOON
    for pause in hours:
        now += timedelta(hours=pause)
        for _ in range(50):
            answer = on_time(Subject(case, POLICY), now)
            if isinstance(answer, Refused):
                break
            case = answer.case
        assert case.verdict in (None, Verdict.EXPIRED)
        assert not case.open or (case.due_at is not None and case.due_at > now)


@pytest.mark.parametrize("every", [None, 300])
def test_who_claimed_a_case_here_keeps_it_when_its_incident_is_resolved_there(every: int | None) -> None:
    """Also where the tier is paged again and again: the claim holds others off as before, and ends when it would have."""
    route = a_route()
    tiers = tuple(tier.model_copy(update={"repeat": Repeat(every_s=every, most=3) if every else None}) for tier in route.tiers)
    paged = tick(a_case(route=route.model_copy(update={"tiers": tiers})), NOON + timedelta(minutes=15)).case
    whoever = a_person(groups=frozenset({paged.rung.group}))
    claimed = step_of(a_press(paged, "claim", person=whoever))(Subject(paged, POLICY), NOON + timedelta(minutes=16))
    assert isinstance(claimed, Change)
    resolved = page_resolved(PagerNews(tier=paged.tier, round=1, who="PUSER"))(Subject(claimed.case, POLICY), NOON + timedelta(minutes=17))
    assert isinstance(resolved, Change)
    assert resolved.case.claimed_by == claimed.case.claimed_by != ""
    assert resolved.case.clocks.claim == claimed.case.clocks.claim is not None
