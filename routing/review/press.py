"""From a press to a step: whether this person may do it to the case as it is now, then what it does. The same order for every verb."""

from collections.abc import Callable
from datetime import datetime, timedelta

from routing.authorize import Allowed, authorize, held_off, refuse
from routing.case.case import Case
from routing.case.people import Person, Press
from routing.change import Actor, Change, Refused, Subject
from routing.review.draft import Draft

StepResult = Change | Refused
PressStep = Callable[[Subject, datetime], StepResult]
Act = Callable[[Draft, Actor], Refused | None]
"""What an allowed press does; it may still refuse, and then nothing happened."""


def by_person(press: Press, act: Act, *, unless: Callable[[Case, datetime], Refused | None] = lambda _case, _now: None) -> PressStep:
    """The step of a press. `unless` is what else refuses it, after `authorize` and before anything is done. Whoever has claimed the case
    keeps it by whatever they do with it.
    """

    def step(subject: Subject, now: datetime) -> StepResult:
        verdict = authorize(press, subject.case)
        if not isinstance(verdict, Allowed):
            return verdict
        if held_off(press, subject.case, now):
            return refuse("claimed")
        draft = Draft(subject, now)
        refused = unless(subject.case, now) or act(draft, Actor("human", press.person.id))
        if refused is not None:
            return refused
        keep_claim(draft, press.person)
        return draft.change()

    return step


def stay(press: Press) -> PressStep:
    """Whoever has claimed the case opened something of it, which changes nothing else."""

    def step(subject: Subject, now: datetime) -> StepResult:
        draft = Draft(subject, now)
        return draft.change() if keep_claim(draft, press.person) else refuse("not_claimed")

    return step


def keep_claim(draft: Draft, person: Person) -> bool:
    """A claim of this person runs afresh. False where they have none that runs."""
    case = draft.case
    if case.clocks.claim is None or not person.was(case.claimed_by, case.people):
        return False
    draft.put_clocks(claim=draft.now + timedelta(seconds=case.route.claim_s))
    return True
