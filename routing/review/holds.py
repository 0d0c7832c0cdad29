"""What a pause, a freeze and a quarantine do to one case, and how it goes on afterwards: one step each. Never decides whether a workflow is
paused: that is `routing.governance`.
"""

from datetime import datetime

from routing.authority import Automation
from routing.authorize import EXECUTABLE, refuse
from routing.case.case import Route, Step
from routing.case.people import Press
from routing.change import SYSTEM, Actor, Subject
from routing.evaluation.route import route
from routing.review.draft import Draft
from routing.review.event_fields import pressed, words
from routing.review.ladder import arrive, hold, total_clock
from routing.review.pages import close_pages
from routing.review.placement import place
from routing.review.playbook import begin, guard_again
from routing.review.press import PressStep, StepResult, by_person
from routing.review.related.near_duplicates import untie
from routing.review.revision import risen
from routing.review.undoing import take_back, take_back_tied
from routing.review.unproven import UNPROVEN
from routing.review.verdict import conclude, keep_back
from routing.vocabulary import NEVER_FROZEN, CallbackKind, CaseKind, EventKind, Lane, State, Template, Verdict


def withhold() -> PressStep:
    """Keep back an approval whose callback nobody has tried to send yet; whoever calls this cancels that callback beside it. One that could
    still be taken back has none; it cannot any more.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        here = case.kind is CaseKind.CASE and case.state is State.DECIDED and case.verdict in EXECUTABLE
        if not here or case.withheld or case.rollback:  # what is to be undone was promised after it, and has to follow it
            return refuse("nothing_to_withhold")
        draft = Draft(subject, now)
        if case.undo is not None:
            close_pages(draft)
        keep_back(draft)
        draft.update_cards()
        return draft.change()

    return step


def afresh() -> PressStep:
    """The workflow goes on: a decision that was kept back is void, and people look at the case again, whoever decided it before.

    The tier that had it last has it again. An automatic approval is routed again, for people, where its content and its policy are at hand;
    otherwise one person of the tier it would have opened at approves. Nothing goes on while the workflow is paused, or paused again.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not case.withheld or case.held_by == UNPROVEN:
            return refuse("not_withheld")
        if subject.automation.level >= Automation.PAUSED.level:
            return refuse("not_now")
        draft = Draft(subject, now)
        fields = {"verdict": case.verdict.value if case.verdict is not None else None, "action_sha256": case.action_sha256}
        draft.put(
            revision=case.revision + 1,
            route=_with_people(subject, now),
            verdict=None,
            withheld=False,
            decided_at=None,
            decided_index=None,
            reason_code="",
            break_glass=False,
            step=0,
            votes=(),
            opened_by=(),
            tied=(),
            tied_to="",
            state=State.PENDING,
        )
        draft.put_clocks(total=total_clock(draft.case, now))
        event = draft.record(EventKind.VOIDED, SYSTEM, fields | {"reason": "workflow_resumed"})
        guard_again(draft)
        draft.call_back(CallbackKind.RELEASED, event)  # before what may end it at once: a receiver goes by the last it hears
        take_up(draft)
        begin(draft)
        draft.note(event)
        return draft.change()

    return step


def freeze() -> PressStep:
    """Hold an open case because its workflow is frozen. Its deadline and its total run on. Roll backs go on, which may be needed, and
    drills, which are none of the workflow's work.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not case.open or case.held_by or case.tied_to or case.kind in NEVER_FROZEN:
            return refuse("not_now")
        draft = Draft(subject, now)
        hold(draft, "workflow_frozen", "frozen")
        return draft.change()

    return step


def release(reason: str) -> PressStep:
    """The workflow is no longer frozen: a case that this held goes on, with fresh clocks and a fresh review."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if case.state is not State.HELD or case.held_by != "frozen" or subject.automation is Automation.FROZEN:
            return refuse("not_now")
        draft = Draft(subject, now)
        draft.put(held_by="", votes=(), step=0)
        event = draft.record(EventKind.RESUMED, SYSTEM, {"tier": case.tier + 1, "reason": reason})
        draft.call_back(CallbackKind.RELEASED, event)
        take_up(draft)
        draft.note(event)
        return draft.change()

    return step


def quarantine(press: Press) -> PressStep:
    """Somebody with that role sets a case aside; one of a batch is set aside by the same step. An approval of which the service was not
    told yet is taken back by that, with what was decided beside it.
    """

    def act(draft: Draft, actor: Actor) -> None:
        if draft.case.undo is not None:
            take_back(draft, actor, draft.case.undo.before)
            take_back_tied(draft, actor)
        untie(draft, "quarantined")
        draft.record(EventKind.QUARANTINED, actor, pressed(press, draft.case), sealed=words(press))
        hold(draft, "quarantined", "quarantine")

    return by_person(press, act)


def take_up(draft: Draft) -> None:
    """Give a case that was held or kept back to people: at the tier that had it, or wherever its route says if nobody has seen it. One
    that came to be not allowed at all meanwhile is rejected.
    """
    case, tier = draft.case, max(draft.case.tier, draft.case.route.start)
    if case.route.lane is Lane.REJECT:
        conclude(draft, Verdict.AUTO_REJECTED, SYSTEM, reason_code="policy")
        return
    if case.tier_since is None:
        place(draft)
        return
    handed = arrive(draft, tier, page=tier > case.tier)
    if draft.case.tier > case.tier:  # its lane rose while it was held, or its tier is closed: the cards below point to the new one
        draft.update_cards()
    if handed is not None:
        draft.note(handed)


def _with_people(subject: Subject, now: datetime) -> Route:
    """The route of a case that nobody decides automatically any more."""
    old = subject.case.route
    if old.steps:
        return old
    if subject.policy is not None and subject.submission is not None:
        again = route(subject.policy, subject.submission, subject.case.facts.model_copy(update={"automation": Automation.REVIEW_ALL}), now)
        old = risen(old, again).model_copy(update={"missing": ()})  # it was decided with what there was: nobody is asked for more now
    if old.steps:
        return old
    people = {"lane": Lane.REVIEW, "template": Template.APPROVAL, "steps": (Step(name="approve"),), "sampled": "", "missing": ()}
    return old.model_copy(update=people)
