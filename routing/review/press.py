"""From a press to a step: whether this person may do it to the case as it is now, then what it does. The same order for every verb."""

from collections.abc import Callable
from datetime import datetime

from routing.authorize import Allowed, authorize
from routing.case.case import Case
from routing.case.people import Press
from routing.change import Actor, Change, Refused, Subject
from routing.review.draft import Draft

StepResult = Change | Refused
PressStep = Callable[[Subject, datetime], StepResult]
Act = Callable[[Draft, Actor], Refused | None]
"""What an allowed press does; it may still refuse, and then nothing happened."""


def by_person(press: Press, act: Act, *, unless: Callable[[Case, datetime], Refused | None] = lambda _case, _now: None) -> PressStep:
    """The step of a press. `unless` is what else refuses it, after `authorize` and before anything is done."""

    def step(subject: Subject, now: datetime) -> StepResult:
        verdict = authorize(press, subject.case)
        if not isinstance(verdict, Allowed):
            return verdict
        draft = Draft(subject, now)
        refused = unless(subject.case, now) or act(draft, Actor("human", press.person.id))
        return refused if refused is not None else draft.change()

    return step
