"""Approve, reject, modify: the verbs that decide. Each returns a step; whoever presses has already been described in the press."""

from collections.abc import Callable
from datetime import datetime

from routing.authorize import Allowed, authorize, refuse
from routing.canonical import Json
from routing.case import Case, Vote
from routing.change import Actor, Change, Refused, Subject
from routing.people import Press
from routing.review.draft import Draft
from routing.review.ladder import acknowledge, close_pages, move_up, tier_clocks
from routing.review.revising import changed_fields, revise, risen
from routing.review.verdict import conclude
from routing.route import route
from routing.vocabulary import EventKind, Lane, Verdict

StepResult = Change | Refused
PressStep = Callable[[Subject, datetime], StepResult]


def approve(press: Press) -> PressStep:
    """One person's yes to the current step; the last step decides the case."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        if press.cut and press.person.id not in case.opened_by:
            return refuse("open_evidence_first")
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        vote(draft, press)
        draft.record(EventKind.APPROVED, actor, pressed(press, case), sealed=words(press))
        advance(draft, actor)
        return draft.change()

    return step


def reject(press: Press) -> PressStep:
    """One person's no, with a reason; it decides at any step."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
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
    """Another action in place of the proposed one: a new revision, routed again; its author's vote counts once.

    Needs the case's content (`Subject.submission`). Earlier votes are void; the lane and its steps may only rise.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case, content = subject.case, subject.submission
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        if content is None or press.params is None:
            raise ValueError("modify needs the case's content and the new parameters")
        if press.cut and press.person.id not in case.opened_by:
            return refuse("open_evidence_first")
        if press.params == content.action.params:
            return refuse("no_change")
        changed = content.model_copy(update={"action": content.action.model_copy(update={"params": press.params})})
        again = route(subject.policy, changed, case.facts, now)
        if again.lane is Lane.REJECT:
            return refuse("not_allowed")
        new_route = risen(case.route, again)
        fields = changed_fields(content.action.params, press.params)
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        revise(draft, changed, new_route)
        draft.put(modified_by=press.person.id, modified_fields=fields)
        hashes: dict[str, Json] = {
            "before_sha256": case.action_sha256,
            "action_sha256": draft.case.action_sha256,
            "modified_fields": list(fields),
        }
        event = draft.record(EventKind.MODIFIED, actor, pressed(press, case) | hashes, sealed=words(press), submission=changed)
        if new_route.lane is case.route.lane:
            vote(draft, press)
            advance(draft, actor)
        elif new_route.start > case.tier:
            move_up(draft, new_route.start, event)
        else:
            draft.put(clocks=tier_clocks(draft.case, now))
            draft.update_cards()
            draft.note(event)
        return draft.change()

    return step


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
    """What every decision event says of the press: the step, what the person saw, the reason code."""
    name = case.route.steps[case.step].name
    return {"step": name, "tier": case.tier + 1, "face": press.face, "saw": press.saw, "reason_code": press.reason_code}


def words(press: Press) -> dict[str, Json]:
    """The person's free text and name, for the vault."""
    return {key: value for key, value in {"text": press.text.strip(), "name": press.person.name}.items() if value}
