"""Approve, reject, modify: the verbs that decide. Each returns a step; whoever presses has already been described in the press."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from routing.authorize import Allowed, answering_groups, authorize, refuse
from routing.canonical import Json
from routing.case import Case, Vote
from routing.change import Actor, Change, Refused, Subject
from routing.people import Press
from routing.review.draft import Draft
from routing.review.ladder import acknowledge, close_pages, move_up, tier_clocks
from routing.review.opening import routed
from routing.review.revising import changed_fields, revise, risen
from routing.review.verdict import conclude
from routing.route import route
from routing.submission import Prefill, Submission
from routing.vocabulary import EventKind, Lane, Verdict

StepResult = Change | Refused
PressStep = Callable[[Subject, datetime], StepResult]


def approve(press: Press) -> PressStep:
    """One person's yes to the current step; the last step decides the case."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := _may_decide(press, case, now), Allowed):
            return verdict
        if press.cut and press.person.id not in case.opened_by:
            return refuse("open_evidence_first")
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        vote(draft, press)
        if case.failed_checks:
            draft.put(reason_code=press.reason_code)
        draft.record(EventKind.APPROVED, actor, pressed(press, case) | _overridden(case), sealed=words(press))
        advance(draft, actor)
        return draft.change()

    return step


def reject(press: Press) -> PressStep:
    """One person's no, with a reason; it decides at any step."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := _may_decide(press, case, now), Allowed):
            return verdict
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        vote(draft, press)
        draft.record(EventKind.REJECTED, actor, pressed(press, case), sealed=words(press))
        close_pages(draft)
        conclude(draft, Verdict.REJECTED, actor, reason_code=press.reason_code, sealed=words(press))
        return draft.change()

    return step


def modify(press: Press) -> PressStep:
    """Another action, or other pre-filled fields, in place of the proposed: a new revision, routed again; its author's vote counts once.

    Needs the case's content (`Subject.submission`). Earlier votes are void; the lane and its steps may only rise. Where the
    first step belongs to a group the author is not in, the author has no vote at all.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case, content = subject.case, subject.submission
        if not isinstance(verdict := _may_decide(press, case, now), Allowed):
            return verdict
        if content is None or subject.policy is None or press.params is None:
            raise ValueError("modify needs the case's content, its policy and the new parameters")
        if press.cut and press.person.id not in case.opened_by:
            return refuse("open_evidence_first")
        changed = _modified(content, press.params, content.prefilled if press.prefill is None else press.prefill)
        if changed is content:
            return refuse("no_change")
        again = route(subject.policy, changed, case.facts, now)
        if again.lane is Lane.REJECT:
            return refuse("not_allowed")
        new_route = risen(case.route, again)
        in_action = changed_fields(content.action.params, changed.action.params)
        fields = (*in_action, *changed_fields(content.prefilled, changed.prefilled, "prefill"))
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        revise(draft, changed, new_route)
        draft.put(
            reason_code=press.reason_code, modified_by=press.person.id, modified_fields=tuple(sorted({*case.modified_fields, *fields}))
        )
        hashes: dict[str, Json] = {
            "before_sha256": case.action_sha256,
            "action_sha256": draft.case.action_sha256,
            "modified_fields": list(fields),
        }
        told = routed(draft.case, changed) | pressed(press, case) | _overridden(case) | hashes
        event = draft.record(EventKind.MODIFIED, actor, told, sealed=words(press), submission=changed)
        if new_route.lane is case.route.lane and press.person.groups & answering_groups(draft.case):
            vote(draft, press)
            advance(draft, actor)
        elif new_route.start > case.tier:
            move_up(draft, new_route.start, event)
        else:
            draft.put(clocks=tier_clocks(draft.case, now), acknowledged_by="")  # the author no longer answers for it
            draft.update_cards()
            draft.note(event)
        return draft.change()

    return step


def _modified(content: Submission, params: dict[str, Any], prefill: dict[str, Any]) -> Submission:
    """The content with these parameters and pre-filled fields; the very same where both are as before."""
    update: dict[str, Any] = {}
    if params != (content.action.params or {}):
        update["action"] = content.action.model_copy(update={"params": params})
    if prefill != content.prefilled:
        update["prefill"] = Prefill.model_validate(prefill)
    return content.model_copy(update=update) if update else content


def _overridden(case: Case) -> dict[str, Json]:
    """What the log says besides of an action that was let through although a check had failed."""
    return {"override_check": True} if case.failed_checks else {}


def _may_decide(press: Press, case: Case, now: datetime) -> Allowed | Refused:
    """`authorize`, and nobody after the service's deadline: such a case is expired, whether or not its clock was swept yet."""
    verdict = authorize(press, case)
    late = case.clocks.deadline is not None and case.clocks.deadline <= now
    return refuse("too_late") if late and isinstance(verdict, Allowed) else verdict


def vote(draft: Draft, press: Press) -> None:
    """Count this person once, for the current step."""
    mine = Vote(step=draft.case.step, by=press.person.id, verb=press.verb, at=draft.now)
    draft.put(votes=(*draft.case.votes, mine))


def advance(draft: Draft, actor: Actor) -> None:
    """Go on to the next step once this one has all its people, or decide the case when there is none."""
    case = draft.case
    wanted = case.route.steps[case.step].people
    given = sum(1 for vote in case.votes if vote.step == case.step)
    if given < wanted:
        draft.update_cards()
        return
    if case.step + 1 < len(case.route.steps):
        draft.put(step=case.step + 1, claimed_by="", acknowledged_by="")
        draft.put(clocks=tier_clocks(draft.case, draft.now))
        draft.update_cards()
        return
    close_pages(draft)
    conclude(draft, Verdict.MODIFIED if case.modified_by else Verdict.APPROVED, actor)


def pressed(press: Press, case: Case) -> dict[str, Json]:
    """What every decision event says of the press: the step, what the person saw and answered to, the reason code."""
    name = case.route.steps[case.step].name
    seen: dict[str, Json] = {"face": press.face, "saw": press.saw, "action_sha256": case.action_sha256}
    return {"step": name, "tier": case.tier + 1, **seen, "reason_code": press.reason_code}


def words(press: Press) -> dict[str, Json]:
    """The person's free text and name, for the vault."""
    return {key: value for key, value in {"text": press.text.strip(), "name": press.person.name}.items() if value}
