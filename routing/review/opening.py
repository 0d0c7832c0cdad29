"""The first step of every case: from a submission and its route to a stored case and the answer the service gets."""

from collections.abc import Callable
from datetime import datetime

from routing.authorize import email_sha256
from routing.canonical import Json
from routing.case import Case, Clocks, Route
from routing.change import SYSTEM, Actor, Change
from routing.clock import after
from routing.facts import Facts
from routing.policy import Policy
from routing.review.draft import Draft
from routing.review.ladder import arrive, expire, total_clock
from routing.review.revising import content_facts
from routing.review.verdict import conclude
from routing.route import route
from routing.submission import Submission, moment_text
from routing.vocabulary import ClockName, EventKind, Lane, State, Verdict

OpenStep = Callable[[str, Policy, Facts, datetime], Change]


def open_case(service: str, submission: Submission) -> OpenStep:
    """The step that opens a case. Its arguments: the case id, the active policy, the facts and the time, all given by the ledger."""

    def step(case_id: str, policy: Policy, facts: Facts, now: datetime) -> Change:
        chosen = route(policy, submission, facts, now)
        requester = submission.requester
        case = Case(
            id=case_id,
            service=service,
            workflow=submission.workflow,
            task_id=submission.task_id,
            route=chosen,
            created_at=now,
            requester=(requester.slack_id or "") if requester else "",
            requester_email_sha256=email_sha256(requester.email) if requester and requester.email else "",
            facts=facts,
            tier=chosen.start,
            clocks=Clocks(deadline=submission.deadline),
            **content_facts(submission),
        )
        draft = Draft(case, now)
        draft.put_clocks(total=total_clock(case, now))
        draft.record(EventKind.RECEIVED, Actor("service", service), _received(case, submission), submission=submission)
        place(draft)
        return draft.change(answer(draft.case))

    return step


def place(draft: Draft) -> None:
    """Put a case that nobody has seen yet where its route says: decided at once, waiting for information, or on its ladder."""
    case = draft.case
    if case.clocks.deadline is not None and case.clocks.deadline <= draft.now:
        expire(draft, "deadline")
        return
    if case.route.missing:
        limit = after(case.calendar(ClockName.INFORMATION), draft.now, case.route.information_s)
        draft.put(state=State.NEEDS_INFO)
        draft.put_clocks(information=limit)
        return
    match case.route.lane:
        case Lane.AUTO:
            conclude(draft, Verdict.AUTO_APPROVED, SYSTEM)
        case Lane.REJECT:
            conclude(draft, Verdict.AUTO_REJECTED, SYSTEM, reason_code="policy")
        case Lane.REVIEW | Lane.SPECIALIST | Lane.EXPERT | Lane.STOP:
            arrive(draft, case.route.start, page=case.route.page_at_start)


def answer(case: Case) -> dict[str, Json]:
    """The body of the 202 (CONTRACT "HTTP"); the ledger adds the newest checkpoint. It never carries a verdict."""
    chosen: Route = case.route
    due = case.answer_due_at
    return {
        "id": case.id,
        "state": case.state.value,
        "lane": chosen.lane.value,
        "mode": chosen.mode.value,
        "tier": case.tier + 1 if case.tier_since is not None else None,
        "risk": chosen.risk.value,
        "priority": chosen.priority,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in chosen.reasons],
        "missing": list(chosen.missing),
        "policy_version": chosen.policy_version,
        "due_at": moment_text(due) if due is not None else None,
        "revision": case.revision,
        "action_sha256": case.action_sha256,
    }


def routed(case: Case, submission: Submission) -> dict[str, Json]:
    """What an event that routed a case says openly: the decision and why, in codes and figures."""
    chosen = case.route
    return {
        "lane": chosen.lane.value,
        "mode": chosen.mode.value,
        "risk": chosen.risk.value,
        "priority": chosen.priority,
        "template": chosen.template.value,
        "ladder": chosen.ladder,
        "start_tier": chosen.start + 1,
        "reasons": [reason.code for reason in chosen.reasons],
        "rule": chosen.rule,
        "lost": list(chosen.lost),
        "gates": dict(chosen.gates),
        "missing": list(chosen.missing),
        "action_type": case.action_type,
        "action_sha256": case.action_sha256,
        "input_sha256": case.input_sha256,
        "output_sha256": case.output_sha256,
        "confidence": case.confidence,
        "source_ids": list(case.source_ids),
        "flags": list(submission.risk.flags),
        "facts": case.facts.model_dump(mode="json"),
    }


def _received(case: Case, submission: Submission) -> dict[str, Json]:
    deadline = moment_text(submission.deadline) if submission.deadline is not None else None
    return routed(case, submission) | {"deadline": deadline}
