"""The first step of a case that a service posts: from a submission and its route to a stored case and the answer the service gets."""

from collections.abc import Callable

from routing.canonical import Json
from routing.case.address import name_of_address, names_within
from routing.case.case import Case, Clocks
from routing.case.near_duplicate import likeness
from routing.case.submission import Submission
from routing.change import Actor, Arrival, Change, Subject
from routing.evaluation.route import route
from routing.review.draft import Draft
from routing.review.event_fields import answer, received
from routing.review.ladder import total_clock
from routing.review.placement import place
from routing.review.playbook import begin
from routing.review.related.near_duplicates import relate
from routing.review.related.sampled_check import draw_check
from routing.review.revision import content_facts
from routing.vocabulary import EventKind, Lane

OpenStep = Callable[[Arrival], Change]


def open_case(service: str, submission: Submission) -> OpenStep:
    """The step that opens a case; what it gets is all given by the ledger."""

    def step(arrival: Arrival) -> Change:
        policy, facts, now = arrival.policy, arrival.facts, arrival.now
        chosen = route(policy, submission, facts, now)
        requester = submission.requester
        email, dotless = (requester.email or "") if requester else "", policy.form.dotless_domains
        case = Case(
            id=arrival.case_id,
            service=service,
            workflow=submission.workflow,
            task_id=submission.task_id,
            likeness=likeness(service, submission),
            route=chosen,
            created_at=now,
            requester=(requester.slack_id or "") if requester else "",
            requester_email_sha256=name_of_address(email, dotless),
            barred=names_within(email, dotless),
            facts=facts,
            tier=chosen.start,
            clocks=Clocks(deadline=submission.deadline),
            **content_facts(submission),
        )
        draft = Draft(Subject(case, policy, submission, automation=facts.automation, dark=arrival.dark), now)
        draft.put_clocks(total=total_clock(case, now))
        fields = received(case, submission) | _in_shadow(arrival, submission)
        draft.record(EventKind.RECEIVED, Actor("service", service), fields, submission=submission)
        if chosen.lane is Lane.STOP:
            draft.stop_the_line()
        if arrival.first is None or not relate(draft, arrival.first):
            place(draft)
            draw_check(draft, submission)
        begin(draft)
        return draft.change(answer(draft.case))

    return step


def _in_shadow(arrival: Arrival, submission: Submission) -> dict[str, Json]:
    """What another policy would have done; it is said and nothing follows from it."""
    if arrival.shadow is None:
        return {}
    policy = arrival.shadow
    other = route(policy, submission, arrival.facts, arrival.now)
    steps: list[Json] = [step.name for step in other.steps]
    return {"shadow": {"version": policy.version, "sha256": policy.sha256, "lane": other.lane.value, "steps": steps}}
