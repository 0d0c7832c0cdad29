"""What people do to a case without deciding it: ask, comment, escalate, open the evidence, take up again."""

from routing.authority import Automation
from routing.authorize import answering_groups, refuse
from routing.canonical import Json
from routing.case.case import Clocks
from routing.case.people import Press
from routing.case.submission import moment_text
from routing.change import Actor, Refused
from routing.clock import after, between
from routing.review.draft import Draft
from routing.review.event_fields import pressed, words
from routing.review.holds import take_up
from routing.review.ladder import acknowledge, climb
from routing.review.outlook import upcoming
from routing.review.pages import close_pages
from routing.review.press import PressStep, by_person
from routing.vocabulary import CallbackKind, ClockName, EventKind, State


def comment(press: Press) -> PressStep:
    """Add a comment; by somebody who answers for the case now it also acknowledges."""

    def act(draft: Draft, actor: Actor) -> None:
        if draft.case.open and press.person.groups & answering_groups(draft.case):
            acknowledge(draft, actor)
        draft.note(draft.record(EventKind.COMMENTED, actor, {"tier": draft.case.tier + 1}, sealed=words(press)))
        draft.update_cards()

    return by_person(press, act)


def open_evidence(press: Press) -> PressStep:
    """Record that a person opened everything there is; needed before approving what a card had to cut."""

    def act(draft: Draft, actor: Actor) -> None:
        if actor.id not in draft.case.opened_by:
            draft.put(opened_by=(*draft.case.opened_by, actor.id))
        draft.record(EventKind.EVIDENCE_OPENED, actor, {"face": press.face, "saw": press.saw})

    return by_person(press, act)


def ask(press: Press) -> PressStep:
    """Ask the service: the decision clock pauses, the information clock runs, the service is called back."""

    def act(draft: Draft, actor: Actor) -> None:
        case, now = draft.case, draft.now
        acknowledge(draft, actor)
        left_s = between(case.calendar(ClockName.DECIDE), now, case.clocks.decide) if case.clocks.decide is not None else None
        limit = after(case.calendar(ClockName.INFORMATION), now, case.route.information_s)
        paused = Clocks(deadline=case.clocks.deadline, total=case.clocks.total, information=limit, left_s=left_s, paused_at=now)
        draft.put(state=State.NEEDS_INFO, clocks=paused.model_copy(update={"paused_s": case.clocks.paused_s}))
        first = upcoming(draft.case)
        by: dict[str, Json] = {"due_at": moment_text(first.at), "next": first.consequence.value} if first is not None else {}
        event = draft.record(EventKind.INFORMATION_REQUESTED, actor, pressed(press, case) | by, sealed=words(press))
        draft.update_cards()
        draft.note(event)
        draft.call_back(CallbackKind.INFORMATION_REQUESTED, event)

    return by_person(press, act)


def escalate(press: Press) -> PressStep:
    """Hand the case to the next tier, with everything known and a reason."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        case = draft.case
        if case.tier + 1 >= len(case.route.tiers):
            return refuse("top_of_ladder")
        climb(draft, draft.record(EventKind.ESCALATED, actor, pressed(press, case) | {"to_tier": case.tier + 2}, sealed=words(press)))
        return None

    return by_person(press, act)


def resume(press: Press) -> PressStep:
    """Take a held case up again at the tier where it was held, with fresh clocks and a fresh review."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        if draft.case.held_by == "frozen" or draft.subject.automation is Automation.FROZEN:
            return refuse("frozen")
        draft.put(votes=(), step=0, held_by="")
        event = draft.record(EventKind.RESUMED, actor, {"tier": draft.case.tier + 1}, sealed=words(press))
        close_pages(draft)
        draft.call_back(CallbackKind.RELEASED, event)
        take_up(draft)
        if press.person.groups & answering_groups(draft.case):
            acknowledge(draft, actor)
        draft.note(event)
        return None

    return by_person(press, act)
