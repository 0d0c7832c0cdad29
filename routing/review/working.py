"""What people do to a case without deciding it: claim, ask, comment, escalate, open the evidence, take up again, roll back."""

from datetime import datetime

from routing.authorize import EXECUTABLE, Allowed, answering_groups, authorize, refuse
from routing.case import Clocks
from routing.change import Actor, Subject
from routing.clock import after, between
from routing.people import Press
from routing.review.deciding import PressStep, StepResult, pressed, words
from routing.review.draft import Draft
from routing.review.ladder import acknowledge, arrive, climb, close_pages
from routing.vocabulary import ClockName, EventKind, State


def claim(press: Press) -> PressStep:
    """Say that one is on it: stops the acknowledge clock and names the person on the card."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        if case.claimed_by and case.claimed_by != press.person.id:
            return refuse("claimed")
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        draft.put(claimed_by=press.person.id)
        draft.record(EventKind.CLAIMED, actor, {"tier": case.tier + 1}, sealed=words(press))
        draft.update_cards()
        return draft.change()

    return step


def unclaim(press: Press) -> PressStep:
    """Give a claim back."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        if case.claimed_by != press.person.id:
            return refuse("not_claimed")
        draft = Draft(case, now)
        draft.put(claimed_by="")
        draft.record(EventKind.UNCLAIMED, Actor("human", press.person.id), {"tier": case.tier + 1})
        draft.update_cards()
        return draft.change()

    return step


def comment(press: Press) -> PressStep:
    """Add a comment; by somebody who answers for the case now it also acknowledges."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        if case.open and press.person.groups & answering_groups(case):
            acknowledge(draft, actor)
        draft.note(draft.record(EventKind.COMMENTED, actor, {"tier": case.tier + 1}, sealed=words(press)))
        draft.update_cards()
        return draft.change()

    return step


def open_evidence(press: Press) -> PressStep:
    """Record that a person opened everything there is; needed before approving what a card had to cut."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        draft = Draft(case, now)
        if press.person.id not in case.opened_by:
            draft.put(opened_by=(*case.opened_by, press.person.id))
        draft.record(EventKind.EVIDENCE_OPENED, Actor("human", press.person.id), {"face": press.face, "saw": press.saw})
        return draft.change()

    return step


def ask(press: Press) -> PressStep:
    """Ask the service: the decision clock pauses, the information clock runs, the service is called back."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        acknowledge(draft, actor)
        left_s = between(case.calendar(ClockName.DECIDE), now, case.clocks.decide) if case.clocks.decide is not None else None
        limit = after(case.calendar(ClockName.INFORMATION), now, case.route.information_s)
        paused = Clocks(deadline=case.clocks.deadline, total=case.clocks.total, information=limit, left_s=left_s)
        draft.put(state=State.NEEDS_INFO, clocks=paused)
        event = draft.record(EventKind.INFORMATION_REQUESTED, actor, pressed(press, case), sealed=words(press))
        draft.update_cards()
        draft.note(event)
        draft.call_back("case.information_requested", event)
        return draft.change()

    return step


def escalate(press: Press) -> PressStep:
    """Hand the case to the next tier, with everything known and a reason."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        if case.tier + 1 >= len(case.route.tiers):
            return refuse("top_of_ladder")
        draft = Draft(case, now)
        event = draft.record(
            EventKind.ESCALATED, Actor("human", press.person.id), pressed(press, case) | {"to_tier": case.tier + 2}, sealed=words(press)
        )
        climb(draft, event)
        return draft.change()

    return step


def resume(press: Press) -> PressStep:
    """Take a held case up again at the tier where it was held, with fresh clocks and a fresh review."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        draft = Draft(case, now)
        actor = Actor("human", press.person.id)
        draft.put(votes=(), step=0)
        event = draft.record(EventKind.RESUMED, actor, {"tier": case.tier + 1}, sealed=words(press))
        close_pages(draft)
        arrive(draft, case.tier, page=False)
        acknowledge(draft, actor)
        draft.note(event)
        draft.call_back("case.released", event)
        return draft.change()

    return step


def roll_back(press: Press) -> PressStep:
    """Ask the service, once, to undo what was decided."""

    def step(subject: Subject, now: datetime) -> StepResult:
        case = subject.case
        if not isinstance(verdict := authorize(press, case), Allowed):
            return verdict
        if case.verdict not in EXECUTABLE:
            return refuse("nothing_to_roll_back")
        if case.rollback:
            return refuse("rollback_running")
        draft = Draft(case, now)
        draft.put(rollback=True)
        fields = {"reason_code": press.reason_code, "action_sha256": case.action_sha256, "face": press.face, "saw": press.saw}
        event = draft.record(EventKind.ROLLBACK_REQUESTED, Actor("human", press.person.id), fields, sealed=words(press))
        draft.update_cards()
        draft.note(event)
        draft.call_back("case.rollback_requested", event)
        return draft.change()

    return step
