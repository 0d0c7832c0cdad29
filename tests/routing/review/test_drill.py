"""The cases of a drill: what they say and how they are routed, what may be done to them, and that an answer ends them or sends them on."""

from datetime import timedelta
from typing import Any

import pytest

from routing.authorize import ON_DRILLS, Allowed, authorize
from routing.case.case import Case
from routing.case.submission import Submission
from routing.change import Change, MessageKind, Refused, Subject
from routing.policy.file import load_policy
from routing.review.drill import Play, follow, open_cases, stopped
from routing.review.timing import on_time
from routing.review.verbs import step_of
from routing.vocabulary import CaseKind, DrillKind, Lane, State, Verb, Verdict
from tests.routing.factory import FRONT, NOON, POLICY_TEXT, SENIOR, a_person, a_press

PLAYBOOK = b"""
channels: {operations: ops}
playbooks: [{name: all, when: {lanes: [stop, review, expert, specialist]}, interim: hold, tell: [{channel: ops, words: "Look."}]}]
"""
POLICY = load_policy(POLICY_TEXT + PLAYBOOK, {})
WITH_CASES = [kind for kind in DrillKind if kind is not DrillKind.DOWNSTREAM_FAILURE]
QUIET = {MessageKind.CALLBACK, MessageKind.TICKET, MessageKind.PLAYBOOK_NOTICE}
"""What a drill never sends."""


def opened(kind: DrillKind, to: int = 0, count: int = 1) -> list[Change]:
    """What opening such a drill gives."""
    steps = open_cases(Play("d_1", kind, "refunds", to), POLICY, count, NOON, {})
    return [step(f"c_{number}") for number, step in enumerate(steps, 1)]


def go(case: Case, step: Any, now: Any = NOON) -> Change:  # noqa: ANN401
    """What comes of a step, as the ledger takes it."""
    result = step(Subject(case), now)
    assert isinstance(result, Change), result
    return follow(result, Subject(case), now)


@pytest.mark.parametrize("kind", WITH_CASES)
def test_it_is_marked_and_nothing_of_it_concerns_a_service(kind: DrillKind) -> None:
    """Of no service, like no other case, with no playbook, exception, postmortem, stop or callback, whatever the policy has."""
    for change in opened(kind, count=3):
        case = change.case
        assert (case.kind, case.parent, case.service, case.likeness) == (CaseKind.DRILL, "d_1", "@drill", "")
        [content] = [event.submission for event in change.events if event.submission is not None]
        assert isinstance(content, Submission)
        assert content.title.startswith("[DRILL] ")
        assert (case.route.missing, case.route.playbooks, case.playbooks, case.interim, case.route.exceptions) == ((), (), (), None, ())
        assert (change.stop, change.incident, change.caught, change.exhausted) == (None, None, False, None)
        assert not {message.kind for message in change.messages} & QUIET
        assert case.state is State.PENDING


def test_each_kind_goes_where_it_is_to_go() -> None:
    """Not sure: by the policy's own rule; a violation: to the stop lane, with its page; the others: to whoever reviews first."""
    lanes = {kind: opened(kind)[0].case.route.lane for kind in WITH_CASES}
    assert (lanes[DrillKind.NOBODY_AVAILABLE], lanes[DrillKind.VOLUME_SPIKE]) == (Lane.REVIEW, Lane.REVIEW)
    unsure, violation = opened(DrillKind.LOW_CONFIDENCE)[0], opened(DrillKind.VIOLATION)[0]
    assert "confidence_low" in [reason.code for reason in unsure.case.route.reasons]
    assert (violation.case.route.lane, violation.case.tier) == (Lane.STOP, 1)
    assert [message.kind for message in violation.messages if message.kind is MessageKind.PAGE]


@pytest.mark.parametrize("kind", WITH_CASES)
@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("to", [0, 1])
def test_only_what_shows_that_somebody_is_there_can_be_done(kind: DrillKind, verb: Verb, to: int) -> None:
    """Every verb: below the tier that it is to reach nobody decides it either."""
    case = opened(kind, to)[0].case
    group = case.rung.group
    person = a_person(id=FRONT, groups=frozenset({group}))
    press = a_press(case, verb.value, person=person, reason_code="other", text="words", confirmed=True, face=case.face)
    verdict = authorize(press, case)
    climbs = kind is DrillKind.NOBODY_AVAILABLE and to == 1
    barred = dict.fromkeys((Verb.APPROVE, Verb.REJECT), "drill_goes_on") if climbs else {Verb.ESCALATE: "drill_ends_here"}
    if verb not in ON_DRILLS or verb in barred:
        assert isinstance(verdict, Refused)
        assert verdict.reason == ("only_a_drill" if verb not in ON_DRILLS else barred[verb])
    else:
        assert isinstance(verdict, Allowed), (verb, verdict)


@pytest.mark.parametrize("kind", WITH_CASES)
@pytest.mark.parametrize("verb", [Verb.CLAIM, Verb.APPROVE, Verb.REJECT, Verb.COMMENT])
def test_an_answer_where_it_was_to_be_ends_it(kind: DrillKind, verb: Verb) -> None:
    """Whichever it is; its pages are settled."""
    case = opened(kind)[0].case
    if verb is Verb.APPROVE and sum(step.people for step in case.route.steps) > 1:
        verb = Verb.CLAIM  # one of two decides nothing; that it was taken ends it
    person = a_person(id=SENIOR, groups=frozenset({case.rung.group}))
    press = a_press(case, verb.value, person=person, reason_code="other", text="words", face=case.face)
    done = go(case, step_of(press))
    assert done.case.state is State.DECIDED
    assert done.case.pages == ()
    expected = {Verb.APPROVE: Verdict.APPROVED, Verb.REJECT: Verdict.REJECTED}.get(verb, Verdict.WITHDRAWN)
    assert done.case.verdict is expected
    assert not {message.kind for message in done.messages} & QUIET


def test_below_an_answer_sends_it_on_and_time_does_as_ever() -> None:
    """Claimed at the first tier it is at the second at once, paged; unanswered there it expires at the ladder's end, and nothing more."""
    case = opened(DrillKind.NOBODY_AVAILABLE, to=1)[0].case
    press = a_press(case, "claim", person=a_person(id=FRONT, groups=frozenset({"frontline"})), face=case.face)
    above = go(case, step_of(press))
    assert (above.case.tier, above.case.acknowledged_by, above.case.claimed_by) == (1, "", "")
    assert [event.kind.value for event in above.events] == ["acknowledged", "claimed", "escalated", "paged"]
    now, one = NOON, above.case
    while one.open:
        now = one.due_at or now + timedelta(hours=1)
        change = go(one, on_time, now)
        assert (change.incident, change.exhausted) == (None, None)
        one = change.case
    assert one.verdict is Verdict.EXPIRED
    assert now - NOON <= timedelta(minutes=31)


def test_a_stopped_drill_closes_what_is_open_only() -> None:
    """Once more changes nothing."""
    case = opened(DrillKind.VIOLATION)[0].case
    done = go(case, stopped())
    assert (done.case.reason_code, done.case.pages) == ("drill_stopped", ())
    assert isinstance(stopped()(Subject(done.case), NOON), Refused)
