"""Approve, reject, modify: the verbs that decide. Each returns a step; whoever presses has already been described in the press."""

from datetime import datetime
from typing import Any

from routing.authorize import answering_groups, overrides, refuse
from routing.canonical import Json, same
from routing.case.case import Case, Vote
from routing.case.people import Press
from routing.case.submission import Prefill, Submission
from routing.change import Actor, Refused
from routing.evaluation.route import route
from routing.policy.policy import Policy
from routing.review.checklist import failed_items, send_back, unanswered
from routing.review.claiming import end_claim, too_many
from routing.review.draft import Draft
from routing.review.event_fields import pressed, routed, words
from routing.review.ladder import acknowledge, move_up, stay, tier_clocks
from routing.review.modification import wrong_changes
from routing.review.pages import open_page
from routing.review.playbook import begin
from routing.review.press import PressStep, by_person
from routing.review.related.parent_case import settle
from routing.review.revision import changed_fields, modified_facts, revise, risen
from routing.review.verdict import conclude
from routing.vocabulary import EventKind, Lane, Verb, Verdict


def approve(press: Press) -> PressStep:
    """One person's yes to the current step; the last step decides the case. An item of the checklist that failed makes it no yes."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        case = draft.case
        if (refused := _unread(press, case) or unanswered(press, case) or too_many(draft.subject)) is not None:
            return refused
        acknowledge(draft, actor)
        if failed := failed_items(press, case):
            send_back(draft, press, actor, failed)
            return None
        vote(draft, press)
        if overrides(Verb.APPROVE, case) and press.reason_code:
            draft.put(reason_code=press.reason_code)
        draft.record(EventKind.APPROVED, actor, pressed(press, case) | _answered(press, case) | _overridden(case), sealed=words(press))
        advance(draft, press, actor)
        return None

    return by_person(press, act, unless=_too_late)


def reject(press: Press) -> PressStep:
    """One person's no, with a reason; it decides at any step. Of a check it needs the case's content."""

    def act(draft: Draft, actor: Actor) -> None:
        case = draft.case
        acknowledge(draft, actor)
        vote(draft, press)
        draft.record(EventKind.REJECTED, actor, pressed(press, case), sealed=words(press))
        conclude(draft, Verdict.REJECTED, actor, reason_code=press.reason_code, sealed=words(press))
        settle(draft, press)

    return by_person(press, act, unless=_too_late)


def modify(press: Press) -> PressStep:
    """Another action, or other pre-filled fields, in place of the proposed: a new revision, routed again; its author's vote counts once.

    Needs the case's content (`Subject.submission`). Earlier votes are void; the lane and its steps may only rise. The author has no vote
    where the first step belongs to a group they are not in, or has a checklist that they did not answer or that something failed.
    In triage only the pre-filled fields can be corrected.
    """

    def act(draft: Draft, actor: Actor) -> Refused | None:
        case, now, (content, policy) = draft.case, draft.now, (draft.subject.submission, draft.subject.policy)
        if content is None or policy is None or press.params is None:
            raise ValueError("modify needs the case's content, its policy and the new parameters")
        changed = _modified(content, press.params, content.prefilled if press.prefill is None else press.prefill)
        if (refused := _unread(press, case) or _unfit(policy, case, content, changed) or too_many(draft.subject)) is not None:
            return refused
        facts = modified_facts(draft.subject, policy, content, changed)
        again = route(policy, changed, facts, now)
        if again.lane is Lane.REJECT:
            return refuse("not_allowed")
        new_route = risen(case.route, again)
        in_action = changed_fields(content.action.params, changed.action.params)
        fields = (*in_action, *changed_fields(content.prefilled, changed.prefilled, "prefill"))
        acknowledge(draft, actor)
        revise(draft, changed, new_route, facts)
        draft.put(
            reason_code=press.reason_code,
            modified_by=press.person.id,
            modified_fields=tuple(sorted({*case.modified_fields, *fields})),
            people=press.person.known_with(case.people),
        )
        hashes: dict[str, Json] = {
            "before_sha256": case.action_sha256,
            "action_sha256": draft.case.action_sha256,
            "modified_fields": list(fields),
        }
        told = routed(draft.case, changed) | pressed(press, case) | _answered(press, draft.case) | _overridden(case) | hashes
        event = draft.record(EventKind.MODIFIED, actor, told, sealed=words(press), submission=changed)
        if draft.case.route.start > case.tier:  # also in the same lane: others have the skills, or it takes senior people now
            move_up(draft, draft.case.route.start, event)
        elif new_route.lane is case.route.lane and not facts.left_behind and _counts(press, draft.case):
            vote(draft, press)
            advance(draft, press, actor)
        else:
            draft.put(clocks=tier_clocks(draft.case, now), acknowledged_by="")  # the author no longer answers for it
            if new_route.lane is Lane.STOP and case.route.lane is not Lane.STOP:
                open_page(draft)
            draft.update_cards()
            draft.note(event)
        stay(draft)  # of a higher risk it may not wait for the tier to open
        begin(draft)
        return None

    return by_person(press, act, unless=_too_late)


def vote(draft: Draft, press: Press) -> None:
    """Count this person once, for the current step."""
    case = draft.case
    given = press.checklist or {}
    answers = {item.id: given[item.id] for item in case.route.steps[case.step].checklist if item.id in given}
    mine = Vote(step=case.step, by=press.person.id, verb=press.verb, at=draft.now, checklist=answers)
    draft.put(votes=(*case.votes, mine), people=press.person.known_with(case.people))


def advance(draft: Draft, press: Press, actor: Actor) -> None:
    """Go on to the next step once this one has all its people, or decide the case when there is none."""
    case = draft.case
    wanted = case.route.steps[case.step].people
    given = sum(1 for vote in case.votes if vote.step == case.step)
    if given < wanted:
        end_claim(draft, press.person)
        draft.update_cards()
        return
    if case.step + 1 < len(case.route.steps):
        draft.put(step=case.step + 1, claimed_by="", acknowledged_by="")
        draft.put(clocks=tier_clocks(draft.case, draft.now))
        draft.update_cards()
        return
    conclude(draft, Verdict.MODIFIED if case.modified_by else Verdict.APPROVED, actor, undoable=draft.subject.case)
    settle(draft, press)


def _modified(content: Submission, params: dict[str, Any], prefill: dict[str, Any]) -> Submission:
    """The content with these parameters and pre-filled fields; the very same where both are as before."""
    update: dict[str, Any] = {}
    if not same(params, content.action.params or {}):
        update["action"] = content.action.model_copy(update={"params": params})
    if prefill != content.prefilled:
        update["prefill"] = Prefill.model_validate(prefill)
    return content.model_copy(update=update) if update else content


def _unfit(policy: Policy, case: Case, content: Submission, changed: Submission) -> Refused | None:
    """Why the case cannot have this content."""
    if changed is content:
        return refuse("no_change")
    if changed.action == content.action:
        return None
    if case.route.steps[case.step].name == "triage":
        return refuse("prefill_only")
    wrong = wrong_changes(policy.workflow(case.workflow), content, changed.action.params or {})
    return refuse("form_broken") if wrong else None


def _counts(press: Press, case: Case) -> bool:
    """Whether the author of a modification takes part in deciding what it became."""
    member = bool(press.person.groups & answering_groups(case))
    return member and unanswered(press, case) is None and not failed_items(press, case)


def _answered(press: Press, case: Case) -> dict[str, Json]:
    """What the log says besides where the step has a checklist and it was answered."""
    asked = case.route.steps[case.step].checklist
    return {"checklist": dict(press.checklist)} if asked and press.checklist else {}


def _overridden(case: Case) -> dict[str, Json]:
    """What the log says besides of an action that was let through although a check had failed or warned."""
    return {"override_check": True} if overrides(Verb.APPROVE, case) else {}


def _unread(press: Press, case: Case) -> Refused | None:
    """What was cut from the card has to be opened first."""
    return refuse("open_evidence_first") if press.cut and press.person.id not in case.opened_by else None


def _too_late(case: Case, now: datetime) -> Refused | None:
    """Nobody decides after the service's deadline: such a case is expired, whether or not its clock was swept yet."""
    late = case.clocks.deadline is not None and case.clocks.deadline <= now
    return refuse("too_late") if late else None
