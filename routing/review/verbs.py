"""From a press to the step that carries it out: the one table of what every verb does."""

from collections.abc import Callable

from routing.people import Press
from routing.review import deciding, working
from routing.review.deciding import PressStep
from routing.vocabulary import Verb

STEPS: dict[Verb, Callable[[Press], PressStep]] = {
    Verb.APPROVE: deciding.approve,
    Verb.REJECT: deciding.reject,
    Verb.MODIFY: deciding.modify,
    Verb.ESCALATE: working.escalate,
    Verb.ASK: working.ask,
    Verb.COMMENT: working.comment,
    Verb.CLAIM: working.claim,
    Verb.UNCLAIM: working.unclaim,
    Verb.OPEN_EVIDENCE: working.open_evidence,
    Verb.RESUME: working.resume,
    Verb.ROLL_BACK: working.roll_back,
}

NEEDS_CONTENT = frozenset({Verb.MODIFY})
"""Verbs whose step reads the case's content."""


def step_of(press: Press) -> PressStep:
    """The step that carries out a press."""
    return STEPS[Verb(press.verb)](press)
