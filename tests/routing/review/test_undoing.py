"""What happens to a case between an approval and the moment its service is told; pure."""

from datetime import timedelta

from routing.case.case import Case, Step
from routing.change import Change, Subject
from routing.review.page_news import PagerNews, page_acknowledged, page_resolved
from routing.review.press import PressStep
from routing.review.timing import on_time
from routing.review.unproven import keep_unproven
from routing.review.verbs import step_of
from routing.vocabulary import CallbackKind, State
from tests.routing.factory import NOON, POLICY, a_case, a_person, a_press, a_route

PAGED = NOON + timedelta(minutes=15)


def after(case: Case, step: PressStep, seconds: float) -> Case:
    """The case after a step that counts, so long after it was paged."""
    change = step(Subject(case, POLICY), PAGED + timedelta(seconds=seconds))
    assert isinstance(change, Change), change
    return change.case


def approve(case: Case) -> PressStep:
    """By somebody of the tier."""
    return step_of(a_press(case, person=a_person(groups=frozenset({case.rung.group}))))


def undo(case: Case) -> PressStep:
    """By the same."""
    return step_of(a_press(case, "undo", person=a_person(groups=frozenset({case.rung.group}))))


def paged() -> Case:
    """A case that one yes decides, for which somebody is rung."""
    return after(a_case(route=a_route(steps=(Step(name="approve"),), undo_s=10)), on_time, 0)


def test_who_resolves_the_incident_of_what_was_approved_has_it_no_longer_once_that_is_taken_back() -> None:
    """Whoever acknowledged it in PagerDuty is asked again, as when they resolve it while the case is open."""
    news = PagerNews(tier=paged().tier, round=1, who="PUSER")
    taken = after(paged(), page_acknowledged(news), 1)
    usual = after(taken, page_resolved(news), 4)
    approved = after(taken, approve(taken), 2)
    assert approved.undo is not None
    back = after(after(approved, page_resolved(news), 3), undo(approved), 4)
    assert back.state is State.PENDING
    assert (back.acknowledged_by, back.clocks.page) == (usual.acknowledged_by, usual.clocks.page)
    assert back.clocks.page is not None


def test_what_the_log_does_not_prove_does_not_leave_when_its_time_is_over() -> None:
    """It is kept here for good; nothing releases it."""
    approved = after(paged(), approve(paged()), 1)
    kept = after(approved, keep_unproven(CallbackKind.DECIDED, 3, "altered", tell_service=True), 2)
    assert kept.withheld
    assert kept.due_at is None
